"""``inspection.json``: what models do with images, over all seeds, from the inspection of each run and seed."""

from __future__ import annotations

from vitflow.analysis.records.record import Record
from vitflow.analysis.records.summary import Statistics


class InspectedLayer(Record):
    """One layer, without [CLS] and registers."""

    name: str
    depth: float  #: from 0, what enters the first block or stage, to 1, what leaves the last
    width: int
    effective_rank: float  #: 1 .. width, mean over seeds
    median_norm: float  #: mean over seeds
    largest_norm: float  #: of all seeds


class Inspected(Record):
    """One run."""

    label: str
    family: str
    n: int  #: seeds that were looked into
    registers: int
    layers: tuple[InspectedLayer, ...]
    attention: tuple[tuple[float, ...], ...] | None  #: pixels [depth][heads], heads sorted, mean over seeds; of a ViT
    uniform: float | None  #: what it would be if every patch attended to all alike


class ClassAccuracy(Record):
    """Percent of a class that two runs get right."""

    name: str
    one: Statistics
    other: Statistics


class Confused(Record):
    """How often one class is taken for another, percent of the actual one, mean over seeds."""

    actual: str
    predicted: str
    one: float
    other: float


class ClassContrast(Record):
    """Two runs, class by class."""

    one: str
    other: str
    classes: tuple[ClassAccuracy, ...]
    confused: tuple[Confused, ...]  #: the pairs that differ most, most first


class InspectionTitles(Record):
    """One sentence for each figure."""

    attention: str
    layers: str
    shifts: str
    classes: str


class Inspection(Record):
    """All runs that were looked into."""

    split: str  #: of the contrast
    images: int  #: that each run and seed was looked into with
    shown: tuple[str, ...]  #: those that figures point out
    runs: dict[str, Inspected]
    contrast: ClassContrast | None
    titles: InspectionTitles
