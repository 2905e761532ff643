"""TrivialAugment (Müller & Hutter, 2021): to each image one operation, drawn at random, at a random strength.

The "wide" space of the paper as torchvision spells it: fourteen operations, 31 strengths, both signs where
a sign has a meaning. Geometry takes the nearest pixel and fills with zeros.

Letters: B batch, N images that get one operation, H W image sides, C channels.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import torch
from torch import Tensor

STRENGTHS = 31

#: operation -> (its strengths, whether the sign is drawn too); the order numbers the operations
SPACE: dict[str, tuple[Tensor, bool]] = {
    "identity": (torch.zeros(STRENGTHS), False),
    "shear_x": (torch.linspace(0.0, 0.99, STRENGTHS), True),  # columns a row
    "shear_y": (torch.linspace(0.0, 0.99, STRENGTHS), True),
    "translate_x": (torch.linspace(0.0, 32.0, STRENGTHS).trunc(), True),  # pixels, whatever the image's side
    "translate_y": (torch.linspace(0.0, 32.0, STRENGTHS).trunc(), True),
    "rotate": (torch.linspace(0.0, 135.0, STRENGTHS), True),  # degrees, counter-clockwise
    "brightness": (torch.linspace(0.0, 0.99, STRENGTHS), True),  # these four: the factor is 1 + strength
    "colour": (torch.linspace(0.0, 0.99, STRENGTHS), True),
    "contrast": (torch.linspace(0.0, 0.99, STRENGTHS), True),
    "sharpness": (torch.linspace(0.0, 0.99, STRENGTHS), True),
    "posterise": (8 - (torch.arange(STRENGTHS) / ((STRENGTHS - 1) / 6)).round(), False),  # bits that stay
    "solarise": (255 * torch.linspace(1.0, 0.0, STRENGTHS), False),  # values from here on are inverted
    "autocontrast": (torch.zeros(STRENGTHS), False),
    "equalise": (torch.zeros(STRENGTHS), False),
}
NUMBER = {name: number for number, name in enumerate(SPACE)}


def trivial_augment(images: Tensor, generator: torch.Generator) -> Tensor:
    """One operation of :data:`SPACE` to each image, all equally likely; uint8 [B, H, W, C], C 1 or 3."""
    return apply(images, *draw(len(images), generator, images.device))


def draw(batch: int, generator: torch.Generator, device: torch.device) -> tuple[Tensor, Tensor]:
    """(operation int64 [B], strength with its sign float32 [B]), each sample its own, on ``device``."""
    place = generator.device
    operation = torch.randint(len(SPACE), (batch,), generator=generator, device=place).to(device)
    step = torch.randint(STRENGTHS, (batch,), generator=generator, device=place).to(device)
    negative = (torch.rand(batch, generator=generator, device=place) < 0.5).to(device)
    strengths, signed = _tables(device)
    strength = strengths[operation, step]
    return operation, torch.where(negative & signed[operation], -strength, strength)


def apply(images: Tensor, operation: Tensor, strength: Tensor) -> Tensor:
    """``operation`` (a number in :data:`SPACE`) at ``strength`` to each image; no image depends on another.

    ``images`` uint8 [B, H, W, C]; ``operation`` int64 [B], ``strength`` float32 [B]. Returns the shape and dtype
    of ``images``, which stay as they are.
    """
    result = images.clone()
    matrix = torch.stack([function(strength, *images.shape[1:3]) for function in GEOMETRY.values()])  # [5, B, 6]
    first, last = NUMBER["shear_x"], NUMBER["rotate"]
    own = matrix[(operation - first).clamp(0, last - first), torch.arange(len(images), device=images.device)]
    _change(result, (operation >= first) & (operation <= last), warp, own)
    for name, change in CHANGES.items():
        _change(result, operation == NUMBER[name], change, strength)
    return result


# -------------------------------------------------------------------------------------------- geometry


def warp(images: Tensor, matrix: Tensor) -> Tensor:
    """Each image through its own affine map: images [N, H, W, C], matrix float [N, 6] -> [N, H, W, C].

    The pixel at (x, y) is taken from (a x + b y + c, d x + e y + f), measured from the image's centre, rounded
    (half to even); from outside it is 0.
    """
    count, height, width, channels = images.shape
    a, b, c, d, e, f = matrix.float()[:, :, None, None].unbind(1)  # each [N, 1, 1]
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    x = torch.arange(width, device=images.device) - centre_x  # [W]
    y = torch.arange(height, device=images.device)[:, None] - centre_y  # [H, 1]
    column = (a * x + (b * y + (c + centre_x))).round_()  # [N, H, W]
    row = (d * x + (e * y + (f + centre_y))).round_()
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    start = torch.arange(count, device=images.device)[:, None, None] * (height * width)  # [N, 1, 1]
    pixel = torch.where(inside, (row * width + column).long() + start, count * height * width)
    flat = torch.cat([images.reshape(-1, channels), images.new_zeros(1, channels)])  # the last pixel is the outside
    return flat.index_select(0, pixel.flatten()).reshape(images.shape)


def _shear_x(strength: Tensor, height: int, width: int) -> Tensor:
    """The top edge stays where it is."""
    zero = torch.zeros_like(strength)
    return torch.stack([zero + 1, strength, strength * (height / 2), zero, zero + 1, zero], dim=1)


def _shear_y(strength: Tensor, height: int, width: int) -> Tensor:
    """The left edge stays where it is."""
    zero = torch.zeros_like(strength)
    return torch.stack([zero + 1, zero, zero, strength, zero + 1, strength * (width / 2)], dim=1)


def _translate_x(strength: Tensor, height: int, width: int) -> Tensor:
    zero = torch.zeros_like(strength)
    return torch.stack([zero + 1, zero, -strength, zero, zero + 1, zero], dim=1)


def _translate_y(strength: Tensor, height: int, width: int) -> Tensor:
    zero = torch.zeros_like(strength)
    return torch.stack([zero + 1, zero, zero, zero, zero + 1, -strength], dim=1)


def _rotate(strength: Tensor, height: int, width: int) -> Tensor:
    angle = strength.double() * (math.pi / 180)  # single precision would miss pixels at 90 degrees
    cosine, sine = angle.cos().float(), angle.sin().float()
    zero = torch.zeros_like(strength)
    return torch.stack([cosine, -sine, zero, sine, cosine, zero], dim=1)


#: name -> (strength float32 [B], H, W) -> the inverse map [B, 6], as :func:`warp` takes it; in SPACE's order
GEOMETRY: dict[str, Callable[[Tensor, int, int], Tensor]] = {
    "shear_x": _shear_x,
    "shear_y": _shear_y,
    "translate_x": _translate_x,
    "translate_y": _translate_y,
    "rotate": _rotate,
}


# ---------------------------------------------------------------------------------------------- values


def _brightness(images: Tensor, strength: Tensor) -> Tensor:
    return (images * _each(1 + strength)).clamp_(0, 255).to(torch.uint8)


def _colour(images: Tensor, strength: Tensor) -> Tensor:
    """Away from the image's own grey; an image of one channel has no colour and stays."""
    return images if images.shape[-1] == 1 else _away_from(_grey(images)[..., None], images, strength)


def _contrast(images: Tensor, strength: Tensor) -> Tensor:
    """Away from the mean of the image's grey."""
    grey = images[..., 0].float() if images.shape[-1] == 1 else _grey(images)
    return _away_from(grey.mean(dim=(1, 2))[:, None, None, None], images, strength)


def _sharpness(images: Tensor, strength: Tensor) -> Tensor:
    """Away from a mean over 3x3 pixels in which the middle one counts five times; the border stays."""
    values = images.float()
    rows = values[:, :-2] + values[:, 1:-1] + values[:, 2:]  # whole numbers: exact in any order
    inner = values[:, 1:-1, 1:-1]
    blurred = (rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:] + 4 * inner).div_(13).round_()
    result = images.clone()
    result[:, 1:-1, 1:-1] = torch.addcmul(inner, blurred - inner, -_each(strength)).clamp_(0, 255).to(torch.uint8)
    return result


def _posterise(images: Tensor, bits: Tensor) -> Tensor:
    kept = (256 - 2 ** (8 - bits)).round()  # a GPU's power may miss a whole number by a little
    return images & _each(kept).to(torch.uint8)


def _solarise(images: Tensor, threshold: Tensor) -> Tensor:
    return torch.where(images >= _each(threshold), 255 - images, images)


def _autocontrast(images: Tensor, strength: Tensor) -> Tensor:
    """Each channel stretched to 0..255; a channel of one value stays."""
    values = images.float()
    lowest, highest = values.amin((1, 2), keepdim=True), values.amax((1, 2), keepdim=True)
    flat = highest == lowest
    lowest = torch.where(flat, 0.0, lowest)
    scale = torch.where(flat, 1.0, (highest - lowest) * (1 / 255))
    return ((values - lowest) / scale).clamp_(0, 255).to(torch.uint8)


def _equalise(images: Tensor, strength: Tensor) -> Tensor:
    """Each channel's values spread so that all are about equally frequent, in Pillow's whole-number arithmetic."""
    values = images.permute(0, 3, 1, 2).flatten(2).long()  # [N, C, H*W]
    count = torch.zeros(*values.shape[:2], 256, dtype=torch.int64, device=images.device)
    count.scatter_add_(2, values, torch.ones_like(values))
    below = count.cumsum(2) - count  # pixels of smaller value
    step = (values.shape[2] - count.gather(2, values.amax(2, keepdim=True))) // 255
    table = ((below + step // 2) // step.clamp(min=1)).clamp_(max=255)
    table = torch.where(step == 0, torch.arange(256, device=images.device), table)
    spread = table.gather(2, values).to(torch.uint8).unflatten(2, images.shape[1:3])  # [N, C, H, W]
    return spread.permute(0, 2, 3, 1)


#: name -> (images uint8 [N, H, W, C], strength float32 [N]) -> the same shape and dtype
CHANGES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "brightness": _brightness,
    "colour": _colour,
    "contrast": _contrast,
    "sharpness": _sharpness,
    "posterise": _posterise,
    "solarise": _solarise,
    "autocontrast": _autocontrast,
    "equalise": _equalise,
}


# --------------------------------------------------------------------------------------------- helpers


def _change(images: Tensor, mask: Tensor, function: Callable[[Tensor, Tensor], Tensor], parameter: Tensor) -> None:
    """Put ``function(images, parameter)`` in place of the images of ``mask`` [B]."""
    chosen = _samples(mask)
    if not len(chosen):
        return
    before = images.index_select(0, chosen)
    after = function(before, parameter.index_select(0, chosen))
    images.index_copy_(0, chosen, torch.where(_each(mask.index_select(0, chosen)), after, before))


def _samples(mask: Tensor) -> Tensor:
    """Indices to work on: the samples of ``mask`` on a CPU; all on a GPU, where counting would have the host wait."""
    return mask.nonzero().squeeze(1) if mask.device.type == "cpu" else torch.arange(len(mask), device=mask.device)


def _each(parameter: Tensor) -> Tensor:
    """[N] -> [N, 1, 1, 1]."""
    return parameter[:, None, None, None]


def _grey(images: Tensor) -> Tensor:
    """uint8 [N, H, W, 3] -> luma (ITU-R BT.601), whole numbers in float32 [N, H, W]."""
    red, green, blue = images.unbind(-1)
    return (red * 0.2989).add_(green, alpha=0.587).add_(blue, alpha=0.114).floor_()


def _away_from(plain: Tensor, images: Tensor, strength: Tensor) -> Tensor:
    """(1 + strength) image - strength plain, cut off at 0 and 255."""
    return torch.addcmul(images * _each(1 + strength), plain, -_each(strength)).clamp_(0, 255).to(torch.uint8)


@functools.cache
def _tables(device: torch.device) -> tuple[Tensor, Tensor]:
    """(strengths [operations, 31], signed [operations]) of SPACE, once per device."""
    strengths = torch.stack([strengths for strengths, _ in SPACE.values()])
    return strengths.to(device), torch.tensor([signed for _, signed in SPACE.values()]).to(device)
