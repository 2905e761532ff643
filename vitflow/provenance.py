"""Where an artifact came from: code, versions, device, and a digest of itself, so that an edit is noticed.

No torch here, unless the name of a GPU is asked for.
"""

from __future__ import annotations

import ast
import datetime
import functools
import importlib.metadata
import json
import platform
import subprocess
from pathlib import Path
from typing import Any

from vitflow import __version__, layout
from vitflow.files import FileProblem, read_json, sha256_text, write_json

PACKAGE = Path(__file__).parent


def write_sealed(path: Path, value: dict[str, Any]) -> None:
    """Publish ``value`` as JSON with ``digest``, the digest of all the rest: whoever edits it by hand is noticed."""
    write_json(path, value | {"digest": seal(value)})


def seal(value: dict[str, Any]) -> str:
    """Digest of a JSON object without its key ``digest``; spacing and the order of keys do not count."""
    rest = {key: part for key, part in value.items() if key != "digest"}
    return sha256_text(json.dumps(rest, sort_keys=True, separators=(",", ":")))


def provenance(*rooms: str, device: str = "cpu", threads: int | None = None) -> dict[str, Any]:
    """Where an artifact came from: sources of ``rooms``, git commit, versions, device, date (UTC)."""
    record: dict[str, Any] = {
        "vitflow": __version__,
        "sources": source_digest(*rooms),
        "git": _git_commit(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in ("torch", "numpy", "scikit-learn", "matplotlib")},
        "device": device_name(device),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }
    return record | ({"threads": threads} if threads else {})


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


def device_name(device: str) -> str:
    """A name people know: the GPU's, or the processor's."""
    if device.startswith("cuda"):
        import torch

        return torch.cuda.get_device_name(device)
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def spell_device(name: str, threads: int) -> str:
    """``AMD EPYC (2 threads)``."""
    return f"{name} ({threads} thread{'' if threads == 1 else 's'})"


def _git_commit() -> str | None:
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], capture_output=True, text=True, check=True, cwd=PACKAGE).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+changes" if git("status", "--porcelain", "--", "vitflow") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def data_digest(dataset: str) -> str:
    """Identity of the prepared data, from its manifest. Raises FileProblem if there is none."""
    manifest = layout.manifest(dataset)
    if not manifest.exists():
        raise FileProblem(f"{manifest}: no such file; run `vitflow prepare` first")
    digests = read_json(manifest)["digests"]
    return sha256_text(digests["train"] + digests["test"])
