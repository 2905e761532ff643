"""CKA: against the closed form with explicit HSIC, and against what must not change it; cosines of places."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from scipy.stats import ortho_group

from vitflow.analysis.similarity import cosines, linear_cka

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(60, 8)) + 3
Y = X[:, :5] ** 2 + GENERATOR.normal(size=(60, 5))


def cka(x: np.ndarray, y: np.ndarray) -> float:
    return float(linear_cka([x], [y])[0, 0])


def hsic(k: np.ndarray, other: np.ndarray) -> float:
    """Hilbert-Schmidt independence criterion of two Gram matrices (Gretton et al., 2005), with centring written out."""
    n = len(k)
    centring = np.eye(n) - np.ones((n, n)) / n
    return float(np.trace(k @ centring @ other @ centring)) / (n - 1) ** 2


def test_it_is_the_normalised_hsic_of_linear_kernels() -> None:
    k, other = X @ X.T, Y @ Y.T
    expected = hsic(k, other) / np.sqrt(hsic(k, k) * hsic(other, other))
    assert 0.1 < expected < 0.9
    assert cka(X, Y) == pytest.approx(expected, rel=1e-12)
    assert cka(Y, X) == pytest.approx(expected, rel=1e-12)


def test_rotations_shifts_and_scales_do_not_change_it() -> None:
    rotation = ortho_group.rvs(8, random_state=0)
    assert cka(X, X) == pytest.approx(1)
    assert cka(100 * X @ rotation - 5, X) == pytest.approx(1)
    assert cka(1e-3 * X @ rotation + 7, Y) == pytest.approx(cka(X, Y))
    assert cka(X * np.arange(1, 9), X) < 0.99, "but a scale of each direction does"


def test_features_that_share_nothing_are_unlike() -> None:
    x, y = np.linalg.qr(GENERATOR.normal(size=(60, 6)))[0].T[:, :, None][:2]
    x, y = x - x.mean(), y - y.mean()
    y = y - x * (x * y).sum() / (x * x).sum()
    assert cka(x, y) == pytest.approx(0, abs=1e-12)


def test_all_pairs_are_in_their_order() -> None:
    found = linear_cka([X, Y], [Y, X, X[:, :2]])
    assert found.shape == (2, 3)
    assert found[0, 1] == pytest.approx(1) and found[1, 0] == pytest.approx(1)
    assert found[1, 2] == pytest.approx(cka(Y, X[:, :2]))


def test_it_is_not_added_up_in_half_precision_and_large_values_do_not_overflow() -> None:
    large = (X * 5000).astype(np.float16)
    assert cka(large, Y) == pytest.approx(cka(large.astype(np.float64), Y), rel=1e-12)
    assert cka(X * 1e200, Y) == pytest.approx(cka(X, Y))


def test_features_that_do_not_vary_are_like_none() -> None:
    assert cka(np.ones((60, 3)), X) == 0


def test_cosines_are_those_of_scipy() -> None:
    vectors = GENERATOR.normal(size=(9, 4)).astype(np.float32)
    np.testing.assert_allclose(cosines(vectors), 1 - squareform(pdist(vectors.astype(float), "cosine")), atol=1e-12)
    np.testing.assert_array_equal(cosines(np.zeros((2, 4))), 0)
