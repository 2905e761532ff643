"""What is asked of DVC: its command, its repository, and the ``.dvc`` files that say which bytes it keeps."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from vitflow.machine.files import write_text

SHOWN = 8  # names in a message before it only counts


class RecordError(RuntimeError):
    """Results cannot be recorded or restored; the message names the files and says what to do."""


def stated_digest(path: Path) -> str | None:
    """sha256 of the version of ``path`` that DVC keeps; None if it keeps none."""
    pointer = read_pointer(path)
    return pointer.get("meta", {}).get("sha256") if pointer else None


def pointer_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.dvc")


def read_pointer(path: Path) -> dict[str, Any] | None:
    pointer = pointer_of(path)
    if not pointer.exists():
        return None
    try:
        content = yaml.safe_load(pointer.read_text(encoding="utf-8"))
        return content if isinstance(content["outs"][0]["md5"], str) else None
    except (yaml.YAMLError, KeyError, IndexError, TypeError):
        raise RecordError(f"{pointer}: damaged; get it back with `git checkout -- {pointer}`") from None


def note_digest(path: Path, digest: str) -> None:
    """Note in the .dvc file which result its bytes belong to; DVC leaves ``meta`` alone."""
    content = read_pointer(path)
    write_text(pointer_of(path), yaml.safe_dump({**(content or {}), "meta": {"sha256": digest}}, sort_keys=False))


def listed(heading: str, items: Sequence[object] | dict[Path, str]) -> str:
    lines = [f"  {item}" for item in list(items)[:SHOWN]]
    if len(items) > SHOWN:
        lines.append(f"  and {len(items) - SHOWN} more")
    return "\n".join([heading, *lines])


DVC = (sys.executable, "-m", "dvc")


def dvc(*words: str | Path, check: bool = True) -> str:
    """Run DVC; its output. Raises RecordError with DVC's own words if it fails, which ``--quiet`` would hide."""
    done = subprocess.run([*DVC, *map(str, words)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if check and done.returncode:
        raise RecordError(f"dvc {words[0]} failed: " + "\n  ".join(_told(done.stderr)))
    return done.stdout.strip()


def _told(stderr: str) -> list[str]:
    """What went wrong, in DVC's words: its lines marked as errors, else its last; its greeting tells nothing."""
    lines = [line for line in stderr.splitlines() if line.strip() and not line.startswith(("<", "Having any troubles"))]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return errors or lines[-1:] or ["no word"]


def needs_repository(root: Path) -> None:
    """Raise RecordError where git and DVC cannot keep results below ``root``."""
    from dvc.config import Config, ConfigError  # type: ignore[import-untyped]  # not before: half a second

    if not Path(".dvc/config").exists():
        raise RecordError("no DVC repository here: run `dvc init` (and `git init` before it) in the project's folder")
    try:
        Config.from_cwd()
    except ConfigError as error:
        raise RecordError(f".dvc/config: {error}; correct it, or get it back from git") from None
    ignored = subprocess.run(["git", "check-ignore", "--quiet", root / "dvc.yaml"], capture_output=True, text=True)
    if ignored.returncode == 0:
        raise RecordError(f"{root}: git ignores this folder, so its results cannot be kept; take it out of .gitignore")
    if ignored.returncode != 1:
        said = ignored.stderr.strip().splitlines()[-1:] or ["nothing"]
        advice = "; run `git init` in the project's folder" if "not a git repository" in said[0] else ""
        raise RecordError(f"git refuses {root}: {said[0].removeprefix('fatal: ')}{advice}")
