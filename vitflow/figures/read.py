"""What figures are drawn from: the files of ``results/<study>/analysis``, read once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vitflow.analysis.curves import Curves, read_curves
from vitflow.analysis.records import Calibration, Confusion, Features, Inspection, Summary, Winners
from vitflow.machine.files import FileProblem


class FigureError(RuntimeError):
    """What a figure is drawn from is missing or damaged; the message names the file and what to do."""


@dataclass(frozen=True)
class Analysis:
    """The numbers of a study, as the analysis left them."""

    summary: Summary
    curves: Curves
    confusion: Confusion
    calibration: Calibration
    features: Features
    inspection: Inspection
    winners: Winners | None  #: None where the study chooses none, or has not yet


def read(folder: Path) -> Analysis:
    """Read an analysis folder. Raises FigureError naming the first missing or damaged file."""
    try:
        return Analysis(
            summary=Summary.read(folder / "summary.json"),
            curves=read_curves(folder / "curves.csv"),
            confusion=Confusion.read(folder / "confusion.json"),
            calibration=Calibration.read(folder / "calibration.json"),
            features=Features.read(folder / "features.json"),
            inspection=Inspection.read(folder / "inspection.json"),
            winners=Winners.read(folder / "best.json") if (folder / "best.json").exists() else None,
        )
    except FileProblem as error:
        raise FigureError(f"{error}; run the analysis of this study first (`snakemake figures`)") from None
