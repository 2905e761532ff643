"""What the template is given: the summary's fields, and what the talk makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from markupsafe import Markup

from vitflow.analysis import claims
from vitflow.analysis.claims import effect
from vitflow.analysis.records import Axis, Run, Summary, Winners
from vitflow.analysis.techniques import PREDICTED, Technique, Techniques
from vitflow.analysis.titles import FAMILIES
from vitflow.slides import cells
from vitflow.study.dataset import IMAGES
from vitflow.study.fields import beginning, spoken
from vitflow.study.grid import BASELINE
from vitflow.study.names import counted

#: by their own names
CELLS = (
    cells.model_row,
    cells.winner_row,
    cells.finalist_row,
    cells.seeds_row,
    cells.stability_row,
    cells.listed,
    cells.observed,
    cells.moved,
    cells.lost_seeds,
    cells.choice_row,
)
#: the group whose axes have a slide each in the talk itself
MAIN = "architecture"
#: such slides, and slides of other groups, at most: the others are backup
AXES, GROUPS = 4, 3
#: slides of a talk at most, and those that every talk has
SLIDES, ALWAYS = 18, 10


class GroupView(NamedTuple):
    """An ablation group other than the main one."""

    name: str
    heading: str
    ends: list[Axis]  #: those of its largest gain and of its largest loss
    runs: list[Run]  #: its changes, largest gain first
    finding: str
    smallest_effect: float | None


def view(summary: Summary, winners: Winners | None, techniques: Techniques) -> dict[str, Any]:
    """Every field of the summary by its name, and:

    - ``data``: the dataset as people say it; ``footer``: what every slide is signed with; ``baseline``: that run
    - ``main_axes``: axes with a slide in the talk; ``own(axis)``, ``tried(axis)``: the baseline's value of one, and
      those beside; ``others(axis)``: its values with a difference, largest gain first
    - ``main_groups``, ``other_groups``: the groups other than the architecture, in the talk and in backup
    - ``share(seconds, items)``: the time of each of several slides that have so many seconds together
    - ``technique(axis)``, ``predicted(axis)``, ``verdict(axis)``, ``why(axis)``; ``outcomes(axis)``: what came of the
      prediction, and ``came(axis)``: the same as a sentence
    - ``meant_for(technique)`` and ``meant_elsewhere``: words for a prediction, and for all of them, written for another
      study; ``explained_in``: the file that wants explanations
    - ``compared``: changes with a difference, largest gain first; of these ``gained``, ``same``, ``unclear``, and
      ``lost``, largest loss first; ``unstable``: runs with a diverged seed
    - ``families``: runs of other families; ``best_family``: that of the slide's title; ``subsets``: whether any run had
      fewer images; ``best_single``: the best change, or the baseline; ``called``: families as people say them
    - ``rows``: all runs in the order of the study; ``steady``: in that of :func:`steadiness`
    - ``winners``: ``best.json``, or None where the study selects none or has not yet
    - ``fitted``: how what gained and lost fits the training images; ``fits_beside``: how the baseline does beside a run
    - ``titles`` by slide; ``nothing``: why nothing compares; ``counts``: how many changes gained and lost
    - ``next_steps``: what the data ask for
    - the rows and cells of :mod:`vitflow.slides.cells`
    """
    runs, margin = summary.runs, summary.equivalence_margin
    baseline = runs[BASELINE]
    compared = by_difference([run for run in runs.values() if run.kind == "change"])
    effects = [effect(run, margin) for run in compared]
    by_effect = {
        wanted: [run for run, found in zip(compared, effects, strict=True) if found == wanted]
        for wanted in ("gained", "same", "unclear", "lost")
    }
    diverged = baseline.diverged and not baseline.n
    nothing = "the baseline diverged, so nothing compares with it" if diverged else "no component has been changed yet"
    written = [technique for axis in summary.axes if (technique := techniques.of(axis.axis)).prediction]
    elsewhere = bool(written) and all(technique.foreign for technique in written)
    main_axes = [axis for axis in summary.axes if axis.group == MAIN][:AXES]
    groups = groups_of(summary)
    families = by_difference([run for run in runs.values() if run.kind == "family"])
    subsets = any(run.kind == "subset" for run in runs.values())
    room = SLIDES - ALWAYS - sum(map(bool, (winners, families, subsets))) - len(main_axes)
    main_groups = groups[: min(room, GROUPS)]

    foretold = claims.predictions(summary.axes, runs, techniques)
    outcomes = partial(claims.outcomes, found=foretold, techniques=techniques)

    def predicted(axis: Axis) -> Markup:
        technique = techniques.of(axis.axis)
        return cells.predicted(technique.prediction, "" if elsewhere else meant_for(technique))

    return {
        **{field: getattr(summary, field) for field in Summary.model_fields},
        "data": summary.dataset.title,
        "footer": footer(summary),
        "baseline": baseline,
        "main_axes": main_axes,
        "main_groups": main_groups,
        "other_groups": groups[len(main_groups) :],
        "share": share,
        "own": own,
        "tried": tried,
        "others": partial(claims.changes, runs=runs),
        "technique": techniques.of,
        "predicted": predicted,
        "outcomes": outcomes,
        "came": lambda axis: cells.came(outcomes(axis)),
        "verdict": partial(claims.verdict, runs=runs, margin=margin),
        "why": partial(why, summary=summary, techniques=techniques),
        "compared": compared,
        **by_effect,
        "lost": by_effect["lost"][::-1],
        "unstable": [runs[name] for name in summary.diverged],
        "families": families,
        "best_family": claims.best_family(runs),
        "subsets": subsets,
        "best_single": runs[summary.best.run] if summary.best else None,
        "called": FAMILIES,
        "rows": [runs[name] for name in in_order(summary)],
        "steady": steadiness(summary),
        "winners": winners,
        "titles": {
            "verdicts": claims.verdicts_title(effects, nothing),
            "predictions": claims.predictions_title(foretold),
        },
        "counts": claims.counted_effects(compared, margin),
        "fitted": claims.fits_of_moved(by_effect["gained"], by_effect["lost"], baseline),
        "fits_beside": partial(claims.fits_beside, baseline=baseline, margin=margin),
        "nothing": nothing,
        "next_steps": claims.next_steps(summary, foretold),
        "meant_for": meant_for,
        "meant_elsewhere": meant_for(written[0]) if elsewhere else "",
        **{cell.__name__: cell for cell in CELLS},
        "explained_in": f"notes/{techniques.notes.name}" if techniques.notes else f"notes/{summary.study}.yaml",
    }


def groups_of(summary: Summary) -> list[GroupView]:
    """The groups other than the main one that change the model or its recipe."""
    found = []
    for group in summary.groups:
        changed = [summary.runs[name] for name in group.runs if summary.runs[name].kind == "change"]
        if group.group != MAIN and changed:
            heading = beginning(spoken(group.group))
            finding = claims.group_finding(heading, changed, summary.equivalence_margin)
            runs = by_difference(changed)
            ends = [
                axis
                for axis in summary.axes
                if axis.group == group.group
                and any(summary.runs[place.run] in (*runs[:1], *runs[-1:]) for place in axis.values)
            ]
            found.append(GroupView(group.group, heading, ends, runs, finding, group.smallest_effect))
    return found


def share(seconds: int, items: Sequence[object]) -> int:
    """Seconds for each of several slides that have so many together."""
    return seconds // max(1, len(items))


def why(axis: Axis, summary: Summary, techniques: Techniques) -> str:
    """What explains an axis: the user's words, or the evidence on its strongest value, or that there is none."""
    if explanation := techniques.of(axis.axis).explanation:
        return explanation
    places, margin = {place.value: place.run for place in axis.values}, summary.equivalence_margin
    found = sorted(claims.changes(axis, summary.runs), key=lambda change: -abs(change.points))
    for change in found:
        reason = claims.reason(change.run, summary.runs[BASELINE], margin)
        if told := " ".join(filter(None, (reason, claims.at_own_rates(places[change.value], summary.runs)))):
            return f"Evidence, {spoken(change.value)}: {told}"
    moved = any(claims.judge(claims.of_group(change.run), margin) in ("gained", "lost") for change in found)
    same = "what was measured beside accuracy" if moved else "accuracy itself"
    return f"Not explained: {same} does not differ significantly."


def meant_for(technique: Technique) -> Markup:
    """Words to follow "predicted" where that was not written for this study."""
    return Markup(f" for the full {IMAGES[PREDICTED].title} study" if technique.foreign else "")


def footer(summary: Summary) -> str:
    """Which results the talk rests on, and how many."""
    seeds = counted(summary.seeds, "seed")
    if summary.baseline_seeds != summary.seeds:
        seeds += f" (baseline {summary.baseline_seeds})"
    said = [summary.study, f"results {summary.digest[:8]}", seeds, summary.date]
    said.append(f"{summary.done}/{summary.total} trainings done")
    return " · ".join([*said, *(["DESCRIPTIVE: under three seeds"] if summary.descriptive else [])])


def own(axis: Axis) -> str:
    """The baseline's value of an axis; '' where it has none there."""
    return ", ".join(spoken(place.value) for place in axis.values if place.run == BASELINE)


def tried(axis: Axis) -> str:
    """The other values of an axis: ``2, 8``."""
    return ", ".join(spoken(place.value) for place in axis.values if place.run != BASELINE)


def by_difference(runs: list[Run]) -> list[Run]:
    """Those that can be compared with the baseline, largest gain first."""
    compared = [(run.difference.test, run) for run in runs if run.difference]
    return [run for _, run in sorted(compared, key=lambda pair: -pair[0])]


def in_order(summary: Summary) -> list[str]:
    """All runs: the baseline, the axes as the study has them, the rest, references."""
    placed = [place.run for axis in summary.axes for place in axis.values]
    rest = [name for name in summary.runs if name not in summary.references]
    return list(dict.fromkeys([BASELINE, *placed, *rest, *summary.references]))


def steadiness(summary: Summary) -> list[Run]:
    """All runs: the baseline, what diverged, the largest logit and gradient, norms and rates, then by spikes."""
    runs = summary.runs
    rest = sorted(runs, key=lambda name: -runs[name].stability.spikes)
    lost = [name for name in rest if runs[name].diverged]
    largest = [
        max(measured, key=lambda pair: pair[0])[1]
        for what in ("largest_attention_logit", "largest_gradient_norm")
        if (measured := [(value, name) for name in rest if (value := getattr(runs[name].stability, what)) is not None])
    ]
    steadying = ("norm", "qk_norm", "learning_rate")
    asked = [place.run for one in steadying for axis in summary.axes if axis.axis == one for place in axis.values]
    return [runs[name] for name in dict.fromkeys([BASELINE, *lost, *largest, *asked, *rest])]
