"""Batches: what a training sees, in which order, and that neither model nor technique changes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from support.trainings import (
    CPU,
    EPOCHS,
    IMAGES,
    RESNET,
    STEPS_PER_EPOCH,
    TECHNIQUES,
    VIT,
    Sit,
    assert_same_bits,
    recipe,
    run_config,
)
from torch import Tensor

from vitflow.data.splits import Data
from vitflow.study.run import RunConfig
from vitflow.training import batches
from vitflow.training.augmentation.augment import normalise


@pytest.fixture
def images_seen(sit: Sit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Tensor]]:
    """The uint8 batches that enter training, after augmentation."""
    seen: list[Tensor] = []

    def watching(images: Tensor, *statistics: Any) -> Tensor:
        seen.append(images.clone())
        return normalise(images, *statistics)

    monkeypatch.setattr(batches, "normalise", watching)

    def images_seen(config: RunConfig, seed: int = 0) -> list[Tensor]:
        seen.clear()
        sit(config, seed, folder=tmp_path / "watched")
        return list(seen)

    return images_seen


def test_order_and_augmentation_do_not_depend_on_the_model(images_seen: Callable[..., list[Tensor]]) -> None:
    first = images_seen(run_config(VIT))
    assert len(first) == EPOCHS * STEPS_PER_EPOCH
    for model in (VIT.model_copy(update={"width": 8, "pool": "mean"}), RESNET):
        assert_same_bits(images_seen(run_config(model)), first)
    assert_same_bits(images_seen(run_config(VIT, learning_rate=1e-4)), first)
    assert not any(torch.equal(a, b) for a, b in zip(images_seen(run_config(VIT), 1), first, strict=True))


def test_crops_and_flips_of_a_seed_are_the_same_under_every_technique(images_seen: Callable[..., list[Tensor]]) -> None:
    first = images_seen(run_config(epochs=2))
    for name, changes in TECHNIQUES.items():
        if "augmentation" not in changes:
            assert_same_bits(images_seen(run_config(epochs=2, **changes)), first, name)
    trivial = images_seen(run_config(epochs=2, augmentation="trivial"))
    kept = torch.cat([(a == b).flatten(1).all(1) for a, b in zip(trivial, first, strict=True)])
    assert 1 / 14 / 2 < kept.float().mean() < 0.4, "identity leaves the crop and flip as they were"


def test_every_epoch_is_a_new_permutation_and_every_step_a_new_augmentation(
    images_seen: Callable[..., list[Tensor]], digits: Data
) -> None:
    def sorted_images(images: Tensor) -> list[bytes]:
        return sorted(image.numpy().tobytes() for image in images)

    plain = images_seen(run_config(augmentation="none", epochs=2))
    epochs = [torch.cat(plain[:STEPS_PER_EPOCH]), torch.cat(plain[STEPS_PER_EPOCH:])]
    for epoch in epochs:
        assert sorted_images(epoch) == sorted_images(digits.train.images), "each image once"
        assert not torch.equal(epoch, digits.train.images)
    assert not torch.equal(*epochs)

    cropped = images_seen(run_config(augmentation="crop", epochs=2))
    kept = [(a == b).flatten(1).all(1) for a, b in zip(cropped, plain, strict=True)]  # offset (0, 0): 1 of 9
    assert 0 < torch.cat(kept).float().mean() < 0.3
    assert len({tuple(mask.tolist()) for mask in kept}) == len(kept), "offsets repeat from step to step"


def test_an_incomplete_batch_is_dropped_and_small_sets_are_one_batch(images_seen: Callable[..., list[Tensor]]) -> None:
    assert [len(b) for b in images_seen(run_config(batch_size=90, epochs=2))] == [90] * 4
    assert [len(b) for b in images_seen(run_config(batch_size=512, epochs=2))] == [IMAGES] * 2


@pytest.mark.parametrize("changes", [{"random_erasing": 1.0}, {"mixing": "cutmix"}], ids=str)
def test_erasing_and_mixing_draw_anew_at_every_step(digits: Data, changes: dict[str, Any]) -> None:
    plain = batches.Batches(recipe(augmentation="none"), digits, 0, CPU)
    changed = batches.Batches(recipe(augmentation="none", **changes), digits, 0, CPU)
    touched = {(plain(step).images != changed(step).images).numpy().tobytes() for step in range(3 * STEPS_PER_EPOCH)}
    assert len(touched) == 3 * STEPS_PER_EPOCH
    assert_same_bits(list(changed(5)), list(changed(5)))
