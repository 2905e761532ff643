"""How much of a study is left, in time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import fmean

from vitflow.data import places
from vitflow.machine.files import read_json
from vitflow.results.ledger import Job
from vitflow.study.dataset import CLEAN, INSPECTED
from vitflow.study.grid import BASELINE
from vitflow.study.schema import Study

#: how often inspection puts an image through a model: moved by three distances in four directions, still, twice more
INSPECTIONS = 15


def hours_left(waiting: Iterable[Job], hours_a_seed: Mapping[str, float]) -> float:
    """Hours of the trainings that wait, one after another; the winner, which the grid lacks, counts as a baseline."""
    return sum(hours_a_seed.get(job.run, hours_a_seed[BASELINE]) for job in waiting)


def seconds_left(jobs: list[Job]) -> float | None:
    """Time of the trainings that are not done, from those that are: of the same run, else of all. None before any."""
    taken: dict[str, list[float]] = {}
    for job in jobs:
        if job.status in ("done", "diverged", "trained"):
            taken.setdefault(job.run, []).append(read_json(job.paths.train)["cost"]["seconds"])
    if not taken:
        return None
    every = [seconds for of_run in taken.values() for seconds in of_run]
    waiting = [job for job in jobs if job.status in ("missing", "interrupted", "stale")]
    return sum(fmean(taken.get(job.run, every)) for job in waiting)


def scoring_seconds(study: Study, job: Job) -> float:
    """Longer than scoring a trained job takes: training, which goes through each image backwards too, is slower."""
    speed = read_json(job.paths.train, "cost")["cost"]["images_per_second"]
    counts = read_json(places.manifest(study.dataset.key), "counts")["counts"]
    official, test = (sum(counts[split].values()) for split in ("train", "test"))
    held_out = round(study.dataset.validation_fraction * official)
    inspected = min(INSPECTED, held_out or official)
    return float((test + 2 * (held_out or CLEAN) + INSPECTIONS * inspected) / speed)


def spell_hours(hours: float) -> str:
    """``4 min``, ``3 h 20 min``, ``12 days``."""
    minutes = max(1, round(hours * 60))
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes / 60 / 24:.0f} days"
