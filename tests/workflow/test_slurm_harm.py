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
from support.harm import (
    HOME,
    again,
    assert_trained_once,
    hold_each,
    is_warned,
    jobs_of,
    processes,
    said,
    told_of,
    trains,
)
from support.slurm import PATIENCE, Cluster, checkout, end, kill_senders, send, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(slurm.missing()), reason=str(slurm.missing()))]
EPOCHS = 150
SCORES = [HOME.seed("baseline", seed).metrics for seed in range(4)]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with slurm.raised() as raised:
        yield raised


@pytest.fixture(autouse=True)
def no_job_of_another_test(cluster: Cluster) -> Iterator[None]:
    yield
    kill_senders()
    print(cluster.ask("squeue", "--states=all"))  # shown if it failed
    cluster.empty()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study's trainings, here, with nobody in their way."""
    where = checkout(tmp_path_factory.mktemp("undisturbed"), epochs=EPOCHS, seeds=4)
    call(where, "vitflow", "prepare")
    call(where, "vitflow", "train", "--pending", timeout=PATIENCE)
    call(where, "vitflow", "analyse", "summary")
    return where


@pytest.fixture
def here(undisturbed: Path, tmp_path: Path) -> Path:
    """The same study with its images, and nothing trained."""
    where = checkout(tmp_path / "here", epochs=EPOCHS, seeds=4)
    shutil.copytree(undisturbed / "data", where / "data")
    return where


def test_slurm_jobs_that_are_preempted_cancelled_killed_and_warned_end_as_undisturbed_ones(
    cluster: Cluster, here: Path, undisturbed: Path
) -> None:
    process = send(here, *SCORES)
    go_on = hold_each(here, lambda seed: trains(here, seed), 0, 1, 2, 3)
    cluster.ask("sbatch", "-purgent", "-N2", "--exclusive", "--mem=0", "--output=/dev/null", "--wrap=sleep 1")
    for one in go_on:
        one()
    first = [jobs_of(here, seed)[0] for seed in range(4)]
    harms = [
        lambda: subprocess.run(["scancel", first[0]], check=True),
        lambda: os.kill(processes(here, 1)[0], signal.SIGKILL),
        lambda: subprocess.run(["scancel", "--signal=USR1", first[2]], check=True),  # as --signal does in time
    ]
    go_on = hold_each(here, lambda seed: again(cluster, here, 2, seed), 0, 1, 2)
    for one, harm in zip(go_on, harms, strict=True):
        one()
        harm()
    (resume,) = hold_each(here, lambda seed: again(cluster, here, 3, seed), 2)
    told = call(here, "vitflow", "status")
    resume()
    assert f"baseline seed 2: node1, SLURM job {first[2]}, since " in told.replace("node2", "node1"), told
    assert re.search(r"epoch \d+/150, \d+:\d\d left, attempt 3", told), told
    words = end(here, process)
    assert words.count("Trying to restart job") <= 2 * 2, "the cancelled and the killed one alone are sent again"
    for seed in range(4):
        assert jobs_of(here, seed)[:2] == [first[seed]] * 2, "SLURM itself begins them again, under their numbers"
    assert [jobs_of(here, seed)[2:] == [first[seed]] for seed in range(3)] == [False, False, True]
    call(here, "vitflow", "analyse", "summary")
    for seed in range(4):
        assert_trained_once(here, undisturbed, seed)
    assert told_of(here / HOME.summary) == told_of(undisturbed / HOME.summary)


def test_slurm_jobs_outlive_the_main_process_and_the_next_one_waits_for_them(
    cluster: Cluster, here: Path, undisturbed: Path
) -> None:
    send(here, *SCORES[:2])
    go_on = hold_each(here, lambda seed: trains(here, seed), 0, 1)
    kill_senders()
    words = [sys.executable, "-m", "vitflow", "train", "--run", "baseline", "--seed", "0"]
    beside, process = begin(here, words), send(here, *SCORES[:2])
    wait_until(lambda: len(cluster.jobs("%i", "--states=PENDING")) == 2, "two jobs that wait for those at work")
    second = send(here, *SCORES[:2])  # a Snakemake that does live is never shut out by mistake, nor is its lock taken
    assert second.wait(PATIENCE) == 1 and beside.stdout
    line = next(line for line in beside.stdout if "at work" in line)
    assert re.search(rf"\(node\d, SLURM job {jobs_of(here, 0)[0]}, since \S+\); waiting for it", line), line
    for one in go_on:
        one()
    told = end(here, process)
    assert "LockException" in told and "Trying to restart job" not in told
    waited, _ = beside.communicate(timeout=PATIENCE)
    assert beside.returncode == 0 and "already trained" in waited
    for seed in (0, 1):
        assert_trained_once(here, undisturbed, seed, resumed=False)
        assert "already trained" in said(here, seed), "the new job found it done, and appended to the log of the old"


def test_slurm_jobs_that_end_while_the_main_process_ends_or_the_next_begins_are_neither_lost_nor_done_twice(
    cluster: Cluster, here: Path, undisturbed: Path
) -> None:
    send(here, *SCORES[:3])
    go_on = hold_each(here, lambda seed: "epoch 110/" in said(here, seed), 0, 1, 2)
    go_on[0]()
    kill_senders()
    (here / "snakemake.log").unlink()
    process = send(here, *SCORES[:3])
    wait_until(lambda: "Building DAG" in (here / "snakemake.log").read_text(), "a main process that plans")
    go_on[1]()
    wait_until(lambda: cluster.jobs("%i", "--states=PENDING"), "its job, which waits for the one at work")
    go_on[2]()
    assert "Trying to restart job" not in end(here, process)
    for seed in range(3):
        assert_trained_once(here, undisturbed, seed, resumed=False)
    assert "Nothing to be done" in end(here, send(here, *SCORES[:3]))


def test_slurm_begins_a_job_again_whose_node_is_lost_while_its_first_copy_trains(
    cluster: Cluster, here: Path, undisturbed: Path
) -> None:
    process = send(here, SCORES[0])
    (go_on,) = hold_each(here, lambda seed: trains(here, seed), 0)
    ((node,),) = cluster.jobs("%N", "--states=RUNNING")
    cluster.stop(f"slurmd.{node}", signal.SIGKILL)
    try:
        wait_until(lambda: cluster.begin_now() or "waiting for it" in said(here, 0), "its second copy")
        go_on()
        end(here, process)
    finally:
        cluster.start(node)
    assert_trained_once(here, undisturbed, 0, resumed=False)
    assert "already trained" in said(here, 0)


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
    cluster: Cluster, here: Path, undisturbed: Path
) -> None:
    edit(here / "profiles/slurm/config.v8+.yaml", "runtime: 60", "runtime: 3")
    edit(here / "profiles/slurm/config.v8+.yaml", "retries: 3", "retries: 0")
    process = send(here, SCORES[0])
    for attempt in (1, 2):
        (go_on,) = hold_each(here, lambda seed: again(cluster, here, attempt, seed), 0)  # noqa: B023
        # it stands still, so that it takes longer than its job may
        wait_until(lambda: all(map(is_warned, processes(here, 0))), "SLURM's warning")
        go_on()
    wait_until(lambda: again(cluster, here, 3, 0), "a training")
    end(here, process)
    assert len(set(jobs_of(here, 0))) == 1, "one job, without a retry, over its limit twice"
    assert_trained_once(here, undisturbed, 0)
