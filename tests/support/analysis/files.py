"""The other files of a made-up analysis: curves, confusion, calibration, looks into models, mistakes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from support.analysis.finalists import made_up_winners
from support.analysis.looks import made_up_features, made_up_inspection
from support.analysis.mistakes import write_mistakes
from support.analysis.summary import made_up
from vitflow.analysis.records import Bins, Calibration, Cell, Confusion, Run, Summary
from vitflow.machine.files import write_csv
from vitflow.study.grid import BASELINE, expand
from vitflow.study.schema import Study

COLUMNS = "run seed epoch learning_rate train_loss train_accuracy validation_loss validation_accuracy gradient_norm"


def write_analysis(folder: Path, study: Study, diverged: dict[str, int] | None = None) -> Summary:
    """Write all analysis files of ``study`` into ``folder`` and return the summary.

    ``diverged`` gives, by run name, how many of its seeds (the last ones) diverged.
    """
    generator = np.random.default_rng(0)
    summary = made_up(study, diverged or {}, generator)
    summary.write(folder / "summary.json")
    write_csv(folder / "curves.csv", COLUMNS.split(), _curves(study, summary, generator))
    _confusion(summary, generator).write(folder / "confusion.json")
    bins = {name: _bins(run, generator) for name, run in summary.runs.items() if run.n}
    Calibration(split="validation", runs=bins).write(folder / "calibration.json")
    made_up_features(study, summary, generator).write(folder / "features.json")
    made_up_inspection(study, summary, generator).write(folder / "inspection.json")
    write_mistakes(folder, summary)
    if study.best:
        made_up_winners(study, summary, generator).write(folder / "best.json")
    return summary


def _curves(study: Study, summary: Summary, generator: np.random.Generator) -> Iterator[dict[str, Any]]:
    grid = expand(study)
    for name, run in summary.runs.items():
        epochs = grid.runs[name].config.training.epochs
        for index, seed in enumerate(run.seeds):
            final = run.validation.values[index] if index < run.n else 30.0
            last = epochs if index < run.n else max(epochs // 4, 1)
            for epoch in range(1, last + 1):
                grown = 1 - math.exp(-4 * epoch / epochs)
                validation = 10 + (final - 10) * grown / (1 - math.exp(-4))
                validation += generator.normal(0, 1.2 * (1 - epoch / epochs))
                train = validation + 6 * grown**4
                rate = study.training.learning_rate * (1 + math.cos(math.pi * epoch / epochs)) / 2
                numbers = [rate, 2.3 - train / 60, train, 2.2 - validation / 55, validation, 1 + generator.random()]
                row = [name, seed, epoch, *(round(float(value), 6) for value in numbers)]
                yield dict(zip(COLUMNS.split(), row, strict=True))


def _confusion(summary: Summary, generator: np.random.Generator) -> Confusion:
    classes = summary.dataset.classes
    n, each = max(summary.runs[BASELINE].n, 1), 5000 // len(classes)
    cells = []
    for true, actual in enumerate(classes):
        weights = generator.gamma(0.6, 1.0, len(classes)) * 0.03
        weights[true] = 0.82 + generator.normal(0, 0.04)
        if actual in ("cat", "dog"):
            weights[classes.index("dog" if actual == "cat" else "cat")] = 0.15
        row = generator.multinomial(each * n, weights / weights.sum()).tolist()
        cells += [Cell(actual=actual, predicted=c, images=k) for c, k in zip(classes, row, strict=True)]
    return Confusion(run=BASELINE, n=n, split="validation", classes=classes, cells=tuple(cells))


def _bins(run: Run, generator: np.random.Generator) -> Bins:
    confidence = [10.0 * k + 5 + generator.normal(0, 0.5) for k in range(10)]
    accuracy = [min(max(c - 0.12 * c * (1 - c / 100) * 4 + generator.normal(0, 2), 0), 100) for c in confidence]
    confidence[0] = accuracy[0] = 0.0  # an empty bin: ten classes leave no confidence below a tenth
    return Bins(
        count=(0, *(int(5 * 2**k * run.n) for k in range(9))),
        confidence=tuple(round(float(value), 3) for value in confidence),
        accuracy=tuple(round(float(value), 3) for value in accuracy),
    )
