"""What the page's template sees: rows of the table, and all that is known of one run, as words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vitflow.analysis.claims import of_group
from vitflow.analysis.records import Answers, Difference, Mistakes, Run, Statistics, Summary
from vitflow.explore.read import Analysis
from vitflow.slides.filters import NOTHING, amount, number, signed
from vitflow.study.fields import spell
from vitflow.study.grid import BASELINE, Grid


@dataclass(frozen=True)
class Cell:
    """A cell of the table: what is read, and the number it is sorted by (None goes last)."""

    text: str
    value: float | None


@dataclass(frozen=True)
class Wrong:
    """An image that a run gets wrong."""

    place: int  #: among the pictures
    actual: str
    predicted: str
    confidence: int  #: percent
    seeds: int  #: that are wrong


#: headings of the table's columns of numbers, with what they mean
COLUMNS = (
    ("n", "seeds that finished"),
    ("test, %", "test accuracy, mean and standard deviation over seeds"),
    ("against baseline", "difference of the means, in points"),
    ("95 % interval", "simultaneous within a group of runs, over seeds (Dunnett); from three seeds on"),
    ("time", "training time per image relative to the baseline, measured with nothing else running"),
    ("mult.", "multiplications per image, forward pass"),
    ("param.", "parameters"),
)


def cells(run: Run) -> list[Cell]:
    """A run's cells, in the order of :data:`COLUMNS`."""
    difference = None if run.difference is None else run.difference.test
    interval = None if run.difference is None else run.difference.test_interval
    return [
        Cell(str(run.n), run.n),
        Cell(spread(run.test), run.test.mean),
        Cell(signed(difference), difference),
        Cell(_interval(run.difference), interval[0] if interval else None),
        Cell(number(run.relative_time, 2), run.relative_time),
        Cell(amount(run.multiplications), run.multiplications),
        Cell(amount(run.parameters), run.parameters),
    ]


def bars(summary: Summary) -> dict[str, dict[str, float]]:
    """Of every run with an interval: where it begins and ends, its middle and zero, in percent of the widest column."""
    drawn = {name: run.difference for name, run in summary.runs.items() if run.difference}
    ends = [0.0] + [end for found in drawn.values() for end in (found.test, *(found.test_interval or ()))]
    low, width = min(ends), (max(ends) - min(ends)) or 1.0

    def at(value: float) -> float:
        return round(100 * (value - low) / width, 2)

    return {
        name: {
            "low": at((found.test_interval or (found.test,))[0]),
            "high": at((found.test_interval or (found.test,))[-1]),
            "middle": at(found.test),
            "zero": at(0.0),
        }
        for name, found in drawn.items()
    }


def facts(run: Run, measured_on: str) -> list[tuple[str, str]]:
    """(name, value) of all numbers of a run; ``measured_on`` is the device of times and memory."""
    stability = run.stability
    ratios, speed = run.time_ratios, run.images_per_second
    found = [
        ("Test accuracy", spread(run.test, unit=" %") + _each(run.test)),
        ("Against the baseline", _against(run.difference)),
        ("Validation accuracy", spread(run.validation, unit=" %")),
        ("Training accuracy, not augmented", spread(run.clean_train, unit=" %")),
        ("Test loss", spread(run.test_loss, 3)),
        ("Calibration error (test)", spread(run.test_ece, unit=" points")),
        ("Parameters", amount(run.parameters)),
        ("Multiplications", f"{amount(run.multiplications)} per image"),
        ("Tokens", str(run.tokens)),
        ("Time", number(run.relative_time, 2) + (f" ({ratios[0]:.2f} to {ratios[1]:.2f})" if ratios else "")),
        ("Speed", "not measured" if speed is None else f"{speed:.0f} images/s on {measured_on}"),
        ("Peak memory", "not measured" if run.peak_bytes is None else f"{amount(run.peak_bytes)}B on {measured_on}"),
        ("Largest attention logit", number(stability.largest_attention_logit)),
        ("Spikes per training", number(stability.spikes)),
    ]
    diverged = [f"seed {seed} at step {step}" for seed, step in stability.diverged_at.items()]
    return found + ([("Diverged", ", ".join(diverged))] if diverged else [])


def changes(grid: Grid, name: str) -> list[tuple[str, str, str]]:
    """(field, value here, value of the baseline) of all fields that a run changes."""
    ours, theirs = grid.runs[name].config, grid.runs[BASELINE].config
    other = theirs.flat()
    family = [("family", ours.model.family, theirs.model.family)] if ours.model.family != theirs.model.family else []
    return family + [
        (field, spell(value), spell(other[field]) if field in other else NOTHING)
        for field, value in ours.changes_from(theirs).items()
    ]


def configuration(grid: Grid, name: str) -> list[tuple[str, str]]:
    """(field, value) of a run's whole configuration, as far as it has an effect."""
    config = grid.runs[name].config
    return [("family", config.model.family), *((field, spell(value)) for field, value in config.flat().items())]


def wrong(mistakes: Mistakes, name: str) -> list[Wrong]:
    """The pictures that a run gets wrong: with most seeds first, among these the surest."""
    answers = mistakes.runs.get(name)
    if answers is None:
        return []
    found = [_wrong(mistakes, answers, place) for place in range(len(mistakes.pictures)) if answers.wrong[place]]
    return sorted(found, key=lambda image: (-image.seeds, -image.confidence, image.place))


def spread(statistics: Statistics, digits: int = 1, unit: str = "") -> str:
    """``43.0 ± 0.8``; the mean alone at one seed, a dash at none."""
    if statistics.mean is None:
        return NOTHING
    deviation = "" if statistics.sd is None else f" ± {number(statistics.sd, digits)}"
    return f"{number(statistics.mean, digits)}{deviation}{unit}"


def _wrong(mistakes: Mistakes, answers: Answers, place: int) -> Wrong:
    return Wrong(
        place=place,
        actual=mistakes.classes[mistakes.pictures[place].label],
        predicted=mistakes.classes[answers.predicted[place]],
        confidence=round(100 * answers.confidence[place]),
        seeds=answers.wrong[place],
    )


def _interval(difference: Difference | None) -> str:
    if difference is None or difference.test_interval is None:
        return NOTHING
    low, high = difference.test_interval
    return f"{signed(low)} to {signed(high)}"


def _against(difference: Difference | None) -> str:
    if difference is None:
        return NOTHING
    interval = f" ({_interval(difference)})" if difference.test_interval else ""
    return f"{signed(difference.test)} points{interval}"


def _each(statistics: Statistics) -> str:
    return f" ({', '.join(number(value) for value in statistics.values)})" if len(statistics.values) > 1 else ""


def initial(summary: Summary) -> list[str]:
    """Runs whose curves are drawn at first: the baseline, and the largest gain and loss on test images."""
    ordered = sorted(
        (name for name, run in summary.runs.items() if run.difference),
        key=lambda name: summary.runs[name].difference.test,  # type: ignore[union-attr]
    )
    return list(dict.fromkeys([BASELINE, *ordered[-1:], *ordered[:1]]))


def context(analysis: Analysis, grid: Grid) -> dict[str, Any]:
    """All of it, by run where it is about one."""
    summary, mistakes, attention = analysis.summary, analysis.mistakes, analysis.attention
    names, places = [name for name in grid.runs if name in summary.runs], bars(summary)
    return {
        "study": summary,
        "columns": COLUMNS,
        "mistakes": mistakes,
        "runs": [
            {
                "name": name,
                "run": summary.runs[name],
                "cells": cells(summary.runs[name]),
                "bar": places.get(name),
                "significant": _is_significant(summary.runs[name]),
                "facts": facts(summary.runs[name], summary.measured_on),
                "changes": changes(grid, name),
                "configuration": configuration(grid, name),
                "wrong": wrong(mistakes, name),
                "looks": attention.runs.get(name),
                "unseen": attention.missing(name, summary.runs[name]),
            }
            for name in names
        ],
    }


def _is_significant(run: Run) -> bool:
    """Whether it significantly gained or lost within its group, as titles of the talk have it."""
    return run.difference is not None and of_group(run).significant
