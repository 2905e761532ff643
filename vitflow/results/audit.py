"""Whether stored results are what the configuration says: what `vitflow status` shows and `vitflow record` obeys.

Every file is judged by the digests that the ledger's records state. Nothing is changed here. No torch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vitflow.data import places
from vitflow.data.manifest import data_digest
from vitflow.machine.files import FileProblem, read_json, sha256
from vitflow.results import ledger
from vitflow.results.code import SCORING, TRAINING, is_todays
from vitflow.results.layout import Layout
from vitflow.results.ledger import Job, belongs
from vitflow.results.provenance import seal
from vitflow.results.stages import stages
from vitflow.study.grid import expand
from vitflow.study.run import RunConfig
from vitflow.study.schema import Study


@dataclass
class Audit:
    """What was found. ``problems`` are results that must not be recorded; each names a file and says what to do."""

    problems: list[str] = field(default_factory=list)
    older: list[str] = field(default_factory=list)  #: results of older code, or from before results were sealed
    verified: dict[Path, str] = field(default_factory=dict)  #: weights, arrays, images that are here: their sha256
    elsewhere: dict[Path, str] = field(default_factory=dict)  #: as above, digest known, bytes not here
    foreign: dict[Path, str] = field(default_factory=dict)  #: as above, but with other bytes: also among the problems
    waiting: list[Job] = field(default_factory=list)  #: not finished
    outdated: list[str] = field(default_factory=list)  #: stages to be made again

    @property
    def complete(self) -> bool:
        """Whether everything is finished and up to date, so that DVC may call the study reproduced."""
        return not (self.problems or self.waiting or self.outdated)


def audit(study: Study) -> Audit:
    """Verify every result of a study: configuration, data, weights, scores, features, tables, figures, slides."""
    found = Audit()
    _images(study, found)
    for job in ledger.all_jobs(study):
        _run(study, job, found)
    _features(study, found)
    _costs(study, found)
    for stage in stages(study).values():
        state = stage.state
        if state in ("outdated", "missing"):
            found.outdated.append(stage.name)
        for path in stage.edited() if state in ("edited", "outdated") else ():
            found.problems.append(f"{path}: edited by hand after it was made; delete it, and Snakemake makes it again")
    found.problems = list(dict.fromkeys(found.problems))  # a damaged train.json is met by its run and by its features
    return found


def _images(study: Study, found: Audit) -> None:
    manifest, prepared = places.manifest(study.dataset.key), places.prepared(study.dataset.key)
    if manifest.exists():
        wanted = read_json(manifest, "sha256", "digests")["sha256"]
        _artifact(prepared, wanted, f"{manifest}", "delete it, and it is prepared again", found)


def _run(study: Study, job: Job, found: Audit) -> None:
    paths = job.paths
    try:
        if not paths.train.exists():
            found.waiting.append(job)
            return
        record = read_json(paths.train, "config_digest", "data_digest", "checkpoint_sha256", "provenance")
        if record["config_digest"] != job.config.digest:
            found.problems.append(
                f"{paths.train}: result of another configuration than {job.run} has now; train it (`snakemake train`) "
                f"or get the configuration back"
            )
            return
        found.problems += [*_of_record(job, record), *_of_training(study, job, record)]
        _artifact(paths.checkpoint, record["checkpoint_sha256"], str(paths.train), "`vitflow restore` gets them", found)
        older = _is_older(record, TRAINING)
        if older:
            found.older.append(f"{paths.train}: made by older code")
        if not job.evaluated(record):
            found.waiting.append(job)
            return
        metrics = read_json(paths.metrics, "provenance")
        found.problems += _of_scores(job, metrics)
        if not older and _is_older(metrics, SCORING):
            found.older.append(f"{paths.metrics}: computed by older code")
    except FileProblem as problem:
        found.problems.append(str(problem))


def check_unaltered(job: Job) -> None:
    """Raise FileProblem where a finished job's results are not what was stored: no table may be made from them."""
    record, metrics = read_json(job.paths.train), read_json(job.paths.metrics)
    for problem in (*_of_record(job, record), *_of_scores(job, metrics)):
        raise FileProblem(problem)


def _again(job: Job, wrong: Path, done: str) -> str:
    return f"get it back (`git checkout -- {job.paths.folder}`), or delete {wrong} to {done} it again"


def _of_record(job: Job, record: dict[str, Any]) -> Iterator[str]:
    again = _again(job, job.paths.folder, "train")
    yield from _edited(job.paths.train, record, again)
    yield from _differs(job.paths.history, record.get("history_sha256"), job.paths.train, again)


def _of_scores(job: Job, metrics: dict[str, Any]) -> Iterator[str]:
    again = _again(job, job.paths.metrics, "score")
    yield from _edited(job.paths.metrics, metrics, again)
    yield from _differs(job.paths.predictions, metrics.get("predictions_sha256"), job.paths.metrics, again)


def _of_training(study: Study, job: Job, record: dict[str, Any]) -> Iterator[str]:
    paths, again = job.paths, _again(job, job.paths.folder, "train")
    manifest = places.manifest(study.dataset.key)
    if manifest.exists() and record["data_digest"] != data_digest(study.dataset.key):
        yield f"{paths.train}: trained on other images than {manifest} describes; {again}"
    if not paths.config.exists():
        yield f"{paths.config}: missing; {again}"
        return
    try:
        if _stored_config(study, paths.config).digest != record["config_digest"]:
            yield f"{paths.config}: not the configuration that {paths.train} names; {again}"
    except ValidationError:
        yield f"{paths.config}: not a configuration that this version can read; update vitflow, or {again}"


def _stored_config(study: Study, path: Path) -> RunConfig:
    """A configuration written before a field existed has that field's default, and so the same digest."""
    stored = read_json(path, "dataset")
    if isinstance(stored["dataset"], dict):
        stored["dataset"]["path"] = study.dataset.path  # not stored, and no folder of images is valid without
    return RunConfig.model_validate(stored)


def _features(study: Study, found: Audit) -> None:
    home = Layout(study.study)
    for run, job in ledger.feature_jobs(study).items():
        manifest, train = home.features / f"{run}.json", job.paths.train
        if not (manifest.exists() and train.exists()):
            continue
        try:
            stated = read_json(manifest, "checkpoint_sha256", "features_sha256")
            if not belongs(study, stated, read_json(train, "checkpoint_sha256")):
                found.outdated.append(f"features of {run}")
                continue
            found.problems += _edited(manifest, stated, "delete it to have it made again")
            arrays = manifest.with_suffix(".safetensors")
            _artifact(arrays, stated["features_sha256"], str(manifest), "`vitflow restore` gets them", found)
        except FileProblem as problem:
            found.problems.append(str(problem))


def _costs(study: Study, found: Audit) -> None:
    runs, missing = expand(study).runs.values(), 0
    for run in runs:
        try:
            if record := ledger.measured_cost(study, run.name, run.config):
                path = Layout(study.study).cost(run.name)
                found.problems += _edited(path, record, "delete it to have it measured again")
            else:
                missing += 1
        except FileProblem as problem:
            found.problems.append(str(problem))
    if missing:
        found.outdated.append(f"measured cost of {missing} of {len(runs)} runs")


def _is_older(record: dict[str, Any], rooms: tuple[str, ...]) -> bool:
    return "digest" not in record or not is_todays(record["provenance"].get("sources"), *rooms)


def _edited(path: Path, value: dict[str, Any], remedy: str) -> Iterator[str]:
    """Records from before they were sealed have no digest; they count as made by older code."""
    if "digest" in value and value["digest"] != seal(value):
        yield f"{path}: edited by hand after it was made; {remedy}"


def _differs(path: Path, wanted: str | None, stated_in: Path, remedy: str) -> Iterator[str]:
    if wanted is not None and not path.exists():
        yield f"{path}: missing; {remedy}"
    elif wanted is not None and sha256(path) != wanted:
        yield f"{path}: not what {stated_in} says; {remedy}"


def _artifact(path: Path, wanted: str, stated_in: str, remedy: str, found: Audit) -> None:
    if not path.exists():
        found.elsewhere[path] = wanted
    elif sha256(path) == wanted:
        found.verified[path] = wanted
    else:
        found.foreign[path] = wanted
        found.problems.append(f"{path}: not the bytes that {stated_in} names (another version, or damaged); {remedy}")
