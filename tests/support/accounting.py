"""Accounting for the cluster that tests raise: a database and slurmdbd in its folder, up in some seconds."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from support import slurm
from support.slurm import wait_until

PROGRAMS = ("mariadbd", "mariadb-install-db", "slurmdbd")
#: of slurm.conf
MORE = """
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort=7003
AccountingStorageEnforce=associations,limits,qos
AccountingStorageTRES=gres/gpu
"""
CONFIGURATION = """
AuthType=auth/munge
DbdHost=localhost
DbdPort=7003
SlurmUser=slurm
LogFile={data}/slurmdbd.log
PidFile={data}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=root
StorageLoc=jobs
"""


def missing() -> str | None:
    """Why no cluster with accounting can be raised here, or None."""
    if absent := [name for name in PROGRAMS if not shutil.which(name)]:
        return f"no {', '.join(absent)}: install the packages that .ci/run names"
    return slurm.missing()


@contextmanager
def kept(folder: Path) -> Iterator[None]:
    """A record of jobs, with an account ``physics`` of root's, until the block ends."""
    data = folder / "data"
    data.mkdir()
    shutil.chown(data, "slurm")
    words = ["--no-defaults", "--user=slurm", f"--datadir={data}"]
    made = ["mariadb-install-db", *words, "--auth-root-authentication-method=normal", "--skip-test-db"]
    subprocess.run(made, check=True, capture_output=True)
    configuration = folder / "slurmdbd.conf"
    configuration.write_text(CONFIGURATION.format(data=data))
    configuration.chmod(0o600)
    shutil.chown(configuration, "slurm")
    socket = data / "socket"
    with ExitStack() as running:
        begin(running, "mariadbd", *words, "--skip-networking", f"--socket={socket}")
        wait_until(socket.exists, "a database", 60)
        begin(running, "slurmdbd", "-D", MYSQL_UNIX_PORT=str(socket), SLURM_CONF=str(folder / "slurm.conf"))
        wait_until(lambda: manage("list", "cluster", check=False) is not None, "slurmdbd", 60)
        for words in (["cluster", "local"], ["account", "physics"], ["user", "root", "account=physics"]):
            manage("add", *words)
        yield


def begin(running: ExitStack, *command: str, **environment: str) -> None:
    """A daemon that ends with ``running``."""
    told = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, env=os.environ | environment, **told)
    running.callback(process.wait)
    running.callback(process.terminate)


def manage(*words: str, check: bool = True) -> str | None:
    """What sacctmgr says; None where it fails and may."""
    done = subprocess.run(["sacctmgr", "--immediate", *words], capture_output=True, text=True)
    assert not (check and done.returncode), done.stdout + done.stderr
    return None if done.returncode else done.stdout
