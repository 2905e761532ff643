"""`vitflow status`: what is done, running where, waiting, stale or orphaned, and what `record` would do."""

from __future__ import annotations

import argparse
import time
from collections import Counter

from vitflow.commands.options import add_study, spelled, study_of
from vitflow.data.manifest import notes
from vitflow.machine.slurm import SlurmProblem
from vitflow.results.audit import audit
from vitflow.results.ledger import Job, all_jobs, orphans
from vitflow.results.lock import sittings
from vitflow.results.progress import seconds_left, spell_hours
from vitflow.results.record import forecast
from vitflow.results.whereabouts import queued, state, threads, whereabouts
from vitflow.study.schema import Study

EXAMPLE = "vitflow status\n  vitflow status --watch"
RENEWED = 10.0  #: seconds


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_study(parser)
    parser.add_argument("--watch", action="store_true", help="again every ten seconds, until all is done or Ctrl-C")


def run(options: argparse.Namespace) -> int:
    """Print a line per run, who is at work, the counts, and what `record` would do; with ``--watch``, again."""
    left = show(study_of(options), options.config)
    while options.watch and left:
        time.sleep(RENEWED)
        print("\033[2J\033[H", end="")  # an empty screen
        left = show(study_of(options), options.config)
    return 0


def show(study: Study, config: str) -> int:
    """Print it once; the number of trainings left."""
    jobs, queue, unknown = all_jobs(study), {}, None
    try:
        queue = queued()
    except SlurmProblem as problem:
        if any(sitting["job"] for job in jobs for sitting in sittings(job)):  # else no cluster has seen this study
            unknown = f"{problem}; what waits in its queue is not told here"
    states = {job: state(study, job, queue) for job in jobs}
    by_run: dict[str, list[Job]] = {}
    for job in jobs:
        by_run.setdefault(job.run, []).append(job)
    width = max(len(name) for name in by_run)
    for name, mine in by_run.items():
        print(f"{name:<{width}}  " + "  ".join(f"seed{job.seed} {states[job]}" for job in mine))
    for folder in orphans(study):
        print(f"{folder}: orphaned, no longer in the study")
    for line in whereabouts(study, jobs, queue):
        print(line)
    counts = ", ".join(f"{number} {state}" for state, number in Counter(states.values()).most_common())
    left = seconds_left(jobs)
    eta = f"; about {spell_hours(left / 3600)} left, one after another" if left else ""
    print(f"{study.study}: {counts}, of {len(jobs)}{eta}")
    for told in (unknown, threads(jobs)):
        if told:
            print(told)
    for line in notes(study.dataset):
        print(line)
    for line in forecast(study, audit(study)):
        print(spelled(line, config))
    return sum(not job.is_over for job in jobs)
