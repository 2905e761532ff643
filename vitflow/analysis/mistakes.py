"""Which validation images to show of those that runs get wrong, and what a run says of them over its seeds.

Letters: S seeds, N validation images, E images shown.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vitflow.analysis.records import Answers, Mistakes, Picture

#: images shown
SHOWN = 60
#: pixels a side of an image as it is stored, at most
SIDE = 64


@dataclass(frozen=True)
class Said:
    """What the finished seeds of one run say of all validation images."""

    predicted: NDArray[np.int64]  #: classes, [S, N]
    confidence: NDArray[np.float64]  #: 0..1, [S, N]


def mistakes(
    said: Mapping[str, Said], labels: NDArray[np.int64], images: NDArray[np.uint8], classes: tuple[str, ...]
) -> Mistakes:
    """The record of :data:`SHOWN` of the images that runs get wrong.

    ``said`` by run, ``labels`` [N] the true classes, ``images`` uint8 [N, H, W, C].
    """
    wrong = [(run.predicted != labels).mean(axis=0) for run in said.values()]  # every run counts the same
    index = draw(np.mean(wrong, axis=0), labels, SHOWN) if wrong else np.array([], dtype=np.int64)
    return Mistakes(
        split="validation",
        images=len(labels),
        classes=classes,
        pictures=tuple(Picture(index=int(i), label=int(labels[i]), png=png(images[i])) for i in index),
        runs={name: answers(run, index, labels[index]) for name, run in said.items()},
    )


def draw(wrong: NDArray[np.float64], labels: NDArray[np.int64], images: int) -> NDArray[np.int64]:
    """Places of at most ``images`` images, each with a chance in proportion to ``wrong``; those with 0 never.

    Systematic sampling (Madow, 1949) without its random start, for the same numbers are to give the same images: along
    the images by class, in each class those most often wrong first, one is taken at equal steps of summed ``wrong``.
    ``wrong`` [N] is the share of runs that get an image wrong, 0..1.
    """
    order = np.lexsort((-wrong, labels))
    order = order[wrong[order] > 0]
    if len(order) <= images:
        return order
    summed = wrong[order].cumsum()
    steps = (np.arange(images) + 0.5) * summed[-1] / images
    return order[np.unique(np.searchsorted(summed, steps))]


def answers(run: Said, index: NDArray[np.int64], labels: NDArray[np.int64]) -> Answers:
    """What a run says of the images at ``index`` [E], whose true classes are ``labels`` [E]."""
    predicted, confidence = run.predicted[:, index], run.confidence[:, index]
    named, sure = [], []
    for k, label in enumerate(labels):
        votes = np.bincount(predicted[:, k])
        if (predicted[:, k] != label).any():
            votes[label : label + 1] = 0
        named.append(int(votes.argmax()))
        sure.append(round(float(confidence[predicted[:, k] == named[-1], k].mean()), 3))
    return Answers(
        n=len(predicted),
        wrong=tuple((predicted != labels).sum(axis=0).tolist()),
        predicted=tuple(named),
        confidence=tuple(sure),
    )


def png(image: NDArray[np.uint8]) -> str:
    """An image, uint8 [H, W, C], as PNG in base64, no side longer than :data:`SIDE` pixels."""
    from PIL import Image

    picture = Image.fromarray(image.squeeze())
    picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    data = io.BytesIO()
    picture.save(data, "PNG", optimize=True)
    return base64.b64encode(data.getvalue()).decode()
