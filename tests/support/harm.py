"""What befell trainings in jobs of a cluster, by their logs, records and processes: its nodes are this machine."""

from __future__ import annotations

import csv
import os
import re
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from support.slurm import Cluster, wait_until
from vitflow.machine.files import read_json
from vitflow.results.layout import Layout

#: the study of :func:`support.slurm.checkout`
HOME = Layout("small")


def said(where: Path, seed: int) -> str:
    log = where / HOME.log("baseline", seed)
    return log.read_text() if log.exists() else ""


def trains(where: Path, seed: int, attempt: int = 1) -> bool:
    """Whether that attempt is well under way."""
    sittings = sittings_of(where, seed)
    return len(sittings) > attempt and "epoch   5/" in said(where, seed) and sittings[attempt].count("epoch ") > 4


def sittings_of(where: Path, seed: int) -> list[str]:
    """What it said before its first attempt, and in each."""
    return said(where, seed).split("training on ")


def jobs_of(where: Path, seed: int) -> list[str]:
    """The numbers of the jobs that trained it, one for each sitting."""
    return re.findall(r"training on .*SLURM job (\d+),", said(where, seed))


def told_of(table: Path) -> object:
    """What it says, but for when, where and how quickly."""
    if table.suffix == ".json":
        return {key: value for key, value in read_json(table).items() if key not in ("provenance", "digest")}
    rows = list(csv.DictReader(table.read_text().splitlines()))
    return [{key: value for key, value in row.items() if key != "train_hours"} for row in rows]


def processes(where: Path, seed: int) -> list[int]:
    """Those that train it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # ended meanwhile
            words = (process / "cmdline").read_text().split("\0")
            trains_it = "train" in words and words[words.index("train") :][:7][-2:] == ["--seed", str(seed)]
            if trains_it and (process / "cwd").resolve() == where:
                found.append(int(process.name))
    return found


def hold(where: Path, seed: int) -> Callable[[], None]:
    """A training that stands still until what is returned is called, however long others take meanwhile."""
    stopped = processes(where, seed)
    assert stopped, f"nobody trains seed {seed}"
    for process in stopped:
        os.kill(process, signal.SIGSTOP)

    def go_on() -> None:
        for process in stopped:
            os.kill(process, signal.SIGCONT)

    return go_on


def hold_each(where: Path, is_so_far: Callable[[int], bool], *seeds: int) -> list[Callable[[], None]]:
    """Each held as soon as it is so far: it may be at its end before the others begin."""
    held: dict[int, Callable[[], None]] = {}

    def all_are_held() -> bool:
        for seed in seeds:
            if seed not in held and is_so_far(seed):
                held[seed] = hold(where, seed)
        return len(held) == len(seeds)

    wait_until(all_are_held, f"trainings of seeds {seeds}")
    return [held[seed] for seed in seeds]


def assert_trained_once(where: Path, undisturbed: Path, seed: int, resumed: bool = True) -> None:
    """To the bits of the undisturbed one, from where it was stopped and never from the start again."""
    paths = HOME.seed("baseline", seed)
    for name in (paths.checkpoint, paths.history):
        assert (where / name).read_bytes() == (undisturbed / name).read_bytes(), name
    assert told_of(where / paths.metrics) == told_of(undisturbed / paths.metrics)
    steps = read_json(where / paths.train)["resumed_from"]
    assert bool(steps) == resumed and all(step > 0 for step in steps) and steps == sorted(steps)
    assert said(where, seed).count("epoch   1/") == 1, "no epoch is done twice, and no log emptied"
    assert sorted(path.name for path in (where / paths.state).iterdir()) == ["lock"]


def again(cluster: Cluster, where: Path, attempt: int, *seeds: int) -> bool:
    """Whether each trains in that attempt, which is begun where it waits.

    SLURM is asked nothing once they have begun: its answer may take longer than what is left of the training.
    """
    if any(len(sittings_of(where, seed)) <= attempt for seed in seeds):
        cluster.begin_now()
    return all(trains(where, seed, attempt) for seed in seeds)


def is_warned(process: int) -> bool:
    """Whether it has a signal to answer when it goes on."""
    (pending,) = re.findall(r"ShdPnd:\s+(\w+)", Path(f"/proc/{process}/status").read_text())
    return bool(int(pending, 16) & 1 << (signal.SIGUSR1 - 1))
