"""Which result belongs to which configuration: provenance, verification, and what Snakemake may believe.

A result is believed only by digest: ``train.json`` names the configuration, data and weights it came from,
``metrics.json`` the weights it was computed with. File times, which git and DVC set as they like, are made
to agree with the digests (:func:`settle`), so that Snakemake plans exactly what has changed. No torch here.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from vitflow.config import Best, ConfigError, RunConfig, Study
from vitflow.files import read_json, sha256, sha256_text, write_json
from vitflow.grid import Grid, Run, expand
from vitflow.layout import Layout, SeedPaths

Status = Literal["done", "diverged", "trained", "interrupted", "stale", "missing"]

#: the name under which the winning combination is trained, and its first seed: never one used for choosing
BEST = "best_architecture"
FRESH_SEED = 100


#: rooms whose code decides what a training comes to
TRAINING_ROOMS = ("data", "models", "training")


class LedgerError(RuntimeError):
    """Results and configuration do not agree; the message names the file and what to do."""


@dataclass(frozen=True)
class Job:
    """One run and seed of a study: what is wanted, and where it lives."""

    run: str
    seed: int
    config: RunConfig
    paths: SeedPaths

    @property
    def status(self) -> Status:
        """What is there, judged by digests."""
        record = training_record(self.paths) if self.paths.train.exists() else None
        if record is None:
            return "interrupted" if any(self.paths.state.glob("step-*.pt")) else "missing"
        if record["config_digest"] != self.config.digest:
            return "stale"
        if not self.evaluated(record):
            return "trained"
        return "diverged" if record["status"] == "diverged" else "done"

    @property
    def is_over(self) -> bool:
        """Whether it is trained and scored, or diverged."""
        return self.status in ("done", "diverged")

    @property
    def busy(self) -> bool:
        """Whether a process is training it right now."""
        try:
            with FileLock(self.paths.state / "lock", timeout=0):
                return False
        except Timeout:
            return True
        except OSError:
            return False  # no such folder: nobody has begun

    def evaluated(self, record: dict[str, Any]) -> bool:
        """Whether metrics.json was computed with the weights that ``record`` (train.json) names."""
        if not (self.paths.metrics.exists() and self.paths.predictions.exists()):
            return False
        stated = read_json(self.paths.metrics, "checkpoint_sha256")
        return bool(stated["checkpoint_sha256"] == record["checkpoint_sha256"])


def training_record(paths: SeedPaths) -> dict[str, Any]:
    """What train.json says. Raises FileProblem naming it where it is missing, damaged or incomplete."""
    return dict(read_json(paths.train, "config_digest", "checkpoint_sha256", "status"))


def jobs(study: Study, grid: Grid | None = None) -> list[Job]:
    """Every run of the static grid, once per seed, in the order of the study."""
    grid = grid or expand(study)
    return [job(study, run, seed) for run in grid.runs.values() for seed in run.seeds]


def job(study: Study, run: Run, seed: int) -> Job:
    """One run and seed."""
    return Job(run.name, seed, run.config, Layout(study.study).seed(run.name, seed))


def fresh_seeds(best: Best) -> range:
    """Seeds on which the winner is confirmed."""
    return range(FRESH_SEED, FRESH_SEED + best.seeds)


def best_run(study: Study) -> Run | None:
    """The selected combination with its fresh seeds; None if the study selects none, or not yet from these scores.

    Raises LedgerError where the stored selection is damaged.
    """
    path = Layout(study.study).selection
    if study.best is None or not path.exists():
        return None
    selection = read_json(path, "inputs", "changes")
    if selection["inputs"] != scores_digest(study):
        return None
    try:
        config = study.resolve(selection["changes"])
    except ConfigError as error:
        raise LedgerError(f"{path}: not a selection of this study ({error}); delete it to have it made again") from None
    return Run(BEST, config, tuple(fresh_seeds(study.best)))


def best_jobs(study: Study) -> list[Job]:
    """The winner on its fresh seeds; empty before it is selected."""
    run = best_run(study)
    return [job(study, run, seed) for seed in run.seeds] if run else []


def all_jobs(study: Study) -> list[Job]:
    """The static grid and, once selected, the winning combination on its fresh seeds."""
    return jobs(study) + best_jobs(study)


def measured_cost(study: Study, run: str, config: RunConfig) -> dict[str, Any] | None:
    """What was measured of a run beside the baseline that the study has now; None if nothing was."""
    path = Layout(study.study).cost(run)
    if not path.exists():
        return None
    record = dict(read_json(path, "config_digest", "baseline_digest"))
    wanted = (config.digest, study.baseline_run.digest)
    return record if (record["config_digest"], record["baseline_digest"]) == wanted else None


def orphans(study: Study) -> list[Path]:
    """Folders of runs and seeds that the study no longer has."""
    known = {j.paths.folder for j in jobs(study)}
    known |= (
        {Layout(study.study).seed(BEST, s).folder for s in range(FRESH_SEED, FRESH_SEED + 1000)}
        if study.best
        else set()
    )
    found = (Layout(study.study).root / "runs").glob("*/seed*")
    return sorted(path for path in found if path not in known)


# ------------------------------------------------------------------------------ what Snakemake may believe


def settle(study: Study, job: Job) -> None:
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
    if record is None or record["config_digest"] != job.config.digest:
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
    features = home.features / f"{job.run}.json"
    if job.seed == 0 and features.exists():
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


def belongs(study: Study, result: dict[str, Any], record: dict[str, Any]) -> bool:
    """Whether scores or features are of the weights that ``record`` names; features, of as many images as asked for."""
    wanted = study.features.images
    same = result.get("checkpoint_sha256") == record["checkpoint_sha256"]
    return same and bool(result.get("requested", wanted) == wanted)


def study_digest(study: Study) -> str:
    """Digest of all that tables and slides are made from, but for the results: the study without its data's path."""
    # without fields at their default, so that a field added to the schema redraws no table
    written = study.model_dump_json(exclude={"dataset": {"path"}}, exclude_defaults=True)
    return sha256_text(f"{study.baseline.family} {written}")


def scores_digest(study: Study) -> str:
    """Digest of what a winner is chosen from: the rule, the configurations, their scores as far as they are there."""
    found = [f"{job.config.digest} {sha256(job.paths.metrics)}" for job in jobs(study) if job.paths.metrics.exists()]
    return sha256_text("\n".join([str(study.best), *sorted(found)]))


def weights_needed(study: Study, job: Job, output: Path) -> str | None:
    """Why a step that reads the weights of ``job`` to make ``output`` cannot run, or None if it can or need not."""
    paths = job.paths
    if not paths.train.exists() or paths.checkpoint.exists():
        return None
    record = training_record(paths)
    if record["config_digest"] != job.config.digest:
        return None  # it is trained anew anyway
    if output.exists() and belongs(study, read_json(output), record):
        return None
    return (
        f"{paths.checkpoint}: weights are missing, and {output} needs them. Get them with `vitflow restore`, "
        f"or delete {paths.folder} to train this run again"
    )


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
