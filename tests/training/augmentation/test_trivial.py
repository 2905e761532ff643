"""TrivialAugment: each operation against torchvision's, and what a batch of them promises."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.generators import seeded
from torch import Tensor

from vitflow.machine.compat import import_torchvision
from vitflow.training.augmentation import trivial
from vitflow.training.augmentation.trivial import GEOMETRY, NUMBER, SPACE, STRENGTHS, apply, draw, trivial_augment

import_torchvision()
from torchvision.transforms import v2  # noqa: E402

REFERENCE = v2.TrivialAugmentWide()
#: our names in torchvision's order, which is the order of both
THEIRS = dict(zip(SPACE, REFERENCE._AUGMENTATION_SPACE, strict=True))
BLENDS = ("colour", "contrast", "sharpness")  # where a processor may round a sum of products once or twice
CPU = torch.device("cpu")


def images(height: int = 32, width: int = 32, channels: int = 3) -> Tensor:
    """Noise, noise of little contrast, one flat channel, all white, all black, a ramp."""
    batch = torch.randint(0, 256, (6, height, width, channels), dtype=torch.uint8, generator=seeded(1))
    batch[1] = batch[1] // 4 + 60
    batch[2, ..., 0] = 7
    batch[3], batch[4] = 255, 0
    batch[5] = (torch.arange(height * width * channels) % 251).reshape(batch.shape[1:])
    return batch


def theirs(image: Tensor, name: str, strength: float) -> Tensor:
    done = REFERENCE._apply_image_or_video_transform(
        image.permute(2, 0, 1), THEIRS[name], strength, interpolation=REFERENCE.interpolation, fill=REFERENCE._fill
    )
    return done.permute(1, 2, 0)


@pytest.mark.parametrize("shape", [(32, 32, 3), (8, 8, 1), (9, 13, 3)], ids=str)
@pytest.mark.parametrize("name", SPACE)
def test_an_operation_is_torchvisions_at_every_strength_and_sign(name: str, shape: tuple[int, int, int]) -> None:
    """The same bytes; but one level apart at most where products are added, and ties of a rotation may go elsewhere."""
    batch, (strengths, signed) = images(*shape), SPACE[name]
    in_theirs = REFERENCE._AUGMENTATION_SPACE[THEIRS[name]][0](STRENGTHS, *shape[:2])
    assert signed == REFERENCE._AUGMENTATION_SPACE[THEIRS[name]][1]
    for step in range(STRENGTHS):
        for sign in (1, -1) if signed else (1,):
            strength = sign * float(strengths[step])
            ours = apply(batch, torch.full((6,), NUMBER[name]), torch.full((6,), strength))
            assert ours.dtype == torch.uint8 and ours.shape == batch.shape
            expected_strength = 0.0 if in_theirs is None else sign * float(in_theirs[step])
            expected = torch.stack([theirs(image, name, expected_strength) for image in batch])
            apart = (ours.int() - expected.int()).abs()
            if name in BLENDS:
                assert apart.max() <= 1 and (apart > 0).float().mean() < 0.001, (step, sign)
            elif name == "rotate":
                assert not (apart.amax((0, 3)) > 0)[~ties(strength, *shape[:2])].any(), (step, sign)
            else:
                assert torch.equal(ours, expected), (step, sign)


def ties(degrees: float, height: int, width: int) -> Tensor:
    """Pixels of a rotation whose source lies midway between two pixels, but for rounding: bool [H, W]."""
    angle = np.deg2rad(degrees)
    y, x = np.meshgrid(np.arange(height) - (height - 1) / 2, np.arange(width) - (width - 1) / 2, indexing="ij")
    column = np.cos(angle) * x - np.sin(angle) * y + (width - 1) / 2
    row = np.sin(angle) * x + np.cos(angle) * y + (height - 1) / 2
    return torch.from_numpy((abs(column % 1 - 0.5) < 1e-4) | (abs(row % 1 - 0.5) < 1e-4))


def test_ties_are_few() -> None:
    shares = np.array([ties(float(degrees), 32, 32).float().mean() for degrees in SPACE["rotate"][0]])
    assert shares.max() < 0.07, "the diagonals, at 45 and 135 degrees"
    assert (shares > 0.004).sum() == 2


def test_the_space_and_its_strengths_are_torchvisions() -> None:
    ours = {THEIRS[name] for name in SPACE}
    assert len(ours) == len(REFERENCE._AUGMENTATION_SPACE) == 14
    assert (SPACE["rotate"][0][-1], SPACE["posterise"][0][-1], SPACE["solarise"][0][-1]) == (135, 2, 0)
    assert list(GEOMETRY) == list(SPACE)[1:6], "the numbers of geometric operations follow each other"
    assert {"identity", *GEOMETRY, *trivial.CHANGES} == set(SPACE)


def test_operations_strengths_and_signs_are_drawn_evenly_and_per_sample() -> None:
    count = 42_000
    operation, strength = draw(count, seeded(), CPU)
    assert (abs(np.bincount(operation) - 3000) < 5 * 3000**0.5).all()
    rotations = strength[operation == NUMBER["rotate"]]
    assert abs((rotations < 0).float().mean() - 0.5) < 5 * 0.5 / 3000**0.5
    values, counts = np.unique(rotations.abs().numpy(), return_counts=True)
    assert torch.equal(torch.from_numpy(values), SPACE["rotate"][0])
    assert (abs(counts - 97) < 5 * 97**0.5).all()
    assert strength[operation == NUMBER["solarise"]].min() == 0, "no sign where it has no meaning"
    assert len(set(zip(operation[:128].tolist(), strength[:128].tolist(), strict=True))) > 70


def test_trivial_augment_is_a_function_of_images_and_generator() -> None:
    batch = images().repeat(20, 1, 1, 1)
    before = batch.clone()
    torch.manual_seed(1)
    first = trivial_augment(batch, seeded(5))
    torch.manual_seed(2)  # the global generator plays no part
    assert torch.equal(first, trivial_augment(batch, seeded(5)))
    assert not torch.equal(first, trivial_augment(batch, seeded(6)))
    assert torch.equal(batch, before)
    assert first.is_contiguous()


def test_what_happens_to_an_image_does_not_depend_on_its_batch() -> None:
    batch = images().repeat(10, 1, 1, 1)
    operation, strength = draw(60, seeded(3), CPU)
    together = apply(batch, operation, strength)
    for i in range(60):
        assert torch.equal(together[i : i + 1], apply(batch[i : i + 1], operation[i : i + 1], strength[i : i + 1]))


def test_the_way_without_counting_that_a_gpu_goes_gives_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = images().repeat(10, 1, 1, 1)
    counted = trivial_augment(batch, seeded(9))
    monkeypatch.setattr(trivial, "_samples", lambda mask: torch.arange(len(mask)))
    assert torch.equal(trivial_augment(batch, seeded(9)), counted)
