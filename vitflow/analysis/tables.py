"""Tables for people and for DVC: rows of summary.csv, and one small file of metrics per run."""

from __future__ import annotations

from typing import Any

from vitflow.analysis.records import Confirmed, Run


def row(name: str, run: Run) -> dict[str, Any]:
    """A run's row of summary.csv."""
    difference, stability = run.difference, run.stability
    low, high = (difference and difference.test_interval) or (None, None)
    low_overall, high_overall = (difference and difference.test_interval_overall) or (None, None)
    return {
        "run": name,
        "kind": run.kind,
        "n": run.n,
        "diverged": run.diverged,
        "test_mean": run.test.mean,
        "test_sd": run.test.sd,
        "validation_mean": run.validation.mean,
        "validation_sd": run.validation.sd,
        "difference_test": difference and difference.test,
        "interval_low": low,
        "interval_high": high,
        "interval_overall_low": low_overall,
        "interval_overall_high": high_overall,
        "clean_train_mean": run.clean_train.mean,
        "test_ece": run.test_ece.mean,
        "parameters": run.parameters,
        "multiplications": run.multiplications,
        "tokens": run.tokens,
        "images_per_second": run.images_per_second,
        "time_ratio": run.time_ratio,
        "peak_bytes": run.peak_bytes,
        "gradient_spikes": stability.gradient_spikes,
        "loss_spikes": stability.loss_spikes,
        "largest_gradient_norm": stability.largest_gradient_norm,
        "largest_attention_logit": stability.largest_attention_logit,
    }


def metrics(scores: Run | Confirmed, parameters: int, multiplications: int) -> dict[str, Any]:
    """What `dvc metrics show` has of a run, a column each; accuracies in percent."""
    return {
        "test": scores.test.mean,
        "test_sd": scores.test.sd,
        "validation": scores.validation.mean,
        "n": scores.n,
        "million_parameters": round(parameters / 1e6, 3),
        "million_multiplications": round(multiplications / 1e6, 3),
    }
