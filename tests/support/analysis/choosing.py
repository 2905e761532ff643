"""Finalists chosen from mean accuracies that a test writes down."""

from __future__ import annotations

from typing import Any

from vitflow.analysis.records import Selection
from vitflow.analysis.selection import select
from vitflow.study.grid import BASELINE, expand
from vitflow.study.schema import Study


def seeds(mean: float, n: int = 3) -> list[float]:
    """``n`` accuracies of this mean, within 0.1 of it."""
    return [mean + 0.1 * (i - (n - 1) / 2) / max(1, (n - 1) / 2) for i in range(n)]


def choose(plan: Study, means: dict[str, Any], cost: dict[str, int] | None = None, n: int = 3) -> Selection:
    """From means, or values, of validation accuracy by run; the others are like the baseline, without a gain."""
    grid = expand(plan)
    assert means.keys() <= grid.runs.keys()
    costs = {run.config.digest: (cost or {}).get(name, 100) for name, run in grid.runs.items()}
    validation = {run: seeds(79.0, len(grid.runs[run].seeds)) for run in grid.runs} | {BASELINE: seeds(80.0, n)}
    validation |= {run: seeds(mean, n) if isinstance(mean, float | int) else mean for run, mean in means.items()}
    return select(plan, validation, lambda config: costs.get(config.digest, 100))


def changes(chosen: Selection, run: str) -> dict[str, Any]:
    """Of a finalist."""
    return next(one.changes for one in chosen.finalists if one.run == run)


def best_architecture(chosen: Selection) -> dict[str, Any]:
    """Its changes."""
    return changes(chosen, chosen.best_architecture)


def why(chosen: Selection, axis: str) -> str:
    """What is told of an axis."""
    return next(choice.why for choice in (*chosen.architecture, *chosen.techniques) if choice.axis == axis)
