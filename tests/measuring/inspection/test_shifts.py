"""Consistency under shifts, for models whose answer is known."""

from __future__ import annotations

import pytest
import torch
from scipy.ndimage import shift
from torch import Tensor, nn

from vitflow.data.splits import Data, Split
from vitflow.measuring.inspection.shifts import moved, shift_consistency

IMAGES = torch.randint(0, 256, (40, 8, 8, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
NOTHING = Split(IMAGES[:0], torch.zeros(0, dtype=torch.int64))
DATA = Data(NOTHING, NOTHING, NOTHING, (0.0,) * 3, (1.0,) * 3, ("a", "b"), "digest")


@pytest.mark.parametrize(("down", "right"), [(0, 0), (1, 0), (-2, 0), (0, 3), (0, -1)])
def test_images_move_by_whole_pixels_and_leave_zeros(down: int, right: int) -> None:
    expected = shift(IMAGES.numpy(), (0, down, right, 0), order=0, cval=0)
    assert torch.equal(moved(IMAGES, down, right), torch.from_numpy(expected))


class Corner(nn.Module):
    """Class 1 where the pixel at (y, x) is bright, images [B, C, H, W]."""

    def __init__(self, y: int, x: int) -> None:
        super().__init__()
        self.y, self.x = y, x

    def forward(self, images: Tensor) -> Tensor:
        bright = images[:, 0, self.y, self.x] > 0.5
        return torch.stack([~bright, bright], 1).float()


def test_a_model_that_reads_one_pixel_is_as_consistent_as_its_neighbours_are_equal() -> None:
    found = shift_consistency(Corner(4, 2), IMAGES, DATA)
    bright = (IMAGES[..., 0] > 127).double()
    assert list(found) == ["1", "2", "3"]
    for pixels in (1, 2, 3):
        neighbours = [(4 - pixels, 2), (4 + pixels, 2), (4, 2 - pixels), (4, 2 + pixels)]
        same = [
            bright[:, 4, 2] == (bright[:, y, x] if min(y, x) >= 0 and max(y, x) < 8 else torch.zeros(40))
            for y, x in neighbours
        ]
        assert found[str(pixels)] == pytest.approx(100 * float(torch.stack(same).double().mean()))
        assert 20 < found[str(pixels)] < 80


def test_a_model_that_always_says_the_same_is_consistent() -> None:
    class Constant(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return torch.tensor([[0.0, 1.0]]).expand(len(images), 2)

    assert shift_consistency(Constant(), IMAGES, DATA) == {"1": 100, "2": 100, "3": 100}
