"""Principal components from a covariance: against the singular value decomposition, and where patches lie in maps."""

from __future__ import annotations

import numpy as np
import pytest

from vitflow.analysis.pca import KEPT, colours, components, needed, on_two, spectrum


def cloud(n: int = 200, width: int = 30) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n, width)) * np.arange(1, width + 1) + 7


def covariance(features: np.ndarray) -> np.ndarray:
    return np.cov(features.T, bias=True)


@pytest.mark.parametrize(("n", "width"), [(200, 30), (12, 30), (50, 4)])
def test_components_are_those_of_the_singular_value_decomposition(n: int, width: int) -> None:
    features = cloud(n, width)
    shares, directions = components(covariance(features))
    _, s, v = np.linalg.svd(features - features.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(shares[: len(s)], s**2 / (s**2).sum(), atol=1e-12)
    some = min(n - 1, width)
    np.testing.assert_allclose(np.abs((directions[:, :some] * v[:some].T).sum(axis=0)), 1, rtol=1e-9)


def test_a_components_sign_does_not_hang_on_the_library() -> None:
    _, directions = components(covariance(cloud()))
    assert (directions[np.abs(directions).argmax(axis=0), np.arange(30)] > 0).all()


def test_images_lie_on_two_components_in_deviations_of_the_first() -> None:
    features = cloud()
    points, shares = on_two(features)
    u, s, _ = np.linalg.svd(features - features.mean(axis=0), full_matrices=False)
    expected = (u * s)[:, :2] / (u * s)[:, 0].std()
    np.testing.assert_allclose(points * np.sign((points * expected).sum(axis=0)), expected, atol=1e-9)
    assert shares == pytest.approx((s**2 / (s**2).sum())[:2])


def test_half_precision_is_not_added_up_in_half_precision() -> None:
    features = (np.random.default_rng(0).normal(size=(3000, 5)) * 50 + 100).astype(np.float16)
    np.testing.assert_array_equal(on_two(features)[0], on_two(features.astype(np.float64))[0])


def test_colours_lie_where_their_patches_do() -> None:
    generator = np.random.default_rng(0)
    brightness = generator.random((20, 16))
    patches = brightness[..., None] * np.array([9.0, 0, 0, 0, 0, 0]) + 0.01 * generator.random((20, 16, 6))
    rows = patches.reshape(-1, 6)
    found = colours(patches[[3, 7]], rows.mean(axis=0), covariance(rows))
    assert found.shape == (2, 16, 3) and found.dtype == np.uint8
    assert (found.min(), found.max()) == (0, 255)
    for shown, image in zip(found, (3, 7), strict=True):
        assert np.corrcoef(shown[:, 0], brightness[image])[0, 1] > 0.98


def test_the_spectrum_adds_up_and_tells_how_many_components_hold_most() -> None:
    shares = np.array([0.5, 0.3, 0.15, 0.05])
    numbers, held = spectrum(shares)
    assert numbers == [1, 2, 3, 4]
    assert held == pytest.approx([0.5, 0.8, 0.95, 1.0])
    assert [needed(shares, part) for part in (0.4, 0.5, 0.79, 0.9, 1.0)] == [1, 1, 2, 3, 4]
    numbers, held = spectrum(components(covariance(cloud(500, 300)))[0])
    assert len(numbers) <= KEPT and (numbers[0], numbers[-1]) == (1, 300)
    assert held[-1] == pytest.approx(1) and sorted(held) == held


def test_features_without_any_variance_have_no_components() -> None:
    points, shares = on_two(np.ones((10, 4)))
    np.testing.assert_array_equal(points, 0)
    assert shares == [0.0, 0.0]
    assert needed(np.zeros(4), 0.9) == 4
    assert colours(np.ones((2, 4, 4)), np.ones(4), np.zeros((4, 4))).max() == 0
