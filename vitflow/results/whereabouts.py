"""Who is at work on a study, or waits, or gave up: for `vitflow status`."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from vitflow.machine import slurm
from vitflow.results.layout import Layout
from vitflow.results.ledger import Job, training_record
from vitflow.results.lock import sittings, spell
from vitflow.study.schema import Study

TAIL = 3  #: lines of a log


def state(study: Study, job: Job, queue: dict[str, str]) -> str:
    """``running``, ``waiting`` in SLURM's queue, or what is there of it."""
    if job.busy:
        return "running"
    return "waiting" if Layout(study.study).group(job.run, job.seed) in queue else job.status


def queued() -> dict[str, str]:
    """{group: ``SLURM job 12 (Resources)``} of what was sent from here and waits."""
    found = slurm.queue() if shutil.which("squeue") else []
    named = [(re.match(r"rule_(.+-seed\d+)_", comment), number, state, why) for number, state, comment, _, why in found]
    return {name[1]: f"SLURM job {number} ({why})" for name, number, state, why in named if name and state == "PENDING"}


def whereabouts(study: Study, jobs: Iterable[Job], queue: dict[str, str]) -> Iterator[str]:
    """A line for every run and seed that is trained, waits or was left unfinished; with it, the end of its log."""
    for job in jobs:
        begun, who = sittings(job), f"{job.run} seed {job.seed}"
        attempt = f", attempt {len(begun)}" if len(begun) > 1 else ""
        if job.busy and begun:
            yield f"{who}: {spell(begun[-1])}{_reached(begun[-1].get('said', ''))}{attempt}"
        elif waits := queue.get(Layout(study.study).group(job.run, job.seed)):
            yield f"{who}: waits as {waits}{f', after attempt {len(begun)}' if begun else ''}"
        elif begun and not job.is_over:
            tries = f"{len(begun)} attempt{'s' if len(begun) > 1 else ''}, the last on {spell(begun[-1])}"
            yield f"{who}: left after {tries}; the same command goes on, and its log ends:"
            yield from (f"    {line}" for line in _tail(Layout(study.study).log(job.run, job.seed)))


def _reached(said: str) -> str:
    """``, epoch 3/100, 12:30 left`` of what a training said last."""
    found = re.match(r"epoch +(\d+/\d+) .* left (\S+)$", said)
    return f", epoch {found[1]}, {found[2]} left" if found else ""


def _tail(log: Path) -> list[str]:
    if not log.exists():
        return [f"(no {log}: not trained by Snakemake)"]
    return log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL:]


def threads(jobs: Iterable[Job]) -> str | None:
    """What to tell where trainings had different numbers of threads, which change the last bits; else None."""
    trained = [job for job in jobs if job.status in ("trained", "done", "diverged")]
    counts = Counter(training_record(job.paths).get("provenance", {}).get("threads", 1) for job in trained)
    if len(counts) < 2:
        return None
    spelled = ", ".join(f"{count} with {number}" for number, count in sorted(counts.items()))
    return f"trainings differ in their threads, and so in their last bits: {spelled}"
