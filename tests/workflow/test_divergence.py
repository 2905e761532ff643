"""A learning rate that ruins the training, through the real Snakefile: a result like any other, up to the deck."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from support.checkouts import STUDY, call, copy_code, edit, jobs_in, planned, snakemake


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def titles(deck: str) -> list[str]:
    return [line.removeprefix("# ") for line in deck.splitlines() if line.startswith("# ")]


def test_a_diverged_run_that_is_to_give_features_reaches_the_deck(finished: Path, tmp_path: Path) -> None:
    where = Path(shutil.copytree(finished, tmp_path / "here", symlinks=True))
    reference = "resnet18_small: {family: resnet, depth: 18, width: 4}"
    edit(where / STUDY, reference, f"{reference}\n  runaway: {{learning_rate: 1000, gradient_clip: null}}")
    edit(where / STUDY, "[baseline, resnet18_small]", "[baseline, runaway, resnet18_small]")
    edit(where / STUDY, "    heads: [1, 2]", "    heads: [1, 2]\n  training:\n    learning_rate: [0.003, 1000000]")
    # in one process each, which is quicker than a job a run; a diverged training as a job: the test below
    call(where, "vitflow", "train", "--pending", "--config", STUDY)
    call(where, "vitflow", "measure", "--config", STUDY)
    ran = jobs_in(snakemake(where))
    assert "train_run" not in ran and "extract_features" in ran

    home, run = where / "results" / "tiny", "gradient_clip=none+learning_rate=1000"
    record = read(home / "runs" / run / "seed0" / "train.json")
    assert record["status"] == "diverged" and 0 < record["diverged_step"] < record["steps"]
    manifest = read(home / "features" / f"{run}.json")
    assert manifest["absent"] == f"diverged at step {record['diverged_step']}"
    components = read(home / "analysis" / "features.json")
    assert [model["run"] for model in components["models"]] == ["baseline", "resnet18-width=4"]
    assert [model["run"] for model in components["absent"]] == [run]
    assert "Left out: " in read(home / "figures" / "captions.json")["pca"]["caption"]
    summary = read(home / "analysis" / "summary.json")
    assert set(summary["diverged"]) == {run, "learning_rate=1000000"}
    assert summary["runs"][run]["stability"]["diverged_at"] == {"0": record["diverged_step"]}
    deck = (home / "slides" / "deck.md").read_text()
    assert (
        summary["findings"]["stability"] in titles(deck) and "2 of 6 runs diverged" in summary["findings"]["stability"]
    )
    assert "Learning rate 1000000 (" in deck
    assert f"1 (step {record['diverged_step']})" in deck

    status = call(where, "vitflow", "status", "--config", STUDY)
    assert f"{run}  seed0 diverged" in status and "to be made" not in status
    assert "not what the configuration says" not in status
    assert planned(where) == {}


LOST = """
study: tiny
title: "A lost study"
dataset: {name: digits, train_images: 200, validation_fraction: 0.2}
training: {epochs: 2, batch_size: 50, learning_rate: 1000000, warmup_epochs: 1, augmentation: none, gradient_clip: null}
baseline: {family: vit, patch_size: 4, width: 16, depth: 2, heads: 2}
seeds: 1
references:
  resnet18_small: {family: resnet, depth: 18, width: 4}
best: {seeds: 1, singles: 0}
features: {runs: [baseline, resnet18_small], images: 50}
"""


@pytest.mark.slow
def test_a_study_whose_every_run_diverged_has_a_deck_that_says_so(tmp_path: Path) -> None:
    where = copy_code(tmp_path)
    (where / STUDY).write_text(LOST)
    snakemake(where)
    summary = read(where / "results" / "tiny" / "analysis" / "summary.json")
    step = read(where / "results" / "tiny" / "runs" / "baseline" / "seed0" / "train.json")["diverged_step"]
    deck = titles((where / "results" / "tiny" / "slides" / "deck.md").read_text())
    assert summary["diverged"] == ["baseline", "resnet18-width=4"]
    assert f"The baseline diverged, at step {step}" in deck
    assert "The baseline diverged: nothing compares with it" in deck
    assert "No model gives features" in deck
    assert "The best combination diverged on every fresh seed" in deck
    status = call(where, "vitflow", "status", "--config", STUDY)
    assert "4 diverged, of 4" in status and "not what the configuration says" not in status
    assert planned(where) == {}
