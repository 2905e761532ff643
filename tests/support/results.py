"""Test data: the files of a finished study as vitflow would have left them, made up but with the right digests.

``finish(study)`` writes them into the current folder; ``as_it_was()`` puts that folder back after a test. Nothing
here was measured, and nothing here may leave the tests.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vitflow.analysis.records import Finalist, Selection
from vitflow.analysis.techniques import TECHNIQUES
from vitflow.data import places
from vitflow.data.manifest import data_digest
from vitflow.machine.files import read_json, sha256, write_json, write_text
from vitflow.results import ledger
from vitflow.results.code import SCORING, TRAINING, source_digest
from vitflow.results.layout import Layout
from vitflow.results.ledger import FRESH_SEED, Job
from vitflow.results.provenance import write_sealed
from vitflow.results.stages import TEMPLATE, stages
from vitflow.study.grid import expand
from vitflow.study.schema import Study

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests" / "workflow" / "tiny.yaml"
HOME = Layout("tiny")
BASELINE = HOME.seed("baseline", 0)
WINNER = HOME.seed("best_architecture", FRESH_SEED)
FEATURES = HOME.features / "baseline.json"
MANIFEST = places.manifest("digits")
IMAGES = places.prepared("digits")


def bring_techniques(where: Path = Path()) -> None:
    """What is known of every axis, as each folder that has a study has it: tables and stages read it."""
    target = where / TECHNIQUES
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / TECHNIQUES, target)


def with_epochs(study: Study, epochs: int) -> Study:
    """The study with trainings of another length, and so with other runs."""
    return study.model_copy(update={"training": study.training.model_copy(update={"epochs": epochs})})


def a_selection(inputs: str, width: int = 8) -> Selection:
    """A width as the only finalist, and so as everything else."""
    return Selection(
        inputs=inputs,
        architecture=(),
        techniques=(),
        finalists=(Finalist(run="best_architecture", changes={"width": width}, all_images=False),),
        singles=(),
        best_architecture="best_architecture",
        best="best_architecture",
        without={},
        all_images=None,
    )


def publish(study: Study, job: Job) -> None:
    """A training and its scores as `vitflow train` and `vitflow evaluate` publish them."""
    paths = job.paths
    write_text(paths.checkpoint, f"weights of {job.run} {job.seed}")
    write_text(paths.history, "epoch,validation_accuracy\n1,50.0\n")
    write_json(paths.config, job.config.normalised().model_dump())
    record = {
        "run": job.run,
        "seed": job.seed,
        "status": "finished",
        "config_digest": job.config.digest,
        "data_digest": data_digest(study.dataset.key),
        "checkpoint_sha256": sha256(paths.checkpoint),
        "history_sha256": sha256(paths.history),
        "cost": {"seconds": 1.5},
        "provenance": {"sources": source_digest(*TRAINING)},
    }
    write_sealed(paths.train, record)
    write_text(paths.predictions, f"predictions of {job.run} {job.seed}")
    scores = {
        "checkpoint_sha256": record["checkpoint_sha256"],
        "validation": {"accuracy": 50.0},
        "test": {"accuracy": 50.0},
        "predictions_sha256": sha256(paths.predictions),
        "provenance": {"sources": source_digest(*SCORING)},
    }
    write_sealed(paths.metrics, scores)


def finish(study: Study) -> None:
    """Leave here what a study has when Snakemake has nothing left to do. What nobody reads is a few words."""
    home, key = Layout(study.study), study.dataset.key
    write_text(places.prepared(key), "images")
    digests = {"train": "of training images", "test": "of test images"}
    manifest = read_json(ROOT / places.manifest("digits"))
    write_json(places.manifest(key), manifest | {"digests": digests, "sha256": sha256(places.prepared(key))})
    bring_techniques()
    write_text(TEMPLATE, "the talk")
    for job in ledger.jobs(study):
        publish(study, job)
    if study.best:
        a_selection(ledger.scores_digest(study)).write(home.selection)
    for job in ledger.fresh_jobs(study):
        publish(study, job)
    for name, job in ledger.feature_jobs(study).items():
        arrays = home.features / f"{name}.safetensors"
        write_text(arrays, f"features of {name}")
        stated = {"checkpoint_sha256": sha256(job.paths.checkpoint), "features_sha256": sha256(arrays)}
        write_sealed(arrays.with_suffix(".json"), stated)
    for name, run in expand(study).runs.items():
        wanted = {"config_digest": run.config.digest, "baseline_digest": study.baseline_run.digest}
        write_sealed(home.cost(name), {"time_ratio": 1.0, **wanted})
    for stage in stages(study).values():
        for path in stage.outputs:
            if path != home.selection:
                write_text(path, f"made as {path}")
        stage.seal()


@contextmanager
def as_it_was() -> Iterator[None]:
    """Undo in the end whatever was done to the files of the current folder: cheaper than a copy for every test."""
    here = Path.cwd()
    kept = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in here.rglob("*") if path.is_file()}
    try:
        yield
    finally:
        for path in [path for path in here.rglob("*") if path.is_file() and path not in kept]:
            path.unlink()
        for path, (content, time) in kept.items():
            if not path.exists() or path.read_bytes() != content:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            os.utime(path, ns=(time, time))
