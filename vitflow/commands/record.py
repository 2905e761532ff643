"""`vitflow record`: every result verified and handed to DVC."""

from __future__ import annotations

import argparse
from pathlib import Path

from vitflow.commands.options import add_study, spelled, study_of
from vitflow.results.record import record

EXAMPLE = "vitflow record && git add -A && git commit && dvc push"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_study(parser)
    parser.add_argument(
        "--accept-older-code", action="store_true", help="record results whose code has changed since, too"
    )
    parser.add_argument("--weights", action="store_true", help="leave dvc.lock alone: for use in dvc.yaml")


def run(options: argparse.Namespace) -> int:
    """Record what can be recorded, and say what was done."""
    record(
        study_of(options),
        Path(options.config),
        lambda line: print(spelled(line, options.config)),
        accept_older=options.accept_older_code,
        weights_only=options.weights,
    )
    return 0
