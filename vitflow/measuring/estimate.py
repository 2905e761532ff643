"""How long trainings take here, before any of them has run."""

from __future__ import annotations

import torch

from vitflow.data import places
from vitflow.machine.files import read_json
from vitflow.measuring.cost import Turns, exact
from vitflow.study.dataset import IMAGES, Dataset
from vitflow.study.grid import Grid

#: training images that are assumed of a folder that nobody has counted yet
ASSUMED = 50_000


def hours_a_seed(grid: Grid, device: torch.device) -> dict[str, float]:
    """Hours that a training takes on ``device``, by run.

    A few updates of each family's cheapest run are timed, and scaled by multiplications.
    """
    cost = {name: exact(run.config)["multiplications"] for name, run in grid.runs.items()}
    rates: dict[str, float] = {}  # multiplications of trained images per second
    for name in sorted(grid.runs, key=lambda n: cost[n]):
        config = grid.runs[name].config
        if config.model.family not in rates:
            rates[config.model.family] = cost[name] / Turns(config, device).take()
    hours: dict[str, float] = {}
    for name, run in grid.runs.items():
        images_seen = run.config.training.epochs * training_images(run.config.dataset)
        hours[name] = images_seen * cost[name] / rates[run.config.model.family] / 3600
    return hours


def training_images(dataset: Dataset) -> int:
    """Images that a training sees in an epoch; those of a folder are counted by its manifest, if there is one."""
    manifest = places.manifest(dataset.key)
    if dataset.name in IMAGES:
        official = IMAGES[dataset.name].training
    else:
        official = sum(read_json(manifest, "counts")["counts"]["train"].values()) if manifest.exists() else ASSUMED
    available = round(official * (1 - dataset.validation_fraction))
    return min(dataset.train_images or available, available)
