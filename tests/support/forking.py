"""A process that imports torch once and forks a child for every sitting at a training.

Orders come on stdin, one JSON object a line; the answer is the child's process id. An empty line asks for its exit
code, once it has ended: until then the id cannot become another process's. The children are real processes that
somebody may kill, and start in milliseconds instead of seconds. `python -m support.forking` starts it.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
import torch._dynamo  # by the first optimizer

from support.trainings import trainers
from vitflow import cli
from vitflow.machine import signals
from vitflow.training import checkpoint, loop, predict

#: what the commands import when they run
LATER = (
    "commands.evaluate",
    "commands.train",
    "machine.gpu",
    "measuring.scores",
    "results.lock",
    "results.provenance",
    "results.weights",
)


def sit(order: dict[str, Any]) -> int:
    """A command in ``folder``, training with a checkpoint every few updates; at the end, all that files do not tell."""
    os.chdir(order["folder"])
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    train = loop.train

    def train_and_tell(*arguments: Any, **options: Any) -> loop.Outcome:
        with trainers() as made:
            outcome = train(*arguments, **options, checkpoint_seconds=order["checkpoint_seconds"])
        torch.save(made[0].state_dict(), order["ended"])
        return outcome

    loop.train = train_and_tell
    checkpoint.publishing = functools.partial(slowly, checkpoint.publishing, order["write_seconds"])
    if order["scoring_seconds"]:
        predict.BATCH = 20
        predict.normalise = functools.partial(late, predict.normalise, order["scoring_seconds"])
    signals.listen()
    return cli.main([*order["words"], "--threads", "1"])


def late(function: Any, seconds: float, *arguments: Any) -> Any:
    time.sleep(seconds)
    return function(*arguments)


@contextmanager
def slowly(publishing: Any, seconds: float, path: Path) -> Iterator[Path]:
    """Publishing on a slow disk: half of the file is there for a while, and then all of it under the wrong name."""
    with publishing(path) as temporary:
        yield temporary
        if seconds:
            content = temporary.read_bytes()
            temporary.write_bytes(content[: len(content) // 2])
            time.sleep(seconds / 2)
            temporary.write_bytes(content)
            time.sleep(seconds / 2)


def main() -> None:
    for name in LATER:
        import_module(f"vitflow.{name}")
    torch.set_num_threads(1)
    while line := sys.stdin.readline():
        child = os.fork()
        if not child:
            code = 70
            try:
                code = sit(json.loads(line))
            finally:
                os._exit(code)
        print(child, flush=True)
        sys.stdin.readline()
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
