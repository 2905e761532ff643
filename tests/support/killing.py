"""Trainings in real processes that somebody may kill, and all that a finished one leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from support.checkouts import environment
from support.results import ROOT
from support.trainings import assert_same_bits
from vitflow.machine.files import read_json
from vitflow.results.layout import Layout, SeedPaths

#: randomness within the model, averaged weights, both optimizers with a state of their own, batch statistics
STUDY = """
study: killed
dataset: {name: digits, train_images: 200, validation_fraction: 0.2}
training: {epochs: 30, batch_size: 50, learning_rate: 0.003, warmup_epochs: 1, ema: 0.9, mixing: cutmix}
baseline: {family: vit, patch_size: 4, width: 32, depth: 2, heads: 2, drop_path: 0.2}
seeds: 1
ablations: {recipe: {optimizer: [adamw, muon]}}
references: {resnet: {family: resnet, depth: 18, width: 4}}
"""
RUNS = ("baseline", "optimizer=muon", "resnet18-width=4")
STEPS = 120


def paths(run: str) -> SeedPaths:
    return Layout("killed").seed(run, 0)


@dataclass
class Parent:
    """The forking process, and one order at a time."""

    process: subprocess.Popen[str]

    def start(self, folder: Path, *words: str, **slower: float) -> int:
        """Begin a sitting; its process id."""
        order = {
            "folder": str(folder),
            "words": words,
            "log": str(folder / "log"),
            "ended": str(folder / "ended.pt"),
            "checkpoint_seconds": 0.02,
            "write_seconds": 0.0,
            "scoring_seconds": 0.0,
        }
        (folder / "log").write_text("")
        return self._ask(json.dumps(order | slower))

    def end(self) -> int:
        """Wait for its end; its exit code."""
        return self._ask("")

    def _ask(self, line: str) -> int:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


@contextmanager
def forking() -> Iterator[Parent]:
    """The process of support/forking.py, until there are no more orders."""
    places = {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
    command = [sys.executable, "-m", "support.forking"]
    with subprocess.Popen(
        command, env=environment(ROOT) | places, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Parent(process)
        assert process.stdin is not None
        process.stdin.close()


def fresh(study: Path, to: Path) -> Path:
    """A folder with the study and its images, linked, since nobody writes them."""
    (to / "data").mkdir(parents=True)
    for name in ("config.yaml", "data/digits.json", "data/digits.safetensors"):
        os.link(study / name, to / name)
    return to


@dataclass
class Ended:
    """All that a finished training leaves: published, and within the process."""

    weights: dict[str, Any]
    within: dict[str, Any]
    history: bytes
    resumed_from: list[int]

    @classmethod
    def read(cls, folder: Path, run: str) -> Ended:
        return cls(
            weights=load_file(folder / paths(run).checkpoint),
            within=torch.load(folder / "ended.pt", weights_only=True),
            history=(folder / paths(run).history).read_bytes(),
            resumed_from=read_json(folder / paths(run).train)["resumed_from"],
        )


def assert_same_end(ours: Ended, theirs: Ended) -> None:
    assert_same_bits(ours.weights, theirs.weights, "weights")
    assert_same_bits(ours.within, theirs.within, "latest weights, optimizer and average")
    assert ours.history == theirs.history


def states(folder: Path, run: str) -> list[int]:
    """Steps of the states that are there, newest first."""
    return sorted((int(p.name.split("-")[1]) for p in (folder / paths(run).state).glob("step-*.pt")), reverse=True)


def half_written(folder: Path, run: str) -> list[Path]:
    return list((folder / paths(run).state).glob(".*.tmp"))
