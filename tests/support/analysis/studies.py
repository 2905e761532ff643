"""Studies of CIFAR-10 to make results up for: the axes of the assignment, many more, and long names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vitflow.analysis.techniques import TECHNIQUES as WRITTEN
from vitflow.analysis.techniques import read_techniques
from vitflow.study.reading import parse_study
from vitflow.study.schema import Study

#: what the repository says of every axis, for a study without notes of its own
TECHNIQUES = read_techniques("example", Path(__file__).parents[3] / WRITTEN)

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
