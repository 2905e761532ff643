"""Predictions of all seeds of a run as one: calibration bins and confusion matrix, on validation images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vitflow.analysis.records import Bins, Calibration, Cell, Confusion
from vitflow.analysis.runs import Result
from vitflow.study.grid import BASELINE

SPLIT = "validation"


def calibration(results: Sequence[Result]) -> Calibration:
    """Bins of every run that has any."""
    by_run: dict[str, list[Mapping[str, Sequence[float]]]] = {}
    for result in results:
        if scores := result.metrics[SPLIT]:
            by_run.setdefault(result.run, []).append(scores["calibration"])
    return Calibration(split=SPLIT, runs={run: pool(bins) for run, bins in by_run.items()})


def pool(bins: Sequence[Mapping[str, Sequence[float]]]) -> Bins:
    """Calibration bins of several seeds as one, weighted by their counts."""
    count = [int(sum(column)) for column in zip(*(b["count"] for b in bins), strict=True)]

    def weighted(key: str) -> tuple[float, ...]:
        totals = (sum(b[key][i] * b["count"][i] for b in bins) for i in range(len(count)))
        return tuple(round(total / max(c, 1), 4) for total, c in zip(totals, count, strict=True))

    return Bins(count=tuple(count), confidence=weighted("confidence"), accuracy=weighted("accuracy"))


def confusion(results: Sequence[Result], classes: Sequence[str]) -> Confusion:
    """The baseline's confusion matrix, summed over its seeds."""
    matrices = [r.metrics[SPLIT]["confusion"] for r in results if r.run == BASELINE and r.metrics[SPLIT]]
    return Confusion(
        run=BASELINE,
        n=len(matrices),
        split=SPLIT,
        classes=tuple(classes),
        cells=tuple(
            Cell(actual=actual, predicted=predicted, images=sum(matrix[i][j] for matrix in matrices))
            for i, actual in enumerate(classes)
            for j, predicted in enumerate(classes)
        ),
    )
