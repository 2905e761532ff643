"""Short trainings of handwritten digits, in one sitting or in many, and whether two of them ended alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch
from torch import Tensor

from vitflow.data.splits import Data
from vitflow.models.build import build
from vitflow.study.dataset import Dataset
from vitflow.study.models import ResNet, ViT
from vitflow.study.run import RunConfig
from vitflow.study.training import Training
from vitflow.training import loop
from vitflow.training.optimizer import OPTIMIZERS
from vitflow.training.trainer import Trainer

CPU = torch.device("cpu")
IMAGES, BATCH, EPOCHS = 200, 50, 3
STEPS_PER_EPOCH = IMAGES // BATCH
VIT = ViT(patch_size=4, width=16, depth=2, heads=2)
RESNET = ResNet(width=4)
FAMILIES = pytest.mark.parametrize("model", [VIT, RESNET], ids=["vit", "resnet"])

TECHNIQUES: dict[str, dict[str, Any]] = {
    "trivial": {"augmentation": "trivial"},
    "mixup": {"mixing": "mixup"},
    "cutmix": {"mixing": "cutmix"},
    "erasing": {"random_erasing": 0.5},
    "ema": {"ema": 0.9},
    "sgd": {"optimizer": "sgd", "learning_rate": 0.05, "weight_decay": 0.0005},
    **{name: {"optimizer": name} for name in OPTIMIZERS if name not in ("adamw", "sgd")},
    "all": {"augmentation": "trivial", "mixing": "cutmix", "random_erasing": 0.5, "ema": 0.9, "optimizer": "muon"},
}

#: fixture ``sit``: the function below on 200 digits, in a folder of the test's own
Sit = Callable[..., "Ended"]
#: fixture ``whole``: what an undisturbed training (configuration, seed) on them comes to; made once, not to be changed
Whole = Callable[..., "Ended"]


def recipe(**changes: Any) -> Training:
    fields = {"epochs": EPOCHS, "batch_size": BATCH, "learning_rate": 3e-3, "warmup_epochs": 1, "crop_padding": 1}
    return Training(**{**fields, **changes})


def run_config(model: ViT | ResNet = VIT, **changes: Any) -> RunConfig:
    return RunConfig(dataset=Dataset(name="digits", train_images=IMAGES), model=model, training=recipe(**changes))


@dataclass
class Ended:
    """All that one finished training leaves."""

    outcome: loop.Outcome
    within: dict[str, Any]  #: latest weights, optimizer and average
    said: list[str]

    @property
    def weights(self) -> dict[str, Tensor]:
        return self.outcome.model.state_dict()

    @property
    def optimizer(self) -> dict[str, Any]:
        return self.within["optimizer"]


@contextmanager
def trainers() -> Iterator[list[Trainer]]:
    """The trainers that the loop makes meanwhile, which it does not hand on."""
    made: list[Trainer] = []

    def keep(*arguments: Any) -> Trainer:
        made.append(Trainer(*arguments))
        return made[-1]

    with mock.patch.object(loop, "Trainer", keep):
        yield made


def sit(
    config: RunConfig,
    seed: int = 0,
    *,
    data: Data,
    folder: Path,
    stop_at: int | None = None,
    said: list[str] | None = None,
    checkpoint_seconds: float = 1e9,
    hurry: Callable[[], bool] = lambda: False,
) -> Ended:
    """One sitting at a run: to its end, or until ``stop_at`` updates are done (raises Interrupted)."""
    lines = [] if said is None else said
    reached = max((int(path.name.split("-")[1]) for path in folder.glob("step-*.pt")), default=0)  # by its newest state

    def should_stop(seconds: float) -> bool:
        nonlocal reached
        reached += 1
        return reached - 1 == stop_at

    with trainers() as made:
        outcome = loop.train(
            config,
            seed,
            data,
            folder,
            device=CPU,
            should_stop=should_stop,
            hurry=hurry,
            report=lines.append,
            checkpoint_seconds=checkpoint_seconds,
        )
    return Ended(outcome, made[0].state_dict(), lines)


def interrupt(sit: Sit, config: RunConfig, step: int, **arguments: Any) -> None:
    """A sitting that is asked to end at that step."""
    with pytest.raises(loop.Interrupted, match=f"stopped at step {step} of"):
        sit(config, stop_at=step, **arguments)


def made_up_state(step: int) -> dict[str, Any]:
    """What a resume state must have, of the configuration `ours` and the images `images`."""
    model = build(VIT, 8, 1, 10).state_dict()
    return {"digest": "ours", "data": "images", "step": step, "model": model, "history": [{"epoch": 1, "loss": 0.5}]}


def assert_same_bits(ours: Any, theirs: Any, where: str = "") -> None:
    """Equal at atol = rtol = 0, dtypes and structure included."""
    if isinstance(theirs, Tensor):
        assert ours.dtype == theirs.dtype and torch.equal(ours, theirs), where
    elif isinstance(theirs, dict):
        assert ours.keys() == theirs.keys(), where
        for key in theirs:
            assert_same_bits(ours[key], theirs[key], f"{where}.{key}")
    elif isinstance(theirs, list | tuple):
        assert len(ours) == len(theirs), where
        for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            assert_same_bits(one, other, f"{where}[{number}]")
    else:
        assert ours == theirs, where


def assert_same_run(ours: Ended, theirs: Ended) -> None:
    assert_same_bits(ours.weights, theirs.weights, "weights")
    assert_same_bits(ours.within, theirs.within, "within")
    one, other = ours.outcome, theirs.outcome
    assert one.history == other.history
    assert one.stability == other.stability
    assert (one.status, one.steps, one.diverged_step) == (other.status, other.steps, other.diverged_step)
