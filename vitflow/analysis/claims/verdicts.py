"""Sentences on several runs at once, and the verdict beside a prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vitflow.analysis.claims.effects import Change, Effect, beyond, changes, effect, judge, of_group, of_study
from vitflow.analysis.claims.wording import several
from vitflow.analysis.records import Axis, Run
from vitflow.study.fields import spoken
from vitflow.study.grid import BASELINE
from vitflow.study.names import counted


def verdicts_title(effects: Sequence[Effect], nothing: str) -> str:
    """How many changes gained and lost; ``nothing`` says why there are none."""
    if not effects:
        return f"What stays open: {nothing}"
    of = "change" if len(effects) == 1 else "changes"
    return (
        f"What worked: {effects.count('gained')} of {len(effects)} {of} gained; "
        f"what did not: {effects.count('lost')} lost"
    )


def counted_effects(runs: Sequence[Run], margin: float) -> str:
    """How many runs gained and lost among all changes, and how many of these by more than the margin."""
    compared = [run for run in runs if run.difference]
    evidence = {wanted: [of_study(r) for r in compared if effect(r, margin) == wanted] for wanted in ("gained", "lost")}
    described = any(e.interval is None for found in evidence.values() for e in found)
    parts = []
    for wanted, found in evidence.items():
        relevant = sum(beyond(one, margin) for one in found)
        parts.append(f"{len(found)} {wanted}" + (f" ({relevant} by more than {margin:g} points)" if found else ""))
    how = "by their means alone (descriptive)" if described else "beyond noise"
    return f"Of {counted(len(compared), 'change')}, {' and '.join(parts)}, {how}."


def verdict(axis: Axis, runs: Mapping[str, Run], margin: float) -> str:
    """What an axis showed, to stand beside its prediction: what its steady values show, then what diverged."""
    others = [place for place in axis.values if place.run != BASELINE]
    steady = [change for change in changes(axis, runs) if not change.run.diverged]
    lost = [spoken(place.value) for place in axis.values if runs[place.run].diverged]
    said = [_of_steady(steady, margin, every=len(steady) == len(others))] if steady else []
    if lost:
        said.append(
            f"{several(lost)} diverged" if any(not runs[place.run].diverged for place in others) else "diverged"
        )
    return "; ".join(said) if said else "not finished"


def _of_steady(steady: Sequence[Change], margin: float, *, every: bool) -> str:
    """The verdict on the values of an axis that did not diverge; ``every``: whether these are all but the baseline's.

    It is descriptive where a value that it speaks of has no interval.
    """
    told = list(steady)
    by_effect: dict[str, list[Change]] = {}
    for change in steady:
        by_effect.setdefault(judge(of_group(change.run), margin), []).append(change)
    if "gained" in by_effect:
        told = [*by_effect["gained"][:1], *by_effect.get("lost", [])[-1:]]
        said = ", ".join(f"{'gain' if one.points > 0 else 'loss'} at {spoken(one.value)}" for one in told)
    elif "lost" in by_effect:
        told = by_effect["lost"]
        all_lost = every and 1 < len(told) == len(steady)
        said = "loss at every value" if all_lost else f"loss at {several([spoken(one.value) for one in told])}"
    else:
        said = "no relevant change" if set(by_effect) == {"same"} else "no clear change"
    return f"{said} (descriptive)" if any(of_group(one.run).interval is None for one in told) else said
