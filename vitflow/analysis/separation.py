"""How far classes lie apart in features of images.

Letters: N images, D width.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from vitflow.analysis.records import Separation

Array = NDArray[np.floating[Any]]
Labels = NDArray[np.integer[Any]]

NEIGHBOURS = 10
DIGITS = 4  #: decimals kept of shares


def separation(features: Array, labels: Labels) -> Separation:
    """All measures of features [N, D] of images with ``labels`` [N].

    Half of the images of every class (:func:`fitted`) teach a linear probe (multinomial logistic regression, L2 with
    C = 1, on standardised features) and 10 nearest neighbours (by cosine, of centred features); the others score both.
    """
    values, mine = features.astype(np.float64), fitted(labels)
    found: dict[str, float | None] = {"probe": None, "neighbours": None}
    if not mine.all():
        nearest = KNeighborsClassifier(min(NEIGHBOURS, int(mine.sum())), metric="cosine")
        models = {
            "probe": linear_probe(),
            "neighbours": make_pipeline(StandardScaler(with_std=False), nearest),
        }
        for name, model in models.items():
            model.fit(values[mine], labels[mine])
            found[name] = round(100 * float(model.score(values[~mine], labels[~mine])), 2)
    return Separation(between=between_classes(values, labels), **found)


def linear_probe(strength: float = 1.0) -> Pipeline:
    """Multinomial logistic regression on standardised features, not taught yet. ``strength``: C, less is stricter."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=1000))


def fitted(labels: Labels) -> NDArray[np.bool_]:
    """Which images [N] are learned from: of every class the first, the third, the fifth ..."""
    mine = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        mine[np.flatnonzero(labels == label)[::2]] = True
    return mine


def between_classes(points: Array, labels: Labels) -> float:
    """Share of the variance of points [N, D] that lies between the means of their classes (eta squared): 0..1."""
    centred = points.astype(np.float64) - points.mean(axis=0, dtype=np.float64)
    total = float((centred**2).sum())
    between = sum(
        float((labels == label).sum() * (centred[labels == label].mean(axis=0) ** 2).sum())
        for label in np.unique(labels)
    )
    return round(between / total, DIGITS) if total else 0.0
