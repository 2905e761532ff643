"""What the template is given: the summary's fields, and what the talk makes of them."""

from __future__ import annotations

from functools import partial
from typing import Any

from markupsafe import Markup

from vitflow.analysis import claims
from vitflow.analysis.claims import Effect, effect
from vitflow.analysis.records import Axis, Run, Summary, Winner
from vitflow.analysis.techniques import PREDICTED, Technique, Techniques
from vitflow.slides import cells
from vitflow.slides.filters import counted
from vitflow.study.dataset import IMAGES
from vitflow.study.grid import BASELINE

#: by their own names
CELLS = (
    cells.model_row,
    cells.seeds_row,
    cells.stability_row,
    cells.listed,
    cells.observed,
    cells.moved,
    cells.lost_seeds,
    cells.reason_row,
)
#: the group whose axes have a slide each in the talk itself
MAIN = "architecture"


def view(summary: Summary, winner: Winner | None, techniques: Techniques) -> dict[str, Any]:
    """Every field of the summary by its name, and:

    - ``data``: the dataset as people say it; ``footer``: what every slide is signed with; ``baseline``: that run
    - ``main_axes``, ``other_axes``; ``own(axis)``, ``tried(axis)``: the baseline's value of it, and those beside;
      ``others(axis)``: its values with a difference, largest gain first
    - ``technique(axis)``, ``predicted(axis)``, ``verdict(axis)``; ``meant_for(technique)`` and ``meant_elsewhere``:
      words for a prediction, and for all of them, written for another study; ``explained_in``: the file that wants
      explanations
    - ``compared``: runs with a difference, references apart, largest gain first; of these ``gained``, ``unclear``, and
      ``lost``, largest loss first; ``unstable``: runs with a diverged seed
    - ``chosen``: name of the best run by validation accuracy; ``best_vit``: the best one that is no reference
    - ``rows``: all runs in the order of the study; ``steady``: in that of :func:`steadiness`
    - ``confirmed``: ``best.json``, or None where the study selects no combination
    - ``titles`` by slide; ``nothing``: why nothing compares
    - the rows and cells of :mod:`vitflow.slides.cells`
    """
    runs, margin = summary.runs, summary.equivalence_margin
    baseline = runs[BASELINE]
    compared = by_difference([run for run in runs.values() if not run.reference])
    effects = [effect(run, margin) for run in compared]

    def with_effect(wanted: Effect) -> list[Run]:
        return [run for run, found in zip(compared, effects, strict=True) if found == wanted]

    other_axes = [axis for axis in summary.axes if axis.group != MAIN]
    diverged = baseline.diverged and not baseline.n
    nothing = "the baseline diverged, so nothing compares with it" if diverged else "no component has been changed yet"
    written = [technique for axis in summary.axes if (technique := techniques.of(axis.axis)).prediction]
    elsewhere = bool(written) and all(technique.foreign for technique in written)

    def predicted(axis: Axis) -> Markup:
        technique = techniques.of(axis.axis)
        return cells.predicted(technique.prediction, "" if elsewhere else meant_for(technique))

    return {
        **{field: getattr(summary, field) for field in Summary.model_fields},
        "data": summary.dataset.title,
        "footer": footer(summary),
        "baseline": baseline,
        "main_axes": [axis for axis in summary.axes if axis.group == MAIN],
        "other_axes": other_axes,
        "own": own,
        "tried": tried,
        "others": partial(claims.changes, runs=runs),
        "technique": techniques.of,
        "predicted": predicted,
        "verdict": partial(claims.verdict, runs=runs, margin=margin, descriptive=summary.descriptive),
        "compared": compared,
        "gained": with_effect("gained"),
        "unclear": with_effect("unclear"),
        "lost": with_effect("lost")[::-1],
        "unstable": [runs[name] for name in summary.diverged],
        "chosen": summary.best.run if summary.best else BASELINE,
        "best_vit": best_vit(summary),
        "rows": [runs[name] for name in in_order(summary)],
        "steady": steadiness(summary),
        "confirmed": winner,
        "titles": {
            "components": claims.components_title(other_axes, runs),
            "winner": claims.winner_title(winner) if winner else "",
            "verdicts": claims.verdicts_title(effects, nothing),
        },
        "nothing": nothing,
        "meant_for": meant_for,
        "meant_elsewhere": meant_for(written[0]) if elsewhere else "",
        **{cell.__name__: cell for cell in CELLS},
        "explained_in": f"notes/{techniques.notes.name}" if techniques.notes else "techniques.yaml",
    }


def meant_for(technique: Technique) -> Markup:
    """Words to follow "predicted" where that was not written for this study."""
    return Markup(f" for the full {IMAGES[PREDICTED].title} study" if technique.foreign else "")


def footer(summary: Summary) -> str:
    """Which results the talk rests on, and how many."""
    seeds = counted(summary.seeds, "seed")
    if summary.baseline_seeds != summary.seeds:
        seeds += f" (baseline {summary.baseline_seeds})"
    said = [summary.study, f"results {summary.digest[:8]}", seeds, summary.date]
    said.append(f"{summary.done}/{summary.total} runs done")
    return " · ".join([*said, *(["DESCRIPTIVE: under three seeds"] if summary.descriptive else [])])


def own(axis: Axis) -> str:
    """The baseline's value of an axis; '' where it has none there."""
    return ", ".join(place.value for place in axis.values if place.run == BASELINE)


def tried(axis: Axis) -> str:
    """The other values of an axis: ``2, 8``."""
    return ", ".join(place.value for place in axis.values if place.run != BASELINE)


def by_difference(runs: list[Run]) -> list[Run]:
    """Those that can be compared with the baseline, largest gain first."""
    compared = [(run.difference.test, run) for run in runs if run.difference]
    return [run for _, run in sorted(compared, key=lambda pair: -pair[0])]


def best_vit(summary: Summary) -> Run | None:
    """The run with the highest validation accuracy, references apart; None before any has one."""
    ranked = [run for run in summary.runs.values() if not run.reference and run.validation.mean is not None]
    return max(ranked, key=lambda run: run.validation.mean or 0, default=None)


def in_order(summary: Summary) -> list[str]:
    """All runs: the baseline, the axes as the study has them, the rest, references."""
    placed = [place.run for axis in summary.axes for place in axis.values]
    rest = [name for name in summary.runs if name not in summary.references]
    return list(dict.fromkeys([BASELINE, *placed, *rest, *summary.references]))


def steadiness(summary: Summary) -> list[Run]:
    """All runs: the baseline, what diverged, the sweep of learning rates, then the others, most spikes first."""
    sweep = [place.run for axis in summary.axes if axis.axis == "learning_rate" for place in axis.values]

    def place(name: str) -> tuple[bool, bool, bool, float]:
        run = summary.runs[name]
        return name != BASELINE, not run.diverged, name not in sweep, 0 if name in sweep else -run.stability.spikes

    return [summary.runs[name] for name in sorted(summary.runs, key=place)]
