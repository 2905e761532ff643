"""Principal components of features. They show; they do not prove.

Letters: N images, E examples, T positions, D width.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
#: numbers of components at which the spectrum is kept, of as many as the width has
KEPT = 40
MOST = 0.9  #: of the variance


def components(covariance: Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(shares of the variance [D], directions [D, D] in columns) of a covariance [D, D], largest share first.

    A component's sign is free: here its largest weight is positive. Shares are 0 where nothing varies.
    """
    variances, directions = np.linalg.eigh(covariance.astype(np.float64))
    variances, directions = np.clip(variances[::-1], 0, None), directions[:, ::-1]
    largest = np.abs(directions).argmax(axis=0)
    signs = np.sign(directions[largest, np.arange(len(largest))])
    return variances / (variances.sum() or 1), directions * signs


def on_two(means: Array) -> tuple[NDArray[np.float64], list[float]]:
    """(images [N, 2] on the first two components of features [N, D], the share of the variance that each holds).

    In standard deviations of the first component.
    """
    centred = means.astype(np.float64) - means.mean(axis=0, dtype=np.float64)
    shares, directions = components(centred.T @ centred / len(centred))
    points = centred @ directions[:, :2]
    return points / (points[:, 0].std() or 1), [float(share) for share in shares[:2]]


def colours(examples: Array, centre: Array, covariance: Array) -> NDArray[np.uint8]:
    """Positions [E, T, D] on the first three components of ``covariance`` as red, green, blue: [E, T, 3].

    Each from the 1st to the 99th percentile of these positions.
    """
    _, directions = components(covariance)
    values = (examples.astype(np.float64) - centre) @ directions[:, :3]  # [E, T, 3]
    low, high = np.percentile(values, [1, 99], axis=(0, 1))
    scaled = np.clip(255 * (values - low) / np.maximum(high - low, 1e-12), 0, 255)
    return scaled.round().astype(np.uint8)


def spectrum(shares: NDArray[np.float64]) -> tuple[list[int], list[float]]:
    """Of shares [D]: (numbers of components from 1 to D, at most 40, evenly on a logarithmic scale; what they hold)."""
    held = np.cumsum(shares)
    numbers = np.unique(np.geomspace(1, len(held), KEPT).round().astype(int))
    return [int(k) for k in numbers], [float(held[k - 1]) for k in numbers]


def needed(shares: NDArray[np.float64], held: float) -> int:
    """How many components hold at least that share of the variance; all of them where they hold less."""
    return min(int(np.searchsorted(np.cumsum(shares), held)) + 1, len(shares))
