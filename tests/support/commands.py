"""What the tests of the commands have in common: two studies, and what a call says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from vitflow import cli
from vitflow.results import ledger
from vitflow.study.reading import read_study

#: fixture ``mistake``: the one line that a call says which must fail
Mistake = Callable[..., str]

TINY = (Path(__file__).parents[1] / "workflow" / "tiny.yaml").read_text()
#: two runs of one seed: what `--pending` works through
TWO_RUNS = """
study: tiny
dataset: {name: digits, train_images: 200, validation_fraction: 0.2}
training: {epochs: 2, batch_size: 50, learning_rate: 0.003, warmup_epochs: 1, augmentation: none}
baseline: {family: vit, patch_size: 4, width: 16, depth: 2, heads: 2}
seeds: 1
ablations: {architecture: {width: [8, 16]}}
"""
#: what is left where the tiny study has its first training alone
WAITING = "not finished: 4 trainings (baseline seed 1, ...)"


def edited(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def statuses() -> list[str]:
    """Of every run and seed of config.yaml."""
    return [job.status for job in ledger.all_jobs(read_study("config.yaml"))]


def refusal(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    """Lines on stderr of a call that must fail with exit code 2."""
    capsys.readouterr()
    assert cli.main(list(words)) == 2
    said = capsys.readouterr()
    return said.err.splitlines()


def keep(path: Path, digest: str) -> None:
    """The .dvc file of ``path``, as if DVC kept the version of that sha256."""
    pointer = {"outs": [{"md5": "0" * 32, "path": path.name}], "meta": {"sha256": digest}}
    path.with_name(f"{path.name}.dvc").write_text(json.dumps(pointer))  # JSON is YAML
