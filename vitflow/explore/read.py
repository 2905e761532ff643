"""What the page is made from: files of ``results/<study>/analysis``, read once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vitflow.analysis.curves import Curves, read_curves
from vitflow.analysis.records import Mistakes, Summary
from vitflow.explore.attention import Attention, read_attention
from vitflow.machine.files import FileProblem


class ExploreError(RuntimeError):
    """What the page is made from is missing or damaged; the message names the file and what to do."""


@dataclass(frozen=True)
class Analysis:
    """The numbers of a study, as the analysis left them."""

    summary: Summary
    curves: Curves
    mistakes: Mistakes
    attention: Attention


def read(folder: Path) -> Analysis:
    """Read an analysis folder. Raises ExploreError naming the first missing or damaged file."""
    try:
        return Analysis(
            summary=Summary.read(folder / "summary.json"),
            curves=read_curves(folder / "curves.csv"),
            mistakes=Mistakes.read(folder / "mistakes.json"),
            attention=read_attention(folder),
        )
    except FileProblem as error:
        raise ExploreError(f"{error}; run the analysis of this study first (`snakemake explore`)") from None
