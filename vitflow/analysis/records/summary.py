"""``summary.json``: a study over all its seeds."""

from __future__ import annotations

from typing import Literal

from vitflow.analysis.records.record import Interval, Record, Setting

#: what a run is to the baseline. ``change``: of the model or its recipe, a value of an ablation's axis; ``cross``: of
#: two at once; ``budget``: other epochs; ``subset``: fewer training images; ``family``: another family, or a reference
Kind = Literal["baseline", "change", "cross", "budget", "subset", "family"]


class Statistics(Record):
    """A quantity over the seeds of a run that finished."""

    mean: float | None  #: None without a value
    sd: float | None  #: of the sample; None below two values
    values: tuple[float, ...]


class Difference(Record):
    """mean(run) - mean(baseline), with 95 % intervals where there are three seeds that do not all agree."""

    n: int  #: the smaller number of seeds
    test: float
    test_interval: Interval | None  #: simultaneous within the group
    test_interval_overall: Interval | None  #: simultaneous over all changes, and over its group; None where it is none
    validation: float | None
    validation_interval: Interval | None
    control_diverged: int = 0  #: seeds of the baseline


class Stability(Record):
    """Of all seeds, diverged ones included; None where nothing was measured."""

    gradient_spikes: float | None  #: mean a training
    loss_spikes: float | None
    largest_gradient_norm: float | None
    largest_attention_logit: float | None
    diverged_at: dict[str, int]  #: step by seed

    @property
    def spikes(self) -> float:
        """Spikes of gradient and loss; 0 where they were not measured."""
        return (self.gradient_spikes or 0) + (self.loss_spikes or 0)


class Run(Record):
    """Everything known of one run."""

    label: str
    family: str
    model: dict[str, Setting]
    kind: Kind
    train_images: int  #: 0 before any seed is trained
    seeds: tuple[int, ...]
    n: int  #: seeds that finished
    diverged: int
    validation: Statistics
    test: Statistics
    clean_train: Statistics
    test_loss: Statistics
    test_ece: Statistics
    shifts: dict[str, Statistics]  #: percent of images that keep their class, by pixels moved; {} where not looked into
    attention_distance: Statistics  #: mean over layers and heads, in pixels; of ViTs alone
    stability: Stability
    difference: Difference | None
    parameters: int
    multiplications: int  #: per image, forward
    tokens: int
    images_per_second: float | None  #: measured alone
    time_ratio: float | None  #: time of an update, the baseline's being 1
    time_ratios: Interval | None  #: smallest and largest
    peak_bytes: int | None

    @property
    def relative_time(self) -> float | None:
        """``time_ratio``, but 1 for the baseline, which against itself takes as long, whatever the clock says."""
        return 1.0 if self.time_ratio is not None and self.kind == "baseline" else self.time_ratio


class Place(Record):
    """One value of an axis, and the run that stands there."""

    value: str
    run: str


class Group(Record):
    """One ablation group: the changes that are compared with the baseline at once."""

    group: str
    runs: tuple[str, ...]  #: without the baseline
    smallest_effect: float | None  #: points from 0 that a test difference must have to be told from none


class Axis(Record):
    """One axis of an ablation group."""

    group: str
    axis: str
    label: str
    confound: str  #: what else changes along it
    values: tuple[Place, ...]
    finding: str


class Images(Record):
    """Which images the study is about."""

    title: str  #: as people say it
    duplicates: tuple[str, ...]  #: on images that stand there twice, with examples after ``: ``; none if none do
    image_size: int
    channels: int
    classes: tuple[str, ...]
    train_images: int
    validation_images: int
    test_images: int


class Findings(Record):
    """Titles that are not about one axis."""

    headline: str
    convergence: str
    fit: str
    stability: str
    cost: str
    best: str
    subsets: str
    references: str


class BestSingle(Record):
    """The run with the highest mean validation accuracy."""

    run: str
    label: str
    n: int
    validation: float
    test: float | None


class Summary(Record):
    """A study over all its seeds."""

    study: str
    title: str
    author: str
    dataset: Images
    model: dict[str, Setting]
    training: dict[str, Setting]
    equivalence_margin: float
    seeds: int
    baseline_seeds: int
    done: int
    total: int
    baseline_images: Interval | None  #: of the baseline's test accuracy over the choice of test images
    descriptive: bool  #: whether some run was trained with fewer than three seeds so far
    digest: str  #: of the results it rests on
    date: str  #: of the newest of them, YYYY-MM-DD
    device: str
    measured_on: str  #: '' where no cost is measured
    versions: dict[str, str]
    train_hours: float
    runs: dict[str, Run]
    groups: tuple[Group, ...]
    axes: tuple[Axis, ...]
    references: tuple[str, ...]
    diverged: tuple[str, ...]
    findings: Findings
    best: BestSingle | None

    @property
    def epochs(self) -> int:
        """Of the baseline's recipe; its settings are of several kinds."""
        return int(str(self.training["epochs"]))
