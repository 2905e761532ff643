"""Sentences on one difference, and on the values of one axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vitflow.analysis.claims.effects import Evidence, has_no_spread, judge, of_group
from vitflow.analysis.claims.wording import digits_for, several, signed
from vitflow.analysis.records import Interval, Place, Run
from vitflow.study.fields import spoken
from vitflow.study.names import counted

Named = tuple[str, Evidence]


def sentence(subject: str, evidence: Evidence, margin: float, against: str = "") -> str:
    """The claim that the evidence on a difference supports, given the margin.

    ``against`` names what the subject is compared with, where that is to be said; by itself it is the baseline.
    """
    if evidence.diverged:
        return f"{subject} diverged with {evidence.diverged} of {evidence.seeds} seeds"
    if judge(evidence, margin) == "same" and not evidence.significant:
        return f"{subject} matches {against or 'the baseline'} within {margin:g} points"
    said = _difference(subject, evidence, margin)
    return f"{said} against {against}" if against else said


def _difference(subject: str, evidence: Evidence, margin: float) -> str:
    points, interval = evidence.points, evidence.interval
    if interval is None and evidence.control:
        return f"{subject}: not significant ({signed(points, 1)}; {_doubt(evidence)})"
    if interval is None:
        why = "no spread over seeds, so no interval" if has_no_spread(evidence) else "descriptive"
        if f"{abs(points):.1f}" == "0.0":
            return f"{subject} differs by less than 0.05 points ({why})"
        return f"{subject} {_verb(points)} {abs(points):.1f} points ({why})"
    low, high = interval
    digits = digits_for([points, low, high], [0.0, margin, -margin])
    shown = judge(evidence, margin)
    if shown in ("gained", "lost"):
        near, far = sorted((abs(low), abs(high)))
        return f"{subject} {_verb(points)} {abs(points):.{digits}f} points ({near:.{digits}f} to {far:.{digits}f})"
    if shown == "same":
        return f"{subject} {_verb(points)} {abs(points):.{digits}f} points, below what we call relevant"
    numbers = f"{signed(points, digits)}, {_range(interval, digits)}"
    if doubt := _doubt(evidence):
        return f"{subject}: not significant ({numbers}; {doubt})"
    return f"{subject}: no clear change ({numbers})"


def axis_finding(label: str, places: Sequence[Place], table: Mapping[str, Run], margin: float) -> str:
    """The title of an axis: its best significant gain and its worst significant loss, then what diverged.

    Where nothing is significant it says so of all values, with the largest difference. ``label`` begins the sentence.
    """
    named = [(spoken(place.value), table[place.run]) for place in places]
    compared = [(value, of_group(run)) for value, run in named if run.difference]
    lost = [f"{value} ({run.diverged} of {len(run.seeds)} seeds)" for value, run in named if run.diverged]
    steady = [pair for pair in compared if not pair[1].diverged]
    said = _steady(label, steady, margin) if steady else []
    if lost:
        diverged = f"{several(lost)} diverged"
        said.append(diverged if said else f"{label} {diverged}")
    return "; ".join(said) if said else f"{label}: not finished yet"


def group_finding(heading: str, runs: Sequence[Run], margin: float) -> str:
    """The title of a group: its best and its worst significant change, or what is known where none is.

    ``heading`` begins the sentence; ``runs`` are the changes of the group.
    """
    compared = [(run.label, of_group(run)) for run in runs if run.difference and not run.diverged]
    lost = sum(bool(run.diverged) for run in runs)
    diverged = f"; {lost} of {len(runs)} diverged" if lost else ""
    if not compared:
        return f"{heading}: {f'{lost} of {len(runs)} diverged' if lost else 'not finished yet'}"
    significant = [pair for pair in compared if judge(pair[1], margin) in ("gained", "lost")]
    if not significant:
        return f"{heading}: {_none_significant([evidence for _, evidence in compared], margin)}{diverged}"
    significant.sort(key=lambda pair: -pair[1].points)
    gained = [pair for pair in significant if pair[1].points > 0]
    lowest = [pair for pair in significant if pair[1].points < 0]
    told = [sentence(label, evidence, margin) for label, evidence in (*gained[:1], *lowest[-1:])]
    return f"{heading}: {'; '.join(told)}{diverged}"


def _steady(label: str, steady: Sequence[Named], margin: float) -> list[str]:
    by_points = sorted(steady, key=lambda pair: -pair[1].points)
    gained = [pair for pair in by_points if judge(pair[1], margin) == "gained"]
    lost = [pair for pair in by_points if judge(pair[1], margin) == "lost"]
    if gained or lost:
        told = [*gained[:1], *lost[-1:]]
        told[0] = (f"{label} {told[0][0]}", told[0][1])
        return [sentence(subject, evidence, margin) for subject, evidence in told]
    value, largest = max(steady, key=lambda pair: (pair[1].significant, abs(pair[1].points)))
    if len(steady) == 1 or largest.significant or largest.interval is None:
        return [sentence(f"{label} {value}", largest, margin)]
    if all(judge(evidence, margin) == "same" for _, evidence in steady):
        return [f"{label}: all {len(steady)} values match the baseline within {margin:g} points"]
    digits = digits_for([largest.points, *largest.interval], [0.0, margin, -margin])
    numbers = f"{value} with {signed(largest.points, digits)}, {_range(largest.interval, digits)}"
    if doubt := _doubt(largest):
        return [f"{label}: not significant at any value (largest: {numbers}; {doubt})"]
    return [f"{label}: no clear change at any value (largest: {numbers})"]


def _none_significant(compared: Sequence[Evidence], margin: float) -> str:
    """What is said of changes of which none significantly gained or lost."""
    of, same = len(compared), sum(judge(evidence, margin) == "same" for evidence in compared)
    if same:
        which = "the change" if of == 1 else f"all {of}" if same == of else f"{same} of {of}"
        matches = "matches" if of == 1 else "match"
        others = f", {of - same} unclear" if same < of else ""
        return f"{which} {matches} the baseline within {margin:g} points{others}"
    described = any(evidence.interval is None for evidence in compared)
    return f"no clear change{f' among {of}' if of > 1 else ''}{' (descriptive)' if described else ''}"


def _doubt(evidence: Evidence) -> str:
    """What is against a change whatever its interval: seeds of the other side that diverged; else ''."""
    return f"{counted(evidence.control, 'seed')} of what it is compared with diverged" if evidence.control else ""


def _verb(points: float) -> str:
    return "gains" if points > 0 else "loses"


def _range(interval: Interval, digits: int) -> str:
    return f"{signed(interval[0], digits)} to {signed(interval[1], digits)}"
