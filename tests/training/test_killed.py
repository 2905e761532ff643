"""Real processes are killed with SIGKILL at random moments, and nothing is lost."""

from __future__ import annotations

import itertools
import math
import os
import random
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from support.killing import RUNS, STEPS, Ended, Parent, assert_same_end, fresh, half_written, paths, states


@dataclass
class Kills:
    """What a row of SIGKILLs met."""

    number: int = 0
    with_state: int = 0  #: sittings that began with a state and came to tell where they go on
    while_writing: int = 0
    finished: list[str] = field(default_factory=list)


def kill_often(
    number: int, seed: int, parent: Parent, killed_study: Path, uninterrupted: dict[str, Ended], where: Path
) -> Kills:
    """SIGKILL at random moments, run after run, until there were ``number``; each run then ends as if undisturbed."""
    chance, kills = random.Random(seed), Kills()
    for attempt in itertools.count():
        run = RUNS[attempt % len(RUNS)]
        folder, code = fresh(killed_study, where / f"{attempt}"), -1
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
    parent: Parent, killed_study: Path, uninterrupted: dict[str, Ended], tmp_path: Path, number: int
) -> None:
    kills = kill_often(number, number, parent, killed_study, uninterrupted, tmp_path)
    assert kills.number == number and kills.with_state >= 0.4 * number and kills.while_writing >= 0.08 * number, kills
    assert set(kills.finished) == set(RUNS)
