"""Colour and marker of every run, and which runs are pointed out: the same in all figures of a study."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from vitflow.analysis.claims import of_group
from vitflow.analysis.records import Summary
from vitflow.figures.labels import shorten
from vitflow.figures.style import BLACK, BLUE, BROWN, GREEN, GREY, ORANGE, PURPLE, SKY, SMALL, VERMILLION
from vitflow.study.fields import spoken
from vitflow.study.grid import BASELINE, BEST

GROUP_COLOURS = (BLUE, GREEN, PURPLE, SKY)
GROUP_MARKERS = ("o", "^", "D", "v", "P", "X")
FAMILY_COLOURS = (VERMILLION, ORANGE, BROWN)
FAMILY_MARKERS = ("s", "p", "h")
#: families, and groups, of which figures of all runs point one out
POINTED_OUT = 3


@dataclass(frozen=True)
class Look:
    """How one run is shown, in every figure."""

    colour: str
    marker: str


def looks(summary: Summary) -> dict[str, Look]:
    """Colour and marker by run: baseline black, other families warm, the changes of one ablation group alike.

    There are more runs than colours the eye can tell apart, so a colour stands for a group and runs carry labels. Past
    four groups colours return with another marker. What stands on no axis (crosses, fewer images) is grey.
    """
    chosen = {BASELINE: Look(BLACK, "o")}
    for index, name in enumerate(families(summary)):
        chosen.setdefault(name, Look(_nth(FAMILY_COLOURS, index), _nth(FAMILY_MARKERS, index)))
    groups = groups_of(summary)
    for axis in summary.axes:
        for place in axis.values:
            chosen.setdefault(place.run, group_look(groups.index(axis.group)))
    return {name: chosen.get(name, Look(GREY, "o")) for name in summary.runs} | {BEST: Look(BLUE, "*")}


def group_look(index: int) -> Look:
    """Colour and marker of the ``index``-th ablation group; all pairs differ up to the twenty-fourth."""
    return Look(_nth(GROUP_COLOURS, index), _nth(GROUP_MARKERS, index + index // len(GROUP_COLOURS)))


def groups_of(summary: Summary) -> list[str]:
    """The ablation groups that have axes, in the order of the study."""
    return list(dict.fromkeys(axis.group for axis in summary.axes))


def legend(summary: Summary, names: Collection[str], others: str = "") -> dict[str, Look]:
    """What the colours of the named runs stand for: groups, and ``others`` for runs that stand on no axis."""
    look = looks(summary)
    used = {look[name] for name in names}
    found = {group: group_look(index) for index, group in enumerate(groups_of(summary))}
    entries = {spoken(group): own for group, own in found.items() if own in used}
    if others and any(look[name].colour == GREY for name in names):
        entries[others] = Look(GREY, "o")
    return entries


def handles(entries: Mapping[str, Look]) -> list[Line2D]:
    """Them as matplotlib's legend takes them, short enough for one line below a slide's full width."""
    letters = max(8, 125 // max(len(entries), 1) - 5)
    return [
        Line2D([], [], linestyle="", color=look.colour, marker=look.marker, markersize=8, label=shorten(words, letters))
        for words, look in entries.items()
    ]


def legend_below(figure: Figure, entries: Mapping[str, Look]) -> None:
    """Write what colours stand for in one line below the panels; nothing where there is one kind alone."""
    if len(entries) > 1:
        figure.legend(
            handles=handles(entries),
            loc="outside lower left",
            ncols=len(entries),
            frameon=False,
            fontsize=SMALL,
            handletextpad=0.1,
        )


def families(summary: Summary) -> list[str]:
    """Runs of other families: the references among them first."""
    found = [name for name, run in summary.runs.items() if run.kind == "family"]
    return sorted(found, key=lambda name: name not in summary.references)


def highlighted(summary: Summary) -> list[str]:
    """The runs that figures of all runs point out: baseline, other families, and the best change."""
    names = [BASELINE, *families(summary)[:POINTED_OUT], *([summary.best.run] if summary.best else [])]
    return list(dict.fromkeys(names))


def telling(summary: Summary) -> list[str]:
    """:func:`highlighted`, and of every group but that of the best its change that differs most: a colour each."""
    names, seen = highlighted(summary), set()
    if summary.best:
        seen = {axis.group for axis in summary.axes if summary.best.run in [place.run for place in axis.values]}
    for group in [group for group in summary.groups if group.group not in seen][:POINTED_OUT]:
        changes = {name: summary.runs[name] for name in group.runs if summary.runs[name].kind == "change"}
        known = {name: of_group(run) for name, run in changes.items() if run.difference and not run.diverged}
        names += sorted(known, key=lambda name: (known[name].significant, abs(known[name].points)))[-1:]
    return list(dict.fromkeys(names))


def _nth(choices: tuple[str, ...], index: int) -> str:
    return choices[index % len(choices)]
