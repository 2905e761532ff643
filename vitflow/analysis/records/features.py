"""``features.json``: what features of validation images look like inside models, layer by layer."""

from __future__ import annotations

from typing import Literal

from vitflow.analysis.records.packed import Packed
from vitflow.analysis.records.record import Record


class Separation(Record):
    """How far classes lie apart in features of whole images; None where no image is left to score."""

    between: float  #: share of the variance that lies between classes, 0..1
    probe: float | None  #: accuracy of a linear probe, percent
    neighbours: float | None  #: of the nearest neighbours, percent


class Layer(Record):
    """One layer, its features averaged over the positions of an image."""

    name: str
    depth: float  #: from 0, what enters the first block or stage, to 1, what leaves the last
    positions: int
    width: int
    separation: Separation


class View(Record):
    """Principal components at one layer."""

    place: str  #: early, middle, late; '/' between where one layer is two of them
    layer: str
    between: float  #: classes' share of the variance of ``points``, 0..1
    explained: tuple[float, ...]  #: of the variance of images, by ``points``
    points: Packed  #: [N, 2] images, their positions averaged, in standard deviations of the first component
    patch_components: tuple[int, ...]  #: some numbers of components, the last the width ...
    patch_held: tuple[float, ...]  #: ... and the share of the variance of positions that as many hold, 0..1
    patch_most: int  #: components that hold 90 % of it
    patch_colours: float  #: share that the three components of ``maps`` hold
    maps: Packed  #: [E, side, side, 3] positions of the examples, 0..255 from the 1st to the 99th percentile


class Attention(Record):
    """Where a ViT looks in the examples, heads averaged; each map from 0 to 255, its own largest value."""

    asks: Literal["[CLS]", "the mean patch"]
    patches: tuple[float, ...]  #: [L] to how many patches, as exp of the entropy: 1 to T, mean over examples
    image: Packed  #: [L, E, side, side] what ``asks`` attends to
    patch: Packed  #: [L, E, side, side] what the patch at the centre attends to


class Inside(Record):
    """Everything known of one model's features."""

    run: str
    label: str
    family: str
    layers: tuple[Layer, ...]
    pooled: Separation  #: what the head reads
    views: tuple[View, ...]
    attention: Attention | None  #: of a ViT
    position: Packed | None  #: [T, T] uint8, cosine of learned position vectors, 0 for -1 and 255 for 1


class Similarity(Record):
    """Linear CKA (Kornblith et al., 2019) of the layers of two models, 0..1."""

    one: str
    other: str
    values: tuple[tuple[float, ...], ...]  #: [layers of one, layers of other]


class Absent(Record):
    """A model without features."""

    run: str
    label: str
    reason: str


class FeatureTitles(Record):
    """One sentence for each figure."""

    components: str
    patches: str
    spectrum: str
    similarity: str
    separation: str
    attention: str
    position: str


class Features(Record):
    """Features of all models that give any, on the same images; of one seed each."""

    images: int
    split: str
    classes: tuple[str, ...]
    labels: Packed  #: [N]
    examples: Packed  #: [E, H, W, C] images that figures show, 0..255
    example_labels: tuple[int, ...]
    fitted: int  #: of the images, those that probes and neighbours learn from; the others score
    models: tuple[Inside, ...]
    absent: tuple[Absent, ...]
    similarities: tuple[Similarity, ...]
    titles: FeatureTitles

    @property
    def names(self) -> dict[str, str]:
        """By run, the model's label as far as its commas need to go to tell it from the others.

        ``ResNet-18, width 16, learning rate 0.008`` is ``ResNet-18`` where no other gives features.
        """
        parts = {model.run: model.label.split(", ") for model in self.models}
        return {
            run: next(
                ", ".join(own[:k])
                for k in range(1, len(own) + 1)
                if k == len(own) or all(own[:k] != other[:k] for key, other in parts.items() if key != run)
            )
            for run, own in parts.items()
        }
