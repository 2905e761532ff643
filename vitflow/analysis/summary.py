"""A study over all its seeds, as one record: what tables, figures and slides are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vitflow.analysis.claims import axis_finding, best_single, findings
from vitflow.analysis.intervals import ENOUGH_SEEDS, image_interval
from vitflow.analysis.records import Axis, Group, Images, Place, Run, Summary
from vitflow.analysis.runs import Cost, Result, runs_table
from vitflow.analysis.techniques import Techniques
from vitflow.machine.device import spell_device
from vitflow.study.grid import BASELINE, Grid
from vitflow.study.schema import Study


def summarise(
    study: Study,
    grid: Grid,
    results: Sequence[Result],
    costs: Mapping[str, Cost],
    techniques: Techniques,
    *,
    classes: Sequence[str],
    duplicates: Sequence[str],
    digest: str,
    measured_on: Sequence[Mapping[str, Any]],
    right: Sequence[NDArray[np.bool_]],
) -> Summary:
    """The summary of whatever is finished; ``results`` has at least one.

    ``duplicates`` are lines on images that stand there twice, ``digest`` identifies the results; ``measured_on``: the
    provenances of measured costs; ``right``: by seed of the baseline, which test images it told right.
    """
    table = runs_table(study, grid, results, costs, techniques)
    provenances = [result.train["provenance"] for result in results]
    return Summary(
        study=study.study,
        title=study.title,
        author=study.author,
        dataset=_images(study, results, classes, duplicates),
        model=study.baseline.model_dump(),
        training=study.training.model_dump(),
        equivalence_margin=study.equivalence_margin,
        seeds=study.seeds,
        baseline_seeds=study.baseline_seeds or study.seeds,
        done=len(results),
        total=sum(len(run.seeds) for run in grid.runs.values()),
        baseline_images=image_interval(right),
        descriptive=any(len(run.seeds) < ENOUGH_SEEDS for run in table.values()),
        digest=digest,
        date=max(p["date"] for p in provenances),
        device=devices(provenances),
        measured_on=devices(measured_on),
        versions=provenances[-1]["versions"],
        train_hours=round(sum(result.train["cost"]["seconds"] for result in results) / 3600, 3),
        runs=table,
        groups=groups_table(study, grid, table),
        axes=axes_table(study, grid, table, techniques),
        references=tuple(p.run for p in grid.points if p.group == "references" and p.run != BASELINE),
        diverged=tuple(name for name, run in table.items() if run.diverged),
        findings=findings(study, table),
        best=best_single(table),
    )


def groups_table(study: Study, grid: Grid, table: Mapping[str, Run]) -> tuple[Group, ...]:
    """One entry per ablation group, with the smallest effect that it could have told from none.

    That is the median half width of its simultaneous intervals: a difference nearer to 0 has an interval that holds 0.
    """
    entries = []
    for group in study.ablations:
        runs = tuple(dict.fromkeys(p.run for p in grid.points if p.group == group and p.run != BASELINE))
        differences = [table[run].difference for run in runs]
        bounds = [d.test_interval for d in differences if d is not None and d.test_interval is not None]
        halves = [(high - low) / 2 for low, high in bounds]
        entries.append(Group(group=group, runs=runs, smallest_effect=round(median(halves), 3) if halves else None))
    return tuple(entries)


def axes_table(study: Study, grid: Grid, table: Mapping[str, Run], techniques: Techniques) -> tuple[Axis, ...]:
    """One entry per axis of every ablation group: its values, their runs, and the finding its figure shows."""
    entries = []
    for group, axes in study.ablations.items():
        for axis in axes:
            points = [p for p in grid.points if (p.group, p.axis) == (group, axis)]
            places = tuple(Place(value=p.value, run=p.run) for p in points)
            heading = techniques.heading(axis)
            entries.append(
                Axis(
                    group=group,
                    axis=axis,
                    label=heading,
                    confound=techniques.confound(axis),
                    values=places,
                    finding=axis_finding(heading, places, table, study.equivalence_margin),
                )
            )
    return tuple(entries)


def devices(provenances: Sequence[Mapping[str, Any]]) -> str:
    """``AMD EPYC (2 threads)``; several are listed."""
    return ", ".join(sorted({spell_device(p["device"], p.get("threads", 1)) for p in provenances}))


def _images(study: Study, results: Sequence[Result], classes: Sequence[str], duplicates: Sequence[str]) -> Images:
    example = next((r.metrics for r in results if r.finished), results[0].metrics)
    side, channels, _ = study.dataset.shape
    return Images(
        title=study.dataset.spoken,
        duplicates=tuple(duplicates),
        image_size=side,
        channels=channels,
        classes=tuple(classes),
        train_images=results[0].train["train_images"],
        validation_images=example["validation"]["images"] if example["validation"] else 0,
        test_images=example["test"]["images"] if example["test"] else 0,
    )
