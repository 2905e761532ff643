"""Handing a finished study to DVC: what is called, written and said; DVC itself is in tests/workflow."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.commands import keep
from support.files import append
from support.results import BASELINE, HOME, ROOT, TINY

from vitflow.results import record as room
from vitflow.results.audit import audit
from vitflow.results.dvc import RecordError, stated_digest
from vitflow.results.record import PIPELINE, forecast, pipeline_of, record, unrecorded
from vitflow.study.schema import Study

PIPELINE_HERE = HOME.root / "dvc.yaml"


@pytest.fixture
def calls(complete: Study, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What DVC is called with in the finished study; it keeps what it is told to."""
    calls = []

    def dvc(*words: str | Path, check: bool = True) -> str:
        calls.append(tuple(map(str, words)))
        for path in words[1:] if words[0] == "add" else ():
            keep(Path(path), "whatever it was")
        return ""

    monkeypatch.setattr(room, "dvc", dvc)
    monkeypatch.setattr(room, "needs_repository", lambda root: None)
    shutil.copy(ROOT / PIPELINE, PIPELINE)
    return calls


def test_a_finished_study_is_handed_over_and_called_reproduced(complete: Study, calls: list[tuple[str, ...]]) -> None:
    said: list[str] = []
    found = audit(complete)
    assert forecast(complete, found) == ["`vitflow record` would hand 9 of 9 verified files to DVC"]
    record(complete, TINY, said.append)
    assert calls == [
        ("add", *map(str, found.verified)),
        ("commit", "--force", str(PIPELINE_HERE)),
    ]
    assert {path: stated_digest(path) for path in found.verified} == found.verified
    assert said == [
        "9 files handed to DVC, 0 there already",
        f"{PIPELINE_HERE}: written",
        f"{PIPELINE_HERE.with_suffix('.lock')}: the study is recorded as reproduced",
        "now: git add data results/tiny, git commit, dvc push",
    ]
    assert unrecorded(found) == []
    assert forecast(complete, found) == ["DVC keeps what is here (9 files)"]


def test_what_dvc_keeps_is_not_handed_over_again_but_another_version_is(
    complete: Study, calls: list[tuple[str, ...]]
) -> None:
    for path, digest in audit(complete).verified.items():
        keep(path, digest)
    keep(BASELINE.checkpoint, "of other weights")
    said: list[str] = []
    record(complete, TINY, said.append, weights_only=True)
    assert calls == [("add", str(BASELINE.checkpoint))]
    assert said == ["1 file handed to DVC, 8 there already"]
    assert not PIPELINE_HERE.exists()
    record(complete, TINY, said.append, weights_only=True)
    assert len(calls) == 1


def test_a_study_with_tables_to_be_made_is_not_called_reproduced(complete: Study, calls: list[tuple[str, ...]]) -> None:
    append(HOME.figures / "captions.json")
    (HOME.provenance / "figures.json").unlink()
    said: list[str] = []
    record(complete, TINY, said.append)
    assert [words[0] for words in calls] == ["add"]
    assert "to be made, or made again: figures, slides (`snakemake`)" in said
    assert f"{PIPELINE_HERE.with_suffix('.lock')}: left as it is, the study is not complete" in said


def test_nothing_is_handed_over_where_something_is_wrong(complete: Study, calls: list[tuple[str, ...]]) -> None:
    append(BASELINE.history)
    with pytest.raises(RecordError, match=f"(?s)^nothing is recorded: .*{BASELINE.history}: not what"):
        record(complete, TINY, pytest.fail)
    assert calls == [] and not PIPELINE_HERE.exists()
    told = forecast(complete, audit(complete))
    assert told[0].startswith("`vitflow record` would refuse: ")
    assert told[1:] == ["to be made, or made again: summary (`snakemake`)"]


def test_the_study_of_config_yaml_has_its_pipeline_in_the_root(complete: Study) -> None:
    for config in (Path("config.yaml"), Path("./config.yaml"), Path.cwd() / "config.yaml"):
        assert pipeline_of(complete, config) == Path("dvc.yaml")
    for config in (Path("mine.yaml"), Path("workflow/config.yaml"), TINY):
        assert pipeline_of(complete, config) == PIPELINE_HERE
