"""Predictions of several seeds as one: calibration bins weighted by their counts, and confusions summed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vitflow.analysis.pooled import calibration, confusion, pool
from vitflow.analysis.records import Bins, Cell
from vitflow.analysis.runs import Result
from vitflow.measuring.scores import reliability
from vitflow.study.grid import BASELINE

ONE = {"count": [0, 10, 30], "confidence": [0.0, 50.0, 90.0], "accuracy": [0.0, 40.0, 80.0]}
TWO = {"count": [0, 30, 10], "confidence": [0.0, 54.0, 94.0], "accuracy": [0.0, 60.0, 100.0]}


def scored(run: str, seed: int, validation: dict[str, Any] | None) -> Result:
    return Result(run, seed, {"status": "finished"}, {"validation": validation})


def test_bins_of_several_seeds_are_weighted_by_their_counts() -> None:
    # (10 * 50 + 30 * 54) / 40 = 53, and so on; an empty bin stays 0
    assert pool([ONE, TWO]) == Bins(count=(0, 40, 40), confidence=(0.0, 53.0, 91.0), accuracy=(0.0, 55.0, 85.0))
    assert pool([ONE]) == Bins(**ONE)


def test_pooled_bins_are_those_of_all_predictions_together() -> None:
    generator = np.random.default_rng(0)
    confidence = generator.uniform(0.1, 1, (3, 400))
    correct = generator.random((3, 400)) < confidence
    pooled = pool([reliability(*seed) for seed in zip(confidence, correct, strict=True)])
    together = reliability(confidence.ravel(), correct.ravel())
    assert list(pooled.count) == together["count"]
    assert pooled.confidence == pytest.approx(together["confidence"], abs=1e-4)
    assert pooled.accuracy == pytest.approx(together["accuracy"], abs=1e-4)


def test_calibration_has_every_run_with_predictions() -> None:
    results = [
        scored(BASELINE, 0, {"calibration": ONE}),
        scored(BASELINE, 1, {"calibration": TWO}),
        scored("width=96", 0, {"calibration": TWO}),
        scored("width=96", 1, None),  # diverged
        scored("gone", 0, None),
    ]
    found = calibration(results)
    assert found.split == "validation"
    assert found.runs == {BASELINE: pool([ONE, TWO]), "width=96": pool([TWO])}


def test_confusions_of_the_baseline_are_summed_over_its_seeds() -> None:
    results = [
        scored(BASELINE, 0, {"confusion": [[8, 2], [1, 9]]}),
        scored(BASELINE, 1, {"confusion": [[7, 3], [0, 10]]}),
        scored(BASELINE, 2, None),  # diverged
        scored("width=96", 0, {"confusion": [[100, 100], [100, 100]]}),
    ]
    found = confusion(results, ["cat", "dog"])
    assert (found.run, found.n, found.split, found.classes) == (BASELINE, 2, "validation", ("cat", "dog"))
    assert found.cells == (
        Cell(actual="cat", predicted="cat", images=15),
        Cell(actual="cat", predicted="dog", images=5),
        Cell(actual="dog", predicted="cat", images=1),
        Cell(actual="dog", predicted="dog", images=19),
    )


def test_without_a_finished_baseline_no_prediction_is_counted() -> None:
    found = confusion([scored(BASELINE, 0, None)], ["cat", "dog"])
    assert found.n == 0 and {cell.images for cell in found.cells} == {0}
