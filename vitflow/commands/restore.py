"""`vitflow restore`: weights, features and images back from DVC, and verified."""

from __future__ import annotations

import argparse

from vitflow.commands.options import add_study, spelled, study_of
from vitflow.results.restore import restore

EXAMPLE = "vitflow restore"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_study(parser)


def run(options: argparse.Namespace) -> int:
    """Get back what DVC keeps, and say what is elsewhere."""
    restore(study_of(options), lambda line: print(spelled(line, options.config)))
    return 0
