"""Sentences on several runs at once, and the verdict beside a prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vitflow.analysis.claims.effects import Effect, beyond, changes, effect, judge, of_group, of_study
from vitflow.analysis.claims.wording import several
from vitflow.analysis.records import Axis, Run
from vitflow.study.fields import spoken


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
    """How many of the runs gained and lost among all changes, and how many of these surely by more than the margin."""
    compared = [run for run in runs if run.difference]
    evidence = {wanted: [of_study(r) for r in compared if effect(r, margin) == wanted] for wanted in ("gained", "lost")}
    described = any(e.interval is None for found in evidence.values() for e in found)
    parts = []
    for wanted, found in evidence.items():
        sure = sum(beyond(one, margin) for one in found)
        parts.append(f"{len(found)} {wanted}" + (f" ({sure} by more than {margin:g} points)" if found else ""))
    how = "by their means alone (descriptive)" if described else "beyond noise"
    of = "change" if len(compared) == 1 else "changes"
    return f"Of {len(compared)} {of}, {' and '.join(parts)}, {how}."


def verdict(axis: Axis, runs: Mapping[str, Run], margin: float) -> str:
    """What an axis showed, to stand beside its prediction."""
    found = changes(axis, runs)
    if not found:
        lost = any(runs[place.run].diverged for place in axis.values)
        return "diverged" if lost else "not finished"
    effects = {change.value: judge(of_group(change.run), margin) for change in found}
    gained = [change.value for change in found if effects[change.value] == "gained"]
    shown = set(effects.values())
    if gained:
        said = f"gain at {spoken(gained[0])}"
    elif len(shown) == 1:
        alike = {"lost": "loss at every value", "same": "no relevant change", "unstable": "diverged"}
        said = alike.get(shown.pop(), "no clear change")
    else:
        lost_at = [change.value for change in found if effects[change.value] == "lost"]
        said = f"loss at {several([spoken(value) for value in lost_at])}" if lost_at else "no clear change"
    return f"{said} (descriptive)" if any(of_group(change.run).interval is None for change in found) else said
