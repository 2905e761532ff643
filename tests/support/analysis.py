"""Test data: analysis files as the analysis room writes them, made up but plausible.

``example_study(...)`` gives a study, ``write_analysis(folder, study, ...)`` the files that its analysis
would have left in ``results/<study>/analysis``. Every number is drawn from a fixed generator: nothing here
was measured, and nothing here may leave the tests.
"""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from vitflow.study.grid import BASELINE, Run, expand
from vitflow.study.models import ViT
from vitflow.study.reading import parse_study
from vitflow.study.schema import Study

CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
REFERENCES: dict[str, dict[str, Any]] = {
    "resnet18": {"family": "resnet", "depth": 18},
    "resnet18-half": {"family": "resnet", "depth": 18, "width": 32},
    "resnet50": {"family": "resnet", "depth": 50},
}
ARCHITECTURE: dict[str, list[Any]] = {
    "patch_size": [2, 4, 8],
    "width": [96, 192, 256],
    "depth": [4, 6, 12],
    "heads": [1, 3, 8, 96],
}
MANY: dict[str, dict[str, list[Any]]] = {
    "architecture": ARCHITECTURE | {"mlp_ratio": [1, 2, 3, 4, 6], "pool": ["cls", "mean"]},
    "training": {
        "augmentation": ["none", "crop", "crop_flip"],
        "learning_rate": [0.00025, 0.0005, 0.001, 0.002, 0.004],
        "weight_decay": [0, 0.01, 0.05, 0.1, 0.3],
        "label_smoothing": [0, 0.05, 0.1, 0.2],
        "warmup_epochs": [0, 2, 5, 10],
        "batch_size": [64, 128, 256, 512, 1024],
        "gradient_clip": [0.5, 1, 2, None],
    },
}
LONG: dict[str, dict[str, list[Any]]] = {
    "techniques-of-the-second-part": {
        "regularisation_and_augmentation": [
            {"name": "no-augmentation-and-no-label-smoothing", "augmentation": "none", "label_smoothing": 0},
            {"name": "strong-decay-with-crops-only", "augmentation": "crop", "weight_decay": 0.3},
            {"name": "baseline-recipe", "augmentation": "crop_flip", "label_smoothing": 0.1},
        ]
    },
    "architecture": {"patch_size": [2, 4, 8]},
}


def example_study(
    seeds: int = 3,
    baseline_seeds: int | None = None,
    ablations: dict[str, dict[str, list[Any]]] | None = None,
    references: dict[str, dict[str, Any]] | None = None,
    **changes: Any,
) -> Study:
    """A CIFAR-10 study with the assignment's axes and three references, unless told otherwise."""
    return parse_study(
        {
            "study": "example",
            "title": "What makes a small Vision Transformer work?",
            "author": "A. Student",
            "dataset": {"name": "cifar10"},
            "training": {"epochs": 40},
            "seeds": seeds,
            "baseline_seeds": baseline_seeds,
            "ablations": {"architecture": ARCHITECTURE} if ablations is None else ablations,
            "references": REFERENCES if references is None else references,
            **changes,
        },
        "example",
    )


def write_analysis(folder: Path, study: Study, diverged: dict[str, int] | None = None) -> dict[str, Any]:
    """Write all analysis files of ``study`` into ``folder`` and return the summary.

    ``diverged`` gives, by run name, how many of its seeds (the last ones) diverged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(0)
    grid = expand(study)
    diverged = diverged or {}
    names = {name: key for key in study.references for name in [_run_of(grid.points, key)]}
    runs = {
        name: _run(study, run, names.get(name), diverged.get(name, 0), generator) for name, run in grid.runs.items()
    }
    for name, run in runs.items():
        paired = [run[part]["mean"] for part in ("validation", "test")]
        base = [_mean(runs[BASELINE][part]["values"][: max(run["n"], 1)]) for part in ("validation", "test")]
        if name != BASELINE and run["n"] and runs[BASELINE]["n"]:
            points = {p: round(a - b, 4) for p, a, b in zip(("validation", "test"), paired, base, strict=True)}
            run["difference"] = points | {"n": min(run["n"], runs[BASELINE]["n"])}
    summary = _summary(study, runs, list(names))
    _write(folder / "summary.json", summary)
    _write_curves(folder / "curves.csv", study, runs, generator)
    _write(folder / "confusion.json", _confusion(summary, generator))
    _write(
        folder / "calibration.json",
        {"runs": {name: _calibration(run, generator) for name, run in runs.items() if run["n"]}},
    )
    _write(folder / "pca.json", _pca(study, summary, generator))
    return summary


# ------------------------------------------------------------------------------------- summary.json


def _summary(study: Study, runs: dict[str, Any], references: list[str]) -> dict[str, Any]:
    grid = expand(study)
    ranked = [name for name in runs if runs[name]["n"]]
    best = max(ranked, key=lambda name: runs[name]["validation"]["mean"], default=BASELINE)
    size, channels, _ = study.dataset.shape
    axes = [
        {
            "group": group,
            "axis": axis,
            "label": axis.replace("_", " ").capitalize(),
            "finding": f"{axis.replace('_', ' ').capitalize()} matters more than anything else we changed",
            "confound": CONFOUNDS.get(axis, "nothing else changes: same model, same multiplications"),
            "values": [{"value": p.value, "run": p.run} for p in grid.points if (p.group, p.axis) == (group, axis)],
        }
        for group, axes in study.ablations.items()
        for axis in axes
    ]
    return {
        "study": study.study,
        "title": study.title,
        "author": study.author,
        "dataset": {
            "name": study.dataset.name,
            "train_images": 45000,
            "validation_images": 5000,
            "test_images": 10000,
            "image_size": size,
            "channels": channels,
            "classes": _classes(study),
        },
        "training": study.training.model_dump(),
        "model": study.baseline.model_dump(),
        "equivalence_margin": study.equivalence_margin,
        "descriptive": any(run["n"] < 3 for run in runs.values()),
        "digest": "3f9c0a7e" * 8,
        "date": "2025-03-14",
        "done": sum(len(run["seeds"]) for run in runs.values()),
        "total": sum(len(run["seeds"]) for run in runs.values()),
        "diverged": [name for name, run in runs.items() if run["diverged"]],
        "seeds": study.seeds,
        "baseline_seeds": study.baseline_seeds or study.seeds,
        "device": "AMD EPYC, 2 threads",
        "versions": {"torch": "2.13.0", "python": "3.11.7"},
        "measured_on": "AMD EPYC, 1 thread",
        "train_hours": round(sum(run["multiplications"] * len(run["seeds"]) for run in runs.values()) / 3.6e8, 2),
        "runs": runs,
        "axes": axes,
        "references": references,
        "findings": {
            "headline": "Small patches gain the most, and cost the most",
            "convergence": "The baseline has converged: the last tenth of training gains 0.2 points",
            "cost": "At equal multiplications a ResNet-18 of half width is ahead by 8 points",
            "features": "The ResNet separates the classes along fewer directions",
            "stability": "Learning rate 0.004 has the most spikes: 7.3 a training",
            "best": f"{runs[best]['label']} is the best on validation images",
        },
        "best": {
            "run": best,
            "label": runs[best]["label"],
            "validation": runs[best]["validation"]["mean"],
            "test": runs[best]["test"]["mean"],
        },
    }


CONFOUNDS = {
    "patch_size": "the number of tokens: patch size 2 pays 4.5 times the multiplications",
    "width": "head size and multiplications: heads are fixed at 8",
    "depth": "multiplications grow with depth",
    "heads": "the size of each head: the width is shared among them",
}
#: what a value is worth, in points of accuracy; a made-up world in which small patches help
WORTH = {
    "patch_size": lambda v: -4.0 * (math.log2(v) - 2),
    "width": lambda v: 3.0 * math.log2(v / 192),
    "depth": lambda v: 2.0 * math.log2(v / 6),
    "heads": lambda v: -0.5 * abs(math.log2(v / 8)),
    "augmentation": lambda v: {"none": -9.0, "crop": -3.0, "crop_flip": 0.0}[v],
    "learning_rate": lambda v: -0.8 * abs(math.log2(v / 0.001)),
}


def _run(
    study: Study, run: Run, reference: str | None, diverged: int, generator: np.random.Generator
) -> dict[str, Any]:
    model, flat, base = run.config.model, run.config.flat(), study.baseline_run.flat()
    n = len(run.seeds) - diverged
    if isinstance(model, ViT):
        size, channels, classes = study.dataset.shape
        patches = (size // model.patch_size) ** 2
        tokens = patches + (model.pool == "cls")
        block = int((4 + 2 * model.mlp_ratio) * model.width**2)
        parameters = model.depth * block + model.width * (model.patch_size**2 * channels + tokens + classes)
        attention = 2 * model.depth * tokens**2 * model.width
        multiplications = (
            tokens * model.depth * block + attention + patches * model.width * model.patch_size**2 * channels
        )
        accuracy = 82.0 + sum(WORTH[k](v) for k, v in flat.items() if k in WORTH and v != base.get(k))
    else:
        scale = (model.width / 64) ** 2
        tokens = 16
        parameters = int((11_173_962 if model.depth == 18 else 23_520_842) * scale)
        multiplications = int((555_422_720 if model.depth == 18 else 1_297_829_888) * scale)
        accuracy = 93.0 + 0.8 * math.log2(scale) / 2 + (0.4 if model.depth == 50 else 0)
    accuracy += generator.normal(0, 0.15)

    def measured(mean: float, spread: float) -> dict[str, Any]:
        return _statistics([round(float(v), 4) for v in generator.normal(mean, spread, n)])

    return {
        "label": _label(run, base, reference),
        "family": model.family,
        "reference": reference is not None,
        "seeds": list(run.seeds),
        "n": n,
        "diverged": diverged,
        "validation": measured(accuracy + 0.3, 0.3),
        "test": measured(accuracy, 0.25),
        "clean_train": measured(min(accuracy + 12, 99.9), 0.2),
        "test_loss": measured(0.9 - accuracy / 200, 0.01),
        "test_ece": measured(4.0, 0.3),
        "difference": None,
        "parameters": parameters,
        "multiplications": multiplications,
        "tokens": tokens,
        **_clock(multiplications, generator),
        "stability": _stability(run, diverged, generator),
        "model": model.model_dump(),
    }


def _clock(multiplications: int, generator: np.random.Generator) -> dict[str, Any]:
    """Time in proportion to multiplications, but for a few percent."""
    ratio = float(multiplications / 174e6 * generator.normal(1, 0.03))
    return {
        "images_per_second": round(150 / ratio, 2),
        "time_ratio": round(ratio, 4),
        "time_ratios": [round(ratio * 0.99, 4), round(ratio * 1.01, 4)],
        "peak_bytes": 5 * multiplications,
    }


def _stability(run: Run, diverged: int, generator: np.random.Generator) -> dict[str, Any]:
    """Spikes where the learning rate is high; no attention logit where there is no attention."""
    spikes = generator.poisson(run.config.training.learning_rate * 1000, 2) / len(run.seeds)
    logit = round(float(generator.lognormal(3, 0.5)), 4) if isinstance(run.config.model, ViT) else None
    return {
        "gradient_spikes": round(float(spikes[0]), 4),
        "loss_spikes": round(float(spikes[1]), 4),
        "largest_gradient_norm": round(float(generator.lognormal(1, 0.5)), 4),
        "largest_attention_logit": logit,
        "diverged_at": {str(seed): 1000 + seed for seed in run.seeds[len(run.seeds) - diverged :]},
    }


def _label(run: Run, base: dict[str, Any], reference: str | None) -> str:
    if run.name == BASELINE:
        return "baseline"
    if run.config.model.family == "resnet":
        return f"ResNet-{run.config.model.depth}" + (", half width" if run.config.model.width == 32 else "")
    changed = {k: v for k, v in run.config.flat().items() if base.get(k) != v}
    return ", ".join(f"{key.replace('_', ' ')} {'off' if value is None else value}" for key, value in changed.items())


def _run_of(points: tuple[Any, ...], key: str) -> str:
    return next(p.run for p in points if p.group == "references" and p.value == key)


def _statistics(values: list[float]) -> dict[str, Any]:
    return {
        "mean": round(_mean(values), 4) if values else None,
        "sd": round(float(np.std(values, ddof=1)), 4) if len(values) > 1 else None,
        "values": values,
    }


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else math.nan


def _classes(study: Study) -> list[str]:
    number = study.dataset.shape[2]
    if study.dataset.name == "digits":
        return [str(k) for k in range(10)]
    return CLASSES if number == 10 else [f"class {k}" for k in range(number)]


# ------------------------------------------------------------------------------------- the other files


def _write_curves(path: Path, study: Study, runs: dict[str, Any], generator: np.random.Generator) -> None:
    columns = "run seed epoch learning_rate train_loss train_accuracy validation_loss validation_accuracy gradient_norm"
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(columns.split())
        grid = expand(study)
        for name, run in runs.items():
            epochs = grid.runs[name].config.training.epochs
            for index, seed in enumerate(run["seeds"]):
                final = run["validation"]["values"][index] if index < run["n"] else 30.0
                last = epochs if index < run["n"] else max(epochs // 4, 1)
                for epoch in range(1, last + 1):
                    grown = 1 - math.exp(-4 * epoch / epochs)
                    validation = (
                        10 + (final - 10) * grown / (1 - math.exp(-4)) + generator.normal(0, 1.2 * (1 - epoch / epochs))
                    )
                    train = validation + 6 * grown**4
                    rate = study.training.learning_rate * (1 + math.cos(math.pi * epoch / epochs)) / 2
                    numbers = [rate, 2.3 - train / 60, train, 2.2 - validation / 55, validation, 1 + generator.random()]
                    rows.writerow([name, seed, epoch, *(round(float(v), 6) for v in numbers)])


def _confusion(summary: dict[str, Any], generator: np.random.Generator) -> dict[str, Any]:
    classes = summary["dataset"]["classes"]
    base = summary["runs"][BASELINE]
    n, each = max(base["n"], 1), 5000 // len(classes)
    matrix = []
    for true in range(len(classes)):
        weights = generator.gamma(0.6, 1.0, len(classes)) * 0.03
        weights[true] = 0.82 + generator.normal(0, 0.04)
        if classes[true] in ("cat", "dog"):
            weights[classes.index("dog" if classes[true] == "cat" else "cat")] = 0.15
        matrix.append(generator.multinomial(each * n, weights / weights.sum()).tolist())
    cells = [
        {"actual": actual, "predicted": predicted, "images": matrix[i][j]}
        for i, actual in enumerate(classes)
        for j, predicted in enumerate(classes)
    ]
    return {"run": BASELINE, "n": n, "classes": classes, "cells": cells, "split": "validation"}


def _calibration(run: dict[str, Any], generator: np.random.Generator) -> dict[str, Any]:
    confidence = [10.0 * k + 5 + generator.normal(0, 0.5) for k in range(10)]
    accuracy = [min(max(c - 0.12 * c * (1 - c / 100) * 4 + generator.normal(0, 2), 0), 100) for c in confidence]
    count = [0, *(int(5 * 2**k * run["n"]) for k in range(9))]
    confidence[0] = accuracy[0] = 0.0  # an empty bin: ten classes leave no confidence below a tenth
    return {
        "confidence": [round(float(v), 3) for v in confidence],
        "accuracy": [round(float(v), 3) for v in accuracy],
        "count": count,
    }


def _pca(study: Study, summary: dict[str, Any], generator: np.random.Generator) -> dict[str, Any]:
    size, channels, _ = study.dataset.shape
    classes = summary["dataset"]["classes"]
    images = min(study.features.images, 1000)
    labels = np.arange(images) % len(classes)
    grid = expand(study)
    models, absent = [], []
    for key in study.features.runs:
        name = BASELINE if key == BASELINE else _run_of(grid.points, key)
        run = summary["runs"][name]
        if "0" in run["stability"]["diverged_at"]:  # features are of the first seed
            absent.append({"run": name, "label": run["label"], "reason": "diverged at step 1000"})
            continue
        vit = run["family"] == "vit"
        side = max(size // 4, 2)
        centres = generator.normal(0, 2.0 if vit else 4.0, (len(classes), 2))
        decay = np.exp(-np.arange(20) / (7 if vit else 3))
        models.append(
            {
                "run": name,
                "label": run["label"],
                "layer": "block6" if vit else "stage3",
                "positions": side**2,
                "dimension": 192 if vit else 256,
                "pooled": {
                    "explained": np.round(decay / decay.sum() * 0.9, 5).tolist(),
                    "points": np.round(centres[labels] + generator.normal(0, 1.5, (images, 2)), 3).tolist(),
                },
                "patch": {
                    "explained": np.round(decay / decay.sum() * 0.7, 5).tolist(),
                    "maps": [_picture(generator, side, 3, 1.5) for _ in range(8)],
                },
            }
        )
    examples = [{"label": int(labels[k]), "image": _picture(generator, size, channels, 4.0)} for k in range(8)]
    return {
        "images": images,
        "split": "validation",
        "classes": classes,
        "labels": labels.tolist(),
        "models": models,
        "absent": absent,
        "examples": examples,
    }


def _picture(generator: np.random.Generator, size: int, channels: int, waves: float) -> list[Any]:
    """A smooth random picture of ``size`` x ``size`` x ``channels`` integers 0..255."""
    y, x = np.mgrid[0:size, 0:size] / size
    planes = [
        np.sin(waves * (x * generator.normal() + y * generator.normal()) * 2 + generator.random() * 6.3)
        for _ in range(channels)
    ]
    picture: list[Any] = np.round(127.5 + 127.5 * np.stack(planes, axis=-1)).astype(int).tolist()
    return picture


def _write(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, sort_keys=True, indent=1, allow_nan=False) + "\n", encoding="utf-8")
