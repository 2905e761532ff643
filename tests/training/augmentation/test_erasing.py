"""Random erasing: how often, how much, where."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.generators import seeded
from torch import Tensor

from vitflow.training.augmentation.erasing import AREA, RATIO, draw, erase, rectangle


def boxes(erased: Tensor) -> list[tuple[int, int, int, int]]:
    """(top, left, rows, columns) of each image's zeros, which must fill one rectangle in all channels."""
    found = []
    for image in erased:
        blank = (image == 0).numpy()
        assert (blank == blank[0]).all()
        if blank.any():
            rows, columns = np.flatnonzero(blank[0].any(1)), np.flatnonzero(blank[0].any(0))
            assert blank[0].sum() == len(rows) * len(columns) == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
            found.append((rows[0], columns[0], len(rows), len(columns)))
    return found


def test_one_rectangle_in_some_images_and_nothing_else_is_set_to_zero() -> None:
    images = torch.randn(2000, 3, 32, 32, generator=seeded(1)).abs() + 0.1
    before = images.clone()
    result = erase(images, seeded(), 0.25)
    assert torch.equal(images, before)
    assert torch.equal(torch.where(result == 0, images, result), images)
    found = boxes(result)
    assert abs(len(found) / 2000 - 0.25) < 5 * (0.25 * 0.75 / 2000) ** 0.5
    assert len(set(found)) > 0.9 * len(found), "each sample its own"


def test_areas_ratios_and_places_are_those_of_the_paper() -> None:
    rows, columns, top, left = map(
        lambda part: part.double().numpy(), (lambda d: (d[3], d[4], d[1], d[2]))(draw(20_000, seeded(), 1.0, 224, 224))
    )
    area, ratio = rows * columns / 224**2, rows / columns
    assert AREA[0] * 0.95 < area.min() < 0.022 and 0.325 < area.max() < AREA[1] * 1.01
    assert abs(area.mean() - 0.175) < 0.004, "uniform, but for the few that do not fit"
    assert RATIO[0] * 0.95 < ratio.min() and ratio.max() < RATIO[1] * 1.05
    assert abs(np.log(ratio).mean()) < 0.02, "lying and standing alike"
    assert top.min() >= 0 and (top + rows).max() <= 224 and left.min() >= 0 and (left + columns).max() <= 224
    for place, length in ((top, rows), (left, columns)):
        np.testing.assert_allclose((place / (224 - length)).mean(), 0.5, atol=0.02)


@pytest.mark.parametrize("side", [4, 8, 32])
def test_a_rectangle_that_fits_is_always_found(side: int) -> None:
    erased, top, left, rows, columns = draw(100_000, seeded(), 1.0, side, side)
    assert erased.all()
    assert (top + rows <= side).all() and (left + columns <= side).all()
    assert (top + rows).max() == (left + columns).max() == side, "the last row and column are reached"


def test_probabilities_nought_and_one_are_never_and_always() -> None:
    images = torch.ones(50, 1, 8, 8)
    assert torch.equal(erase(images, seeded(), 0.0), images)
    assert len(boxes(erase(images, seeded(), 1.0))) == 50


def test_erasing_is_a_function_of_images_and_generator() -> None:
    images = torch.randn(64, 3, 8, 8, generator=seeded(1))
    torch.manual_seed(1)
    first = erase(images, seeded(5), 0.5)
    torch.manual_seed(2)
    assert torch.equal(first, erase(images, seeded(5), 0.5))
    assert not torch.equal(first, erase(images, seeded(6), 0.5))


def test_a_rectangle_is_what_a_loop_fills() -> None:
    edges = torch.tensor([[0, 2, 3], [1, 0, 3], [4, 2, 5], [2, 6, 3]])  # top, left, bottom, right of three
    expected = torch.zeros(3, 5, 6, dtype=torch.bool)
    for i, (top, left, bottom, right) in enumerate(edges.T.tolist()):
        expected[i, top:bottom, left:right] = True
    assert torch.equal(rectangle(*edges, 5, 6, torch.device("cpu")), expected)
