"""Which model of another family stands for all of them, in titles and beside them."""

from __future__ import annotations

from collections.abc import Mapping

from vitflow.analysis.records import Run
from vitflow.study.grid import BASELINE


def best_family(table: Mapping[str, Run]) -> Run | None:
    """The best model of another family that can be compared; what diverged, or is of the baseline's, only for want."""
    own = table[BASELINE].family
    compared = [
        (run.family != own, not run.diverged, run.difference.test, run)
        for run in table.values()
        if run.kind == "family" and run.difference
    ]
    return max(compared, key=lambda found: found[:3])[-1] if compared else None
