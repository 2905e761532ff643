"""Studies and runs to ask about, as mappings and as text, and mistakes in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from vitflow.study.fields import Strict
from vitflow.study.grid import Grid, expand
from vitflow.study.reading import parse_study

ROOT = Path(__file__).parents[2]
STUDIES = sorted([ROOT / "config.yaml", *(ROOT / "workflow" / "studies").glob("*.yaml")])

#: the least that a study says, as text and as a mapping
HEAD = "study: s\ndataset: {name: cifar10}\n"
MINIMAL: dict[str, Any] = {"study": "s", "dataset": {"name": "cifar10"}}

#: released defaults, and the digests of EXAMPLES
GOLDEN = json.loads((ROOT / "tests" / "golden" / "frozen_defaults.json").read_text())
EXAMPLES: dict[str, dict[str, Any]] = {
    "cifar10 baseline": {"dataset": {"name": "cifar10"}, "model": {"family": "vit"}, "training": {}},
    "half-width ResNet-18 on 5,000 images": {
        "dataset": {"name": "cifar10", "train_images": 5000},
        "model": {"family": "resnet", "width": 32},
        "training": {"epochs": 200, "gradient_clip": None},
    },
    "digits, patch 2, mean pooling": {
        "dataset": {"name": "digits", "validation_fraction": 0.2},
        "model": {"family": "vit", "patch_size": 2, "width": 48, "depth": 4, "heads": 4, "pool": "mean"},
        "training": {"epochs": 30, "batch_size": 64, "learning_rate": 0.003, "augmentation": "none"},
    },
}

#: fixture ``told``: what is said about a study's text, in one line
Told = Callable[[str | bytes], str]
#: fixture ``is_told``: that begins with the first of these parts, and has all of them
IsTold = Callable[[str, list[str]], None]


def mistakes(by_text: dict[str, list[str]]) -> pytest.MarkDecorator:
    """Run a test for each ``text`` of a study and the ``parts`` of what must be said about it."""
    ids = [text.removeprefix(HEAD) for text in by_text]
    return pytest.mark.parametrize(("text", "parts"), by_text.items(), ids=ids)


def grid(study: dict[str, Any]) -> Grid:
    return expand(parse_study(study, "x"))


def digests(of: Grid) -> dict[str, str]:
    return {name: run.config.digest for name, run in of.runs.items()}


def literals(schema: type[Strict], field: str) -> set[str]:
    """The words that may stand in a field."""
    return set(get_args(schema.model_fields[field].annotation))
