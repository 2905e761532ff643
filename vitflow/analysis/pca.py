"""Principal components of patch tokens and pooled features. They show; they do not prove."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from vitflow.analysis.records import Components, PatchComponents, PooledComponents

SPECTRUM = 20  # components whose share of the variance is kept
DIGITS = 5  # significant digits kept, so that files stay small


def principal_components(
    features: NDArray[np.floating[Any]], components: int
) -> tuple[NDArray[np.float64], list[float]]:
    """(projections [n, components], shares of variance [<= 20]) of centred features [n, D]."""
    values = features.astype(np.float64)
    kept = min(SPECTRUM, *values.shape)
    pca = PCA(kept, svd_solver="covariance_eigh")
    projected = pca.fit_transform(values)
    shares = np.nan_to_num(pca.explained_variance_ratio_)
    return projected[:, : min(components, kept)], [_round(share) for share in shares]


def describe(
    run: str,
    label: str,
    layer: str,
    patch: NDArray[np.float16],
    pooled: NDArray[np.float16],
    examples: NDArray[np.int64],
) -> Components:
    """PCA of one model: pooled features in two dimensions, patch tokens as colour maps of the example images.

    Args:
        patch: patch tokens [N, T, D], taken at ``layer``. pooled: features before the classifier [N, D'].
        examples: indices into N.
    """
    images, positions, dimension = patch.shape
    points, pooled_shares = principal_components(pooled, 2)
    tokens, patch_shares = principal_components(patch.reshape(images * positions, dimension), 3)  # [N*T, D]
    low, high = np.percentile(tokens, [1, 99], axis=0)
    colours = np.clip(255 * (tokens - low) / np.maximum(high - low, 1e-12), 0, 255).round().astype(int)
    side = round(positions**0.5)
    maps = colours.reshape(images, side, side, -1)[examples]  # [E, side, side, 3]
    return Components(
        run=run,
        label=label,
        layer=layer,
        positions=positions,
        dimension=dimension,
        pooled=PooledComponents(
            explained=tuple(pooled_shares), points=tuple(tuple(_round(x) for x in point) for point in points)
        ),
        patch=PatchComponents(explained=tuple(patch_shares), maps=maps.tolist()),
    )


def _round(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
