"""What was measured beside an accuracy and bears on why it changed: evidence for an explanation, not one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from vitflow.analysis.claims.effects import effect, judge, of_group, of_study
from vitflow.analysis.intervals import welch_interval
from vitflow.analysis.records import Run, Statistics

Beside = Literal["more", "less", "alike", "open"]


def reason(run: Run, baseline: Run, margin: float) -> str:
    """What the fit to training images, shifts and attention say of a run that gained or lost; '' of others.

    Only shifts and distances that Welch's test calls different are named; of a fit that it leaves open, that is said.
    """
    if run.difference is None or (shown := judge(of_group(run), margin)) not in ("gained", "lost"):
        return ""
    said = [_fit(run, baseline, margin, gained=shown == "gained")]
    ours, theirs = run.shifts.get("1"), baseline.shifts.get("1")
    if ours and theirs and _beside(ours, theirs) in ("more", "less"):
        said.append(
            f"Shifted by one pixel, {ours.mean:.0f} % of images keep their prediction (baseline {theirs.mean:.0f} %)."
        )
    if _beside(run.attention_distance, baseline.attention_distance) in ("more", "less"):
        said.append(
            f"Its mean attention distance is {run.attention_distance.mean:.1f} pixels "
            f"(baseline {baseline.attention_distance.mean:.1f})."
        )
    return " ".join(filter(None, said))


def fit_finding(runs: Sequence[Run], baseline: Run, margin: float) -> str:
    """A title on fits and losses: whether what lost fits the training images less (underfits) or better (overfits)."""
    lost = [run for run in runs if run.difference and of_study(run).interval and effect(run, margin) == "lost"]
    fits = [_lost_by(run, baseline, margin) for run in lost]
    if not any(fits):
        if baseline.clean_train.mean is None or baseline.validation.mean is None:
            return "Training and validation accuracy of all runs"
        gap = baseline.clean_train.mean - baseline.validation.mean
        beside = "worse" if gap < 0 else "better"
        return f"The baseline is {abs(gap):.1f} points {beside} on training images than on validation images"
    if len(lost) == 1:
        how = {"less": "underfits", "more": "overfits", "alike": "fits the training images as well as the baseline"}
        if fits[0] in how:
            return f"The one change that lost accuracy {how[fits[0]]}"
        return "Whether the one change that lost accuracy underfits is open"
    return f"Of {len(lost)} changes that lost accuracy, {fits.count('less')} underfit and {fits.count('more')} overfit"


def fits_beside(run: Run, baseline: Run, margin: float) -> str:
    """Whether the baseline underfits or overfits beside a model that leads, by Welch's intervals; '' where open."""
    if run.difference is None or judge(of_group(run), margin) != "gained":
        return ""
    fit = _beside(baseline.clean_train, run.clean_train)
    if fit is None or (found := welch_interval(_gaps(run), _gaps(baseline))) is None:
        return ""
    low, high = found
    if fit == "less" and low <= 0:
        gap = "smaller" if high < 0 else "not clearly larger"
        return f"The baseline underfits beside it: it fits less, its gap to validation is {gap}."
    if fit != "less" and low > 0:
        return "The baseline overfits beside it: its gap to validation is larger."
    return ""


def fits_of_moved(gained: Sequence[Run], lost: Sequence[Run], baseline: Run) -> str:
    """How many of the changes that moved accuracy moved the fit to the training images too; '' where none did."""
    said: list[str] = []
    moves: tuple[tuple[Sequence[Run], str, Beside, str], ...] = (
        (gained, "gains", "more", "better"),
        (lost, "losses", "less", "worse"),
    )
    for runs, moved, wanted, how in moves:
        fits = [_beside(run.clean_train, baseline.clean_train) for run in runs]
        if any(fits):
            verb = "," if said else " fit training images"
            said.append(f"{fits.count(wanted)} of {len(fits)} {moved}{verb} {how}")
    return f"{'; '.join(said)}." if said else ""


def _gaps(run: Run) -> list[float]:
    """Accuracy on training images minus that on validation images, in points, of each seed; [] where one lacks."""
    fits, scores = run.clean_train.values, run.validation.values
    return [fit - score for fit, score in zip(fits, scores, strict=True)] if len(fits) == len(scores) else []


def _lost_by(run: Run, baseline: Run, margin: float) -> Beside | None:
    """How a run that lost fits the training images; ``open`` where it fits them less, but by under half of its loss."""
    found = _beside(run.clean_train, baseline.clean_train, margin)
    if found == "less":
        assert run.difference is not None  # it lost
        fit = (baseline.clean_train.mean or 0) - (run.clean_train.mean or 0)
        return "less" if fit >= -run.difference.test / 2 else "open"
    return found


def _fit(run: Run, baseline: Run, margin: float, *, gained: bool) -> str:
    found = _beside(run.clean_train, baseline.clean_train, margin)
    if not found:
        return ""
    numbers = f"(accuracy {run.clean_train.mean:.1f} %, baseline {baseline.clean_train.mean:.1f} %)"
    # longer trainings and those on fewer images have other steps
    steps = "" if run.kind in ("budget", "subset") else " in as many epochs"
    said = {
        (True, "more"): f"It fits the training images better too {numbers}: it learns more{steps}.",
        (True, "alike"): f"It fits the training images as well {numbers}: what it gains is generalisation.",
        (True, "less"): f"It fits the training images less {numbers} and new ones better: it regularises.",
        (False, "more"): f"It fits the training images better {numbers} and new ones worse: it overfits.",
        (False, "alike"): f"It fits the training images as well {numbers}: what it loses is generalisation.",
        (False, "less"): f"It fits the training images less too {numbers}: it learns less{steps}.",
    }
    return said.get((gained, found), f"Whether it fits the training images otherwise is open {numbers}.")


def _beside(ours: Statistics, theirs: Statistics, margin: float | None = None) -> Beside | None:
    """How the first is to the second by Welch's interval, ``alike`` inside the margin; None without an interval."""
    if (found := welch_interval(theirs.values, ours.values)) is None:
        return None
    low, high = found
    if margin is not None and -margin <= low and high <= margin:
        return "alike"
    return "more" if low > 0 else "less" if high < 0 else "open"
