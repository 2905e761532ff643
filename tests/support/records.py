"""Single records of an analysis with plausible contents, of which a test states what it is about."""

from __future__ import annotations

from typing import Any

from vitflow.analysis.records import Axis, Difference, Interval, Place, Run, Stability, Statistics, Summary, Winner

NOTHING = Statistics(mean=None, sd=None, values=())
CALM = Stability(
    gradient_spikes=0.0,
    loss_spikes=0.0,
    largest_gradient_norm=1.5,
    largest_attention_logit=12.0,
    diverged_at={},
)


def around(mean: float) -> Statistics:
    """Three values with a standard deviation of 0.25."""
    return Statistics(mean=mean, sd=0.25, values=(mean - 0.25, mean, mean + 0.25))


def a_run(points: float | None = None, interval: Interval | None = None, **changes: Any) -> Run:
    """A run of three seeds, ``points`` of test accuracy from the baseline; None for what cannot be compared."""
    difference = Difference(
        n=3, test=points or 0.0, test_interval=interval, validation=points, validation_interval=None
    )
    run = Run(
        label="patch size 2",
        family="vit",
        model={"patch_size": 2},
        reference=False,
        seeds=(0, 1, 2),
        n=3,
        diverged=0,
        validation=around(84.0),
        test=around(83.0),
        clean_train=around(95.0),
        test_loss=around(0.5),
        test_ece=around(4.0),
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


def a_winner(**changes: Any) -> Winner:
    """The winning combination, on two fresh seeds."""
    winner = Winner(
        changes={"patch_size": 2},
        reasons=(
            "patch_size: 2 adopted, +3.00 points on validation",
            "mlp_ratio: baseline kept, no value whose gain is sure",
        ),
        group="architecture",
        inputs="f" * 64,
        run="best",
        label="patch size 2",
        seeds=(1000, 1001),
        n=2,
        validation=around(88.0),
        test=around(87.0),
    )
    return winner.model_copy(update=changes)


def with_runs(summary: Summary, runs: dict[str, Run], **changes: Any) -> Summary:
    """The summary of other runs, which stand on no axis unless told."""
    return summary.model_copy(update={"runs": runs, "axes": (), "references": (), "diverged": ()} | changes)
