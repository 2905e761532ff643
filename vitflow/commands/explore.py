"""`vitflow explore`: one page on which to look for oneself, from the numbers in analysis/ alone."""

from __future__ import annotations

import argparse

from vitflow.commands.options import add_study, study_of
from vitflow.explore.page import explore
from vitflow.results.layout import Layout
from vitflow.results.stages import check_inputs, stages
from vitflow.study.grid import expand

EXAMPLE = "vitflow explore"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_study(parser)


def run(options: argparse.Namespace) -> int:
    """Make the page."""
    study = study_of(options)
    home = Layout(study.study)
    page = home.slides / "explore.html"
    check_inputs(study, "explore")
    explore(home.analysis, expand(study), page)
    stages(study)["explore"].seal()
    print(f"{page}: written")
    return 0
