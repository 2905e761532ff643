"""What was changed against the baseline: the strongest changes of the study, and every group of them in full."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from vitflow.analysis.claims import Evidence, of_group, of_study
from vitflow.analysis.claims.effects import has_no_spread
from vitflow.analysis.records import Run, Summary
from vitflow.figures.forest import Forest, Row, forest, in_words
from vitflow.figures.looks import families, legend, looks
from vitflow.figures.pages import FIRST, pages
from vitflow.figures.read import Analysis
from vitflow.figures.style import FULL, GREY, Drawing, diverged, missing, seeds
from vitflow.study.fields import spoken
from vitflow.study.grid import BASELINE
from vitflow.study.names import counted

#: models of other families that the study's picture has room for
FAMILIES = 3


def draw(analysis: Analysis) -> Drawing:
    """The changes that differ most from the baseline: those significant among all changes of the study, then others.

    Below a thin line stand models of other families.
    """
    summary = analysis.summary
    rows = [run_row(summary, name, of_study) for name, run in summary.runs.items() if run.kind == "change"]
    others = [run_row(summary, name, of_group) for name in families(summary)[:FAMILIES]]
    shown = strongest(rows, FIRST - len(others))
    if shown and others:
        others[0] = others[0]._replace(ruled=True)
    return _drawing(summary, [*shown, *others], shown or others, rows, "simultaneous over all changes of the study")


def draw_group(analysis: Analysis, group: str) -> Drawing:
    """The changes of an ablation group, axis by axis; the strongest of them where one picture cannot hold all."""
    rows = _by_axis(analysis.summary, group)
    if len(rows) <= FIRST:
        return _drawing(analysis.summary, rows, rows, rows, "simultaneous within the group")
    alone = [run_row(analysis.summary, name, of_group) for name in dict.fromkeys(row.name for row in rows)]
    shown = strongest(alone, FIRST)
    return _drawing(analysis.summary, shown, shown, alone, "simultaneous within the group")


def draw_page(analysis: Analysis, group: str, page: int) -> Drawing:
    """The ``page``-th part, from 1, of all changes of an ablation group, on the scale that its pages share."""
    rows = _by_axis(analysis.summary, group)
    shown = [rows[k] for k in pages(axes_of(analysis.summary, group))[page - 1]]
    return _drawing(analysis.summary, shown, rows, shown, "simultaneous within the group")


def run_row(summary: Summary, name: str, evidence: Callable[[Run], Evidence]) -> Row:
    """The row of a run, judged by ``evidence``."""
    run = summary.runs[name]
    judged = evidence(run) if run.difference else None
    dots = tuple(value - (run.test.mean or 0.0) + judged.points for value in run.test.values) if judged else ()
    return Row(name, run.label, looks(summary)[name], judged, dots, run.diverged)


def axes_of(summary: Summary, group: str) -> list[str]:
    """The axis of every change of a group, in the order of the study."""
    axes = [axis for axis in summary.axes if axis.group == group]
    return [axis.axis for axis in axes for place in axis.values if place.run != BASELINE]


def strongest(rows: Sequence[Row], most: int) -> list[Row]:
    """The rows that differ most, significant ones before others, each by points; a thin line between the two."""
    compared = [row for row in rows if row.evidence is not None]
    compared.sort(key=lambda row: (not _significant(row), -abs(_points(row))))
    chosen = sorted(compared[:most], key=lambda row: (not _significant(row), -_points(row)))
    edge = sum(map(_significant, chosen))
    if 0 < edge < len(chosen):
        chosen[edge] = chosen[edge]._replace(ruled=True)
    return chosen


def _by_axis(summary: Summary, group: str) -> list[Row]:
    rows: list[Row] = []
    for axis in summary.axes:
        if axis.group != group:
            continue
        own = [place.value for place in axis.values if place.run == BASELINE]
        heading = f"{axis.label} ({spoken(own[0])})" if own else axis.label
        others = [place for place in axis.values if place.run != BASELINE]
        for k, place in enumerate(others):
            row = run_row(summary, place.run, of_group)
            rows.append(row._replace(label=place.value, heading=heading, ruled=bool(rows) and k == 0))
    return rows


def _significant(row: Row) -> bool:
    return row.evidence is not None and row.evidence.significant


def _points(row: Row) -> float:
    return row.evidence.points if row.evidence else 0.0


def _drawing(summary: Summary, shown: Sequence[Row], scale: Sequence[Row], of: Sequence[Row], interval: str) -> Drawing:
    """The picture of the rows ``shown``, on a scale for ``scale``, chosen from those ``of`` which it tells."""
    if not any(row.evidence for row in [*shown, *of]):
        return missing(_nothing(summary, {row.name for row in [*shown, *of]}), FULL)
    names = [row.name for row in shown]
    left = [row for row in of if row.name not in names]
    grey = "Grey: not significant. " if any(row.colour == GREY for row in shown) else ""
    note = f"{grey}{_more(left)}"
    one = Forest(shown, scale, "test accuracy minus baseline, in points")
    groups = legend(summary, names)
    figure = forest([one], summary.equivalence_margin, groups if len(groups) > 1 else None, note)
    lines = any(row.evidence and row.evidence.interval for row in shown)
    flat = {has_no_spread(row.evidence) for row in shown if row.evidence}
    none = " or ".join(
        why for found, why in ((False, "under three seeds"), (True, "no spread over seeds")) if found in flat
    )
    said = f"lines 95 % intervals, {interval}" if lines else f"no intervals: {none}"
    caption = f"Test accuracy minus baseline: dots are seeds, markers their mean, {said}; {seeds(summary, names)}."
    alt = (
        f"Forest plot of {len(shown)} runs, {seeds(summary, names)}. Test accuracy minus the baseline in percentage "
        f"points: {'; '.join(map(in_words, shown))}. Every dot is a seed, a marker the mean over seeds, {said}; "
        f"what is not significant is grey. The grey band is plus and minus {summary.equivalence_margin:g} points, the "
        f"margin of equivalence, not an interval. An arrow at the edge is a run beyond the scale. {_more(left)}"
        f"{diverged(summary, names)}"
    )
    return Drawing(figure, caption, alt)


def _more(left: Sequence[Row]) -> str:
    """How many changes are not in the picture, and what they show."""
    if not left:
        return ""
    kinds: Mapping[str, int] = Counter(map(_kind, left))
    order = [kind for kind in ("significant", "not significant", "diverged", "not finished") if kind in kinds]
    counts = ", ".join(f"{kinds[kind]} {kind}" for kind in order)
    nearer = ", nearer to the baseline" if set(kinds) == {"significant"} else ""
    return f"Not shown: {counted(len(left), 'more change')} ({counts}{nearer})."


def _kind(row: Row) -> str:
    if _significant(row):
        return "significant"
    if row.diverged:
        return "diverged"
    return "not significant" if row.evidence else "not finished"


def _nothing(summary: Summary, names: set[str]) -> str:
    baseline, runs = summary.runs[BASELINE], [summary.runs[name] for name in names]
    if not runs:
        return "Nothing to compare: no run changes the baseline here."
    if not baseline.n:
        why = "every seed of the baseline diverged" if baseline.diverged else "the baseline has not finished"
        return f"Nothing to compare: {why}."
    lost = sum(bool(run.diverged) for run in runs)
    return f"Nothing to compare: of {len(runs)} changes {lost} diverged, {len(runs) - lost} have not finished."
