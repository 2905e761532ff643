"""``pca.json``: principal components of features."""

from __future__ import annotations

from vitflow.analysis.records.record import Record


class PooledComponents(Record):
    """Pooled features on their first two components."""

    explained: tuple[float, ...]  #: shares of the variance
    points: tuple[tuple[float, ...], ...]


class PatchComponents(Record):
    """Patch tokens on their first three components, as colours of example images."""

    explained: tuple[float, ...]
    maps: tuple[tuple[tuple[tuple[int, ...], ...], ...], ...]  #: [E, side, side, 3], 0..255


class Components(Record):
    """Principal components of one model's features."""

    run: str
    label: str
    layer: str
    positions: int
    dimension: int
    pooled: PooledComponents
    patch: PatchComponents


class Absent(Record):
    """A model without features."""

    run: str
    label: str
    reason: str


class Example(Record):
    """An image that figures show."""

    label: int
    image: tuple[tuple[tuple[int, ...], ...], ...]  #: [H, W, C], 0..255


class Pca(Record):
    """Principal components of all models that give features, on the same images."""

    images: int
    split: str
    classes: tuple[str, ...]
    labels: tuple[int, ...]
    models: tuple[Components, ...]
    absent: tuple[Absent, ...]
    examples: tuple[Example, ...]
