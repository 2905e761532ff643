"""`vitflow evaluate`: scores are those of the stored predictions, and of the right weights alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.commands import Mistake
from support.results import BASELINE, HOME

from vitflow import cli
from vitflow.commands.evaluate import evaluate
from vitflow.commands.train import train
from vitflow.data.prepare import load
from vitflow.machine.files import read_json, sha256
from vitflow.machine.limits import Machine
from vitflow.results.ledger import Job
from vitflow.study.reading import read_study


def test_scores_are_those_of_the_stored_predictions(done: Path) -> None:
    metrics, arrays, data = (
        read_json(BASELINE.metrics),
        np.load(BASELINE.predictions),
        load(read_study("config.yaml").dataset),
    )
    for name, split in (("validation", data.validation), ("test", data.test)):
        assert np.array_equal(arrays[f"{name}_label"], split.labels.numpy())
        right = arrays[f"{name}_predicted"] == arrays[f"{name}_label"]
        assert metrics[name]["accuracy"] == pytest.approx(100 * right.mean())
        truth = arrays[f"{name}_true_probability"]
        assert np.array_equal(truth[right], arrays[f"{name}_confidence"][right])
    last = BASELINE.history.read_text().splitlines()[-1].split(",")
    assert metrics["validation"]["accuracy"] == pytest.approx(float(last[6])), "as the last epoch's validation"


def test_missing_weights_are_told_and_come_back_by_training(done: Path, mistake: Mistake) -> None:
    before = sha256(BASELINE.checkpoint)
    BASELINE.checkpoint.unlink()
    BASELINE.metrics.unlink()
    for command in ("evaluate", "features"):
        told = mistake(command, "--run", "baseline")
        assert f"{BASELINE.checkpoint}: no such weights" in told and "vitflow restore" in told
    assert cli.main(["train", "--run", "baseline", "--threads", "1"]) == 0
    assert sha256(BASELINE.checkpoint) == before


def test_other_weights_than_recorded_are_refused(done: Path, mistake: Mistake) -> None:
    content = bytearray(BASELINE.checkpoint.read_bytes())
    content[-1] ^= 1
    BASELINE.checkpoint.write_bytes(content)
    assert f"{BASELINE.checkpoint}: not the weights that" in mistake("evaluate", "--run", "baseline")


def test_a_winner_that_was_trained_on_all_images_is_scored_without_any_held_out(here: Path) -> None:
    study = read_study("config.yaml")
    job = Job("best", 100, study.resolve({}, all_images=True), HOME.seed("best", 100))
    train(study, job, Machine())
    evaluate(study, job, Machine())
    metrics = read_json(job.paths.metrics)
    assert metrics["validation"] is None and metrics["test"]["images"] == 359 and metrics["train"]["images"] == 200
