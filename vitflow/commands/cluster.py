"""`vitflow cluster`: what a SLURM cluster grants this study, asked before a job is sent."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

import yaml

from vitflow.commands.options import add_study, study_of
from vitflow.machine import slurm
from vitflow.machine.limits import THREADS
from vitflow.machine.log import say
from vitflow.machine.slurm import SlurmProblem
from vitflow.results.cluster import Asked, Site, accounting, limits, problems, status_command
from vitflow.results.ledger import all_jobs
from vitflow.results.requests import Requests
from vitflow.study.names import ConfigError, nearest
from vitflow.study.reading import read_yaml
from vitflow.study.schema import Study

EXAMPLE = "vitflow cluster > profiles/mine/config.v8+.yaml\n  vitflow cluster --profile profiles/mine"
DETAILS = """

Without --profile, the profile that this cluster grants is printed: its partition with GPUs, or the one that jobs go to
by themselves. With --profile, that one is checked: a line for what SLURM would refuse, or keep waiting for ever."""

TEMPLATE, FILE = Path("profiles/slurm"), "config.v8+.yaml"
#: minutes of a job where a partition has no limit: a day, so that others get their turn
DAY = 24 * 60


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_study(parser)
    parser.add_argument("--profile", type=Path, metavar="FOLDER", help="check this profile instead of printing one")


def run(options: argparse.Namespace) -> int:
    """Check a profile, or print one that can be granted. Raises SlurmProblem where something cannot."""
    study = study_of(options)
    text = _filled((TEMPLATE / FILE).read_text(encoding="utf-8")) if options.profile is None else None
    profile = _profile(options.profile) if text is None else yaml.safe_load(text)
    site = Site.of(profile.get("default-resources") or {})
    largest = _largest(study, site)
    if told := problems(site, profile.get("slurm-status-command", "sacct"), largest):
        raise SlurmProblem("\n".join(told))
    gpus = f", {site.gpus} GPU" if site.gpus else ""
    say(
        f"partition '{site.partition}' grants every job of {study.study}: at most {site.minutes} minutes{gpus} and "
        f"{largest.megabytes} MB (for {largest.run})"
    )
    if text is not None:
        print(text, end="")
    return 0


def _largest(study: Study, site: Site) -> Asked:
    jobs, counted = all_jobs(study), {}
    if not site.gpus:
        from vitflow.measuring.estimate import counted_memory

        counted = {job.config.digest: {"bytes": counted_memory(job.config)} for job in jobs}
    requests = Requests(counted, 1.0, site.gpus, site.minutes)
    dearest = max(jobs, key=requests.memory)
    return Asked(dearest.run, requests.memory(dearest), THREADS)


def _profile(folder: Path) -> Any:
    """What a profile says. Raises ConfigError where there is none."""
    if not (folder / FILE).exists():
        there = sorted(str(path.parent) for path in TEMPLATE.parent.glob(f"*/{FILE}"))
        raise ConfigError(f"{folder}: no profile, which has a file {FILE}{nearest(str(folder), there)}")
    return read_yaml(folder / FILE)


def _filled(template: str) -> str:
    """The profile with what this cluster has: a partition with GPUs, or the default one; its limit; an account."""
    every = [nodes for nodes in slurm.nodes() if nodes.up and slurm.requeues(nodes.partition)]
    if not every:
        raise SlurmProblem("no partition of this cluster takes jobs now; `sinfo` shows them")
    chosen = max(every, key=lambda nodes: (bool(nodes.gpus), nodes.default))
    kept = slurm.settings()
    command = status_command(kept)
    if command is None:
        raise SlurmProblem(
            "this cluster keeps no accounting and forgets jobs as they end, so that Snakemake cannot follow them; have "
            "MinJobAge raised to 300, or call `vitflow train --pending` in a job of your own (docs/cluster.md)"
        )
    mine = slurm.accounts() if accounting(kept) else []
    site = Site(chosen.partition, DAY, mine[0] if mine else "")
    longest = [DAY, chosen.minutes, *(limit.minutes for limit in limits(site, kept))]
    values = {
        "slurm_partition": chosen.partition,
        "gpu": int(bool(chosen.gpus)),
        "runtime": min(most for most in longest if most is not None),
        "slurm-status-command": command,
    }
    if mine:
        template = template.replace("# slurm_account:", "slurm_account:")
        values["slurm_account"] = mine[0]
    for key, value in values.items():
        template = re.sub(rf"(?m)^( *{key}:) .*$", rf"\1 {value}", template)
    return template
