"""SLURM: what a cluster has, which jobs are there, and what it says to a request.

Everything is asked of SLURM's own commands, and what they refuse is told in their words.
"""

from __future__ import annotations

import getpass
import os
import re
import subprocess
from dataclasses import dataclass, field

#: seconds that a command may take: a controller that does not answer has others waiting too
PATIENCE = 60


class SlurmProblem(RuntimeError):
    """SLURM is absent, does not answer or refuses; the message says what."""


@dataclass(frozen=True)
class Nodes:
    """Equal nodes of one partition."""

    partition: str
    default: bool
    up: bool
    minutes: int | None  #: a job's longest; None: no limit
    cpus: int
    megabytes: int
    gpus: dict[str, int] = field(default_factory=dict)  #: {kind: how many a node has}; '' is a kind without name


@dataclass(frozen=True)
class Limit:
    """The most that a job gets of whoever pays for it; None: no limit."""

    whose: str  #: ``account 'physics'``, ``quality of service 'short'``
    minutes: int | None = None
    gpus: int | None = None
    megabytes: int | None = None


def job() -> str | None:
    """The SLURM job that this process belongs to."""
    return os.environ.get("SLURM_JOB_ID")


def ask(*words: str) -> str:
    """What one of SLURM's commands prints. Raises SlurmProblem with the first thing it complains of."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE)
    except FileNotFoundError:
        raise SlurmProblem(f"no SLURM here: `{words[0]}` is not found; call this where jobs are sent from") from None
    except subprocess.TimeoutExpired:
        raise SlurmProblem(f"SLURM does not answer (`{words[0]}` took over {PATIENCE} s)") from None
    if done.returncode:
        told = re.sub(r"^\w+: (error: )?", "", (done.stderr.strip() or "no reason given").splitlines()[0])
        raise SlurmProblem(f"SLURM refuses: {told}")
    return done.stdout


def nodes() -> list[Nodes]:
    """All kinds of nodes, by partition."""
    lines = ask("sinfo", "--exact", "--noheader", "--format=%R|%P|%a|%l|%c|%m|%G").splitlines()
    found = []
    for line in lines:
        name, starred, state, limit, cpus, memory, gres = line.split("|")
        gpus = {kind or "": int(count) for kind, count in re.findall(r"gpu:(?:([^:,(]+):)?(\d+)", gres)}
        found.append(Nodes(name, starred.endswith("*"), state == "up", minutes(limit), int(cpus), int(memory), gpus))
    return found


def minutes(limit: str) -> int | None:
    """SLURM's ``2-12:00:00``, ``2:00:00`` or ``30:00``, in minutes; None for no limit."""
    if not limit[:1].isdigit():
        return None
    days, _, clock = limit.rpartition("-")
    hours, minute, _ = [0, *map(int, clock.split(":"))][-3:]
    return (int(days or 0) * 24 + hours) * 60 + minute


def settings(*of: str) -> dict[str, str]:
    """``scontrol show`` of the configuration, or of a partition."""
    text = ask("scontrol", "show", *(of or ("config",)))
    return dict(re.findall(r"(?:^|\s)(\w+) *= *([^\n]*?)(?= +\w+=|\n|$)", text))


def requeues(partition: str) -> bool:
    """Whether jobs that are preempted there go back into the queue, or are never preempted."""
    return settings("partition", partition)["PreemptMode"] != "CANCEL"


def accounts() -> list[str]:
    """Accounts that this user may name; none where no accounting is there to know of them."""
    return sorted({account for (account,) in _recorded("account", "associations", f"user={getpass.getuser()}")})


def limits(account: str, qos: str, partition: str) -> list[Limit]:
    """Those of a job of this user; where account or quality of service are empty, of the ones that SLURM takes then.

    A job beyond them is taken by sbatch and waits for ever.
    """
    columns = "defaultaccount,account,partition,maxwall,maxtres,defaultqos"
    mine = _recorded(columns, "user", getpass.getuser(), "withassoc")
    rows = [row for row in mine if row[1] == (account.lower() or row[0]) and row[2] in ("", partition)]
    found = [_limit(f"account '{name}'", wall, most) for _, name, _, wall, most, _ in rows]
    qualities = {qos or row[-1] or "normal" for row in rows} | {settings("partition", partition)["QoS"]}
    known = _recorded("name,maxwall,maxtres", "qos")
    return found + [_limit(f"quality of service '{row[0]}'", *row[1:]) for row in known if row[0] in qualities]


def _recorded(columns: str, *of: str) -> list[list[str]]:
    """Rows of what accounting knows."""
    lines = ask("sacctmgr", "--noheader", "--parsable2", "show", *of, f"format={columns}").splitlines()
    return [line.split("|") for line in lines]


def _limit(whose: str, wall: str, most: str) -> Limit:
    """Of SLURM's ``1-00:00:00`` and ``gres/gpu=1,mem=4G``."""
    gpus, memory = re.search(r"gres/gpu=(\d+)", most), re.search(r"mem=(\d+)([MGT])", most)
    units = {"M": 1, "G": 2**10, "T": 2**20}
    return Limit(
        whose, minutes(wall), int(gpus[1]) if gpus else None, int(memory[1]) * units[memory[2]] if memory else None
    )


def queue() -> list[tuple[str, str, str, str, str]]:
    """(number, state, comment, node or '', why it waits) of this user's jobs that were sent from the current folder."""
    lines = ask("squeue", "--me", "--noheader", "--format=%i|%T|%Z|%N|%r|%k").splitlines()
    parts = [line.split("|", 5) for line in lines]
    here = os.getcwd()
    return [
        (number, state, comment, node, why) for number, state, folder, node, why, comment in parts if folder == here
    ]
