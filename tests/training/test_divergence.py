"""A loss that is not finite ends a training, with its step, whether or not it was stopped in between."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from support.trainings import IMAGES, STEPS_PER_EPOCH, Sit, interrupt, run_config
from torch import Tensor

from vitflow.training import batches
from vitflow.training.augmentation.augment import normalise


def test_divergence_is_recorded_with_its_step_and_ends_the_training(sit: Sit, monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0
    bad = STEPS_PER_EPOCH + 2

    def spoiling(images: Tensor, *statistics: Any) -> Tensor:
        nonlocal made
        made += 1
        return normalise(images, *statistics) * (math.nan if made == bad + 1 else 1)

    monkeypatch.setattr(batches, "normalise", spoiling)
    said: list[str] = []
    outcome = sit(run_config(), said=said).outcome
    assert (outcome.status, outcome.diverged_step) == ("diverged", bad)
    assert outcome.steps == 2 * STEPS_PER_EPOCH, "it ends with the epoch"
    assert outcome.stability["largest_gradient_norm"] is not None
    assert [row["epoch"] for row in outcome.history] == [1]
    assert f"step {bad}" in said[-1]


def test_a_run_stopped_after_it_diverged_records_the_same_step(sit: Sit, tmp_path: Path) -> None:
    config = run_config(learning_rate=1e30, warmup_epochs=0)
    whole = sit(config, folder=tmp_path / "whole").outcome
    assert whole.status == "diverged" and whole.diverged_step is not None and whole.history == []
    assert whole.steps == STEPS_PER_EPOCH
    interrupt(sit, config, STEPS_PER_EPOCH - 1)
    resumed = sit(config).outcome
    assert (resumed.status, resumed.diverged_step, resumed.steps) == ("diverged", whole.diverged_step, whole.steps)


def test_a_last_update_that_ruins_the_weights_is_a_divergence_too(sit: Sit) -> None:
    config = run_config(learning_rate=1e30, warmup_epochs=0, epochs=1, batch_size=IMAGES)
    assert sit(config).outcome.status == "diverged"
