"""Which code decides what: digests of sources, so that a result of older code can be told.

Comments, docstrings and layout do not count. No torch here.
"""

from __future__ import annotations

import ast
import functools
from pathlib import Path
from typing import Any

from vitflow.machine.files import sha256_text

PACKAGE = Path(__file__).parents[1]

#: what the bits of a training follow from, given its configuration, its images (by their digest) and its seed
TRAINING = ("study/tokens", "data/canonical", "data/shares", "data/splits", "models", "training")
#: what scores follow from
SCORING = (*TRAINING, "measuring/scores", "measuring/inspection", "measuring/intermediates")
#: what features follow from, given the weights
FEATURES = ("study/tokens", "models", "measuring/features", "measuring/attention_maps", "measuring/intermediates")

#: by the digest of today's code, those of older code that trains and scores to the same bits on a CPU: what is changed
#: for GPUs alone shall not call days of training older. An entry is a claim, made after the stored histories came out
#: equal and a run of a study was trained again to weights of the same digest (CONTRIBUTING.md). Any change of the
#: code makes it void
SAME_BITS: dict[str, tuple[str, ...]] = {
    "7edbb317025eac0c3a38876a6311c0ae97e3b9cc885f7b63c23d875c6f70e2a8": (
        "1ed38b09bffe15902156679954e324cd52a43ef1d1a7c6b253e4d0417d28e5e8",
        "c0bff5826119ee1d89793f4863a4a0dc5bd4875fed3eaf2ea16028c22cf3c709",
    ),
    "1edeaf289db2e99f8fda43261fb455f7ce79cfbd2ce0e1440b00a6e99b420f3e": (
        "3d08131801f586cf25c927c389981a7c2b60723348cd40d9a9d9eb85fddd5de6",
        "ddd9a42b0b30f2b7e5c213871c00c3a75faecc0ef98ecf16260c2c9e0c6cdbee",
    ),
}

#: what a probe of a pretrained model follows from, given its weights
PROBE = ("data/canonical", "data/shares", "data/splits", "measuring/pretrained", "analysis/probe")


def is_todays(sources: str | None, *rooms: str) -> bool:
    """Whether ``sources``, the digest that a result states, is that of today's code of ``rooms`` or as good."""
    today = source_digest(*rooms)
    return sources == today or sources in SAME_BITS.get(today, ())


@functools.cache
def source_digest(*rooms: str) -> str:
    """Digest of the code of ``rooms`` (folders or modules of the package); comments and docstrings do not count."""
    files = sorted(
        file
        for room in rooms
        for file in (
            [PACKAGE / f"{room}.py"] if (PACKAGE / f"{room}.py").exists() else sorted((PACKAGE / room).rglob("*"))
        )
    )
    parts = []
    for file in files:
        if file.suffix == ".py":
            parts.append(f"{file.relative_to(PACKAGE)} {_code(file)}")
        elif file.is_file() and file.suffix in (".css", ".js", ".html"):
            parts.append(f"{file.relative_to(PACKAGE)} {file.read_text(encoding='utf-8')}")
    return sha256_text("\n".join(parts))


def _code(file: Path) -> str:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node
        ):
            node.body = node.body[1:]
    return _spell(tree)


def _spell(node: Any) -> str:
    """A syntax tree as text. Empty fields are left out, since newer Pythons add some: the digest must not know."""
    if isinstance(node, list):
        return f"[{','.join(map(_spell, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = [f"{name}={_spell(value)}" for name, value in ast.iter_fields(node) if value not in (None, [])]
    return f"{type(node).__name__}({','.join(fields)})"
