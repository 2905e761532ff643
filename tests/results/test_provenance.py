"""Records that notice whoever edits them, and where a result came from: code, versions, commit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.checkouts import git

from vitflow.machine.files import read_json, write_text
from vitflow.results import provenance
from vitflow.results.code import source_digest
from vitflow.results.provenance import seal, write_sealed

# ---------------------------------------------------------------------------------------- sealed records

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=40)
@given(st.dictionaries(st.text(), JSON, max_size=6))
def test_a_seal_survives_writing_reading_and_reordering(value: dict[str, Any]) -> None:
    sealed = json.loads(json.dumps(value | {"digest": seal(value)}))
    backwards = dict(reversed(sealed.items()))
    assert sealed["digest"] == seal(sealed) == seal(backwards) == seal(json.loads(json.dumps(backwards, indent=7)))


RECORD = {"run": "baseline", "cost": {"seconds": 1.5, "steps": 8}, "resumed_from": [], "diverged_step": None}


def test_a_sealed_record_can_be_written_in_another_layout(tmp_path: Path) -> None:
    path = tmp_path / "train.json"
    write_sealed(path, RECORD)
    stored = read_json(path)
    assert stored == RECORD | {"digest": seal(RECORD)}
    path.write_text(json.dumps(dict(reversed(stored.items())), indent=4))
    assert seal(read_json(path)) == read_json(path)["digest"]


@pytest.mark.parametrize(
    "edit",
    [
        lambda record: record.update(run="width=8"),
        lambda record: record["cost"].update(seconds=1.6),
        lambda record: record["cost"].update(seconds=True),
        lambda record: record["cost"].pop("steps"),
        lambda record: record.update(new=1),
        lambda record: record.update(diverged_step=0),
        lambda record: record["resumed_from"].append(3),
        lambda record: record.update(digest="0" * 64),
    ],
)
def test_an_edited_value_is_noticed(tmp_path: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    write_sealed(tmp_path / "train.json", RECORD)
    record = read_json(tmp_path / "train.json")
    edit(record)
    assert record["digest"] != seal(record)


def test_a_record_is_sealed_anew_when_it_is_written_again(tmp_path: Path) -> None:
    write_sealed(tmp_path / "a.json", RECORD)
    once = (tmp_path / "a.json").read_bytes()
    write_sealed(tmp_path / "a.json", read_json(tmp_path / "a.json"))
    assert (tmp_path / "a.json").read_bytes() == once, "the old digest is no part of the new one"


# ------------------------------------------------------------------------------ where a result came from


def test_provenance_says_where_a_result_came_from() -> None:
    record = provenance.provenance("models", device="cpu", threads=2)
    assert record["threads"] == 2 and record["device"]
    assert record["sources"] == source_digest("models")
    assert {"torch", "numpy"} <= record["versions"].keys()
    assert "threads" not in provenance.provenance("models")


def test_outside_git_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setattr(provenance, "PACKAGE", tmp_path)
    assert provenance._git_commit() is None


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package in a git repository, all of it committed; provenance takes it for vitflow's."""
    package = tmp_path / "vitflow"
    for path in (package / "room" / "module.py", package / "alone.py", tmp_path / "docs" / "words.md"):
        write_text(path, "ALONE = 1\n")
    write_text(tmp_path / ".gitignore", "__pycache__/\n*.tmp\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "the code")
    monkeypatch.setattr(provenance, "PACKAGE", package)
    return package


def commit(package: Path) -> str:
    return git(package, "rev-parse", "HEAD").strip()


def test_of_code_as_committed_provenance_names_the_commit(package: Path) -> None:
    assert provenance._git_commit() == commit(package)


@pytest.mark.parametrize("name", ["alone.py", "room/module.py", "new.py", "room/new.py", "room/style.css"])
def test_code_that_is_not_committed_is_told(package: Path, name: str) -> None:
    write_text(package / name, "ALONE = 2\n")
    assert provenance._git_commit() == f"{commit(package)}+changes"
    assert provenance.provenance()["git"] == f"{commit(package)}+changes"
    git(package, "add", "--all")
    assert provenance._git_commit() == f"{commit(package)}+changes", "staged is not committed"
    git(package, "commit", "--quiet", "--message", "more code")
    assert provenance._git_commit() == commit(package)


@pytest.mark.parametrize("name", ["alone.py", "room/module.py"])
def test_code_that_went_away_is_told(package: Path, name: str) -> None:
    (package / name).unlink()
    assert provenance._git_commit() == f"{commit(package)}+changes"


@pytest.mark.parametrize("name", ["docs/words.md", "docs/new.py", "new.py", "vitflow.py"])
def test_a_change_outside_the_package_is_none_of_code(package: Path, name: str) -> None:
    write_text(package.parent / name, "ALONE = 2\n")
    assert provenance._git_commit() == commit(package)


def test_what_git_ignores_is_no_change(package: Path) -> None:
    for name in ("__pycache__/alone.cpython-311.pyc", "room/module.py.tmp"):
        write_text(package / name, "compiled")
    assert provenance._git_commit() == commit(package)


def test_without_a_commit_there_is_none_to_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(tmp_path, "init", "--quiet")
    monkeypatch.setattr(provenance, "PACKAGE", tmp_path)
    assert provenance._git_commit() is None
