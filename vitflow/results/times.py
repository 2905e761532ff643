"""File times that agree with the digests, so that Snakemake plans exactly what has changed.

git and DVC set file times as they like, and Snakemake plans by them. Contents are never touched here.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vitflow.analysis.records import Selection
from vitflow.machine.files import read_json, write_json
from vitflow.results.layout import Layout
from vitflow.results.ledger import FRESH_SEED, Job, belongs, measured_cost, training_record
from vitflow.results.stages import Stage
from vitflow.study.grid import BEST
from vitflow.study.schema import Study


def settle_job(study: Study, job: Job) -> None:
    """Write the wanted configuration and set file times to what the digests say.

    Results of the wanted configuration become newer than it, stale ones older; weights, scores and features
    that name each other are put in that order, measured costs after the configuration alone. Contents of results are
    never touched.
    """
    home, paths = Layout(study.study), job.paths
    wanted = home.wanted(job.run, job.seed)
    content = {"run": job.run, "digest": job.config.digest, "config": job.config.normalised().model_dump()}
    if not wanted.exists() or read_json(wanted) != content:
        write_json(wanted, content)
    record = training_record(paths) if paths.train.exists() else None
    if record is None or not job.made(record):
        os.utime(wanted)  # newer than scores that a failed training, whose outputs Snakemake deletes, left behind
    else:
        _settle_results(study, job, record, wanted)
    cost = home.cost(job.run)
    if job.seed == 0 and cost.exists():
        if measured_cost(study, job.run, job.config):
            make_newer(cost, wanted)
        else:
            make_older(cost, wanted)


def _settle_results(study: Study, job: Job, record: dict[str, Any], wanted: Path) -> None:
    home, paths = Layout(study.study), job.paths
    valid, outdated = [], []
    if job.evaluated(record):
        valid += [paths.metrics, paths.predictions]
    elif paths.metrics.exists():
        outdated.append(paths.metrics)
    for features in _features(home, job):
        same = belongs(study, read_json(features, "checkpoint_sha256"), record)
        arrays = features.with_suffix(".safetensors")  # an output too, and git leaves its time alone
        (valid if same else outdated).extend(path for path in (features, arrays) if path.exists())
    for dependant in valid:
        make_older(paths.train, dependant)
    for dependant in outdated:  # last, since the lines above may have made train.json older
        make_older(dependant, paths.train)
    # older than every output of the training: git and DVC set the times of these apart from each other
    outputs = [path for path in (paths.checkpoint, paths.config, paths.history, paths.train) if path.exists()]
    make_older(wanted, min(outputs, key=lambda path: path.stat().st_mtime_ns))


def _features(home: Layout, job: Job) -> list[Path]:
    """Stored features that are to be of this run and seed: of a finalist, once the winner is selected."""
    wins = job.seed == FRESH_SEED and home.selection.exists() and Selection.read(home.selection).best == job.run
    path = home.features / f"{BEST if wins else job.run}.json"
    return [path] if (wins or job.seed == 0) and path.exists() else []


def settle_stages(all_stages: Iterable[Stage]) -> None:
    """Set file times to what the records say: newer than the inputs if current, else older.

    Outputs that somebody edited count as current: nothing makes them again until what they are made from changes.
    Contents are never touched.
    """
    for stage in all_stages:
        inputs = sorted((path for path in stage.inputs if path.exists()), key=lambda path: path.stat().st_mtime_ns)
        if not inputs:
            continue
        outdated = stage.state == "outdated"
        for path in stage.outputs:
            if not path.exists():
                continue
            if outdated:
                make_older(path, inputs[0])
            else:
                make_newer(path, inputs[-1])


def make_older(path: Path, than: Path) -> None:
    """Set the time of ``path`` before that of ``than``, unless it is."""
    limit = than.stat().st_mtime_ns
    if path.stat().st_mtime_ns >= limit:
        os.utime(path, ns=(limit - 1_000_000_000, limit - 1_000_000_000))


def make_newer(path: Path, than: Path) -> None:
    """Set the time of ``path`` after that of ``than``, unless it is."""
    limit = than.stat().st_mtime_ns
    if path.stat().st_mtime_ns <= limit:
        os.utime(path, ns=(limit + 10_000_000, limit + 10_000_000))
