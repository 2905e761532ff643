"""`vitflow status`: what is done, running, waiting, stale or orphaned, and what `record` would do."""

from __future__ import annotations

import argparse
from collections import Counter

from vitflow.commands.options import add_study, study_of
from vitflow.data.manifest import notes
from vitflow.results.audit import audit
from vitflow.results.ledger import Job, all_jobs, orphans
from vitflow.results.progress import seconds_left, spell_hours
from vitflow.results.record import forecast

EXAMPLE = "vitflow status"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_study(parser)


def run(options: argparse.Namespace) -> int:
    """Print a line per run, the counts, and what `record` would do."""
    study = study_of(options)
    jobs = all_jobs(study)
    states = {job: "running" if job.busy else job.status for job in jobs}
    by_run: dict[str, list[Job]] = {}
    for job in jobs:
        by_run.setdefault(job.run, []).append(job)
    width = max(len(name) for name in by_run)
    for name, mine in by_run.items():
        print(f"{name:<{width}}  " + "  ".join(f"seed{job.seed} {states[job]}" for job in mine))
    for folder in orphans(study):
        print(f"{folder}: orphaned, no longer in the study")
    counts = ", ".join(f"{number} {state}" for state, number in Counter(states.values()).most_common())
    left = seconds_left(jobs)
    eta = f"; about {spell_hours(left / 3600)} left, one after another" if left else ""
    print(f"{study.study}: {counts}, of {len(jobs)}{eta}")
    for line in notes(study.dataset):
        print(line)
    for line in forecast(study, audit(study)):
        print(line)
    return 0
