"""What was measured beside an accuracy and bears on why it changed: evidence for an explanation, not one."""

from __future__ import annotations

from collections.abc import Sequence

from vitflow.analysis.claims.effects import judge, of_group, of_study
from vitflow.analysis.intervals import welch_interval
from vitflow.analysis.records import Run, Statistics


def reason(run: Run, baseline: Run, margin: float) -> str:
    """What the fit to training images, shifts and attention say of a run that gained or lost; '' of others.

    Only differences that Welch's test calls sure are named.
    """
    if run.difference is None or (shown := judge(of_group(run), margin)) not in ("gained", "lost"):
        return ""
    said = [_fit(run, baseline, gained=shown == "gained")]
    ours, theirs = run.shifts.get("1"), baseline.shifts.get("1")
    if ours and theirs and _side(ours, theirs):
        said.append(f"Moved by a pixel, {ours.mean:.0f} % of its predictions stay (baseline {theirs.mean:.0f} %).")
    if _side(run.attention_distance, baseline.attention_distance):
        said.append(
            f"Its attention reaches {run.attention_distance.mean:.1f} pixels on average "
            f"(baseline {baseline.attention_distance.mean:.1f})."
        )
    return " ".join(filter(None, said))


def fit_finding(runs: Sequence[Run], baseline: Run, margin: float) -> str:
    """A title on fits and losses: whether what lost fits the training images less, or learns them by heart."""
    compared = [run for run in runs if run.difference and of_study(run).interval]
    lost = [run for run in compared if judge(of_study(run), margin) == "lost"]
    judged = [run for run in lost if welch_interval(baseline.clean_train.values, run.clean_train.values)]
    if not judged:
        if baseline.clean_train.mean is None or baseline.validation.mean is None:
            return "Training and validation accuracy of all runs"
        gap = baseline.clean_train.mean - baseline.validation.mean
        how = "worse" if gap < 0 else "better"
        return f"The baseline is {abs(gap):.1f} points {how} on training images than on validation images"
    less, more = (sum(_side(run.clean_train, baseline.clean_train) == side for run in judged) for side in (-1, 1))
    if len(judged) == 1:
        how = "less too: it is under-optimised" if less else "better: it overfits" if more else "as well"
        return f"The one change that lost fits the training images {how}"
    return (
        f"Of {len(judged)} changes that lost, {less} fit the training images less too (under-optimised), "
        f"{more} better (overfitted)"
    )


def _fit(run: Run, baseline: Run, *, gained: bool) -> str:
    if run.clean_train.mean is None or baseline.clean_train.mean is None:
        return ""
    numbers = f"({run.clean_train.mean:.1f} % of clean ones right, baseline {baseline.clean_train.mean:.1f} %)"
    said = {
        (True, 1): f"It fits the training images better too {numbers}: it learns more in the same steps.",
        (True, 0): f"It fits the training images as well {numbers}: what it gains is generalisation.",
        (True, -1): f"It fits the training images less {numbers} and new ones better: it regularises.",
        (False, 1): f"It fits the training images better {numbers} and new ones worse: it overfits.",
        (False, 0): f"It fits the training images as well {numbers}: what it loses is generalisation.",
        (False, -1): f"It fits the training images less too {numbers}: it learns less in the same steps.",
    }
    return said[gained, _side(run.clean_train, baseline.clean_train)]


def _side(ours: Statistics, theirs: Statistics) -> int:
    """1 or -1 where the first is surely larger or smaller, by Welch's test; 0 where that is open."""
    low, high = welch_interval(theirs.values, ours.values) or (0.0, 0.0)
    return 1 if low > 0 else -1 if high < 0 else 0
