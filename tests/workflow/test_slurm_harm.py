"""Whatever may happen to jobs on a cluster: each run is trained to its end, by one process at a time, to the same bits."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import slurm
from support.checkouts import call
from support.slurm import Cluster, checkout, end, send, wait_until

from vitflow.machine.files import read_json
from vitflow.results.layout import Layout

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(slurm.missing()), reason=str(slurm.missing()))]
HOME, EPOCHS = Layout("small"), 150


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with slurm.raised() as raised:
        yield raised


@pytest.fixture(autouse=True)
def no_job_of_another_test(cluster: Cluster) -> Iterator[None]:
    yield
    cluster.empty()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study's trainings, here, with nobody in their way."""
    where = checkout(tmp_path_factory.mktemp("undisturbed"), epochs=EPOCHS, seeds=4)
    call(where, "vitflow", "prepare")
    call(where, "vitflow", "train", "--pending")
    return where


@pytest.fixture
def here(undisturbed: Path, tmp_path: Path) -> Path:
    """The same study with its images, and nothing trained."""
    where = checkout(tmp_path / "here", epochs=EPOCHS, seeds=4)
    shutil.copytree(undisturbed / "data", where / "data")
    return where


def said(where: Path, seed: int) -> str:
    log = where / HOME.log("baseline", seed)
    return log.read_text() if log.exists() else ""


def trains(where: Path, seed: int, attempt: int = 1) -> bool:
    """Whether that attempt is well under way."""
    sittings = said(where, seed).split("training on ")
    return len(sittings) > attempt and "epoch   5/" in said(where, seed) and sittings[attempt].count("epoch ") > 4


def job_of(cluster: Cluster, seed: int, state: str = "RUNNING") -> str:
    """The number of the newest job of a seed that is in that state."""
    found = [
        number
        for number, comment in cluster.jobs("%i %k", f"--states={state}")
        if comment.startswith(f"rule_small-baseline-seed{seed}_")
    ]
    return found[-1] if found else ""


def processes(where: Path, seed: int) -> list[int]:
    """Those that train it; on one machine, so are the nodes."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            if words[1:4] == [b"-m", b"vitflow", b"train"] or b"bin/vitflow" in words[1][-11:] and b"train" in words:
                if words[words.index(b"--seed") + 1] == str(seed).encode() and (process / "cwd").resolve() == where:
                    found.append(int(process.name))
        except (OSError, ValueError, IndexError):
            continue  # ended meanwhile, or something else
    return found


def assert_trained_once(where: Path, undisturbed: Path, seed: int, resumed: bool = True) -> None:
    """To the bits of the undisturbed one, from where it was stopped and never from the start again."""
    paths = HOME.seed("baseline", seed)
    for name in (paths.checkpoint, paths.history):
        assert (where / name).read_bytes() == (undisturbed / name).read_bytes(), name
    assert (where / paths.metrics).exists()
    steps = read_json(where / paths.train)["resumed_from"]
    assert bool(steps) == resumed and all(step > 0 for step in steps) and steps == sorted(steps)
    assert said(where, seed).count("epoch   1/") == 1, "no epoch is done twice, and no log emptied"
    assert sorted(path.name for path in (where / paths.state).iterdir()) == ["lock"]


SCORES = [str(HOME.seed("baseline", seed).metrics) for seed in range(4)]


def test_slurm_jobs_that_are_cancelled_killed_warned_and_preempted_end_as_undisturbed_ones(
    cluster: Cluster, here: Path, undisturbed: Path
) -> None:
    process = send(here, *SCORES)
    wait_until(lambda: all(trains(here, seed) for seed in range(4)), "four trainings")
    subprocess.run(["scancel", job_of(cluster, 0)], check=True)
    os.kill(processes(here, 1)[0], signal.SIGKILL)
    warned = job_of(cluster, 2)
    subprocess.run(["scancel", "--signal=USR1", warned], check=True)  # as --signal has SLURM do before the time is over
    wait_until(lambda: all(trains(here, seed, attempt=2) for seed in (0, 1, 2)), "their second attempts")
    assert job_of(cluster, 2) == warned, "it went back into the queue by itself, under its number"
    before = [job_of(cluster, seed) for seed in range(4)]
    urgent = ["--partition=urgent", "--nodes=2", "--exclusive", "--mem=0", "--wrap=sleep 2"]
    cluster.ask("sbatch", "--output=/dev/null", *urgent)
    words = end(here, process)
    assert [job_of(cluster, seed, "COMPLETED") for seed in range(4)] == before, "SLURM itself began the preempted again"
    assert words.count("Trying to restart job") <= 2 * 2, "only those that were cancelled and killed were sent again"
    for seed in range(4):
        assert_trained_once(here, undisturbed, seed)
