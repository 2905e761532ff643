"""What models do with images, over seeds: from the ``inspection`` of each run's metrics.json, and its confusions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

from vitflow.analysis import titles
from vitflow.analysis.features import pair
from vitflow.analysis.pooled import SPLIT
from vitflow.analysis.records import (
    ClassAccuracy,
    ClassContrast,
    Confused,
    Inspected,
    InspectedLayer,
    Inspection,
    InspectionTitles,
)
from vitflow.analysis.runs import Result, shifts, spread
from vitflow.study.grid import Run
from vitflow.study.models import ViT

PAIRS = 8  #: of classes, in a contrast
DIGITS = 4  #: significant


def inspection(
    runs: Mapping[str, Run],
    labels: Mapping[str, str],
    results: Sequence[Result],
    shown: Sequence[str],
    classes: Sequence[str],
) -> Inspection:
    """All runs with a finished seed that was looked into. ``shown``: those that figures point out, in that order."""
    found, images = {}, 0
    for name, run in runs.items():
        mine = [r for r in results if r.run == name and r.finished and r.metrics.get("inspection")]
        if mine:
            images = mine[0].metrics["inspection"]["images"]
            found[name] = _inspected(run, labels[name], [r.metrics["inspection"] for r in mine])
    shown = tuple(name for name in shown if name in found)
    beside = pair({name: found[name].family for name in shown})
    contrast = contrasted(*beside, results, classes) if beside else None
    ours = [found[name] for name in beside or shown[:1]]
    moved = [shifts([r for r in results if r.run == name and r.finished]) for name in beside or shown[:1]]
    return Inspection(
        split=SPLIT,
        images=images,
        shown=shown,
        runs=found,
        contrast=contrast,
        titles=InspectionTitles(
            attention=titles.attention_title(ours),
            layers=titles.layers_title(ours),
            shifts=titles.shifts_title(ours, moved),
            classes=titles.classes_title(contrast, found),
        ),
    )


def uniform_distance(grid: int, side: int) -> float:
    """Pixels from a patch to another place drawn at random among grid x grid, itself included, mean over patches.

    So far reaches attention that is the same to all; ``side``: of the image, in pixels.
    """
    steps = np.arange(grid) * side / grid
    places = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    return float(2 * pdist(places).sum() / len(places) ** 2)


def contrasted(one: str, other: str, results: Sequence[Result], classes: Sequence[str]) -> ClassContrast | None:
    """Two runs, class by class, on validation images over their seeds; None where one of them has none."""
    percent = [_percent([r for r in results if r.run == name and r.finished]) for name in (one, other)]
    if not all(len(found) for found in percent):
        return None
    means = [found.mean(axis=0) for found in percent]
    apart = np.abs(means[0] - means[1])
    np.fill_diagonal(apart, 0)
    order = [divmod(int(k), len(classes)) for k in np.argsort(-apart, axis=None, kind="stable")[:PAIRS]]
    return ClassContrast(
        one=one,
        other=other,
        classes=tuple(
            ClassAccuracy(
                name=name, one=spread(percent[0][:, k, k].tolist()), other=spread(percent[1][:, k, k].tolist())
            )
            for k, name in enumerate(classes)
        ),
        confused=tuple(
            Confused(
                actual=classes[i],
                predicted=classes[j],
                one=round(float(means[0][i, j]), 2),
                other=round(float(means[1][i, j]), 2),
            )
            for i, j in order
            if apart[i, j] > 0
        ),
    )


def _percent(results: Sequence[Result]) -> NDArray[np.float64]:
    """Confusion matrices [seeds, actual, predicted], in percent of the actual class."""
    counts = np.array([r.metrics[SPLIT]["confusion"] for r in results if r.metrics[SPLIT]], dtype=np.float64)
    return 100 * counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1) if len(counts) else counts


def _inspected(run: Run, label: str, seeds: Sequence[Mapping[str, Any]]) -> Inspected:
    model, side = run.config.model, run.config.dataset.shape[0]
    layers = _in_order(seeds[0]["layers"])
    last, distances = len(layers) - 1, None
    # where [CLS] is read, patch tokens of the last block reach no output: nothing has taught them what they do
    unread = isinstance(model, ViT) and model.pool == "cls" and model.depth > 1
    read = slice(-1 if unread else None)
    if isinstance(model, ViT):
        found = np.sort([seed["attention_distance"] for seed in seeds], axis=-1).mean(axis=0)  # [depth, heads]
        distances = tuple(tuple(_round(value) for value in heads) for heads in found[read])

    def over_seeds(name: str, key: str) -> list[float]:
        return [seed["layers"][name][key] for seed in seeds]

    return Inspected(
        label=label,
        family=model.family,
        n=len(seeds),
        registers=model.registers if isinstance(model, ViT) else 0,
        layers=tuple(
            InspectedLayer(
                name=name,
                depth=round(place / max(last, 1), DIGITS),
                width=seeds[0]["layers"][name]["width"],
                effective_rank=_round(np.mean(over_seeds(name, "effective_rank"))),
                median_norm=_round(np.mean(over_seeds(name, "median_norm"))),
                largest_norm=_round(max(over_seeds(name, "largest_norm"))),
            )
            for place, name in enumerate(layers[read])
        ),
        attention=distances,
        uniform=_round(uniform_distance(side // model.patch_size, side)) if isinstance(model, ViT) else None,
    )


def _in_order(names: Mapping[str, Any]) -> list[str]:
    """Layers as they follow in a model: JSON has them by the alphabet, block10 before block2."""
    return sorted(names, key=lambda name: int(name.lstrip("blockstage")) if name[-1].isdigit() else 0)


def _round(value: float | np.floating[Any]) -> float:
    return float(f"{value:.{DIGITS}g}")
