"""The least that the ledger believes: trainings, scores, features and costs of a few words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support.files import set_time
from support.results import HOME
from vitflow.machine.files import write_json, write_text
from vitflow.results.ledger import Job
from vitflow.study.grid import expand
from vitflow.study.schema import Study


def publish_training(job: Job, weights: str = "w1", **changes: Any) -> None:
    record = {"status": "finished", "config_digest": job.config.digest, "checkpoint_sha256": weights}
    write_json(job.paths.train, record | changes)
    write_text(job.paths.checkpoint, weights)


def publish_scores(job: Job, weights: str = "w1") -> None:
    write_json(job.paths.metrics, {"checkpoint_sha256": weights, "validation": None})
    write_text(job.paths.predictions, "")


def publish_features(run: str, weights: str = "w1", features: str = "f1") -> Path:
    path = HOME.features / f"{run}.json"
    write_json(path, {"checkpoint_sha256": weights, "features_sha256": features})
    return path


def publish_cost(study: Study, run: str, seconds: float, **other: str) -> Path:
    """Measured for the study as it is, but for ``other``; last changed so long after the first of January 2001."""
    path = HOME.cost(run)
    wanted = {"config_digest": expand(study).runs[run].config.digest, "baseline_digest": study.baseline_run.digest}
    write_json(path, wanted | other)
    set_time(path, 978_307_200 + seconds)
    return path
