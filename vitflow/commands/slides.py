"""`vitflow slides`: the talk, as HTML, PDF and PPTX."""

from __future__ import annotations

import argparse

from vitflow.analysis.techniques import read_techniques
from vitflow.commands.options import add_study, study_of
from vitflow.results.layout import Layout
from vitflow.results.stages import TEMPLATE, check_inputs, stages
from vitflow.slides.pdf import find_renderer
from vitflow.slides.render import render

EXAMPLE = "vitflow slides"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_study(parser)
    parser.add_argument("--check", action="store_true", help="only say whether the PDF can be made here")


def run(options: argparse.Namespace) -> int:
    """Render the talk in its forms."""
    if options.check:
        print(f"the PDF can be made here, by {type(find_renderer()).__name__}")
        return 0
    study = study_of(options)
    home = Layout(study.study)
    check_inputs(study, "slides")
    techniques = read_techniques(study.study)
    render(TEMPLATE, home.analysis, home.figures, techniques, home.slides, pretrained=study.pretrained is not None)
    stage = stages(study)["slides"]
    stage.seal()
    print(f"{home.slides}: the talk as {', '.join(path.name for path in stage.outputs)}")
    return 0
