"""Rows of summary.csv, and the metrics that `dvc metrics` shows."""

from __future__ import annotations

import pytest
from support.records import a_run, around, confirmed, diverged

from vitflow.analysis.records import Confirmed, Run
from vitflow.analysis.tables import metrics, row


def test_a_row_holds_what_is_known_of_a_run() -> None:
    run = a_run(1.25, (0.5, 2.0), n=5, test=around(84.0), validation=around(85.0), clean_train=around(96.0))
    assert row("patch_size=2", run) == {
        "run": "patch_size=2",
        "kind": "change",
        "n": 5,
        "diverged": 0,
        "test_mean": 84.0,
        "test_sd": 0.25,
        "validation_mean": 85.0,
        "validation_sd": 0.25,
        "difference_test": 1.25,
        "interval_low": 0.5,
        "interval_high": 2.0,
        "interval_overall_low": 0.5,
        "interval_overall_high": 2.0,
        "clean_train_mean": 96.0,
        "test_ece": 4.0,
        "parameters": 2_712_000,
        "multiplications": 174_000_000,
        "tokens": 65,
        "images_per_second": 150.0,
        "time_ratio": 1.25,
        "peak_bytes": 1_000_000,
        "gradient_spikes": 0.0,
        "loss_spikes": 0.0,
        "largest_gradient_norm": 1.5,
        "largest_attention_logit": 12.0,
    }


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (a_run(None), (None, None, None)),  # the baseline
        (diverged(1, 2, 3), (None, None, None)),
        (a_run(1.25), (1.25, None, None)),  # under three seeds
        (a_run(0.0, (-0.5, 0.5)), (0.0, -0.5, 0.5)),
    ],
)
def test_what_is_not_known_is_an_empty_cell(run: Run, expected: tuple[float | None, ...]) -> None:
    found = row("r", run)
    assert tuple(found[key] for key in ("difference_test", "interval_low", "interval_high")) == expected
    assert found["diverged"] == run.diverged


@pytest.mark.parametrize("scores", [a_run(n=2), confirmed("best", 83.0, n=2, validation=around(84.0))])
def test_metrics_are_accuracies_in_percent_and_costs_in_millions(scores: Run | Confirmed) -> None:
    assert metrics(scores, 2_712_345, 173_000_499) == {
        "test": 83.0,
        "test_sd": 0.25,
        "validation": 84.0,
        "n": 2,
        "million_parameters": 2.712,
        "million_multiplications": 173.0,
    }


def test_metrics_of_what_diverged_are_none() -> None:
    found = metrics(confirmed("best", None), 1, 1)
    assert (found["test"], found["test_sd"], found["validation"], found["n"]) == (None, None, None, 0)
