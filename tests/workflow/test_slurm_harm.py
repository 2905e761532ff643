"""Whatever may happen to jobs on a cluster: each run is trained to its end, by one at a time, to the same bits."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from support import slurm
from support.checkouts import begin, call, edit
from support.slurm import Cluster, checkout, end, kill_senders, send, wait_until

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
    kill_senders()
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
        with suppress(OSError):  # ended meanwhile
            words = (process / "cmdline").read_text().split("\0")
            trains_it = "train" in words and words[words.index("train") :][:7][-2:] == ["--seed", str(seed)]
            if trains_it and (process / "cwd").resolve() == where:
                found.append(int(process.name))
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


SCORES = [HOME.seed("baseline", seed).metrics for seed in range(4)]


def again(cluster: Cluster, where: Path, attempt: int, *seeds: int) -> bool:
    cluster.begin_now()
    return all(trains(where, seed, attempt) for seed in seeds)


def test_slurm_jobs_that_are_preempted_cancelled_killed_and_warned_end_as_undisturbed_ones(
    cluster: Cluster, here: Path, undisturbed: Path
) -> None:
    process = send(here, *SCORES)
    wait_until(lambda: all(trains(here, seed) for seed in range(4)), "four trainings")
    first = [job_of(cluster, seed) for seed in range(4)]
    cluster.ask("sbatch", "-purgent", "-N2", "--exclusive", "--mem=0", "--output=/dev/null", "--wrap=sleep 1")
    wait_until(lambda: again(cluster, here, 2, 0, 1, 2, 3), "four second attempts")
    assert [job_of(cluster, seed) for seed in range(4)] == first, "SLURM itself began them again, under their numbers"
    subprocess.run(["scancel", first[0]], check=True)
    os.kill(processes(here, 1)[0], signal.SIGKILL)
    subprocess.run(["scancel", "--signal=USR1", first[2]], check=True)  # as --signal does before the time is over
    wait_until(lambda: again(cluster, here, 3, 0, 1, 2), "three third attempts")
    assert job_of(cluster, 2) == first[2] and job_of(cluster, 0) > first[3] and job_of(cluster, 1) > first[3]
    told = call(here, "vitflow", "status")
    assert f"baseline seed 2: node1, SLURM job {first[2]}, since " in told.replace("node2", "node1"), told
    assert re.search(r"epoch \d+/150, \d+:\d\d left, attempt 3", told), told
    words = end(here, process)
    assert words.count("Trying to restart job") <= 2 * 2, "the cancelled and the killed one alone are sent again"
    for seed in range(4):
        assert_trained_once(here, undisturbed, seed)


def test_slurm_jobs_outlive_the_main_process_and_the_next_one_waits_for_them(
    cluster: Cluster, here: Path, undisturbed: Path
) -> None:
    send(here, *SCORES[:2])
    wait_until(lambda: trains(here, 0) and trains(here, 1), "two trainings")
    kill_senders()
    orphans = [job_of(cluster, 0), job_of(cluster, 1)]
    words = [sys.executable, "-m", "vitflow", "train", "--run", "baseline", "--seed", "0"]
    beside, process = begin(here, words), send(here, *SCORES[:2])
    wait_until(lambda: len(cluster.jobs("%i", "--states=PENDING")) == 2, "two jobs that wait for those at work")
    second = send(here, *SCORES[:2])  # a Snakemake that does live is never shut out by mistake, nor is its lock taken
    told = end(here, process)
    assert second.wait(60) == 1 and "LockException" in told
    waited, _ = beside.communicate(timeout=60)
    assert re.search(rf"at work on baseline seed 0 \(node\d, SLURM job {orphans[0]}, since \S+\); waiting", waited), (
        waited
    )
    assert beside.returncode == 0 and "already trained" in waited
    for seed in (0, 1):
        assert_trained_once(here, undisturbed, seed, resumed=False)
        assert said(here, seed).count("training on") == 1
        assert "already trained" in said(here, seed), "the new job found it done, and appended to the log of the old"
    assert "Trying to restart job" not in told


def test_slurm_begins_a_job_again_whose_node_is_lost_while_its_first_copy_trains(cluster: Cluster, here: Path) -> None:
    edit(here / "config.yaml", f"epochs: {EPOCHS}", "epochs: 900")
    process = send(here, SCORES[0])
    wait_until(lambda: trains(here, 0), "a training")
    ((node,),) = cluster.jobs("%N", "--states=RUNNING")
    cluster.stop(f"slurmd.{node}", signal.SIGKILL)
    try:
        wait_until(lambda: again(cluster, here, 1, 0) and "waiting for it" in said(here, 0), "its second copy")
        end(here, process)
    finally:
        cluster.start(node)
    assert said(here, 0).count("epoch   1/") == said(here, 0).count("epoch 900/") == 1, "trained once, by one at a time"
    assert "already trained" in said(here, 0)
    assert read_json(here / HOME.seed("baseline", 0).train)["resumed_from"] == []


def test_slurm_jobs_on_a_full_disk_fail_in_one_line_and_go_on_when_there_is_space(
    cluster: Cluster, here: Path, undisturbed: Path
) -> None:
    results = here / "results"
    results.mkdir()
    edit(here / "profiles/slurm/config.v8+.yaml", "retries: 3", "retries: 0")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", results], check=True)
    try:
        process = send(here, SCORES[0])
        wait_until(lambda: trains(here, 0), "a training")
        with suppress(OSError):
            (results / "filler").write_bytes(bytes(3 * 2**20))
        end(here, process, expect=1)
        assert "cannot be written (No space left on device); free some space, and the same command goes on" in said(
            here, 0
        )
        (results / "filler").unlink()
        told = call(here, "vitflow", "status")
        assert (
            "baseline seed 0: left after 1 attempt, the last on node" in told and "    vitflow: results/small" in told
        )
        end(here, send(here, SCORES[0]))
        paths = HOME.seed("baseline", 0)
        assert (here / paths.checkpoint).read_bytes() == (undisturbed / paths.checkpoint).read_bytes()
    finally:
        subprocess.run(["umount", "--lazy", results], check=True)


def test_slurm_warns_before_the_time_limit_and_the_job_goes_on_as_often_as_it_takes(
    cluster: Cluster, here: Path
) -> None:
    edit(here / "config.yaml", f"epochs: {EPOCHS}", "epochs: 1500")
    edit(here / "profiles/slurm/config.v8+.yaml", "runtime: 60", "runtime: 2")
    edit(here / "profiles/slurm/config.v8+.yaml", "retries: 3", "retries: 0")
    process = send(here, SCORES[0])

    def ended() -> bool:
        cluster.begin_now()
        return process.poll() is not None

    wait_until(ended, "the end", 500)
    end(here, process)
    assert len(cluster.jobs("%i")) == 1 or job_of(cluster, 0, "COMPLETED")
    steps = read_json(here / HOME.seed("baseline", 0).train)["resumed_from"]
    assert steps and steps == sorted(set(steps)), "one job, without a retry, over its limit"
    assert said(here, 0).count("epoch   1/") == 1
