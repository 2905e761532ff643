"""``calibration.json`` and ``confusion.json``: predictions of all seeds of a run as one."""

from __future__ import annotations

from vitflow.analysis.records.record import Record


class Bins(Record):
    """Predictions in equal bins of confidence."""

    count: tuple[int, ...]
    confidence: tuple[float, ...]  #: mean
    accuracy: tuple[float, ...]


class Calibration(Record):
    """Bins of every run, its seeds pooled."""

    split: str
    runs: dict[str, Bins]


class Cell(Record):
    """How often one class was taken for another."""

    actual: str
    predicted: str
    images: int


class Confusion(Record):
    """The confusion matrix of a run, row by row: a list of objects, which ``dvc plots`` reads as a table."""

    run: str
    n: int
    split: str
    classes: tuple[str, ...]
    cells: tuple[Cell, ...]
