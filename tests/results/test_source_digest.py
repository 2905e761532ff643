"""Digests of code: they know code from words, and a newer Python does not change them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vitflow.machine.files import write_text
from vitflow.results import code
from vitflow.results.code import FEATURES, SCORING, TRAINING, source_digest


@pytest.fixture
def digest_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """The digest of a package of one folder ``room`` with the given module, and of one module ``alone``."""
    monkeypatch.setattr(code, "PACKAGE", tmp_path)

    def digest_of(source: str, *rooms: str, style: str = "p {}") -> str:
        write_text(tmp_path / "room" / "module.py", source)
        write_text(tmp_path / "room" / "style.css", style)
        write_text(tmp_path / "alone.py", "ALONE = 1")
        source_digest.cache_clear()
        return source_digest(*(rooms or ("room",)))

    yield digest_of
    source_digest.cache_clear()


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
        return code._spell(tree)

    before = code._spell(ast.parse(PLAIN))
    assert spelled([]) == spelled(None) == before
    assert spelled([ast.Name("T")]) != before


def test_every_room_that_provenance_names_exists() -> None:
    for room in {*TRAINING, *SCORING, *FEATURES}:
        source_digest.cache_clear()
        assert source_digest(room) != source_digest("no such room")
