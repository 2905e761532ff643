"""`vitflow train --run`: what a training leaves, that it is done once, and what is told where it cannot be done."""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from support.checkouts import environment
from support.commands import TINY, Mistake, edited
from support.results import BASELINE, HOME, ROOT

from vitflow import cli
from vitflow.machine.files import read_json, sha256
from vitflow.study.reading import read_study


def test_results_that_cannot_be_written_are_told_before_training(here: Path, mistake: Mistake) -> None:
    (here / "results").write_text("a file in the way")
    told = mistake("train", "--run", "baseline", "--threads", "1")
    assert told.startswith(f"vitflow: {BASELINE.state}: cannot be written (")


def test_weights_that_cannot_be_written_are_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    HOME.root.mkdir(parents=True)
    (HOME.root / "checkpoints").write_text("a file in the way")
    assert cli.main(["train", "--run", "baseline", "--threads", "1"]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith(f"vitflow: {BASELINE.checkpoint}: cannot be written (")
    assert not BASELINE.train.exists(), "what says that it is done comes last"


def test_a_batch_of_more_than_all_images_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "config.yaml").write_text(edited(TINY, ("batch_size: 50", "batch_size: 201")))
    assert cli.main(["train", "--run", "baseline", "--threads", "1"]) == 0
    assert "batch_size 201 is more than the 200 training images; a step takes all" in capsys.readouterr().err


def test_a_training_leaves_what_the_layout_promises(done: Path) -> None:
    names = {path.name for path in BASELINE.folder.iterdir()}
    assert names == {"config.json", "history.csv", "train.json", "metrics.json", "predictions.npz"}
    assert [path.name for path in BASELINE.state.iterdir()] == ["lock"], "resume states are cleaned up"
    record, metrics, study = read_json(BASELINE.train), read_json(BASELINE.metrics), read_study("config.yaml")
    assert record["status"] == "finished" and record["steps"] == 8 and record["train_images"] == 200
    assert record["config_digest"] == metrics["config_digest"] == study.baseline_run.digest
    assert record["checkpoint_sha256"] == metrics["checkpoint_sha256"] == sha256(BASELINE.checkpoint)
    assert record["provenance"]["threads"] == 1
    assert len(BASELINE.history.read_text().splitlines()) == 1 + study.training.epochs
    assert read_json(BASELINE.config)["training"]["epochs"] == 2


def test_a_finished_run_answers_without_importing_torch(done: Path) -> None:
    (done / "torch.py").write_text("raise ImportError('torch is imported to say that nothing is to do')")
    words = [sys.executable, "-m", "vitflow", "train", "--run", "baseline"]
    answer = subprocess.run(words, env=environment(ROOT), capture_output=True, text=True, timeout=60)
    assert (answer.returncode, answer.stdout) == (0, "baseline seed 0: already trained\n"), answer.stderr


def test_states_of_a_training_that_was_killed_when_all_was_published_are_cleaned_up(done: Path) -> None:
    BASELINE.metrics.unlink()  # trained, and not scored yet
    (BASELINE.state / f"step-000000003-{'0' * 32}.pt").write_bytes(b"the last state before its end")
    assert cli.main(["train", "--run", "baseline", "--threads", "1"]) == 0
    assert [path.name for path in BASELINE.state.iterdir()] == ["lock"]


def test_training_again_gives_the_same_bytes(done: Path) -> None:
    before = {path: path.read_bytes() for path in (BASELINE.checkpoint, BASELINE.history, BASELINE.config)}
    shutil.rmtree(BASELINE.folder)
    assert cli.main(["train", "--run", "baseline", "--threads", "1"]) == 0
    assert {path: path.read_bytes() for path in before} == before


def test_results_of_another_configuration_are_named_and_trained_anew(done: Path, mistake: Mistake) -> None:
    (done / "config.yaml").write_text(edited(TINY, ("epochs: 2", "epochs: 3")))
    assert "baseline seed 0 is stale; train it first" in mistake("evaluate", "--run", "baseline")
    assert f"{BASELINE.train}: result of another configuration" in mistake("analyse", "summary")
    assert cli.main(["train", "--run", "baseline", "--threads", "1"]) == 0
    assert read_json(BASELINE.train)["steps"] == 12


def test_an_infinite_gradient_norm_does_not_lose_the_result(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    norms = iter([1.0, 2.0] + 50 * [math.inf])
    clip = torch.nn.utils.clip_grad_norm_

    def exploding(*arguments: Any) -> torch.Tensor:
        return clip(*arguments) * 0 + next(norms)

    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", exploding)
    assert cli.main(["train", "--run", "baseline", "--threads", "1"]) == 0
    largest = read_json(BASELINE.train)["stability"]["largest_gradient_norm"]
    assert largest == 2, "JSON has no infinity; history.csv has"
    assert "inf" in BASELINE.history.read_text().splitlines()[-1]
