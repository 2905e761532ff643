"""What a finished model is worth: accuracy, loss, confusion and calibration from its class scores.

Letters: N images, K classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax
from torch import Tensor

from vitflow.data.splits import Data, Split, stratified
from vitflow.study.dataset import CLEAN

BINS = 10


def score(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> dict[str, Any]:
    """All scores of one split.

    Args:
        logits: class scores, [N, K].
        labels: true classes, [N].

    Returns:
        ``images`` (N), ``accuracy`` (percent), ``loss`` (mean cross-entropy, nats), ``ece`` (expected calibration
        error in percent, ten equal bins; Guo et al., 2017), ``confusion`` [K][K] (rows true, columns predicted) and
        ``calibration`` (per bin: mean ``confidence`` and ``accuracy`` in percent, ``count``; empty bins are 0).
    """
    log_probabilities = log_softmax(logits.astype(np.float64), axis=1)
    predicted = logits.argmax(axis=1)
    correct = predicted == labels
    confidence = np.exp(log_probabilities.max(axis=1))
    classes = logits.shape[1]
    confusion = np.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)  # [K, K]
    bins = reliability(confidence, correct)
    gaps = np.abs(np.subtract(bins["confidence"], bins["accuracy"]))
    return {
        "images": len(labels),
        "accuracy": 100 * float(correct.mean()),
        "loss": float(-log_probabilities[np.arange(len(labels)), labels].mean()),
        "ece": float(np.dot(gaps, bins["count"]) / len(labels)),
        "confusion": confusion.tolist(),
        "calibration": bins,
    }


def scored_splits(data: Data) -> dict[str, Split]:
    """What is scored: ``validation``, ``test``, and of ``train`` as many clean images as there are for validation."""
    clean = stratified(data.train.labels, len(data.validation.labels) or CLEAN)
    return {
        "validation": data.validation,
        "test": data.test,
        "train": Split(data.train.images[clean], data.train.labels[clean]),
    }


def predictions(logits: Tensor, labels: Tensor) -> dict[str, NDArray[Any]]:
    """What is kept of each image, [N]: ``label``, ``predicted``, ``confidence`` and ``true_probability``.

    ``logits`` float [N, K], ``labels`` int64 [N]. Classes are the smallest integers that hold them, probabilities
    float16.
    """
    probabilities = logits.double().softmax(1)
    smallest = np.min_scalar_type(logits.shape[1] - 1)
    return {
        "label": labels.numpy().astype(smallest),
        "predicted": logits.argmax(1).numpy().astype(smallest),
        "confidence": probabilities.max(1).values.half().numpy(),
        "true_probability": probabilities.gather(1, labels[:, None]).squeeze(1).half().numpy(),
    }


def reliability(confidence: NDArray[np.float64], correct: NDArray[np.bool_]) -> dict[str, list[float]]:
    """Mean confidence and accuracy (percent) and count in ten equal bins of confidence (0, 0.1], ..., (0.9, 1]."""
    bins = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    count = np.bincount(bins, minlength=BINS)
    filled = np.maximum(count, 1)
    return {
        "confidence": (100 * np.bincount(bins, confidence, BINS) / filled).tolist(),
        "accuracy": (100 * np.bincount(bins, correct, BINS) / filled).tolist(),
        "count": count.tolist(),
    }
