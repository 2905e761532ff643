"""Snakemake and a training that is terminated: it fails, is tried again, goes on where it was, and finishes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support import checkouts
from support.checkouts import STUDY, call, copy_code, edit, environment

from vitflow.machine.files import read_json
from vitflow.results.layout import Layout

BASELINE = Layout("tiny").seed("baseline", 0)
LOG = Path("logs/tiny/train/baseline/seed0.log")
pytestmark = pytest.mark.skipif(
    not Path("/proc/self/cwd").exists(), reason="needs /proc to find the training among processes"
)


def trainings(where: Path) -> list[int]:
    """Processes that train in this folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            if b"train" in words and b"-c" not in words and (process / "cwd").resolve() == where.resolve():
                found.append(int(process.name))
        except OSError:
            continue  # ended meanwhile, or somebody else's
    return found


def states(where: Path) -> list[Path]:
    return sorted((where / BASELINE.state).glob("step-*.pt"))


def wait_until(condition: Callable[[], object], what: str, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline and process.poll() is None, f"not in time: {what}"
        time.sleep(0.02)


def begin(where: Path, *words: str) -> subprocess.Popen[str]:
    """Snakemake on the baseline's training."""
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--configfile", STUDY, *words, "--"]
    return checkouts.begin(where, [*command, BASELINE.train])


def logged(where: Path, words: str) -> bool:
    """Whether the training has said so."""
    try:
        return words in (where / LOG).read_text()
    except FileNotFoundError:
        return False


def terminate_in_mid_training(where: Path, process: subprocess.Popen[str], epoch: str = "epoch  20/") -> None:
    wait_until(lambda: logged(where, epoch), epoch, process)
    (pid,) = trainings(where)
    os.kill(pid, signal.SIGTERM)


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study whose baseline trains for some seconds."""
    where = copy_code(tmp_path_factory.mktemp("long"))
    edit(where / STUDY, "epochs: 2", "epochs: 100")
    done = subprocess.run(
        [sys.executable, "-m", "vitflow", "prepare", "--config", STUDY], cwd=where, env=environment(where)
    )
    assert done.returncode == 0
    return where


@pytest.fixture
def checkout(long: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(long, tmp_path / "here"))


def train(where: Path) -> None:
    """The same training without Snakemake."""
    words = ["vitflow", "train", "--run", "baseline", "--threads", "1", "--config", STUDY]
    (where / LOG).parent.mkdir(parents=True, exist_ok=True)
    with (where / LOG).open("w") as log:
        done = subprocess.run([sys.executable, "-m", *words], cwd=where, env=environment(where), stderr=log)
    assert done.returncode == 0, (where / LOG).read_text()


@pytest.fixture(scope="module")
def undisturbed(long: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = Path(shutil.copytree(long, tmp_path_factory.mktemp("undisturbed") / "here"))
    train(where)
    return where


def same_bytes(one: Path, other: Path) -> bool:
    names = (BASELINE.checkpoint, BASELINE.history, BASELINE.config)
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in names)


def test_a_terminated_training_is_tried_again_goes_on_and_finishes(checkout: Path, undisturbed: Path) -> None:
    process = begin(checkout, "--retries", "1")
    terminate_in_mid_training(checkout, process)
    wait_until(lambda: logged(checkout, "resumed at step"), "a second attempt", process)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert "Trying to restart job" in said and "Traceback" not in said
    (step,) = read_json(checkout / BASELINE.train)["resumed_from"]
    assert 76 <= step < 400, "it was terminated in the twentieth epoch of four updates"
    log = (checkout / LOG).read_text()
    assert f"resumed at step {step} of 400" in log and log.count("epoch   1/") == 1, "both attempts are in it"
    assert same_bytes(checkout, undisturbed)
    assert [path.name for path in (checkout / BASELINE.state).iterdir()] == ["lock"], "the state is gone"


def test_the_state_of_a_failed_job_outlives_the_clean_up_and_serves_its_own_configuration_only(
    checkout: Path, undisturbed: Path
) -> None:
    process = begin(checkout)
    terminate_in_mid_training(checkout, process)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 1 and "Traceback" not in said, said
    assert "the same command continues there" in said, "Snakemake shows the log of the failed job"
    (state,) = states(checkout)
    assert "baseline seed 0: left after 1 attempt" in call(checkout, "vitflow", "status", "--config", STUDY)
    assert not (checkout / BASELINE.train).exists()

    other = Path(shutil.copytree(checkout, checkout.parent / "other"))
    edit(other / STUDY, "epochs: 100", "epochs: 3")
    train(other)
    assert "resumed" not in (other / LOG).read_text()
    assert read_json(other / BASELINE.train)["resumed_from"] == []

    train(checkout)
    assert read_json(checkout / BASELINE.train)["resumed_from"] == [int(state.name.split("-")[1])]
    assert same_bytes(checkout, undisturbed)
