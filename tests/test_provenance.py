"""Provenance: digests of code that know code from words, and records that notice whoever edits them."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitflow.data import places
from vitflow.machine.files import FileProblem, read_json, write_json, write_text
from vitflow.results import provenance
from vitflow.results.code import TRAINING_ROOMS
from vitflow.results.provenance import seal, write_sealed

# --------------------------------------------------------------------------------------- digests of code


@pytest.fixture
def digest_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """The digest of a package of one folder ``room`` with the given module, and of one module ``alone``."""
    monkeypatch.setattr(provenance, "PACKAGE", tmp_path)

    def digest_of(source: str, *rooms: str, style: str = "p {}") -> str:
        write_text(tmp_path / "room" / "module.py", source)
        write_text(tmp_path / "room" / "style.css", style)
        write_text(tmp_path / "alone.py", "ALONE = 1")
        provenance.source_digest.cache_clear()
        return provenance.source_digest(*(rooms or ("room",)))

    yield digest_of
    provenance.source_digest.cache_clear()


PLAIN = "def double(x):\n    return 2 * x\n"


@pytest.mark.parametrize(
    "same",
    [
        "# a comment\n" + PLAIN,
        '"""A docstring."""\n' + PLAIN,
        'def double(x):\n    """Twice as much."""\n\n    return (2 * x)  # easy\n',
    ],
)
def test_comments_docstrings_and_layout_are_no_code(digest_of: Callable[..., str], same: str) -> None:
    assert digest_of(same) == digest_of(PLAIN)


@pytest.mark.parametrize(
    "other",
    [
        PLAIN.replace("2", "3"),
        PLAIN.replace("2", "2.0"),
        PLAIN.replace("x", "y"),
        PLAIN + "double(1)\n",
        PLAIN.replace("2 * x", "'2 * x'"),
        PLAIN.replace("2 * x", "None"),
        PLAIN.replace("2 * x", ""),
    ],
)
def test_code_is_noticed(digest_of: Callable[..., str], other: str) -> None:
    assert digest_of(other) != digest_of(PLAIN)


def test_what_is_left_out_is_not_taken_for_what_is_none(digest_of: Callable[..., str]) -> None:
    sources = ["x = None", "x = []", "x = ''", "x = 0", "x = False", "x: int", "x: int = None", "f(*x)", "f(**x)"]
    sources += ["def f(): return", "def f(): return None", "def f(*, a, b=None): 0", "def f(*, a=None, b): 0", "f()"]
    assert len({digest_of(source) for source in sources}) == len(sources)


def test_styles_and_names_of_files_are_noticed(digest_of: Callable[..., str], tmp_path: Path) -> None:
    before = digest_of(PLAIN)
    assert digest_of(PLAIN, style="p {color: red}") != before
    assert digest_of(PLAIN, "alone") != digest_of(PLAIN, "room", "alone") != before
    write_text(tmp_path / "room" / "another.py", PLAIN)
    assert digest_of(PLAIN) != before


def test_what_python_leaves_beside_the_code_is_no_code(digest_of: Callable[..., str], tmp_path: Path) -> None:
    before = digest_of(PLAIN)
    write_text(tmp_path / "room" / "__pycache__" / "module.cpython-311.pyc", "compiled")
    assert digest_of(PLAIN) == before


def test_a_field_that_a_newer_python_adds_and_leaves_empty_does_not_count() -> None:
    tree = ast.parse(PLAIN)
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    newer_type = type("FunctionDef", (ast.FunctionDef,), {"_fields": (*ast.FunctionDef._fields, "of_tomorrow")})
    parts = dict(ast.iter_fields(function))

    def spelled(of_tomorrow: object) -> str:
        tree.body[0] = newer_type(**parts, of_tomorrow=of_tomorrow)
        return provenance._spell(tree)

    before = provenance._spell(ast.parse(PLAIN))
    assert spelled([]) == spelled(None) == before
    assert spelled([ast.Name("T")]) != before


def test_every_room_that_provenance_names_exists() -> None:
    for room in (*TRAINING_ROOMS, "evaluation", "features"):
        provenance.source_digest.cache_clear()
        assert provenance.source_digest(room) != provenance.source_digest("no such room")


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
    assert record["sources"] == provenance.source_digest("models")
    assert {"torch", "numpy"} <= record["versions"].keys()
    assert "threads" not in provenance.provenance("models")


def test_outside_git_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setattr(provenance, "PACKAGE", tmp_path)
    assert provenance._git_commit() is None


def test_the_identity_of_data_is_that_of_both_splits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileProblem, match=r"data/digits\.json: no such file; run `vitflow prepare` first"):
        provenance.data_digest("digits")
    seen = set()
    for train, test in [("a", "b"), ("c", "b"), ("a", "c"), ("b", "a")]:
        write_json(places.manifest("digits"), {"digests": {"train": train, "test": test}, "sha256": "any"})
        seen.add(provenance.data_digest("digits"))
    assert len(seen) == 4
