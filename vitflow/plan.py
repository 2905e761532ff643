"""Before anything runs: what a study consists of, and how long it takes here."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

from vitflow.config import Study
from vitflow.files import read_json
from vitflow.grid import expand
from vitflow.ledger import Job, all_jobs


@dataclass(frozen=True)
class Estimate:
    """Jobs of a study that are not done, and their time one after another on this device."""

    jobs: int
    waiting: int
    hours: float
    device: str
    hours_per_run: dict[str, float]  #: per run name, all its seeds, done or not


def training_images(study: Study, counts: int = 50_000) -> int:
    """Training images of the baseline, from the configuration alone."""
    official = {"cifar10": 50_000, "cifar100": 50_000, "digits": 1_437}.get(study.dataset.name, counts)
    available = round(official * (1 - study.dataset.validation_fraction))
    return min(study.dataset.train_images or available, available)


def estimate(study: Study) -> Estimate:
    """Time a few updates of each family's cheapest run on this device and scale them by multiplications."""
    import torch

    from vitflow.cost import Turns, exact
    from vitflow.provenance import device_name, spell_device
    from vitflow.training.device import select_device

    device = select_device()
    known_as = device_name(device.type)
    grid = expand(study)
    cost = {name: exact(run.config)["multiplications"] for name, run in grid.runs.items()}
    rates: dict[str, float] = {}  # multiplications of trained images per second
    for name in sorted(grid.runs, key=lambda n: cost[n]):
        config = grid.runs[name].config
        if config.model.family in rates:
            continue
        rates[config.model.family] = cost[name] / Turns(config, device).take()
    hours: dict[str, float] = {}
    for name, run in grid.runs.items():
        recipe = run.config.training
        images_seen = recipe.epochs * training_images(study.model_copy(update={"dataset": run.config.dataset}))
        hours[name] = images_seen * cost[name] / rates[run.config.model.family] / 3600
    every = all_jobs(study)
    waiting = [job for job in every if not job.is_over]
    return Estimate(
        jobs=len(every),
        waiting=len(waiting),
        hours=sum(hours.get(job.run, hours["baseline"]) for job in waiting),
        device=spell_device(known_as, torch.get_num_threads()) if device.type == "cpu" else known_as,
        hours_per_run={name: value * len(grid.runs[name].seeds) for name, value in hours.items()},
    )


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


def spell_hours(hours: float) -> str:
    """``4 min``, ``3 h 20 min``, ``12 days``."""
    minutes = max(1, round(hours * 60))
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes / 60 / 24:.0f} days"
