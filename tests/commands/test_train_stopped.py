"""`vitflow train` stopped, by a time limit or a signal: the same command goes on and ends with the same bytes."""

from __future__ import annotations

import itertools
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from support.checkouts import environment
from support.commands import TINY, TWO_RUNS, edited, statuses
from support.results import BASELINE, HOME, ROOT
from support.shared import once

from vitflow import cli
from vitflow.commands import train as command
from vitflow.machine.files import read_json
from vitflow.results import ledger
from vitflow.study.reading import read_study
from vitflow.training import checkpoint


@pytest.mark.parametrize(("words", "code"), [(["--run", "baseline"], 0), (["--pending"], 75)], ids=str)
def test_asked_to_stop_while_it_publishes_it_ends_that_and_begins_nothing_else(
    here: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], code: int
) -> None:
    (here / "config.yaml").write_text(TWO_RUNS)
    save = checkpoint.save_weights

    def asked(*arguments: Any) -> None:
        signal.raise_signal(signal.SIGTERM)
        save(*arguments)

    monkeypatch.setattr(checkpoint, "save_weights", asked)
    assert cli.main(["train", *words, "--threads", "1"]) == code
    assert statuses() == ["trained", "missing"]


def published(where: Path) -> dict[str, bytes]:
    """What must be the same bytes however often a run was stopped."""
    return {p.name: (where / p).read_bytes() for p in (BASELINE.checkpoint, BASELINE.history, BASELINE.config)}


def test_a_time_limit_stops_before_it_is_over_and_the_same_command_goes_on(
    done: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = published(done)
    shutil.rmtree(HOME.root)
    ticks = itertools.count()
    with monkeypatch.context() as patch:
        patch.setattr(time, "monotonic", lambda: next(ticks) * 0.1)  # every look at the clock takes 0.1 s
        assert cli.main(["train", "--run", "baseline", "--threads", "1", "--time-limit", "3"]) == 75
        assert next(ticks) * 0.1 < 3
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("baseline seed 0: stopped at step ") and told.endswith("the same command continues there")
    assert ledger.all_jobs(read_study("config.yaml"))[0].status == "interrupted"
    assert not BASELINE.folder.exists(), "no result before the end"
    assert cli.main(["train", "--run", "baseline", "--threads", "1"]) == 0
    assert read_json(BASELINE.train)["resumed_from"] == [int(told.split("step ")[1].split()[0])]
    assert published(done) == whole


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT], ids=lambda n: n.name)
def test_signals_stop_with_the_state_saved(done: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals) -> None:
    whole, handler = published(done), signal.getsignal(number)
    shutil.rmtree(HOME.root)

    def signalling(line: str) -> None:
        if line.startswith("epoch   1"):
            signal.raise_signal(number)

    with monkeypatch.context() as patch:
        patch.setattr(command, "say", signalling)
        assert cli.main(["train", "--run", "baseline", "--threads", "1"]) == 75
    assert signal.getsignal(number) is handler
    assert cli.main(["train", "--run", "baseline", "--threads", "1"]) == 0
    assert read_json(BASELINE.train)["resumed_from"] == [4]
    assert published(done) == whole


@dataclass
class Killed:
    """What happened to a real process that was sent SIGTERM in mid-training."""

    code: int
    seconds: float
    said: str
    second_code: int  #: of another process at the same run, meanwhile
    second_said: str
    states: list[str]
    resumed_from: list[int]
    published: dict[str, bytes] = field(default_factory=dict)
    whole: dict[str, bytes] = field(default_factory=dict)


def wait_for(process: subprocess.Popen[bytes], word: bytes, seconds: float = 60) -> bytes:
    assert process.stderr is not None
    said, deadline = b"", time.monotonic() + seconds
    while word not in said:
        ready, _, _ = select.select([process.stderr], [], [], max(0, deadline - time.monotonic()))
        part = os.read(process.stderr.fileno(), 65536) if ready else b""
        assert part, f"'{word.decode()}' was never said: {said.decode()}"
        said += part
    return said


WORDS = ["train", "--run", "baseline", "--threads", "1"]


def kill(where: Path) -> None:
    """Leave, in two folders of it, a run that was killed and one that was not, and what was said in killed.json."""
    interrupted, alone = where / "interrupted", where / "alone"
    command = [sys.executable, "-m", "vitflow", *WORDS]
    process = subprocess.Popen(
        command, cwd=interrupted, env=environment(ROOT), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        said = wait_for(process, b"epoch   2/30")
        process.send_signal(signal.SIGSTOP)  # it cannot finish while the second one looks
        # it would be waited for as long as there is time
        second = subprocess.run(
            [*command, "--time-limit", "8"],
            cwd=interrupted,
            env=environment(ROOT),
            capture_output=True,
            text=True,
            timeout=60,
        )
        process.send_signal(signal.SIGTERM)
        started = time.monotonic()
        process.send_signal(signal.SIGCONT)
        _, rest = process.communicate(timeout=30)
        seconds = time.monotonic() - started
    finally:
        process.kill()
    states = sorted(path.name for path in (interrupted / BASELINE.state).glob("step-*"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(interrupted)
        assert cli.main(WORDS) == 0
        resumed_from = read_json(BASELINE.train)["resumed_from"]
        patch.chdir(alone)
        assert cli.main(WORDS) == 0
        assert read_json(BASELINE.train)["resumed_from"] == []
    found = Killed(
        code=process.returncode,
        seconds=seconds,
        said=(said + rest).decode(),
        second_code=second.returncode,
        second_said=second.stderr,
        states=states,
        resumed_from=resumed_from,
    )
    (where / "killed.json").write_text(json.dumps(asdict(found)))


@pytest.fixture(scope="module")
def killed(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Killed:
    def make(where: Path) -> None:
        for name in ("interrupted", "alone"):
            shutil.copytree(prepared, where / name)
            changes = [("epochs: 2", "epochs: 30"), ("none}", "crop_flip}")]
            (where / name / "config.yaml").write_text(edited(TINY, *changes))
        kill(where)

    where = once(tmp_path_factory, "killed", make)
    found = Killed(**json.loads((where / "killed.json").read_text()))
    return replace(found, published=published(where / "interrupted"), whole=published(where / "alone"))


def test_sigterm_saves_the_state_and_exits_within_seconds(killed: Killed) -> None:
    assert killed.code == 75, killed.said
    assert killed.seconds < 5
    assert len(killed.states) in (1, 2)
    last = killed.said.splitlines()[-1]
    assert last.startswith("baseline seed 0: stopped at step ") and "Traceback" not in killed.said


def test_after_sigterm_the_same_command_ends_with_the_bytes_of_an_uninterrupted_run(killed: Killed) -> None:
    assert killed.resumed_from == [int(killed.states[-1].split("-")[1])]
    assert 8 <= killed.resumed_from[0] < 120
    assert killed.published == killed.whole


def test_a_second_process_on_the_same_run_is_told_so(killed: Killed) -> None:
    assert killed.second_code == 75, "its time was over before the first one's"
    assert "another process is at work on baseline seed 0 (" in killed.second_said
