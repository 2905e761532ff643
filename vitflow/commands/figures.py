"""`vitflow figures`: the figures of a study, from the numbers in its analysis/ alone."""

from __future__ import annotations

import argparse

from vitflow.commands.options import add_study, study_of
from vitflow.figures.draw import draw, names
from vitflow.results.layout import Layout
from vitflow.results.stages import check_inputs, stages
from vitflow.study.names import counted

EXAMPLE = "vitflow figures"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_study(parser)


def run(options: argparse.Namespace) -> int:
    """Draw every figure."""
    study = study_of(options)
    home = Layout(study.study)
    check_inputs(study, "figures")
    draw(home.analysis, home.figures)
    stages(study)["figures"].seal()
    print(f"{home.figures}: {counted(len(names(study)), 'figure')}")
    return 0
