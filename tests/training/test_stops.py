"""A stop anywhere changes no bit: in a sample of all variants and techniques, at every step, in mid-scoring."""

from __future__ import annotations

import functools
import random
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import ValidationError
from support import trainings
from support.trainings import EPOCHS, RESNET, TECHNIQUES, VIT, Ended, Sit, assert_same_run, interrupt, recipe

from vitflow.data.prepare import load
from vitflow.data.splits import Data
from vitflow.study.dataset import Dataset
from vitflow.study.models import ViT
from vitflow.study.run import RunConfig
from vitflow.study.training import Training
from vitflow.training import loop, predict

IMAGES, BATCH = 120, 30
PER_EPOCH = IMAGES // BATCH
DIGITS = Dataset(name="digits", train_images=IMAGES, validation_fraction=0.02)


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Data:
    """A hundred and twenty training digits, and few of validation."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("digits"))
        return load(DIGITS)


@pytest.fixture
def sit(few: Data, tmp_path: Path) -> Sit:
    """One sitting at a run on them."""
    return functools.partial(trainings.sit, seed=3, data=few, folder=tmp_path / "state")


def choices(model: Any, *fields: str) -> dict[str, tuple[Any, ...]]:
    return {field: get_args(model.model_fields[field].annotation) for field in fields}


VIT_CHOICES: dict[str, tuple[Any, ...]] = {
    **choices(ViT, "pool", "patch_embed", "position", "norm", "norm_placement", "qk_norm", "attention", "feedforward"),
    "cls_position": (True, False),
    "registers": (0, 2),
    "layer_scale": (None, 0.1),
    "drop_path": (0.0, 0.3),
    "patch_size": (2, 4),
}


RECIPE_CHOICES: dict[str, tuple[Any, ...]] = {
    **choices(Training, "optimizer", "augmentation", "mixing"),
    "random_erasing": (0.0, 0.5),
    "ema": (None, 0.9),
    "gradient_clip": (None, 1.0),
    "label_smoothing": (0.0, 0.1),
}


def variant(seed: int) -> RunConfig:
    """A run of any family with any techniques, as drawn; every fourth is a ResNet."""
    chance = random.Random(seed)
    while True:
        drawn = {field: chance.choice(values) for field, values in VIT_CHOICES.items()}
        changes = {field: chance.choice(values) for field, values in RECIPE_CHOICES.items()}
        try:
            model = RESNET if seed % 4 == 0 else ViT(width=16, depth=2, heads=2, **drawn)
            return RunConfig(dataset=DIGITS, model=model, training=recipe(batch_size=BATCH, **changes))
        except ValidationError:
            continue  # not every combination is one


def missing(seeds: list[int]) -> set[tuple[str, Any]]:
    """Choices that occur in none of these variants."""
    configs = [variant(seed) for seed in seeds]
    models = [config.model for config in configs if isinstance(config.model, ViT)]
    found = {(field, getattr(config.training, field)) for config in configs for field in RECIPE_CHOICES}
    found |= {(field, getattr(model, field)) for model in models for field in VIT_CHOICES}
    return {(field, value) for field, values in (RECIPE_CHOICES | VIT_CHOICES).items() for value in values} - found


def sample() -> list[int]:
    """Sixteen variants, and as many more as it takes until every choice occurs."""
    seeds = list(range(12, 28))
    while missing(seeds) and len(seeds) < 100:
        seeds.append(seeds[-1] + 1)
    return seeds


VARIANTS = sample()


def test_the_sample_of_variants_has_every_choice_in_it() -> None:
    assert not missing(VARIANTS)


@pytest.mark.parametrize("seed", VARIANTS)
def test_a_variant_stopped_anywhere_ends_with_the_same_bits(seed: int, sit: Sit, tmp_path: Path) -> None:
    config, chance = variant(seed), random.Random(100 + seed)
    mid_epoch = chance.randrange(EPOCHS) * PER_EPOCH + chance.randrange(1, PER_EPOCH - 1)
    before_the_last = chance.randrange(EPOCHS) * PER_EPOCH + PER_EPOCH - 1
    between_epochs = chance.randrange(1, EPOCHS) * PER_EPOCH
    stops = sorted([mid_epoch, before_the_last, between_epochs])
    for stop in stops:
        interrupt(sit, config, stop)
    resumed = sit(config)
    assert resumed.outcome.resumed_from == stops
    assert_same_run(resumed, sit(config, folder=tmp_path / "whole"))


EVERYTHING = RunConfig(
    dataset=DIGITS,
    model=VIT.model_copy(update={"drop_path": 0.3}),
    training=recipe(batch_size=BATCH, **TECHNIQUES["all"]),
)


def test_a_stop_at_every_single_step_changes_nothing(sit: Sit, tmp_path: Path) -> None:
    whole = sit(EVERYTHING, folder=tmp_path / "whole")
    for stop in range(1, EPOCHS * PER_EPOCH):
        interrupt(sit, EVERYTHING, stop, folder=tmp_path / f"{stop}")
        resumed = sit(EVERYTHING, folder=tmp_path / f"{stop}")
        assert resumed.outcome.resumed_from == [stop]
        assert_same_run(resumed, whole)


@pytest.fixture(scope="module")
def scored_by_tens(few: Data, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """What a training comes to that scores ten images at a time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(predict, "BATCH", 10)
        return trainings.sit(EVERYTHING, 3, data=few, folder=tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_a_stop_in_the_middle_of_scoring_changes_nothing(
    few: Data, scored_by_tens: Ended, sit: Sit, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(predict, "BATCH", 10)
    assert len(few.validation.labels) > 20, "three batches"
    asked = iter(range(1000))
    with pytest.raises(loop.Interrupted, match=f"stopped at step {2 * PER_EPOCH - 1} of"):
        sit(EVERYTHING, hurry=lambda: next(asked) == 2 + batch)
    resumed = sit(EVERYTHING)
    assert resumed.outcome.resumed_from == [2 * PER_EPOCH - 1]
    assert_same_run(resumed, scored_by_tens)
