"""Augmentation: against torchvision and numpy, one sample at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import numpy as np
import pytest
import torch
from support.generators import seeded

from vitflow.machine.compat import import_torchvision
from vitflow.study.training import Training
from vitflow.training.augmentation.augment import (
    AUGMENTATIONS,
    build_augmentation,
    crop,
    crop_flip,
    none,
    normalise,
    shift,
    trivial,
)
from vitflow.training.augmentation.trivial import trivial_augment

import_torchvision()
from torchvision.transforms import v2  # noqa: E402


def images(batch: int = 16, size: int = 8, channels: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(7)
    return torch.randint(1, 256, (batch, size, size, channels), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("padding", [1, 4])
def test_shift_agrees_with_torchvision_at_every_offset(padding: int, channels: int) -> None:
    offsets = torch.arange(2 * padding + 1)
    top, left, sides = torch.cartesian_prod(offsets, offsets, torch.arange(2)).unbind(1)
    mirrored = sides == 1
    batch = images(len(top), channels=channels)
    result = shift(batch, top, left, mirrored, padding)
    assert result.dtype == torch.uint8 and result.is_contiguous()
    for i in range(len(batch)):
        expected = v2.functional.pad(batch[i].permute(2, 0, 1), [padding] * 4)
        expected = v2.functional.crop(expected, int(top[i]), int(left[i]), 8, 8)
        if mirrored[i]:
            expected = v2.functional.horizontal_flip(expected)
        assert torch.equal(result[i].permute(2, 0, 1), expected), (top[i], left[i], mirrored[i])


def test_images_need_not_be_square() -> None:
    batch = images(4)[:, :5]
    centre = torch.full((4,), 2)
    assert torch.equal(shift(batch, centre, centre, torch.zeros(4, dtype=torch.bool), padding=2), batch)


def offsets_of(augmented: torch.Tensor) -> list[tuple[int, int, bool]]:
    """Where each sample of a probe came from: pixel (y, x) of the probe holds (y + 1, x + 1)."""
    found = []
    for image in augmented.numpy().astype(int):
        y, x = np.argwhere(image[..., 0] > 0)[0]
        mirrored = bool((np.diff(image[y, image[y, :, 1] > 0, 1]) < 0).all())
        across = image.shape[1] - 1 - x if mirrored else x
        found.append((image[y, x, 0] - 1 - y, image[y, x, 1] - 1 - across, mirrored))
    return found


def probe(batch: int, size: int = 12) -> torch.Tensor:
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    return torch.stack([y + 1, x + 1], dim=-1).to(torch.uint8).expand(batch, size, size, 2)


def test_crop_draws_every_offset_equally_often_and_never_flips() -> None:
    found = offsets_of(crop(probe(5000), seeded(), padding=2))
    assert not any(mirrored for *_, mirrored in found)
    cells, counts = np.unique([(y, x) for y, x, _ in found], axis=0, return_counts=True)
    assert cells.tolist() == [[y, x] for y in range(-2, 3) for x in range(-2, 3)]
    assert (abs(counts - 200) < 5 * 200**0.5).all()  # five standard deviations


def test_crop_flip_mirrors_half_of_the_samples_independently_of_the_offset() -> None:
    found = offsets_of(crop_flip(probe(5000), seeded(), padding=2))
    for column in range(-2, 3):
        share = np.mean([mirrored for _, x, mirrored in found if x == column])
        assert abs(share - 0.5) < 5 * 0.5 / 1000**0.5


def test_crop_and_crop_flip_share_their_offsets() -> None:
    plain, flipped = (offsets_of(function(probe(50), seeded(), 3)) for function in (crop, crop_flip))
    assert [place[:2] for place in plain] == [place[:2] for place in flipped]


def test_trivial_crops_and_flips_as_crop_flip_does_and_then_draws_its_own() -> None:
    generator = seeded(4)
    expected = trivial_augment(crop_flip(images(), generator, 3), generator)
    assert torch.equal(trivial(images(), seeded(4), 3), expected)


@pytest.mark.parametrize("function", [crop, crop_flip, trivial])
def test_augmentation_is_a_function_of_images_and_generator(function: Callable[..., torch.Tensor]) -> None:
    batch = images(32)
    before = batch.clone()
    torch.manual_seed(1)
    first = function(batch, seeded(5), padding=4)
    torch.manual_seed(2)  # the global generator plays no part
    assert torch.equal(first, function(batch, seeded(5), padding=4))
    assert not torch.equal(first, function(batch, seeded(6), padding=4))
    assert torch.equal(batch, before)


def test_none_changes_and_draws_nothing() -> None:
    batch, generator = images(), seeded()
    state = generator.get_state()
    assert torch.equal(none(batch, generator), batch)
    assert torch.equal(generator.get_state(), state)


def test_every_augmentation_the_schema_allows_is_built_and_no_other() -> None:
    assert set(AUGMENTATIONS) == set(get_args(Training.model_fields["augmentation"].annotation))


@pytest.mark.parametrize("name", sorted(AUGMENTATIONS))
def test_build_augmentation_uses_the_recipe(name: str) -> None:
    built = build_augmentation(Training.model_validate({"augmentation": name, "crop_padding": 2}))
    expected = {
        "none": lambda batch, generator: batch,
        "crop": lambda batch, generator: crop(batch, generator, 2),
        "crop_flip": lambda batch, generator: crop_flip(batch, generator, 2),
        "trivial": lambda batch, generator: trivial(batch, generator, 2),
    }[name]
    assert torch.equal(built(images(), seeded()), expected(images(), seeded()))


@pytest.mark.parametrize(("mean", "std"), [((0.5,), (0.25,)), ((0.49, 0.48, 0.45), (0.25, 0.24, 0.26))])
def test_normalise_agrees_with_torchvision(mean: tuple[float, ...], std: tuple[float, ...]) -> None:
    batch = images(channels=len(mean))
    before = batch.clone()
    result = normalise(batch, mean, std)
    expected = v2.Compose([v2.ToDtype(torch.float32, scale=True), v2.Normalize(mean, std)])(batch.permute(0, 3, 1, 2))
    torch.testing.assert_close(result, expected, rtol=1e-6, atol=1e-6)
    assert result.is_contiguous() and result.dtype == torch.float32
    assert torch.equal(batch, before)


def test_normalise_refuses_statistics_of_another_number_of_channels() -> None:
    with pytest.raises(ValueError):
        normalise(images(channels=3), (0.5,), (0.5,))
