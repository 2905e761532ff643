"""Which model of another family stands for all of them, in titles and beside them."""

from __future__ import annotations

from collections.abc import Mapping

from vitflow.analysis.records import Run
from vitflow.study.grid import BASELINE


def best_family(table: Mapping[str, Run]) -> Run | None:
    """The best by validation accuracy that can be compared; what diverged, or is of the baseline's, only for want."""
    own, compared = table[BASELINE].family, [run for run in table.values() if run.kind == "family" and run.difference]
    return max(
        compared, key=lambda run: (run.family != own, not run.diverged, run.validation.mean or 0.0), default=None
    )
