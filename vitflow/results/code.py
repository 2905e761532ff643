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

#: what a probe of a pretrained model follows from, given its weights
PROBE = ("data/canonical", "data/shares", "data/splits", "measuring/pretrained", "analysis/probe")


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
