"""What may be said: every title of figures and slides, and the verdict on each difference.

A claim follows from the simultaneous interval of a test difference and the margin that was fixed beforehand. Below
three seeds there is no interval: a difference is described then, and called descriptive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from vitflow.analysis.records import Axis, BestSingle, Findings, Interval, Place, Run, Statistics, Winner
from vitflow.study.fields import within
from vitflow.study.grid import BASELINE
from vitflow.study.schema import Study

Effect = Literal["gained", "lost", "unclear"]
MINUS = "\N{MINUS SIGN}"


def sentence(subject: str, difference: float, interval: Interval | None, margin: float) -> str:
    """The claim that a difference in percentage points supports, given its simultaneous interval and the margin."""
    verb = "gains" if difference > 0 else "loses"
    size = f"{abs(difference):.1f} points"
    if interval is None:
        if size == "0.0 points":
            return f"{subject} differs by less than 0.05 points (descriptive)"
        return f"{subject} {verb} {size} (descriptive)"
    low, high = interval
    if low > 0 or high < 0:
        near, far = sorted((abs(low), abs(high)))
        if far > margin:
            return f"{subject} {verb} {size} ({near:.1f} to {far:.1f})"
        return f"{subject} {verb} {size}, below what we call relevant"
    if -margin <= low and high <= margin:
        return f"{subject} matches the baseline within {margin:g} points"
    numbers = f"{difference:+.1f}, {low:+.1f} to {high:+.1f}".replace("-", MINUS)
    return f"{subject}: no clear change ({numbers})"


def effect(run: Run, margin: float) -> Effect:
    """What a run's test difference shows against ``margin`` points; by the mean alone where there is no interval."""
    assert run.difference is not None
    mean = run.difference.test
    low, high = run.difference.test_interval or (mean, mean)
    if low > 0 and high > margin:
        return "gained"
    return "lost" if high < 0 and low < -margin else "unclear"


class Change(NamedTuple):
    """One value of an axis, compared with the baseline."""

    value: str
    run: Run
    points: float  #: of test accuracy


def changes(axis: Axis, runs: Mapping[str, Run]) -> list[Change]:
    """The values of an axis that can be compared with the baseline, largest gain first."""
    found = [(place.value, runs[place.run]) for place in axis.values]
    known = [Change(value, run, run.difference.test) for value, run in found if run.difference is not None]
    return sorted(known, key=lambda change: -change.points)


# -------------------------------------------------------------------------------- titles in summary.json


def findings(study: Study, table: Mapping[str, Run], shown: Sequence[str]) -> Findings:
    """Titles that are not about one axis. ``shown`` are the runs that were to give features."""
    base = table[BASELINE]
    best = best_single(table)
    changed = [run for run in table.values() if run.difference and not run.reference]
    largest = max(changed, key=lambda run: abs(_points(run)), default=None)
    multiplications = [run.multiplications for run in table.values()]
    lost = base.diverged and not base.n  # with every seed
    with_features = [name for name in shown if "0" not in table[name].stability.diverged_at]
    nothing = "The baseline diverged: nothing compares with it" if lost else "Nothing to compare with the baseline yet"
    references = [run for run in table.values() if run.reference and run.difference]
    margin = study.equivalence_margin
    return Findings(
        headline=nothing if largest is None else f"Largest change: {_claim(largest, margin)}",
        convergence=f"The baseline diverged, at step {_steps(base)}"
        if lost
        else f"After {study.training.epochs} epochs the baseline has {_with_sd(base.clean_train)} % "
        f"of its training images right, {_with_sd(base.validation)} % of validation images",
        stability=_stability_finding(table),
        cost=f"Cost spans a factor of {max(multiplications) / min(multiplications):.1f}: "
        f"{_count(min(multiplications))} to {_count(max(multiplications))} multiplications an image",
        best=f"Best on validation: {best.label}, {_with_sd(table[best.run].validation)} %"
        if best
        else "No run has a validation accuracy yet",
        features="First components of what each model has learned"
        if with_features
        else "No features: the models that were to give them diverged",
        references=f"{_claim(references[0], margin)} against the baseline ViT"
        if references
        else "No model of another family in this study",
    )


def axis_finding(label: str, places: Sequence[Place], table: Mapping[str, Run], margin: float) -> str:
    """The title of an axis: its largest difference, or what diverged. ``label`` begins the sentence."""
    diverged = [place.value for place in places if table[place.run].diverged and not table[place.run].n]
    if diverged:
        return f"{label} {', '.join(diverged)} diverged"
    compared = [(place, table[place.run]) for place in places if table[place.run].difference]
    if not compared:
        return f"{label}: not finished yet"
    place, run = max(compared, key=lambda pair: abs(_points(pair[1])))
    return _claim(run, margin, f"{label} {place.value.replace('_', '+')}")


def best_single(table: Mapping[str, Run]) -> BestSingle | None:
    """The run with the highest mean validation accuracy; None before any has finished."""
    ranked = [(run.validation.mean, name) for name, run in table.items() if run.validation.mean is not None]
    if not ranked:
        return None
    accuracy, name = max(ranked)
    run = table[name]
    return BestSingle(run=name, label=run.label, n=run.n, validation=accuracy, test=run.test.mean)


# ---------------------------------------------------------------------------- titles that the talk adds


def components_title(axes: Sequence[Axis], runs: Mapping[str, Run]) -> str:
    """Which of several axes moved test accuracy most, either way."""
    found = [(axis, change) for axis in axes for change in changes(axis, runs)]
    if not found:
        return "The other components have not finished"
    axis, most = max(found, key=lambda pair: abs(pair[1].points))
    moved = f"{most.value}: {signed(most.points)} points"
    return f"Of the other components, {within(axis.label)} moves accuracy most ({moved})"


def winner_title(winner: Winner) -> str:
    """How the chosen combination did on seeds that took no part in the choice."""
    if not winner.n:
        return "The chosen combination diverged on every fresh seed"
    of = "fresh seed" if winner.n == 1 else "fresh seeds"
    return f"The chosen combination reaches {_with_sd(winner.test)} % on {winner.n} {of}"


def verdicts_title(effects: Sequence[Effect], nothing: str) -> str:
    """How many changes gained and lost; ``nothing`` says why there are none."""
    if not effects:
        return f"What stays open: {nothing}"
    of = "change" if len(effects) == 1 else "changes"
    return (
        f"What worked: {effects.count('gained')} of {len(effects)} {of} gained; "
        f"what did not: {effects.count('lost')} lost"
    )


def verdict(axis: Axis, runs: Mapping[str, Run], margin: float, *, descriptive: bool) -> str:
    """What an axis showed, to stand beside its prediction."""
    found = changes(axis, runs)
    if not found:
        return "not finished"
    effects = [effect(change.run, margin) for change in found]
    if effects[0] == "gained":
        said = f"gain at {found[0].value}"
    else:
        said = "loss at every value" if set(effects) == {"lost"} else "no clear gain"
    return f"{said} (descriptive)" if descriptive else said


# ------------------------------------------------------------------------------------------------ parts


def signed(value: float, digits: int = 1) -> str:
    """``+0.2``, with a true minus; never ``-0.0``."""
    text = f"{value:+.{digits}f}"
    return f"{0:.{digits}f}" if not text.strip("+-0.") else text.replace("-", MINUS)


def _claim(run: Run, margin: float, subject: str | None = None) -> str:
    interval = run.difference.test_interval if run.difference else None
    return sentence(subject or run.label, _points(run), interval, margin)


def _points(run: Run) -> float:
    assert run.difference is not None
    return run.difference.test


def _stability_finding(table: Mapping[str, Run]) -> str:
    runs = [run for run in table.values() if run.seeds]
    lost = [run.label for run in runs if run.diverged]
    if lost:
        more = f" and {len(lost) - 2} more" if len(lost) > 2 else ""
        return f"{len(lost)} of {len(runs)} runs diverged: {', '.join(lost[:2])}{more}"
    judged = [run for run in runs if run.stability.gradient_spikes is not None]
    if not judged:
        return "No run diverged; spikes were not measured"
    of = "No run diverged" if len(judged) == len(runs) else f"No run diverged; of {len(judged)} that were measured"
    worst = max(judged, key=lambda run: run.stability.spikes)
    if not worst.stability.spikes:
        return f"{of}, none had a spike of gradient or loss"
    return f"{of}, {worst.label} has the most spikes: {worst.stability.spikes:.1f} a training"


def _steps(run: Run) -> str:
    return ", ".join(str(step) for step in sorted(set(run.stability.diverged_at.values())))


def _with_sd(values: Statistics) -> str:
    if values.mean is None:
        return "-"
    return f"{values.mean:.1f}" + (f" ± {values.sd:.1f}" if values.sd is not None else "")


def _count(number: int) -> str:
    """``8.0 million``: three figures at most."""
    for unit, size in (("billion", 1e9), ("million", 1e6), ("thousand", 1e3)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return str(number)
