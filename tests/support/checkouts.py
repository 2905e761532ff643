"""Checkouts in temporary folders, and the real commands that people type in them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
STUDY = "tests/workflow/tiny.yaml"
CODE = ("Snakefile", "config.yaml", "vitflow", "workflow", "profiles", STUDY, "pyproject.toml")
VERSIONS = (".gitignore", ".dvcignore", ".dvc/config", ".dvc/.gitignore", ".dvc/plots", "dvc.yaml")


def environment(where: Path) -> dict[str, str]:
    """Commands in a checkout import its own package, and know nothing of who runs the tests."""
    person = {f"GIT_{role}_{key}": "test@example.org" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
    return os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(where),
        "OMP_NUM_THREADS": "1",
        "COLUMNS": "200",
        **person,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "DVC_GLOBAL_CONFIG_DIR": str(where / ".dvc" / "tmp" / "nobody"),
        "DVC_SYSTEM_CONFIG_DIR": str(where / ".dvc" / "tmp" / "nobody"),
        "DVC_SITE_CACHE_DIR": str(where / ".dvc" / "tmp" / "site"),
        "CI": "1",  # DVC asks the network for a newer version otherwise
    }


def call(where: Path, *words: str | Path, expect: int = 0, timeout: float = 400) -> str:
    """Run a Python command (snakemake, dvc, vitflow) in a checkout whose own package is imported; its output."""
    return _run(where, [sys.executable, "-m", *words], expect, timeout)


def git(where: Path, *words: str | Path, expect: int = 0) -> str:
    return _run(where, ["git", *words], expect, 60)


def shell(where: Path, lines: str) -> str:
    """Run what a document tells to type, line by line, until one fails."""
    return _run(where, ["bash", "-euo", "pipefail", "-c", lines], 0, 400)


def _run(where: Path, words: list[str | Path], expect: int, timeout: float) -> str:
    with begin(where, words) as process:
        try:
            output, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert process.returncode == expect, output[-4000:]
    return output


def begin(where: Path, words: Sequence[str | Path]) -> subprocess.Popen[str]:
    """A command in a checkout, as a process that somebody may kill; stdout has what stderr has, too."""
    return subprocess.Popen(
        words,
        cwd=where,
        env=environment(where),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def snakemake(where: Path, *words: str, expect: int = 0, study: str | None = STUDY) -> str:
    """``study`` is a configuration file; None: config.yaml, as the Snakefile reads it by itself."""
    targets = words if "--" in words else ("--", *words) if words and not words[0].startswith("-") else words
    chosen = ["--configfile", study] if study else []
    return call(where, "snakemake", "--cores", "2", *chosen, *targets, expect=expect)


def planned(where: Path, *words: str, study: str | None = STUDY) -> dict[str, list[str]]:
    """{rule: [first output of each job]} of a dry run."""
    return jobs_in(snakemake(where, "-n", *words, study=study))


def jobs_in(output: str) -> dict[str, list[str]]:
    """{rule: [first output of each job]} that Snakemake says it runs, or would run."""
    jobs: dict[str, list[str]] = {}
    said = r"(?:rule|checkpoint) (\w+):\n(?:\s+input: .*\n)?\s+output: ([^,\n]+?)(?: \(update\))?(?=[,\n])"
    for rule, made in re.findall(said, output):
        jobs.setdefault(rule, []).append(made)
    return jobs


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def copy_code(to: Path, names: tuple[str, ...] = CODE) -> Path:
    """A checkout of the working tree's code, without results, data and history."""
    for name in names:
        source, target = ROOT / name, to / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    return to
