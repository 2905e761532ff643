"""A real SLURM on this machine: two virtual nodes with two pretended GPUs each, up in a second, gone afterwards.

It needs root and Debian's packages (`.ci/run` names them), installs nothing and starts nothing that it does not stop.
The commands inside of jobs look for `/etc/slurm`, where links to its files stand meanwhile; who has a SLURM of their
own there keeps it, and the tests are skipped.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from support.checkouts import copy_code, environment

ETC, MUNGE = Path("/etc/slurm"), Path("/run/munge")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol")
NODES = ("node1", "node2")
PATIENCE = 900  #: seconds, after which something hangs, however busy this machine is
CONFIGURATION = """
ClusterName=local
SlurmctldHost={host}(127.0.0.1)
SlurmUser=slurm
SlurmdUser=root
AuthType=auth/munge
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/slurmd.%n.pid
SlurmdSpoolDir={folder}/spool/%n
StateSaveLocation={folder}/ctld
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=bf_interval=2,sched_interval=5
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
GresTypes=gpu
MinJobAge=300
KillWait=5
SlurmdTimeout=10
NodeName=node[1-2] NodeHostname={host} NodeAddr=127.0.0.1 Port=[7001-7002] CPUs=8 RealMemory=8000 Gres=gpu:a100:2
PartitionName=cpu Nodes=node[1-2] Default=YES MaxTime=02:00:00
PartitionName=gpu Nodes=node[1-2] MaxTime=02:00:00
PartitionName=urgent Nodes=node[1-2] MaxTime=02:00:00 PriorityTier=10
PartitionName=cancelled Nodes=node[1-2] MaxTime=02:00:00 PreemptMode=CANCEL
PartitionName=closed Nodes=node[1-2] MaxTime=02:00:00 State=DOWN
{more}
"""
GPUS = """
AutoDetect=off
NodeName=node[1-2] Name=gpu Type=a100 File={folder}/dev/gpu[0-1]
"""


def missing() -> str | None:
    """Why no cluster can be raised here, or None."""
    if os.geteuid() != 0:
        return "a cluster is raised by root alone"
    if absent := [name for name in PROGRAMS if not shutil.which(name)]:
        return f"no {', '.join(absent)}: install the packages that .ci/run names"
    if any((ETC / name).exists() and not (ETC / name).is_symlink() for name in ("slurm.conf", "gres.conf")):
        return f"{ETC} has a configuration of its own"
    return None


@dataclass
class Cluster:
    """What stands in one folder, and the commands that people type."""

    folder: Path

    def ask(self, *words: str) -> str:
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout

    def jobs(self, shown: str = "%i %T", *words: str) -> list[list[str]]:
        """Every job that SLURM remembers, oldest first."""
        lines = self.ask("squeue", "--noheader", "--states=all", "--sort=i", f"--format={shown}", *words).splitlines()
        return [line.split() for line in lines]

    def is_idle(self) -> bool:
        done = subprocess.run(["sinfo", "-h", "-p", "cpu", "-o", "%T"], capture_output=True, text=True)
        return done.stdout.split() == ["idle"]

    def start(self, node: str) -> None:
        subprocess.run(["slurmd", "-c", "-N", node, "-f", self.folder / "slurm.conf"], check=True)

    def stop(self, daemon: str, number: signal.Signals = signal.SIGTERM) -> None:
        """End one of its daemons, by its pid file; `slurmd.node1` alone is a lost node whose jobs go on."""
        try:
            process = int((self.folder / "run" / f"{daemon}.pid").read_text())
            os.kill(process, number)
            while Path(f"/proc/{process}").exists():
                time.sleep(0.05)
        except (FileNotFoundError, ProcessLookupError):
            pass

    def begin_now(self) -> None:
        """What SLURM has put back into its queue begins two minutes later, which nobody wants to wait for here."""
        for (number,) in self.jobs("%i", "--states=PENDING"):
            subprocess.run(["scontrol", "update", f"jobid={number}", "StartTime=now"], capture_output=True)

    def empty(self) -> None:
        """No job of an earlier test is left, waiting, running or remembered by the nodes."""
        subprocess.run(["scancel", "--user=root"], check=False)
        wait_until(lambda: not self.jobs("%i", "--states=PENDING,RUNNING,COMPLETING,SUSPENDED"), "an empty cluster")


def wait_until(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Until ``condition()`` is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.1)


@contextmanager
def raised(more: str = "", beside: Callable[[Path], AbstractContextManager[None]] = nullcontext) -> Iterator[Cluster]:
    """The cluster, until the block ends; not below pytest's folders, which are for their owner's eyes alone.

    ``more`` goes to its configuration; ``beside``, given its folder, is there before its controller. One at a time: its
    ports and `/etc/slurm` are the machine's.
    """
    alone = FileLock(Path(tempfile.gettempdir()) / "vitflow-tests-slurm.lock")
    with alone, tempfile.TemporaryDirectory(prefix="slurm-") as folder:
        yield from _raised(Path(folder), more, beside)


def _raised(folder: Path, more: str, beside: Callable[[Path], AbstractContextManager[None]]) -> Iterator[Cluster]:
    for name in ("run", "log", "dev", "ctld", *(f"spool/{node}" for node in NODES)):
        (folder / name).mkdir(parents=True)
    folder.chmod(0o755)  # the daemon runs as slurm
    shutil.chown(folder / "ctld", "slurm", "slurm")
    for number in (0, 1):
        subprocess.run(["mknod", folder / f"dev/gpu{number}", "c", "1", "3"], check=True)
    words = {"folder": folder, "host": socket.gethostname(), "more": more}
    for name, text in (
        ("slurm.conf", CONFIGURATION.format(**words)),
        ("gres.conf", GPUS.format(**words)),
        ("cgroup.conf", "CgroupPlugin=cgroup/v1\n"),
    ):
        (folder / name).write_text(text)
        ETC.mkdir(exist_ok=True)
        (ETC / name).unlink(missing_ok=True)
        (ETC / name).symlink_to(folder / name)
    cluster = Cluster(folder)
    with _munge(), beside(folder):
        try:
            subprocess.run(["slurmctld", "-c", "-f", folder / "slurm.conf"], check=True)
            for node in NODES:
                cluster.start(node)
            wait_until(cluster.is_idle, "idle nodes", 30)
            yield cluster
            cluster.empty()
        finally:
            for daemon in (*(f"slurmd.{node}" for node in NODES), "slurmctld"):
                cluster.stop(daemon)
            for name in ("slurm.conf", "gres.conf", "cgroup.conf"):
                (ETC / name).unlink(missing_ok=True)


@contextmanager
def _munge() -> Iterator[None]:
    """SLURM's commands trust each other by a daemon, which may run already."""
    if subprocess.run(["munge", "-n"], capture_output=True).returncode == 0:
        yield
        return
    MUNGE.mkdir(mode=0o755, exist_ok=True)
    shutil.chown(MUNGE, "munge", "munge")
    subprocess.run(["su", "-s", "/bin/sh", "munge", "-c", "/usr/sbin/munged"], check=True)
    try:
        yield
    finally:
        os.kill(int((MUNGE / "munged.pid").read_text()), signal.SIGTERM)


SMALL = """
study: small
title: "A study on a cluster"
dataset: {{name: digits, train_images: 200, validation_fraction: 0.2}}
training: {{epochs: {epochs}, batch_size: 50, learning_rate: 0.003, warmup_epochs: 1, augmentation: none}}
baseline: {{family: vit, patch_size: 4, width: 16, depth: 2, heads: 2}}
seeds: {seeds}
{more}
"""


#: where minutes are not to be waited for
OFTEN = {"seconds-between-status-checks": 2, "slurm-init-seconds-before-status-checks": 1}


def checkout(where: Path, *, epochs: int, seeds: int = 1, more: str = "", **profile: str) -> Path:
    """A checkout with a small study as its config.yaml, and a profile for the cluster that looks often."""
    copy_code(where)
    (where / "config.yaml").write_text(SMALL.format(epochs=epochs, seeds=seeds, more=more))
    path = where / "profiles/slurm/config.v8+.yaml"
    lines = {"slurm_partition": "cpu", "gpu": "0", "runtime": "60", "latency-wait": "5"} | profile
    text = path.read_text()
    for key, value in lines.items():
        text, found = re.subn(rf"(?m)^( *{key}:) .*$", rf"\1 {value}", text)
        assert found == 1, key
    path.write_text(text + "".join(f"{key}: {value}\n" for key, value in OFTEN.items()))
    return where


def send(where: Path, *words: str | Path) -> subprocess.Popen[str]:
    """Snakemake with the profile, in a checkout; its words go to a file, since it may outlive its reader."""
    command = [sys.executable, "-m", "snakemake", "--profile", "profiles/slurm", "--local-cores", "1", *words]
    with (where / "snakemake.log").open("a") as said:
        _sent.append(subprocess.Popen(command, cwd=where, env=environment(where), text=True, stdout=said, stderr=said))
    return _sent[-1]


def kill_senders() -> None:
    """Every Snakemake that was begun; its jobs go on."""
    for process in _sent:
        process.kill()
        process.wait()
    _sent.clear()


_sent: list[subprocess.Popen[str]] = []


def end(where: Path, process: subprocess.Popen[str], *, expect: int = 0, seconds: float = PATIENCE) -> str:
    """What it said until its end."""
    code = process.wait(seconds)
    said = (where / "snakemake.log").read_text()
    assert code == expect and "Traceback" not in said, said[-6000:]
    return said
