"""``summary.json``: a study over all its seeds."""

from __future__ import annotations

from vitflow.analysis.records.record import Interval, Record, Setting


class Statistics(Record):
    """A quantity over the seeds of a run that finished."""

    mean: float | None  #: None without a value
    sd: float | None  #: of the sample; None below two values
    values: tuple[float, ...]


class Difference(Record):
    """mean(run) - mean(baseline), with simultaneous 95 % intervals where there are three seeds."""

    n: int  #: the smaller number of seeds
    test: float
    test_interval: Interval | None
    validation: float | None
    validation_interval: Interval | None


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
    reference: bool  #: of another family or size, named under ``references``
    seeds: tuple[int, ...]
    n: int  #: seeds that finished
    diverged: int
    validation: Statistics
    test: Statistics
    clean_train: Statistics
    test_loss: Statistics
    test_ece: Statistics
    stability: Stability
    difference: Difference | None
    parameters: int
    multiplications: int  #: per image, forward
    tokens: int
    images_per_second: float | None  #: measured alone
    time_ratio: float | None  #: time of an update, the baseline's being 1
    time_ratios: Interval | None  #: smallest and largest
    peak_bytes: int | None


class Place(Record):
    """One value of an axis, and the run that stands there."""

    value: str
    run: str


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
    duplicates: tuple[str, ...]  #: on images that stand there twice; none if none do
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
    stability: str
    cost: str
    best: str
    features: str
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
    descriptive: bool  #: whether some run has fewer than three finished seeds
    digest: str  #: of the results it rests on
    date: str  #: of the newest of them, YYYY-MM-DD
    device: str
    measured_on: str  #: '' where no cost is measured
    versions: dict[str, str]
    train_hours: float
    runs: dict[str, Run]
    axes: tuple[Axis, ...]
    references: tuple[str, ...]
    diverged: tuple[str, ...]
    findings: Findings
    best: BestSingle | None
