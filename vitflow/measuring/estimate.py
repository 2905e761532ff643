"""What trainings take here, before any of them has run: time, measured and scaled, and memory, counted."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import torch
from torch.autograd.graph import saved_tensors_hooks

from vitflow.data import places
from vitflow.machine.files import read_json
from vitflow.measuring.cost import Turns, exact
from vitflow.models.build import build
from vitflow.study.dataset import IMAGES, Dataset
from vitflow.study.models import ResNet, ViT
from vitflow.study.run import RunConfig

#: training images that are assumed of a folder that nobody has counted yet
ASSUMED = 50_000


def hours_a_seed(runs: Mapping[str, RunConfig], device: torch.device) -> dict[str, float]:
    """Hours that a training takes on ``device``, by run.

    A few updates of each family's cheapest run are timed, and scaled by multiplications.
    """
    cost = {name: exact(config)["multiplications"] for name, config in runs.items()}
    rates: dict[str, float] = {}  # multiplications of trained images per second
    for name in sorted(runs, key=lambda n: cost[n]):
        family = runs[name].model.family
        if family not in rates:
            rates[family] = cost[name] / Turns(runs[name], device).take()
    hours: dict[str, float] = {}
    for name, config in runs.items():
        images_seen = config.training.epochs * training_images(config.dataset)
        hours[name] = images_seen * cost[name] / rates[config.model.family] / 3600
    return hours


def counted_memory(config: RunConfig) -> int:
    """Bytes that an update holds at most: weights, gradients, an optimizer's two moments, what backward needs.

    Nothing is allocated: the forward pass runs on shapes alone. Within a tenth of what the allocator is seen to hold.
    """
    return _counted(config.model, *config.dataset.shape, config.training.batch_size)


@cache  # many runs differ in their recipe alone
def _counted(config: ViT | ResNet, image_size: int, channels: int, classes: int, batch: int) -> int:
    with torch.device("meta"):
        model, images = (
            build(config, image_size, channels, classes),
            torch.empty(batch, channels, image_size, image_size),
        )
    kept: dict[int, torch.UntypedStorage] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage()._cdata] = tensor.untyped_storage()
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        model(images)
    weights = [weight.untyped_storage() for weight in model.parameters()]
    for one in weights:
        kept.pop(one._cdata, None)
    return 4 * sum(one.nbytes() for one in weights) + sum(one.nbytes() for one in kept.values())


def is_uncounted(dataset: Dataset) -> bool:
    """Whether nobody has said yet how many images there are: those of a folder are counted by its manifest."""
    return dataset.name not in IMAGES and not places.manifest(dataset.key).exists()


def training_images(dataset: Dataset) -> int:
    """Images that a training sees in an epoch; :data:`ASSUMED` where they are uncounted."""
    if dataset.name in IMAGES:
        official = IMAGES[dataset.name].training
    elif is_uncounted(dataset):
        official = ASSUMED
    else:
        official = sum(read_json(places.manifest(dataset.key), "counts")["counts"]["train"].values())
    available = round(official * (1 - dataset.validation_fraction))
    return min(dataset.train_images or available, available)
