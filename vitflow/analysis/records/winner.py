"""``selection/selection.json`` and ``best.json``: what is combined, and how it does on fresh seeds."""

from __future__ import annotations

from vitflow.analysis.records.record import Interval, Record, Setting
from vitflow.analysis.records.summary import Statistics


class Choice(Record):
    """What was decided on one axis, on validation images of the grid."""

    axis: str
    value: str  #: '' where the baseline's is kept
    gain: float | None  #: of the value that is adopted, in points
    why: str


class Finalist(Record):
    """A configuration that is trained on fresh seeds."""

    run: str  #: names the folder of its results
    changes: dict[str, Setting]  #: fields that differ from the baseline
    all_images: bool  #: trained on the validation images too


class Selection(Record):
    """What is confirmed on fresh seeds, and why. A role may be that of a run which has another one already."""

    inputs: str  #: digest of what it was chosen from
    architecture: tuple[Choice, ...]
    techniques: tuple[Choice, ...]
    finalists: tuple[Finalist, ...]  #: every configuration once, the baseline first
    singles: tuple[str, ...]  #: the best single changes of the architecture, best first
    best_architecture: str
    best: str
    without: dict[str, str]  #: by axis, ``best`` without what was adopted there
    all_images: str | None  #: ``best`` trained on all training images


class Confirmed(Record):
    """One finalist on its fresh seeds."""

    label: str
    seeds: tuple[int, ...]
    n: int  #: that finished
    diverged: int
    validation: Statistics
    test: Statistics
    parameters: int
    multiplications: int


class Contrast(Record):
    """Mean test accuracy of a run minus that of another, in points, on the same seeds."""

    n: int  #: the smaller number of seeds
    diverged: int  #: seeds of the run
    points: float
    interval: Interval | None  #: simultaneous over the contrasts beside it, and one wherever these two are compared
    control_diverged: int = 0  #: seeds of the other


class Winners(Record):
    """The finalists on their fresh seeds."""

    selection: Selection
    runs: dict[str, Confirmed]
    against_baseline: dict[str, Contrast]  #: by run
    against_best: dict[str, Contrast]  #: by axis: ``best`` without it, minus ``best``
    against_architecture: Contrast | None  #: ``best`` minus ``best_architecture``; None where they are one
    architecture_finding: str
    best_finding: str

    @property
    def best(self) -> Confirmed:
        """The best combination, which may be the baseline."""
        return self.runs[self.selection.best]
