"""``pretrained.json``: what a linear probe makes of the features of a ResNet-50 that has seen ImageNet."""

from __future__ import annotations

from typing import Any

from vitflow.analysis.records.record import Record


class Probed(Record):
    """How many of some images the probe gets right."""

    images: int
    accuracy: float  #: percent


class Pretrained(Record):
    """One probe of one frozen model: no seeds, so no deviation."""

    title: str
    weights: str  #: name of their file
    weights_sha256: str
    published: str | None  #: torchvision's name of these weights; None where they are others
    side: int  #: pixels that images are resized to
    width: int  #: features that the probe reads
    parameters: int  #: of the frozen model, without its head
    multiplications: int  #: of an image, without the head
    requested: int  #: images of each split, at most
    learned_from: int  #: training images
    chosen_on: int  #: of these, for the regularisation; the probe then learned from all
    strengths: tuple[float, ...]  #: values of C, the inverse of the regularisation, that it was chosen from
    strength: float
    validation: Probed
    test: Probed
    data_digest: str
    provenance: dict[str, Any]
