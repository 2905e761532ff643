"""Scores of a finished model, against scikit-learn and closed forms."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from scipy.special import softmax
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss

from vitflow.data.splits import Data, Split
from vitflow.measuring.scores import BINS, predictions, reliability, score, scored_splits


@pytest.fixture(params=[2, 10])
def case(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(request.param)
    labels = generator.integers(0, request.param, 500)
    logits = generator.normal(0, 2, (500, request.param)).astype(np.float32)
    logits[np.arange(500), labels] += 1.5  # better than chance
    return logits, labels


def test_scores_agree_with_scikit_learn(case: tuple[np.ndarray, np.ndarray]) -> None:
    logits, labels = case
    found, classes = score(logits, labels), np.arange(logits.shape[1])
    predicted, probabilities = logits.argmax(1), softmax(logits.astype(np.float64), axis=1)
    assert found["images"] == 500
    assert found["accuracy"] == pytest.approx(100 * accuracy_score(labels, predicted))
    assert found["loss"] == pytest.approx(log_loss(labels, probabilities, labels=classes))
    assert found["confusion"] == confusion_matrix(labels, predicted, labels=classes).tolist()
    json.dumps(found, allow_nan=False)  # plain numbers, as metrics.json needs them


def test_calibration_agrees_with_its_definition(case: tuple[np.ndarray, np.ndarray]) -> None:
    logits, labels = case
    found = score(logits, labels)
    confidence = softmax(logits.astype(np.float64), axis=1).max(1)
    correct = logits.argmax(1) == labels
    expected = 0.0
    for b in range(BINS):  # (0, 0.1], ..., (0.9, 1]
        inside = (confidence > b / BINS) & (confidence <= (b + 1) / BINS)
        assert found["calibration"]["count"][b] == inside.sum()
        if inside.any():
            assert found["calibration"]["confidence"][b] == pytest.approx(100 * confidence[inside].mean())
            assert found["calibration"]["accuracy"][b] == pytest.approx(100 * correct[inside].mean())
            expected += 100 * inside.mean() * abs(confidence[inside].mean() - correct[inside].mean())
        else:
            assert found["calibration"]["confidence"][b] == found["calibration"]["accuracy"][b] == 0
    assert found["ece"] == pytest.approx(expected)


def test_uniform_scores_in_closed_form() -> None:
    found = score(np.zeros((20, 10), np.float32), np.repeat(np.arange(10), 2))
    assert found["loss"] == pytest.approx(np.log(10))
    assert found["accuracy"] == 10  # ties go to the first class
    assert found["ece"] == pytest.approx(0)  # confidence 0.1, accuracy 0.1
    assert np.sum(found["confusion"], axis=1).tolist() == [2] * 10
    assert np.sum(found["confusion"], axis=0).tolist() == [20] + [0] * 9


def test_certain_and_wrong_in_closed_form() -> None:
    found = score(np.array([[1000.0, 0.0], [1000.0, 0.0]], np.float32), np.array([0, 1]))
    assert found["loss"] == pytest.approx(500)  # and no overflow
    assert (found["accuracy"], found["ece"]) == (50, pytest.approx(50))
    assert found["confusion"] == [[1, 0], [1, 0]]  # rows are true classes
    assert found["calibration"]["count"] == [0] * 9 + [2]


def test_bins_are_open_below_and_closed_above() -> None:
    confidence = np.array([0.0, 0.05, 0.1, 0.1000001, 0.5, 0.9, 0.95, 1.0])
    bins = reliability(confidence, np.ones(8, dtype=bool))
    assert bins["count"] == [3, 1, 0, 0, 1, 0, 0, 0, 1, 2]


def test_classes_without_an_image_keep_their_row() -> None:
    found = score(np.eye(3, dtype=np.float32)[[0, 1]], np.array([0, 1]))
    assert found["confusion"] == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]


# ------------------------------------------------------------------------------- of which images, and each of them


def sorted_split(images: int, classes: int = 10) -> Split:
    """Images that say their number, in the order of their classes."""
    pixels = torch.arange(images, dtype=torch.uint8)[:, None, None, None].expand(images, 2, 2, 1)
    return Split(pixels, torch.arange(images) * classes // max(images, 1))


@pytest.mark.parametrize(("validation", "clean"), [(50, 50), (20, 20), (0, 200)])
def test_as_many_clean_training_images_are_scored_as_there_are_for_validation(validation: int, clean: int) -> None:
    train = sorted_split(200)
    data = Data(train, sorted_split(validation), sorted_split(30), (0.5,), (0.5,), tuple("0123456789"), "")
    found = scored_splits(data)
    assert list(found) == ["validation", "test", "train"]
    assert found["validation"] is data.validation and found["test"] is data.test
    assert torch.bincount(found["train"].labels).tolist() == [clean // 10] * 10  # balanced; without validation, all
    assert torch.equal(found["train"].labels, train.labels[found["train"].images[:, 0, 0, 0].long()])


@pytest.mark.parametrize(("classes", "kind"), [(2, np.uint8), (256, np.uint8), (257, np.uint16)])
def test_predictions_are_kept_of_each_image(classes: int, kind: type) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(40, classes, generator=generator)
    labels = torch.randint(0, classes, (40,), generator=generator)
    found = predictions(logits, labels)
    probabilities = softmax(logits.double().numpy(), axis=1)
    assert found.keys() == {"label", "predicted", "confidence", "true_probability"}
    assert (found["label"].dtype, found["predicted"].dtype) == (kind, kind)
    np.testing.assert_array_equal(found["label"], labels.numpy())
    np.testing.assert_array_equal(found["predicted"], probabilities.argmax(1))
    np.testing.assert_allclose(found["confidence"], probabilities.max(1), rtol=1e-3)
    np.testing.assert_allclose(found["true_probability"], probabilities[np.arange(40), labels.numpy()], rtol=1e-3)
    assert found["confidence"].dtype == found["true_probability"].dtype == np.float16
