"""The tiny study's baseline, trained as a person types it, and what that publishes."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from support.checkouts import environment
from support.results import BASELINE, ROOT

TRAIN = ["train", "--run", "baseline", "--threads", "1"]


def vitflow(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own; ``options`` are those of subprocess.run."""
    command = [sys.executable, "-m", "vitflow", *words]
    return subprocess.run(command, env=environment(ROOT), text=True, **({"capture_output": True} | options))


def published() -> dict[str, bytes]:
    """Weights, history and configuration in the current folder."""
    return {path.name: path.read_bytes() for path in (BASELINE.checkpoint, BASELINE.history, BASELINE.config)}
