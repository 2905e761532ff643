"""The linear probe of a pretrained model: how it chooses its regularisation, and what it says."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from vitflow.analysis.probe import STRENGTHS, probed, taught, title
from vitflow.analysis.records import Probed
from vitflow.analysis.separation import fitted

GENERATOR = np.random.default_rng(0)
LABELS = np.arange(80) % 4


def clouds(apart: float, width: int, images: int = 80) -> np.ndarray:
    """Four classes ``apart`` deviations from 0 on an axis each; the other axes are noise."""
    centres = apart * np.eye(4, width)
    return centres[np.arange(images) % 4] + GENERATOR.normal(size=(images, width))


@pytest.mark.parametrize(("apart", "width"), [(1.5, 4), (1.5, 200), (0.5, 20)])
def test_the_choice_is_the_best_on_the_half_that_was_not_learned_from(apart: float, width: int) -> None:
    features, mine, scores = clouds(apart, width), fitted(LABELS), []
    for strength in STRENGTHS:
        scaler = StandardScaler().fit(features[mine])
        model = LogisticRegression(C=strength, max_iter=1000).fit(scaler.transform(features[mine]), LABELS[mine])
        scores.append(np.mean(model.predict(scaler.transform(features[~mine])) == LABELS[~mine]))
    assert len(set(scores)) > 1, "or nothing is chosen"
    assert taught(features, LABELS)[1] == STRENGTHS[int(np.argmax(scores))]


def test_the_chosen_probe_learns_from_all_training_images() -> None:
    features = clouds(1.5, 20)
    probe, strength = taught(features, LABELS)
    scaler = StandardScaler().fit(features)
    model = LogisticRegression(C=strength, max_iter=1000).fit(scaler.transform(features), LABELS)
    np.testing.assert_allclose(probe.predict_proba(features), model.predict_proba(scaler.transform(features)))


def test_one_image_of_each_class_leaves_nothing_to_choose_on() -> None:
    assert taught(clouds(5, 4, 4), LABELS[:4])[1] == STRENGTHS[0]


def test_a_score_counts_the_images_that_are_right() -> None:
    probe, _ = taught(clouds(50, 4), LABELS)
    wrong = np.where(np.arange(80) < 8, (LABELS + 1) % 4, LABELS)
    assert probed(probe, clouds(50, 4), wrong) == Probed(images=80, accuracy=90.0)


def test_only_of_published_weights_it_is_said_that_they_have_seen_imagenet() -> None:
    found = Probed(images=5000, accuracy=88.26)
    assert title("IMAGENET1K_V1", found) == "A ResNet-50 that has seen ImageNet gets 88.3 % of 5,000 test images right"
    assert "ImageNet" not in title(None, found) and "88.3 % of 5,000" in title(None, found)
