"""Real processes are killed, and nothing is lost: SIGKILL at random moments, SIGTERM and SIGUSR1 at any."""

from __future__ import annotations

import itertools
import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from vitflow.machine.files import read_json
from vitflow.results.layout import Layout

TESTS = Path(__file__).parent
pytestmark = pytest.mark.xdist_group("kill")  # the uninterrupted runs are made once

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


def paths(run: str) -> Any:
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


@pytest.fixture(scope="module")
def parent() -> Iterator[Parent]:
    environment = os.environ | {"PYTHONPATH": str(TESTS.parent), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(TESTS / "forking.py")]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Parent(process)
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture(scope="module")
def prepared(prepare: Callable[[str], Path]) -> Path:
    return prepare(STUDY)


def fresh(prepared: Path, to: Path) -> Path:
    """A folder with the study and its images, linked, since nobody writes them."""
    (to / "data").mkdir(parents=True)
    for name in ("config.yaml", "data/digits.json", "data/digits.safetensors"):
        os.link(prepared / name, to / name)
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


@pytest.fixture(scope="module")
def uninterrupted(prepared: Path, parent: Parent, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ended]:
    found = {}
    for run in RUNS:
        folder = fresh(prepared, tmp_path_factory.mktemp("whole") / "here")
        parent.start(folder, "train", "--run", run, checkpoint_seconds=1e9)
        assert parent.end() == 0, (folder / "log").read_text()
        found[run] = Ended.read(folder, run)
        assert found[run].resumed_from == []
    return found


def same(ours: Any, theirs: Any) -> bool:
    """Equal at atol = rtol = 0."""
    if isinstance(theirs, torch.Tensor):
        return ours.dtype == theirs.dtype and torch.equal(ours, theirs)
    if isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(same(ours[key], theirs[key]) for key in theirs)
    if isinstance(theirs, list | tuple):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return bool(ours == theirs)


def assert_same_end(ours: Ended, theirs: Ended) -> None:
    assert same(ours.weights, theirs.weights)
    assert same(ours.within, theirs.within), "latest weights and optimizer"
    assert ours.history == theirs.history


def states(folder: Path, run: str) -> list[int]:
    """Steps of the states that are there, newest first."""
    return sorted((int(p.name.split("-")[1]) for p in (folder / paths(run).state).glob("step-*.pt")), reverse=True)


def half_written(folder: Path, run: str) -> list[Path]:
    return list((folder / paths(run).state).glob(".*.tmp"))


# --------------------------------------------------------------------------------------------- SIGKILL


@dataclass
class Kills:
    """What a row of SIGKILLs met."""

    number: int = 0
    with_state: int = 0  #: sittings that began with a state and came to tell where they go on
    while_writing: int = 0
    finished: list[str] = field(default_factory=list)


def kill_often(
    number: int, seed: int, parent: Parent, prepared: Path, uninterrupted: dict[str, Ended], where: Path
) -> Kills:
    """SIGKILL at random moments, run after run, until there were ``number``; each run then ends as if undisturbed."""
    chance, kills = random.Random(seed), Kills()
    for attempt in itertools.count():
        run = RUNS[attempt % len(RUNS)]
        folder, code = fresh(prepared, where / f"{attempt}"), -1
        most = kills.number + math.ceil(number / len(RUNS))  # so that every run has its share
        while code:
            before = states(folder, run)
            child = parent.start(folder, "train", "--run", run, write_seconds=chance.choice([0.0, 0.03]))
            if kills.number < min(number, most):
                time.sleep(chance.uniform(0.05, 0.9))
                os.kill(child, signal.SIGKILL)
            code = parent.end()
            said = (folder / "log").read_text()
            assert code in (0, -signal.SIGKILL), said
            assert "damaged" not in said and "Traceback" not in said
            told = [line for line in said.splitlines() if line.startswith("resumed at step ")]
            if told:
                step = int(told[0].split()[3])
                assert step > 0 and step == before[0], "from the newest state, and never from the start"
                kills.with_state += 1
            elif before and "epoch" in said:
                raise AssertionError(f"states {before} were there and not used: {said}")
            if code:
                kills.number += 1
                kills.while_writing += bool(half_written(folder, run))
        ended = Ended.read(folder, run)
        assert_same_end(ended, uninterrupted[run])
        assert all(0 < step < STEPS for step in ended.resumed_from)
        assert [p.name for p in (folder / paths(run).state).iterdir()] == ["lock"], "nothing is left behind"
        assert not list(folder.rglob("*.tmp"))
        kills.finished.append(run)
        if kills.number >= number:
            return kills
    raise AssertionError


@pytest.mark.parametrize("number", [25, pytest.param(100, marks=pytest.mark.slow)])
def test_a_training_killed_at_random_moments_ends_as_the_undisturbed_one(
    parent: Parent, prepared: Path, uninterrupted: dict[str, Ended], tmp_path: Path, number: int
) -> None:
    kills = kill_often(number, number, parent, prepared, uninterrupted, tmp_path)
    assert kills.number == number and kills.with_state >= 0.4 * number and kills.while_writing >= 0.08 * number, kills
    assert set(kills.finished) == set(RUNS)


# -------------------------------------------------------------------------------- SIGTERM and SIGUSR1


def test_asked_to_stop_at_any_moment_it_saves_its_state_and_leaves_with_75(
    parent: Parent, prepared: Path, uninterrupted: dict[str, Ended], tmp_path: Path
) -> None:
    chance, stops, run = random.Random(2), 0, "baseline"
    folder, code = fresh(prepared, tmp_path / "here"), 75
    while code:
        child = parent.start(folder, "train", "--run", run, checkpoint_seconds=1e9)
        time.sleep(chance.uniform(0, 0.6))
        started = time.monotonic()
        os.kill(child, chance.choice([signal.SIGTERM, signal.SIGUSR1]))
        code = parent.end()
        assert time.monotonic() - started < 5
        said = (folder / "log").read_text()
        last = said.splitlines()[-1]
        assert code in (0, 75) and "Traceback" not in said, said
        if code == 75 and last.startswith("vitflow: "):
            assert last.endswith("; the same command goes on") and "stopped by SIG" in last
        elif code == 75:
            stops += 1
            step = int(last.split("stopped at step ")[1].split()[0])
            assert step == max(states(folder, run), default=0), "nothing is lost but the step under way"
    assert stops >= 2
    assert_same_end(Ended.read(folder, run), uninterrupted[run])


def test_asked_to_stop_while_it_scores_it_does_not_go_on(parent: Parent, prepared: Path, tmp_path: Path) -> None:
    folder = fresh(prepared, tmp_path / "here")
    child = parent.start(folder, "train", "--run", "baseline", checkpoint_seconds=1e9, scoring_seconds=0.7)
    time.sleep(2)  # scoring takes ten seconds
    assert "epoch" not in (folder / "log").read_text()
    os.kill(child, signal.SIGTERM)
    started = time.monotonic()
    assert parent.end() == 75
    assert time.monotonic() - started < 5
    assert states(folder, "baseline") == [3], "from before the last of four updates, which is done again"
    assert "stopped at step 3 of 120; the same command continues there" in (folder / "log").read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1], ids=lambda number: number.name)
def test_an_evaluation_is_left_at_once_and_done_again(
    parent: Parent, prepared: Path, tmp_path: Path, number: signal.Signals
) -> None:
    folder = fresh(prepared, tmp_path / "here")
    edit = (folder / "config.yaml").read_text().replace("epochs: 30", "epochs: 2")
    (folder / "config.yaml").unlink()  # a link
    (folder / "config.yaml").write_text(edit)
    parent.start(folder, "train", "--run", "baseline")
    assert parent.end() == 0
    child = parent.start(folder, "evaluate", "--run", "baseline", scoring_seconds=0.5)
    time.sleep(1)
    os.kill(child, number)
    started = time.monotonic()
    assert parent.end() == 75
    assert time.monotonic() - started < 2
    assert (folder / "log").read_text() == f"vitflow: stopped by {number.name}; the same command goes on\n"
    assert not (folder / paths("baseline").metrics).exists()
    parent.start(folder, "evaluate", "--run", "baseline")
    assert parent.end() == 0


def listens(process: subprocess.Popen[str]) -> bool:
    """Whether SIGTERM has a handler: what comes earlier ends a Python that has not begun with our code."""
    caught = next(line for line in Path(f"/proc/{process.pid}/status").read_text().splitlines() if "SigCgt" in line)
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc to see when a process listens")
@pytest.mark.parametrize("seconds", [0.0, 0.2, 0.6, 1.2, 2.0])
def test_asked_to_stop_while_it_starts_it_leaves_with_one_line(prepared: Path, tmp_path: Path, seconds: float) -> None:
    folder = fresh(prepared, tmp_path / "here")
    endless = folder / "endless.yaml"
    endless.write_text(STUDY.replace("epochs: 30", "epochs: 100000"))
    environment = os.environ | {"PYTHONPATH": str(TESTS.parent), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "vitflow", "train", "--config", endless.name, "--run", "baseline"]
    process = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 30
        while not listens(process):
            assert time.monotonic() < deadline
            time.sleep(0.002)
        time.sleep(seconds)
        process.send_signal(signal.SIGTERM)
        started = time.monotonic()
        _, said = process.communicate(timeout=30)
        assert time.monotonic() - started < 5
    finally:
        process.kill()
    assert process.returncode == 75, said
    assert said.splitlines()[-1].endswith(("the same command goes on", "the same command continues there"))
    assert "Traceback" not in said
