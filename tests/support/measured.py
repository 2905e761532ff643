"""A small study of which every accuracy is written down: what tables and titles of the analysis are tested on."""

from __future__ import annotations

from typing import Any

from support.analysis import TECHNIQUES
from vitflow.analysis.records import Run
from vitflow.analysis.runs import Cost, Result, runs_table
from vitflow.study.grid import BASELINE, expand
from vitflow.study.reading import parse_study
from vitflow.study.schema import Study


def study(architecture: dict[str, list[Any]], **more: Any) -> Study:
    """A study of CIFAR-10 with these axes, which chooses a winner."""
    plain = {"study": "s", "dataset": {"name": "cifar10"}, "best": {}, "ablations": {"architecture": architecture}}
    return parse_study(plain | more, "x")


PLAN = study({"depth": [4, 6], "width": [96, 192]}, references={"r": {"family": "resnet"}}, baseline_seeds=4)
GRID = expand(PLAN)
COSTS = {run: Cost(parameters=10, multiplications=1_000_000 * (i + 1), tokens=65) for i, run in enumerate(GRID.runs)}
MEASURED = {
    BASELINE: [80.0, 80.2, 79.8, 80.0],
    "depth=4": [78.0, 78.2, 77.8],
    "width=96": [80.1, 79.9, 80.3],
    "resnet18": [90.0, 90.2, 89.8],
}


def result(run: str, seed: int, accuracy: float, status: str = "finished") -> Result:
    """What a training and its scores leave; one that diverged did so at step 5, 15, 25, ..."""
    scores = {"accuracy": accuracy, "loss": 1.0, "ece": 5.0, "images": 1000}
    metrics = {"test": scores, "validation": scores | {"accuracy": accuracy + 1, "images": 500}, "train": scores}
    bad = None if status == "finished" else 10 * seed + 5
    train = {
        "status": status,
        "diverged_step": bad,
        "cost": {"seconds": 3600.0 * (seed + 1)},
        "train_images": 4500,
        "provenance": {
            "date": f"2025-01-0{seed + 1}",
            "device": "AMD EPYC",
            "threads": 2,
            "versions": {"torch": f"2.1{seed}"},
        },
    }
    return Result(run, seed, train, metrics)


def results_of(values: dict[str, list[float]], diverged: tuple[tuple[str, int], ...] = ()) -> list[Result]:
    """Of every seed, in the order of the runs."""
    return [
        result(run, seed, accuracy, "diverged" if (run, seed) in diverged else "finished")
        for run, accuracies in values.items()
        for seed, accuracy in enumerate(accuracies)
    ]


def table_of(values: dict[str, list[float]], diverged: tuple[tuple[str, int], ...] = ()) -> dict[str, Run]:
    """The table of runs where these are the results."""
    return runs_table(PLAN, GRID, results_of(values, diverged), COSTS, TECHNIQUES)
