"""``mistakes.json``: validation images that runs get wrong, and what each run says of them."""

from __future__ import annotations

from vitflow.analysis.records.record import Record


class Picture(Record):
    """One validation image."""

    index: int  #: its place among the validation images
    label: int
    png: str  #: base64


class Answers(Record):
    """What a run says of the images, in their order, over its seeds that finished."""

    n: int
    wrong: tuple[int, ...]  #: seeds that are wrong
    predicted: tuple[int, ...]  #: the wrong class most of them name; the true one where none is wrong
    confidence: tuple[float, ...]  #: 0..1, mean over the seeds that name this class


class Mistakes(Record):
    """Images drawn in proportion to how many runs get them wrong."""

    split: str
    images: int  #: they were drawn from
    classes: tuple[str, ...]
    pictures: tuple[Picture, ...]  #: by class; none where nothing is held out, or no run finished
    runs: dict[str, Answers]  #: without runs that did not finish, or hold out other images
