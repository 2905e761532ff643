"""The finalists on fresh seeds: against the baseline, and the best combination taken apart."""

from __future__ import annotations

from vitflow.analysis.claims import Evidence
from vitflow.analysis.confirmation import evidence
from vitflow.analysis.intervals import turned
from vitflow.analysis.records import Summary, Winners
from vitflow.figures.forest import Forest, Row, forest, in_words
from vitflow.figures.looks import Look
from vitflow.figures.read import Analysis
from vitflow.figures.style import BLACK, BLUE, FULL, GREEN, PURPLE, VERMILLION, Drawing, missing
from vitflow.study.grid import BASELINE
from vitflow.study.names import counted

#: where the second panel begins, in 0..1 of the width
MIDDLE = 0.5
#: characters of a label; of a longer one the number of changes is said
LABEL = 26


def draw(analysis: Analysis) -> Drawing:
    """Left, every finalist minus the baseline on the same fresh seeds; right, what each part of the best is worth.

    A part is worth what the best combination loses without it.
    """
    winners = analysis.winners
    if winners is None:
        return missing("No finalists on fresh seeds: this study chooses none, or they are not trained yet.", FULL)
    rows, parts = _finalists(winners), _parts(analysis.summary, winners)
    if not any(row.evidence for row in rows):
        return missing("No finalist can be compared: none finished, or the baseline did not, on fresh seeds.", FULL)
    margin = analysis.summary.equivalence_margin
    forests = [Forest(rows, rows, "test accuracy minus baseline, in points")]
    if parts:
        left = Forest(rows, rows, "points above baseline", (0.0, MIDDLE), brief=True)
        forests = [left, Forest(parts, parts, "points lost without it", (MIDDLE, 1.0), brief=True)]
    several = sum(bool(c.value) for c in (*winners.selection.architecture, *winners.selection.techniques)) > 1
    note = "The best combination is not taken apart: no run leaves one of its changes out."
    figure = forest(forests, margin, note=note if several and not parts else "")
    counts = [run.n for run in winners.runs.values()]
    of = f"n = {min(counts)} to {max(counts)}" if min(counts) < max(counts) else f"n = {counts[0]}"
    caption = f"Finalists on fresh seeds ({of}): dots are seeds, markers their mean, lines simultaneous 95 % intervals."
    alt = (
        f"Forest plot on fresh seeds, {of}. Test accuracy minus the baseline in points: "
        f"{'; '.join(map(in_words, rows))}. "
        + (f"What the best combination loses without a part: {'; '.join(map(in_words, parts))}. " if parts else "")
        + f"Dots are seeds, markers means, lines simultaneous 95 percent intervals where there are three seeds; grey "
        f"is what is not significant. The grey band is plus and minus {margin:g} points, the margin of equivalence."
    )
    return Drawing(figure, caption, alt)


def _finalists(winners: Winners) -> list[Row]:
    """The baseline and what was chosen, each once, by the first role it has."""
    chosen, base = winners.selection, winners.runs[BASELINE]
    roles = {BASELINE: ("", Look(BLACK, "o"))}
    roles.setdefault(chosen.best, ("best: ", Look(GREEN, "D")))
    roles.setdefault(chosen.best_architecture, ("best architecture: ", Look(BLUE, "s")))
    for name in chosen.singles:
        roles.setdefault(name, ("single: ", Look(PURPLE, "^")))
    if chosen.all_images:
        roles.setdefault(chosen.all_images, ("best on all images: ", Look(VERMILLION, "P")))
    ours, added = (sum(bool(choice.value) for choice in part) for part in (chosen.architecture, chosen.techniques))
    counts = {chosen.best_architecture: ours, chosen.best: ours + added, chosen.all_images: ours + added}
    rows = []
    for name, (role, look) in roles.items():
        run, known = winners.runs[name], _against_baseline(winners, name)
        many = counts.get(name, 1) > 1 and len(run.label) > LABEL
        label = counted(counts[name], "change") if many else run.label
        dots = tuple(value - (base.test.mean or 0.0) for value in run.test.values) if known else ()
        rows.append(Row(name, f"{role}{label}", look, known, dots, run.diverged))
    return [rows[0], *sorted(rows[1:], key=lambda row: row.evidence.points if row.evidence else 0.0)]


def _against_baseline(winners: Winners, name: str) -> Evidence | None:
    """What is known of a finalist; without an interval where it was trained on more images."""
    run, base = winners.runs[name], winners.runs[BASELINE]
    if name in winners.against_baseline:
        return evidence(winners.against_baseline[name], len(run.seeds))
    if run.test.mean is None or base.test.mean is None:
        return None
    points = run.test.mean - base.test.mean
    return Evidence(points, n=run.n, diverged=run.diverged, seeds=len(run.seeds), control=base.diverged)


def _parts(summary: Summary, winners: Winners) -> list[Row]:
    """What the best combination loses without each of its parts, the dearest loss first."""
    chosen, best = winners.selection, winners.best
    headings = {axis.axis: axis.label for axis in summary.axes}
    values = {choice.axis: choice.value for choice in (*chosen.architecture, *chosen.techniques)}
    rows = []
    for axis, contrast in winners.against_best.items():
        without = winners.runs[chosen.without[axis]]
        dots = tuple((best.test.mean or 0.0) - value for value in without.test.values)
        known = _turned(evidence(contrast, len(without.seeds)))
        label = f"{headings.get(axis, axis)} {values.get(axis, '')}"
        rows.append(Row(chosen.without[axis], label, Look(GREEN, "D"), known, dots, without.diverged))
    return sorted(rows, key=lambda row: -row.evidence.points if row.evidence else 0.0)


def _turned(known: Evidence) -> Evidence:
    """The same of the difference the other way round."""
    return known._replace(points=-known.points, interval=turned(known.interval))
