"""The summary of a study: its axes with what each shows, and where its results come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.analysis import TECHNIQUES
from support.measured import COSTS, GRID, MEASURED, PLAN, results_of, study, table_of

from vitflow.analysis.intervals import image_interval
from vitflow.analysis.records import Place, Summary
from vitflow.analysis.runs import Result, runs_table
from vitflow.analysis.summary import axes_table, devices, summarise
from vitflow.study.grid import BASELINE, expand

ALONE = {"device": "NVIDIA H100", "threads": 1}
#: which of 1,000 test images two seeds of the baseline told right
RIGHT = [np.arange(1000) < 800, np.arange(1000) < 790]


def summary_of(results: list[Result], measured_on: list[dict[str, Any]] | None = None) -> Summary:
    return summarise(
        PLAN,
        GRID,
        results,
        COSTS,
        TECHNIQUES,
        classes=("cat", "dog"),
        duplicates=["two images"],
        digest="d" * 64,
        measured_on=[ALONE, ALONE] if measured_on is None else measured_on,
        right=RIGHT,
    )


def test_a_summary_says_what_was_studied_on_what_and_when(tmp_path: Path) -> None:
    results = results_of(MEASURED)
    found = summary_of(results)
    assert (found.study, found.title, found.author, found.equivalence_margin) == ("s", "", "", PLAN.equivalence_margin)
    assert (found.dataset.title, found.dataset.image_size, found.dataset.channels) == ("CIFAR-10", 32, 3)
    assert found.dataset.duplicates == ("two images",)
    assert found.dataset.classes == ("cat", "dog")
    sizes = (found.dataset.train_images, found.dataset.validation_images, found.dataset.test_images)
    assert sizes == (4500, 500, 1000)
    assert (found.model["width"], found.training["epochs"]) == (192, PLAN.training.epochs)
    assert (found.seeds, found.baseline_seeds, found.done, found.total) == (3, 4, 13, 13)
    assert (found.digest, found.date, found.versions) == ("d" * 64, "2025-01-04", {"torch": "2.12"})
    assert (found.device, found.measured_on) == ("AMD EPYC (2 threads)", "NVIDIA H100 (1 thread)")
    assert found.train_hours == sum(r.seed + 1 for r in results)
    assert (found.references, found.diverged, found.descriptive) == (("resnet18",), (), False)
    assert found.runs == table_of(MEASURED)
    assert found.best is not None and found.best.run == "width=96"
    assert found.findings.headline.startswith("Largest significant change: depth 4 loses")
    found.write(tmp_path / "summary.json")
    assert Summary.read(tmp_path / "summary.json") == found


def test_a_summary_of_what_is_finished_counts_it() -> None:
    found = summary_of(results_of({BASELINE: [80.0, 80.2], "depth=4": [78.0]}), measured_on=[])
    assert (found.done, found.total, found.measured_on, found.descriptive) == (3, 13, "", True)


def test_sizes_of_the_dataset_are_those_of_a_seed_that_finished() -> None:
    lost, kept = results_of({BASELINE: [80.0, 80.2]}, diverged=((BASELINE, 0),))
    lost = Result(lost.run, lost.seed, lost.train, dict.fromkeys(lost.metrics))
    found = summary_of([lost, kept])
    assert (found.dataset.validation_images, found.dataset.test_images) == (500, 1000)
    assert found.diverged == (BASELINE,)
    nothing = summary_of([lost])
    assert (nothing.dataset.validation_images, nothing.dataset.test_images) == (0, 0)


@pytest.mark.parametrize(("seeds", "expected"), [(3, False), (2, True)])
def test_under_three_seeds_a_summary_is_descriptive(seeds: int, expected: bool) -> None:
    found = summary_of(results_of({run: values[:seeds] for run, values in MEASURED.items()}))
    assert found.descriptive is expected


def test_one_diverged_seed_of_three_is_counted_and_takes_nothing_from_the_other_runs() -> None:
    found = summary_of(results_of(MEASURED, diverged=(("depth=4", 0),)))
    assert (found.diverged, found.descriptive) == (("depth=4",), False)


def test_devices_are_listed_once_each() -> None:
    assert devices([{"device": "b", "threads": 2}, ALONE, {"device": "a"}, {"device": "b", "threads": 2}]) == (
        "NVIDIA H100 (1 thread), a (1 thread), b (2 threads)"
    )
    assert devices([]) == ""


# ---------------------------------------------------------------------------------------------- axes


def test_an_axis_says_what_its_largest_difference_allows() -> None:
    table = table_of(MEASURED)
    depth = axes_table(PLAN, GRID, table, TECHNIQUES)[0]
    difference = table["depth=4"].difference
    assert difference is not None and difference.test_interval is not None
    low, high = difference.test_interval
    assert depth.finding == f"Depth 4 loses 2.0 points ({-high:.1f} to {-low:.1f})"
    assert depth.values == (Place(value="4", run="depth=4"), Place(value="6", run=BASELINE))
    assert (depth.group, depth.axis, depth.label) == ("architecture", "depth", "Depth")
    assert "multiplications grow" in depth.confound


def test_a_run_that_always_diverged_says_so() -> None:
    table = table_of(MEASURED, diverged=tuple(("depth=4", seed) for seed in range(3)))
    assert table["depth=4"].difference is None
    depth, width = axes_table(PLAN, GRID, table, TECHNIQUES)
    assert depth.finding == "Depth 4 (3 of 3 seeds) diverged"
    assert width.finding.startswith("Width 96 matches the baseline") or "no clear change" in width.finding


def test_every_group_has_its_axes_in_the_order_of_the_study() -> None:
    plan = study({}, ablations={"training": {"pool": ["cls", "mean"]}, "architecture": {"depth": [4], "width": [96]}})
    grid = expand(plan)
    costs = dict.fromkeys(grid.runs, COSTS[BASELINE])
    found = axes_table(plan, grid, runs_table(plan, grid, [], costs, TECHNIQUES), TECHNIQUES)
    assert [(axis.group, axis.axis, axis.label) for axis in found] == [
        ("training", "pool", "Pooling"),
        ("architecture", "depth", "Depth"),
        ("architecture", "width", "Width"),
    ]
    assert {axis.finding.split(": ")[1] for axis in found} == {"not finished yet"}


def test_a_summary_has_the_interval_over_test_images_and_what_each_group_could_have_seen() -> None:
    summary = summary_of(results_of(MEASURED))
    assert summary.baseline_images == image_interval(RIGHT)
    (group,) = summary.groups
    assert (group.group, group.runs) == ("architecture", ("depth=4", "width=96"))
    halves = []
    for run in group.runs:
        difference = summary.runs[run].difference
        assert difference is not None and difference.test_interval is not None
        halves.append((difference.test_interval[1] - difference.test_interval[0]) / 2)
    assert group.smallest_effect == pytest.approx(np.median(halves), abs=6e-4)
    few = {run: values[:2] for run, values in MEASURED.items()}
    assert summary_of(results_of(few)).groups[0].smallest_effect is None
