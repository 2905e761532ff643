"""Single records of an analysis with plausible contents, of which a test states what it is about."""

from __future__ import annotations

from typing import Any

from vitflow.analysis.records import (
    Axis,
    Choice,
    Confirmed,
    Contrast,
    Difference,
    Finalist,
    Interval,
    Place,
    Run,
    Selection,
    Stability,
    Statistics,
    Summary,
    Winners,
)

NOTHING = Statistics(mean=None, sd=None, values=())
CALM = Stability(
    gradient_spikes=0.0,
    loss_spikes=0.0,
    largest_gradient_norm=1.5,
    largest_attention_logit=12.0,
    diverged_at={},
)


def rival(points: float | None, family: str = "resnet") -> Run:
    """A model of another family, as far from the baseline on validation images as on those of the test."""
    return a_run(points, kind="family", family=family, validation=around(80.0 + (points or 0.0)))


def around(mean: float) -> Statistics:
    """Three values with a standard deviation of 0.25."""
    return Statistics(mean=mean, sd=0.25, values=(mean - 0.25, mean, mean + 0.25))


def a_run(points: float | None = None, interval: Interval | None = None, **changes: Any) -> Run:
    """A run of three seeds, ``points`` of test accuracy from the baseline; None for what cannot be compared.

    ``interval`` is that of its group and over all changes; by default it has two seeds to compare where it has none.
    """
    difference = Difference(
        n=3 if interval else 2,
        test=points or 0.0,
        test_interval=interval,
        test_interval_overall=interval,
        validation=points,
        validation_interval=None,
    )
    run = Run(
        label="patch size 2",
        family="vit",
        model={"patch_size": 2},
        kind="change",
        train_images=45_000,
        seeds=(0, 1, 2),
        n=3,
        diverged=0,
        validation=around(84.0),
        test=around(83.0),
        clean_train=around(95.0),
        test_loss=around(0.5),
        test_ece=around(4.0),
        shifts={},
        attention_distance=NOTHING,
        stability=CALM,
        difference=None if points is None else difference,
        parameters=2_712_000,
        multiplications=174_000_000,
        tokens=65,
        images_per_second=150.0,
        time_ratio=1.25,
        time_ratios=(1.2, 1.3),
        peak_bytes=1_000_000,
    )
    return run.model_copy(update=changes)


def diverged(*steps: int, of: int = 3, **changes: Any) -> Run:
    """A run whose first seeds diverged at ``steps``."""
    at = {str(seed): step for seed, step in enumerate(steps)}
    lost = {"n": of - len(steps), "diverged": len(steps), "seeds": tuple(range(of))}
    scores = {} if lost["n"] else {"validation": NOTHING, "test": NOTHING, "clean_train": NOTHING}
    return a_run(**lost, **scores, stability=CALM.model_copy(update={"diverged_at": at}), **changes)


def an_axis(label: str, *values: str, runs: tuple[str, ...] = (), group: str = "architecture") -> Axis:
    """An axis at whose values stand the runs of the same names, unless told otherwise."""
    return Axis(
        group=group,
        axis=label.lower().replace(" ", "_"),
        label=label,
        confound="what else changes",
        values=tuple(Place(value=v, run=run) for v, run in zip(values, runs or values, strict=True)),
        finding=f"{label} matters",
    )


def confirmed(label: str, test: float | None = 87.0, **changes: Any) -> Confirmed:
    """A finalist on three fresh seeds; ``test`` None where all diverged."""
    scores = NOTHING if test is None else around(test)
    run = Confirmed(
        label=label,
        seeds=(100, 101, 102),
        n=len(scores.values),
        diverged=3 - len(scores.values),
        validation=scores,
        test=scores,
        parameters=2_712_000,
        multiplications=174_000_000,
    )
    return run.model_copy(update=changes)


def contrast(points: float, interval: Interval | None = None) -> Contrast:
    return Contrast(n=3, diverged=0, points=points, interval=interval)


def winners(**changes: Any) -> Winners:
    """Patch size 2 as best architecture, with mean pooling as best, on three fresh seeds."""
    chosen = Selection(
        inputs="f" * 64,
        architecture=(
            Choice(axis="patch_size", value="2", gain=3.0, why="significant on validation images"),
            Choice(axis="mlp_ratio", value="", gain=None, why="no value whose gain is significant"),
        ),
        techniques=(Choice(axis="pool", value="mean", gain=1.0, why="significant on validation images"),),
        finalists=(
            Finalist(run="baseline", changes={}, all_images=False),
            Finalist(run="patch_size=2", changes={"patch_size": 2}, all_images=False),
            Finalist(run="best", changes={"patch_size": 2, "pool": "mean"}, all_images=False),
            Finalist(run="pool=mean", changes={"pool": "mean"}, all_images=False),
        ),
        singles=("patch_size=2",),
        best_architecture="patch_size=2",
        best="best",
        without={"patch_size": "pool=mean", "pool": "patch_size=2"},
        all_images=None,
    )
    found = Winners(
        selection=chosen,
        runs={
            "baseline": confirmed("baseline", 84.0),
            "patch_size=2": confirmed("patch size 2", 87.0),
            "best": confirmed("patch size 2, pooling mean", 88.0),
            "pool=mean": confirmed("pooling mean", 85.0),
        },
        against_baseline={
            "patch_size=2": contrast(3.0, (2.0, 4.0)),
            "best": contrast(4.0, (3.0, 5.0)),
            "pool=mean": contrast(1.0, (0.1, 1.9)),
        },
        against_best={"patch_size": contrast(-3.0, (-4.0, -2.0)), "pool": contrast(-1.0, (-2.0, 0.1))},
        against_architecture=contrast(1.0, (0.1, 1.9)),
        architecture_finding="On fresh seeds, the best architecture gains",
        best_finding="The best combination gains",
    )
    return found.model_copy(update=changes)


def with_runs(summary: Summary, runs: dict[str, Run], **changes: Any) -> Summary:
    """The summary of other runs, which stand on no axis unless told."""
    return summary.model_copy(
        update={"runs": runs, "groups": (), "axes": (), "references": (), "diverged": (), "best": None} | changes
    )
