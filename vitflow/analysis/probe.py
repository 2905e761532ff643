"""A linear probe of a frozen model's features, its regularisation chosen on training images alone.

Letters: N images, D width.
"""

from __future__ import annotations

from sklearn.pipeline import Pipeline

from vitflow.analysis.records import Probed
from vitflow.analysis.separation import Array, Labels, fitted, linear_probe

#: values of scikit-learn's C, the inverse of the regularisation, strictest first
STRENGTHS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)


def taught(features: Array, labels: Labels) -> tuple[Pipeline, float]:
    """The probe of training images' features [N, D], and its C: the first of STRENGTHS that does best.

    Each is taught half of the images of every class (:func:`vitflow.analysis.separation.fitted`) and scored on the
    others; the chosen one is taught all of them. Where there are no others the strictest is taken.
    """
    mine, found = fitted(labels), STRENGTHS[0]
    if not mine.all():
        scores = {
            strength: linear_probe(strength).fit(features[mine], labels[mine]).score(features[~mine], labels[~mine])
            for strength in STRENGTHS
        }
        found = max(scores, key=scores.__getitem__)  # the first of equals
    return linear_probe(found).fit(features, labels), found


def probed(probe: Pipeline, features: Array, labels: Labels) -> Probed:
    """How many of other images, of features [N, D], a probe that is taught gets right."""
    return Probed(images=len(labels), accuracy=round(100 * float(probe.score(features, labels)), 2))


def title(published: str | None, test: Probed) -> str:
    """The finding in one sentence; of weights that nobody knows it does not say that they have seen ImageNet."""
    who = "A ResNet-50 that has seen ImageNet" if published else "A ResNet-50 of other weights than torchvision's"
    return f"{who} gets {test.accuracy:.1f} % of {test.images:,} test images right"
