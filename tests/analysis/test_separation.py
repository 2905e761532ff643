"""How far classes lie apart: against scipy's analysis of variance, and in clouds whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import f_oneway
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from vitflow.analysis.separation import between_classes, fitted, separation

GENERATOR = np.random.default_rng(0)
LABELS = np.arange(200) % 4


def clouds(apart: float, width: int = 6) -> np.ndarray:
    """Four classes at the corners of a square, their centres ``apart`` standard deviations from each other."""
    centres = apart * np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    return np.hstack([centres[LABELS], np.zeros((200, width - 2))]) + GENERATOR.normal(size=(200, width))


def test_between_classes_is_the_eta_squared_of_an_analysis_of_variance() -> None:
    points = clouds(2)
    f = f_oneway(*(points[k == LABELS, 0] for k in range(4))).statistic
    assert between_classes(points[:, :1], LABELS) == pytest.approx(3 * f / (3 * f + 196), abs=1e-4)
    variances = points.var(axis=0)
    parts = [between_classes(points[:, k : k + 1], LABELS) for k in range(6)]
    assert between_classes(points, LABELS) == pytest.approx(np.average(parts, weights=variances), abs=1e-4)


def test_half_of_every_class_is_learned_from() -> None:
    labels = np.array([0, 0, 0, 1, 1, 2])
    assert fitted(labels).tolist() == [True, False, True, True, False, True]
    mine = fitted(LABELS)
    assert np.bincount(LABELS[mine]).tolist() == np.bincount(LABELS[~mine]).tolist() == [25] * 4


def test_a_probe_learns_from_one_half_and_is_scored_on_the_other() -> None:
    points, mine = clouds(2), fitted(LABELS)
    scaler = StandardScaler().fit(points[mine])
    model = LogisticRegression(max_iter=1000).fit(scaler.transform(points[mine]), LABELS[mine])
    expected = 100 * np.mean(model.predict(scaler.transform(points[~mine])) == LABELS[~mine])
    assert separation(points, LABELS).probe == pytest.approx(expected, abs=0.01)
    assert 60 < expected < 100, "so that a score on the same half would be another"


def test_neighbours_are_the_nearest_by_cosine() -> None:
    """Classes that differ in their angle alone, and in length by far more than that."""
    angles = np.pi / 2 * LABELS + GENERATOR.normal(0, 0.05, 200)
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1) * GENERATOR.uniform(1, 100, (200, 1))
    assert separation(np.vstack([points, -points]), np.tile(LABELS, 2) % 2).neighbours == 100


def test_separation_is_all_or_chance_where_classes_are_far_apart_or_alike() -> None:
    far, none = separation(clouds(50), LABELS), separation(clouds(0), LABELS)
    assert far.probe == far.neighbours == 100 and far.between > 0.99
    assert none.probe and none.neighbours and none.probe < 45 and none.neighbours < 45 and none.between < 0.05


def test_images_too_few_to_score_have_no_accuracy() -> None:
    found = separation(GENERATOR.normal(size=(4, 3)), np.arange(4))
    assert found.probe is None and found.neighbours is None and found.between == 1


def test_half_precision_and_features_that_do_not_vary_are_no_trouble() -> None:
    large = (clouds(50) * 1000).astype(np.float16)
    assert separation(large, LABELS).probe == 100
    flat = separation(np.ones((200, 3), dtype=np.float16), LABELS)
    assert flat.probe == 25 and flat.between == 0
