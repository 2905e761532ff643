"""Real processes are asked to stop, by SIGTERM and SIGUSR1 at any moment: they save their state and leave with 75."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.checkouts import environment
from support.killing import STUDY, Ended, Parent, assert_same_end, fresh, paths, states
from support.results import ROOT


def test_asked_to_stop_at_any_moment_it_saves_its_state_and_leaves_with_75(
    parent: Parent, killed_study: Path, uninterrupted: dict[str, Ended], tmp_path: Path
) -> None:
    chance, stops, run = random.Random(2), 0, "baseline"
    folder, code = fresh(killed_study, tmp_path / "here"), 75
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


def test_asked_to_stop_while_it_scores_it_does_not_go_on(parent: Parent, killed_study: Path, tmp_path: Path) -> None:
    folder = fresh(killed_study, tmp_path / "here")
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
    parent: Parent, killed_study: Path, tmp_path: Path, number: signal.Signals
) -> None:
    folder = fresh(killed_study, tmp_path / "here")
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
def test_asked_to_stop_while_it_starts_it_leaves_with_one_line(
    killed_study: Path, tmp_path: Path, seconds: float
) -> None:
    folder = fresh(killed_study, tmp_path / "here")
    endless = folder / "endless.yaml"
    endless.write_text(STUDY.replace("epochs: 30", "epochs: 100000"))
    command = [sys.executable, "-m", "vitflow", "train", "--config", endless.name, "--run", "baseline"]
    process = subprocess.Popen(command, cwd=folder, env=environment(ROOT), stderr=subprocess.PIPE, text=True)
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
