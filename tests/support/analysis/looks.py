"""A made-up look into models: their features and their inspection, by the shapes that the study gives them."""

from __future__ import annotations

from typing import Any

import numpy as np

from vitflow.analysis.features import NOTHING, together
from vitflow.analysis.inspection import inspection
from vitflow.analysis.records import (
    Absent,
    Attention,
    Features,
    Inside,
    Inspection,
    Layer,
    Packed,
    Separation,
    Summary,
    View,
)
from vitflow.analysis.runs import Result
from vitflow.study.grid import BASELINE, BEST, Run, expand, feature_runs, inspected_runs
from vitflow.study.models import ResNet, ViT
from vitflow.study.schema import Study

EXAMPLES = 8


def made_up_features(study: Study, summary: Summary, generator: np.random.Generator) -> Features:
    """Features of the runs that are to give them; those whose first seed diverged have none."""
    size, channels, classes = study.dataset.shape
    labels = np.sort(np.arange(min(study.features.images, 1000)) % classes)
    first = np.searchsorted(labels, np.arange(EXAMPLES))
    shared = {
        "labels": labels,
        "examples": _pictures(generator, EXAMPLES, size, channels),
        "example_index": first,
    }
    grid, models, absent, means = expand(study), [], [], {}
    winner = summary.best.run if summary.best else BASELINE
    for name in feature_runs(study):
        model, label = (winner, "ViT, best") if name == BEST else (name, summary.runs[name].label)
        run = summary.runs[model]
        if "0" in run.stability.diverged_at:  # features are of the first seed
            absent.append(Absent(run=name, label=label, reason="diverged at step 1000"))
            continue
        models.append(_inside(name, label, grid.runs[model], labels, generator))
        means[name] = [
            generator.normal(labels[:, None] * k, 3, (len(labels), 4)) for k in range(len(models[-1].layers))
        ]
    return together(models, absent, means, shared if models else NOTHING, "validation", summary.dataset.classes)


def made_up_inspection(study: Study, summary: Summary, generator: np.random.Generator) -> Inspection:
    """The inspection of all finished seeds, from metrics as an evaluation leaves them."""
    runs = expand(study).runs
    results = [
        Result(name, seed, {"status": "finished"}, _metrics(runs[name], run.validation.values[seed], generator))
        for name, run in summary.runs.items()
        for seed in range(run.n)
    ]
    labels = {name: run.label for name, run in summary.runs.items()}
    return inspection(runs, labels, results, inspected_runs(study), summary.dataset.classes)


def layers(run: Run) -> dict[str, tuple[int, int]]:
    """(positions, width) of every layer of a run's model, in their order."""
    model, side = run.config.model, run.config.dataset.shape[0]
    if isinstance(model, ViT):
        names = ["patch_embed", *(f"block{k}" for k in range(1, model.depth + 1))]
        return dict.fromkeys(names, ((side // model.patch_size) ** 2, model.width))
    expansion = 4 if model.depth == 50 else 1
    stages = {f"stage{k + 1}": (-(-side // 2**k)) ** 2 for k in range(4)}
    return {"stem": (side**2, model.width)} | {
        name: (positions, expansion * model.width * 2**k) for k, (name, positions) in enumerate(stages.items())
    }


def _inside(name: str, label: str, run: Run, labels: np.ndarray, generator: np.random.Generator) -> Inside:
    model, found = run.config.model, layers(run)
    better = 20 if isinstance(model, ResNet) else 0

    def separation(depth: float) -> Separation:
        probe = 15 + better * depth + 45 * depth
        return Separation(between=round(0.05 + 0.5 * depth, 4), probe=round(probe, 2), neighbours=round(probe - 5, 2))

    names = list(found)
    depths = {layer: place / (len(names) - 1) for place, layer in enumerate(names)}
    chosen = dict(zip((names[0], names[len(names) // 2], names[-2]), ("early", "middle", "late"), strict=True))
    return Inside(
        run=name,
        label=label,
        family=model.family,
        layers=tuple(
            Layer(name=layer, depth=round(depths[layer], 4), positions=t, width=d, separation=separation(depths[layer]))
            for layer, (t, d) in found.items()
        ),
        pooled=separation(1.1),
        views=tuple(_view(place, layer, *found[layer], labels, generator) for layer, place in chosen.items()),
        attention=_attention(model, found["patch_embed"][0], generator) if isinstance(model, ViT) else None,
        position=_position(found["patch_embed"][0], generator) if "patch_embed" in found else None,
    )


def _view(
    place: str, layer: str, positions: int, width: int, labels: np.ndarray, generator: np.random.Generator
) -> View:
    centres = generator.normal(0, 2.0, (labels.max() + 1, 2))
    numbers = np.unique(np.geomspace(1, width, 40).round().astype(int))
    held = (1 - np.exp(-5 * numbers / width)) / (1 - np.exp(-5))
    side = round(positions**0.5)
    return View(
        place=place,
        layer=layer,
        between=0.4,
        explained=(0.3, 0.1),
        points=Packed.of(centres[labels] + generator.normal(0, 1.5, (len(labels), 2)), "float16"),
        patch_components=tuple(numbers.tolist()),
        patch_held=tuple(held.round(4).tolist()),
        patch_most=round(0.45 * width),
        patch_colours=0.4,
        maps=Packed.of(_pictures(generator, EXAMPLES, side, 3), "uint8"),
    )


def _attention(model: ViT, patches: int, generator: np.random.Generator) -> Attention:
    side = round(patches**0.5)
    pictures = [_pictures(generator, EXAMPLES, side, model.depth).transpose(3, 0, 1, 2) for _ in range(2)]
    return Attention(
        asks="[CLS]" if model.pool == "cls" else "the mean patch",
        patches=tuple(round(patches * (1 - k / (model.depth + 1)), 2) for k in range(model.depth)),
        image=Packed.of(pictures[0], "uint8"),
        patch=Packed.of(pictures[1], "uint8"),
    )


def _position(patches: int, generator: np.random.Generator) -> Packed:
    """Places whose vectors are alike where they are near."""
    side = round(patches**0.5)
    where = np.stack(np.divmod(np.arange(patches), side), axis=1)
    apart = np.linalg.norm(where[:, None] - where, axis=-1)
    cosine = np.clip(np.exp(-apart) + generator.normal(0, 0.02, apart.shape) * (apart > 0), -1, 1)
    return Packed.of(np.rint((cosine + 1) * 127.5), "uint8")


def _metrics(run: Run, accuracy: float, generator: np.random.Generator) -> dict[str, Any]:
    model, (size, _, classes) = run.config.model, run.config.dataset.shape
    confusion = np.full((classes, classes), 1) * generator.integers(0, 3, (classes, classes))
    np.fill_diagonal(confusion, (confusion.sum(axis=1) * accuracy / (101 - accuracy)).round().astype(int))
    return {
        "validation": {"confusion": confusion.tolist()},
        "inspection": {
            "images": 500,
            "shift_consistency": {str(p): round(100 - 4 * p + generator.normal(0, 0.5), 3) for p in (1, 2, 3)},
            "attention_distance": generator.uniform(0.2 * size, 0.6 * size, (model.depth, model.heads)).tolist()
            if isinstance(model, ViT)
            else None,
            "layers": {
                layer: {
                    "width": width,
                    "effective_rank": width * float(generator.uniform(0.1, 0.8)),
                    "median_norm": float(generator.uniform(3, 5)),
                    "largest_norm": float(generator.uniform(8, 12)),
                }
                for layer, (_, width) in layers(run).items()
            },
        },
    }


def _pictures(generator: np.random.Generator, pictures: int, size: int, channels: int) -> np.ndarray:
    """Smooth random pictures, integers 0..255: [pictures, size, size, channels]."""
    y, x = np.mgrid[0:size, 0:size, 0:1][:2] / size
    slopes = generator.normal(0, 4, (2, pictures, 1, 1, channels))
    waves = np.sin(x * slopes[0] + y * slopes[1] + generator.uniform(0, 6.3, (pictures, 1, 1, channels)))
    return np.asarray(np.round(127.5 + 127.5 * waves).astype(int))
