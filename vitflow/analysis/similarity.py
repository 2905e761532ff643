"""How alike two sets of features are.

Letters: N images, D and E widths, T positions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


def linear_cka(ones: list[Array], others: list[Array]) -> NDArray[np.float64]:
    """Linear centred kernel alignment (Kornblith et al., 2019) of every pair of features [N, D], [N, E]: 0..1.

    It does not change when either is rotated, moved or scaled as a whole. Features that do not vary are like none: 0.
    """
    left, right = [_centred(x) for x in ones], [_centred(y) for y in others]
    own = [np.linalg.norm(x.T @ x) for x in left], [np.linalg.norm(y.T @ y) for y in right]
    scale = np.maximum(np.outer(*own), np.finfo(float).tiny)
    shared = np.array([[np.linalg.norm(y.T @ x) ** 2 for y in right] for x in left])
    found: NDArray[np.float64] = np.clip(shared / scale, 0, 1)
    return found


def cosines(vectors: Array) -> NDArray[np.float64]:
    """Cosine of every pair of vectors [T, D]: [T, T], 0 where one of them is 0."""
    values = vectors.astype(np.float64)
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    unit = values / np.where(lengths > 0, lengths, 1)
    found: NDArray[np.float64] = np.clip(unit @ unit.T, -1, 1)
    return found


def _centred(features: Array) -> NDArray[np.float64]:
    """Also scaled, so that no product overflows."""
    values = features.astype(np.float64)
    values = values - values.mean(axis=0)
    found: NDArray[np.float64] = values / max(float(np.abs(values).max(initial=0)), np.finfo(float).tiny)
    return found
