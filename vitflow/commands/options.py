"""Options that several commands have, and what they come to."""

from __future__ import annotations

import argparse
import re
import shlex
import time
from pathlib import Path

from vitflow.machine.limits import THREADS, Machine
from vitflow.results.layout import Layout
from vitflow.results.place import check_folder, check_links, check_name
from vitflow.study.reading import read_study
from vitflow.study.schema import Study

DEFAULT = "config.yaml"
MOST_THREADS = 1024


def add_study(parser: argparse.ArgumentParser) -> None:
    """``--config``."""
    parser.add_argument("--config", default=DEFAULT, metavar="FILE", help="the study (default: config.yaml)")


def add_run(parser: argparse.ArgumentParser) -> None:
    """``--config``, ``--run``, and what the command may use of this machine."""
    add_study(parser)
    parser.add_argument("--run", dest="run_name", metavar="NAME", help="name of a run, as `vitflow status` shows it")
    add_machine(parser)


def add_machine(parser: argparse.ArgumentParser) -> None:
    """What the command may use of this machine: ``--threads``, ``--gpus``, ``--jobs-per-gpu``."""
    parser.add_argument(
        "--threads", type=threads, default=THREADS, metavar="N", help=f"CPU threads (default: {THREADS})"
    )
    parser.add_argument(
        "--gpus", type=int, default=0, metavar="N", help="stop where fewer are here (default: 0, the CPU will do)"
    )
    parser.add_argument(
        "--jobs-per-gpu", type=positive, default=1, metavar="N", help="jobs that may share a GPU (default: 1)"
    )


def add_seed(parser: argparse.ArgumentParser) -> None:
    """``--seed``."""
    parser.add_argument("--seed", type=int, default=0, metavar="K", help="seed of the run (default: 0)")


def positive(text: str) -> int:
    """A whole number from 1, as argparse wants it told."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a positive whole number, got '{text}'")
    return number


def threads(text: str) -> int:
    """Threads, as argparse wants it told: a number that no machine has ends torch without a word."""
    if (number := positive(text)) > MOST_THREADS:
        raise argparse.ArgumentTypeError(f"expected at most {MOST_THREADS}, got {number}")
    return number


def study_of(options: argparse.Namespace) -> Study:
    """The study that ``--config`` names. Raises ConfigError, and FileProblem where it cannot be worked on."""
    config = Path(options.config)
    check_folder(config)
    study = read_study(config)
    check_name(config, study.study)
    check_links(study.study)
    return study


def spelled(text: str, config: str) -> str:
    """A message whose commands are as they must be typed for the study in ``config``.

    Messages name them as for config.yaml: `` `vitflow restore` ``, `` `snakemake figures` ``, which wants cores too. So
    they stay where a job of Snakemake's reads the file that it was given: nobody types that.
    """
    unnamed = Path(config) == Path(DEFAULT) or Path(config).name == Layout("").effective_config.name
    study = "" if unnamed else shlex.quote(config)

    def whole(found: re.Match[str]) -> str:
        cores, option = (" --cores all", "--configfile") if found[1] == "snakemake" else ("", "--config")
        return f"`{found[1]}{cores}{found[2]}{f' {option} {study}' if study else ''}`"

    return re.sub(r"`(vitflow|snakemake)((?: [^`]*)?)`", whole, text)


def machine_of(options: argparse.Namespace) -> Machine:
    """What ``--threads``, ``--jobs-per-gpu`` and, where there is one, ``--time-limit`` leave the command."""
    limit = getattr(options, "time_limit", None)
    return Machine(
        options.threads, options.gpus, options.jobs_per_gpu, None if limit is None else time.monotonic() + limit
    )
