"""One process at a time works on a run and seed, and sweeps up what killed ones left of it."""

from __future__ import annotations

import math
import os
import re
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack

import pytest
from support.checkouts import environment
from support.results import ROOT, TINY, publish

from vitflow.data import places
from vitflow.machine.files import FileProblem, write_json, write_text
from vitflow.results import ledger, lock
from vitflow.results.ledger import Job
from vitflow.results.lock import Busy, locked, note, sittings, sweep_results
from vitflow.study.schema import Study

pytestmark = pytest.mark.usefixtures("in_an_empty_folder")


def test_who_holds_the_lock_is_alone_at_work_on_that_run_and_seed(study: Study, job: Job) -> None:
    other = ledger.jobs(study)[1]
    assert not job.busy
    with locked(job):
        assert job.busy and not other.busy
        with pytest.raises(
            Busy, match=f"^{job.paths.state}: another process is at work on baseline seed 0 \\("
        ) as busy:
            locked(job).__enter__()
        assert f"({socket.gethostname()}, process {os.getpid()}, since 20" in str(busy.value)
        with locked(other):
            assert other.busy
    assert not job.busy and not other.busy
    with locked(job):
        assert job.busy, "and again"


def test_the_lock_is_let_go_when_the_work_fails_and_the_sitting_stays_on_record_until_one_ends_well(job: Job) -> None:
    for number in (1, 2):
        with pytest.raises(ZeroDivisionError), locked(job):
            note(job, f"epoch {number}")
            raise ZeroDivisionError
    assert not job.busy
    assert [one["said"] for one in sittings(job)] == ["epoch 1", "epoch 2"]
    with locked(job):
        assert len(sittings(job)) == 3
    assert sittings(job) == []


def test_who_is_patient_names_the_holder_once_waits_for_it_and_is_told_so(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "LOOK_AGAIN", 0.01)
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    monkeypatch.setenv("SLURMD_NODENAME", "node7")
    said: list[str] = []
    with ExitStack() as first:
        assert not first.enter_context(locked(job)), "nobody was waited for"
        with pytest.raises(Busy), locked(job, until=time.monotonic() + 0.1, say=said.append):
            pass
        threading.Timer(0.1, first.pop_all().close).start()
        with locked(job, until=math.inf, say=said.append) as waited:
            assert waited
    assert len(said) == 2
    assert re.match(
        r"another process is at work on baseline seed 0 \(node7, SLURM job 12, since \S+\); waiting for it$", said[0]
    )


def test_the_lock_is_let_go_when_its_process_is_killed(job: Job) -> None:
    code = (
        "import os, signal, sys; from vitflow.results.ledger import jobs; from vitflow.results.lock import locked\n"
        "from vitflow.study.reading import read_study\n"
        "with locked(jobs(read_study(sys.argv[1]))[0]):\n"
        "    print('held', flush=True); sys.stdin.read()\n"
    )
    words = [sys.executable, "-c", code, str(TINY)]
    with subprocess.Popen(words, env=environment(ROOT), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"held\n"
        assert job.busy
        with pytest.raises(Busy):
            locked(job).__enter__()
        process.kill()
        process.wait()
        assert not job.busy
        with locked(job):
            pass


def test_what_processes_killed_while_they_noted_their_sitting_left_is_swept(job: Job) -> None:
    left = job.paths.sittings.with_name(f".{job.paths.sittings.name}.abcd1234.tmp")
    write_text(left, "half of it")
    with locked(job):
        assert not left.exists()


def test_a_lock_that_cannot_be_written_is_told(job: Job) -> None:
    write_text(job.paths.state.parents[2], "a file in the way")
    with pytest.raises(FileProblem, match=f"^{job.paths.state}: cannot be written") as error:
        locked(job).__enter__()
    assert "\n" not in str(error.value)
    assert not job.busy


def test_leftovers_of_this_run_and_seed_are_swept_and_nothing_else(study: Study, job: Job) -> None:
    digests = {"train": "of training images", "test": "of test images"}
    write_json(places.manifest("digits"), {"digests": digests, "sha256": "of images"})
    other = ledger.jobs(study)[1]
    publish(study, job)
    publish(study, other)
    paths = job.paths
    published = (paths.checkpoint, paths.config, paths.history, paths.train, paths.metrics, paths.predictions)
    leftovers = [path.with_name(f".{path.name}.abcd1234.tmp") for path in published]
    of_others = [other.paths.checkpoint.with_name(f".{other.paths.checkpoint.name}.abcd1234.tmp")]
    of_others += [other.paths.train.with_name(".train.json.abcd1234.tmp"), paths.folder / ".notes.txt.tmp"]
    for path in (*leftovers, *of_others):
        path.write_text("half of it")
    sweep_results(job)
    assert not any(path.exists() for path in leftovers)
    assert all(path.exists() for path in (*of_others, *published))
