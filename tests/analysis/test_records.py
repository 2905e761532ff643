"""Records: what is written is read again, and a file of another version is refused in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from support.analysis import example_study, write_analysis
from support.pretrained import a_probe
from support.records import a_run, winners

from vitflow.analysis.records import (
    Calibration,
    Confusion,
    Features,
    Inspection,
    Pretrained,
    Record,
    Selection,
    Summary,
    Winners,
)
from vitflow.machine.files import FileProblem

KINDS: dict[str, type[Record]] = {
    "summary": Summary,
    "confusion": Confusion,
    "calibration": Calibration,
    "features": Features,
    "inspection": Inspection,
    "best": Winners,
    "selection": Selection,
    "pretrained": Pretrained,
}


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record of each kind, in a file. Not to be changed."""
    folder = tmp_path_factory.mktemp("records")
    write_analysis(folder, example_study(2, features={"images": 20}), {"heads=96": 2})
    winners().write(folder / "best.json")
    winners().selection.write(folder / "selection.json")
    a_probe().write(folder / "pretrained.json")
    return folder


@pytest.fixture
def content(analysis: Path, kind: str) -> Any:
    return json.loads((analysis / f"{kind}.json").read_text())


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_is_read_as_it_was_written(analysis: Path, kind: str, tmp_path: Path) -> None:
    path = analysis / f"{kind}.json"
    record = KINDS[kind].read(path)
    record.write(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == path.read_bytes()
    assert KINDS[kind].read(tmp_path / "again.json") == record


def refused(kind: str, content: Any, folder: Path) -> str:
    path = folder / f"{kind}.json"
    path.write_text(json.dumps(content))
    with pytest.raises(FileProblem) as caught:
        KINDS[kind].read(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: damaged, or of another version (") and "\n" not in message
    assert message.endswith("); delete it to have it made again")
    return message.removeprefix(f"{path}: damaged, or of another version (")


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_key_is_refused_in_one_line_naming_file_and_key(kind: str, content: Any, tmp_path: Path) -> None:
    for key in KINDS[kind].model_fields:
        message = refused(kind, {name: value for name, value in content.items() if name != key}, tmp_path)
        assert message.startswith(f"{key}: Field required")


@pytest.mark.parametrize("kind", KINDS)
def test_an_extra_key_is_refused_in_one_line_naming_file_and_key(kind: str, content: Any, tmp_path: Path) -> None:
    assert refused(kind, content | {"colour": 1}, tmp_path).startswith("colour: Extra inputs are not permitted")


@pytest.mark.parametrize("kind", ["summary"])
def test_a_key_deep_inside_is_named_by_its_place(content: Any, tmp_path: Path) -> None:
    stability = content["runs"]["heads=96"]["stability"]
    del stability["loss_spikes"]  # as results of older versions lack it
    assert refused("summary", content, tmp_path).startswith("runs.heads=96.stability.loss_spikes: ")
    stability |= {"loss_spikes": None, "peaks": 3}
    assert refused("summary", content, tmp_path).startswith("runs.heads=96.stability.peaks: ")
    del stability["peaks"]
    content["axes"][1]["values"][0]["run"] = None
    assert refused("summary", content, tmp_path).startswith("axes.1.values.0.run: ")


@pytest.mark.parametrize("kind", ["summary"])
def test_what_is_no_record_at_all_is_refused(tmp_path: Path, kind: str) -> None:
    assert refused(kind, [], tmp_path).startswith("all of it: ")
    (tmp_path / "summary.json").write_text("{")
    with pytest.raises(FileProblem, match=r"summary\.json: damaged"):
        Summary.read(tmp_path / "summary.json")
    with pytest.raises(FileProblem, match=r"none\.json: no such file"):
        Summary.read(tmp_path / "none.json")


def test_a_number_that_is_none_is_not_written(tmp_path: Path) -> None:
    lost = a_run(time_ratio=float("nan"))
    with pytest.raises(ValueError, match="JSON"):
        lost.write(tmp_path / "run.json")
    assert not list(tmp_path.iterdir())


def test_a_record_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        a_run().n = 4  # type: ignore[misc]


def test_settings_keep_their_kind(tmp_path: Path) -> None:
    run = a_run(model={"bias": True, "depth": 6, "ratio": 4.0, "pool": "cls", "scale": None})
    run.write(tmp_path / "run.json")
    again = type(run).read(tmp_path / "run.json")
    assert [(key, type(value)) for key, value in again.model.items()] == [
        (key, type(value)) for key, value in sorted(run.model.items())
    ]
