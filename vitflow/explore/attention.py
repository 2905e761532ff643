"""Where a ViT looks in a few images, as pictures: bright where it does. From ``features.json``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vitflow.analysis import records
from vitflow.analysis.mistakes import png
from vitflow.analysis.records import Features, Run

#: how much of an image is left where a model does not look at all
DARK = 0.2


@dataclass(frozen=True)
class Look:
    """One image, and where the model looks in it."""

    actual: str
    pictures: tuple[str, ...]  #: PNG in base64: as it is, then by block


@dataclass(frozen=True)
class Looks:
    """What is stored of one run."""

    asks: str  #: whose attention it is: [CLS] or the mean patch
    blocks: tuple[int, ...]  #: from 1: first, middle, last
    images: tuple[Look, ...]


@dataclass(frozen=True)
class Attention:
    """What is stored of a study."""

    runs: dict[str, Looks]
    absent: dict[str, str]  #: why a run whose features were wanted has none

    def missing(self, name: str, run: Run) -> str:
        """Why nothing is to be seen of a run, in words."""
        if name in self.absent:
            return f"No features are stored of this run: {self.absent[name]}."
        if run.family != "vit":
            return "It has no attention to show: it is not a ViT."
        if self.runs:
            return "Attention is stored of the runs that the study names under 'features' only."
        return "No attention is stored in this study."


def read_attention(folder: Path) -> Attention:
    """What an analysis folder has of attention. Raises FileProblem where ``features.json`` is damaged."""
    found = Features.read(folder / "features.json")
    actual = [found.classes[label] for label in found.example_labels]
    return Attention(
        {m.run: _looks(m.attention, found.examples.values, actual) for m in found.models if m.attention},
        {m.run: m.reason for m in found.absent},
    )


def _looks(attention: records.Attention, examples: NDArray[np.uint8], actual: list[str]) -> Looks:
    maps = attention.image.values  # [L, E, side, side]
    blocks = sorted({0, len(maps) // 2, len(maps) - 1})
    images = tuple(
        Look(name, (png(image), *(png(lit(image, maps[block, place])) for block in blocks)))
        for place, (image, name) in enumerate(zip(examples, actual, strict=True))
    )
    return Looks(attention.asks, tuple(block + 1 for block in blocks), images)


def lit(image: NDArray[np.uint8], looked: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``image`` [H, W, C], darkened by ``looked`` [side, side]: as it is at 255, :data:`DARK` of it at 0."""
    height, width = image.shape[:2]
    light = np.asarray(Image.fromarray(looked).resize((width, height), Image.Resampling.NEAREST), dtype=float) / 255
    return np.asarray(image * (DARK + (1 - DARK) * light[..., None])).round().astype(np.uint8)
