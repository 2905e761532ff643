"""Principal components: against the singular value decomposition, and where patches lie in the maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vitflow.analysis.pca import SPECTRUM, describe, principal_components
from vitflow.analysis.records import Components


@pytest.mark.parametrize(("n", "width"), [(200, 30), (12, 30), (50, 4)])
def test_components_are_those_of_the_singular_value_decomposition(n: int, width: int) -> None:
    features = np.random.default_rng(0).normal(size=(n, width)) * np.arange(1, width + 1) + 7
    projected, shares = principal_components(features, 2)
    centred = features - features.mean(axis=0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    kept = min(SPECTRUM, n, width)
    assert len(shares) == kept
    assert shares == pytest.approx((s**2 / (s**2).sum())[:kept], rel=1e-4, abs=1e-9)
    expected = (u * s)[:, :2]
    signs = np.sign((projected * expected).sum(axis=0))  # a component's sign is free
    np.testing.assert_allclose(projected * signs, expected, rtol=1e-6, atol=1e-6 * s[0])


def test_half_precision_is_not_added_up_in_half_precision() -> None:
    features = (np.random.default_rng(0).normal(size=(3000, 5)) * 50 + 100).astype(np.float16)
    reference = principal_components(features.astype(np.float64), 2)[0]
    np.testing.assert_array_equal(principal_components(features, 2)[0], reference)
    assert np.isfinite(reference).all()


def test_patch_maps_lie_where_their_patches_do(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    images, side, width = 20, 4, 6
    brightness = generator.random((images, side, side))
    patch = brightness[..., None] * np.array([9.0, 0, 0, 0, 0, 0]) + 0.01 * generator.random(
        (images, side, side, width)
    )
    tokens = patch.reshape(images, side * side, width).astype(np.float16)  # [N, T, D]
    found = describe("r", "a run", "block5", tokens, tokens.mean(axis=1), np.array([3, 7]))
    assert (found.run, found.label, found.layer) == ("r", "a run", "block5")
    assert (found.positions, found.dimension) == (16, 6)
    maps = np.array(found.patch.maps)
    assert maps.shape == (2, side, side, 3)
    assert maps.min() >= 0 and maps.max() <= 255 and maps.dtype.kind == "i"
    for shown, image in zip(maps, (3, 7), strict=True):
        assert abs(np.corrcoef(shown[..., 0].ravel(), brightness[image].ravel())[0, 1]) > 0.98
    assert np.shape(found.pooled.points) == (images, 2)
    assert found.patch.explained[0] > 0.99
    found.write(tmp_path / "components.json")
    assert Components.read(tmp_path / "components.json") == found


def test_features_without_any_variance_have_no_components() -> None:
    with np.errstate(invalid="ignore"):
        projected, shares = principal_components(np.ones((10, 4)), 2)
    np.testing.assert_array_equal(projected, 0)
    assert shares == [0.0] * 4
