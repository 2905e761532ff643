"""Which result belongs to which configuration.

A result is believed only by digest: ``train.json`` names the configuration, data and weights it came from,
``metrics.json`` the weights it was computed with. File times, which git and DVC set as they like, are made
to agree with the digests (:mod:`vitflow.results.times`), so that Snakemake plans exactly what has changed.
No torch here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from vitflow.analysis.records import Selection
from vitflow.machine.files import FileProblem, read_json, sha256_text
from vitflow.results.images import prepared_images
from vitflow.results.layout import Layout, SeedPaths
from vitflow.study.grid import BEST, Grid, Run, expand, feature_runs
from vitflow.study.names import ConfigError, nearest
from vitflow.study.run import RunConfig
from vitflow.study.schema import MOST_SEEDS, Best, Study

Status = Literal["done", "diverged", "trained", "interrupted", "stale", "missing"]

#: the first seed of finalists: never one used for choosing
FRESH_SEED = MOST_SEEDS


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
        if not self.made(record):
            return "stale"
        if not self.evaluated(record):
            return "trained"
        return "diverged" if record["status"] == "diverged" else "done"

    def made(self, record: dict[str, Any]) -> bool:
        """Whether ``record`` (train.json) is of this configuration, and of the images that it names now."""
        if record["config_digest"] != self.config.digest:
            return False
        images = prepared_images(self.config.dataset.key)
        return images is None or record.get("data_digest", images) == images

    @property
    def is_over(self) -> bool:
        """Whether it is trained and scored, or diverged."""
        return self.status in ("done", "diverged")

    @property
    def busy(self) -> bool:
        """Whether a process is training it right now."""
        lock = self.paths.state / "lock"
        if not lock.exists():  # nobody has begun, and to ask for it would make its folder
            return False
        try:
            with FileLock(lock, timeout=0):
                return False
        except Timeout:
            return True
        except OSError:
            return False

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
    """Seeds on which finalists are trained."""
    return range(FRESH_SEED, FRESH_SEED + best.seeds)


def selection(study: Study) -> Selection | None:
    """What was chosen from the scores that are there now; None if the study chooses nothing, or has not yet."""
    path = Layout(study.study).selection
    if study.best is None or not path.exists():
        return None
    found = Selection.read(path)
    return found if found.inputs == scores_digest(study) else None


def fresh_jobs(study: Study) -> list[Job]:
    """The finalists on their fresh seeds; empty before they are selected.

    Raises LedgerError where the stored selection is damaged.
    """
    chosen = selection(study)
    return _finalists(study, chosen) if chosen else []


def _finalists(study: Study, chosen: Selection) -> list[Job]:
    assert study.best, "a study without this section chooses nothing"
    seeds = tuple(fresh_seeds(study.best))
    try:
        runs = [Run(one.run, study.resolve(one.changes, all_images=one.all_images), seeds) for one in chosen.finalists]
    except ConfigError as error:
        path = Layout(study.study).selection
        raise LedgerError(f"{path}: not a selection of this study ({error}); delete it to have it made again") from None
    return [job(study, run, seed) for run in runs for seed in seeds]


def most_finalists(study: Study) -> int:
    """Trainings on fresh seeds, at most, that a study is still to choose; 0 where it has chosen, or chooses none."""
    best = study.best
    if best is None or selection(study) is not None:
        return 0
    parts = sum(map(len, study.ablations.values())) if best.take_apart else 0
    return best.seeds * (3 + best.singles + best.all_images + parts)


def feature_jobs(study: Study) -> dict[str, Job]:
    """Whose features are taken, by name: a run's first seed, the winner's first fresh one once it is selected."""
    known = {job.run: job for job in jobs(study) if job.seed == 0}
    if BEST in study.features.runs and (chosen := selection(study)):
        known[BEST] = next(job for job in _finalists(study, chosen) if job.run == chosen.best)
    return {name: known[name] for name in feature_runs(study) if name in known}


def all_jobs(study: Study) -> list[Job]:
    """The static grid and, once selected, the finalists on their fresh seeds."""
    return jobs(study) + fresh_jobs(study)


def find_job(study: Study, run: str, seed: int) -> Job:
    """The job of that name and seed. Raises LedgerError with the nearest valid choice."""
    found = [job for job in all_jobs(study) if job.run == run]
    if not found:
        if run.startswith("best") and study.best is not None and selection(study) is None:
            raise LedgerError(f"'{run}' is not selected yet; run `vitflow analyse` when the grid is finished")
        raise unknown_run(study, run)
    for job in found:
        if job.seed == seed:
            return job
    raise LedgerError(f"run '{run}' has no seed {seed}; valid: {', '.join(str(j.seed) for j in found)}")


def unknown_run(study: Study, run: str) -> LedgerError:
    """What to tell where a study has no run of that name."""
    return LedgerError(f"no run '{run}' in study '{study.study}'{nearest(run, sorted(expand(study).runs))}")


def measured_cost(study: Study, run: str, config: RunConfig) -> dict[str, Any] | None:
    """What was measured of a run beside the baseline that the study has now; None if nothing was."""
    path = Layout(study.study).cost(run)
    if not path.exists():
        return None
    record = dict(read_json(path, "config_digest", "baseline_digest"))
    wanted = (config.digest, study.baseline_run.digest)
    return record if (record["config_digest"], record["baseline_digest"]) == wanted else None


def orphans(study: Study) -> list[Path]:
    """Folders of runs and seeds that the study no longer has; of finalists, once it is known which they are."""
    known = {j.paths.folder for j in all_jobs(study)}
    undecided = study.best is not None and selection(study) is None
    found = (Layout(study.study).root / "runs").glob("*/seed*")
    return sorted(path for path in found if path not in known and not (undecided and _is_fresh(path)))


def _is_fresh(folder: Path) -> bool:
    number = folder.name.removeprefix("seed")
    return number.isdigit() and int(number) >= FRESH_SEED


def belongs(study: Study, result: dict[str, Any], record: dict[str, Any]) -> bool:
    """Whether scores or features are of the weights that ``record`` names; features, of as many images as asked for."""
    wanted = study.features.images
    same = result.get("checkpoint_sha256") == record["checkpoint_sha256"]
    return same and bool(result.get("requested", wanted) == wanted)


def study_digest(study: Study) -> str:
    """Digest of all that tables and slides are made from, but for the results: the study without its data's path.

    A pretrained model is in no table: the record of its probe says by itself what it is of.
    """
    # without fields at their default, so that a field added to the schema redraws no table
    written = study.model_dump_json(exclude={"dataset": {"path": True}, "pretrained": True}, exclude_defaults=True)
    return sha256_text(f"{study.baseline.family} {written}")


def scores_digest(study: Study) -> str:
    """Digest of what winners are chosen from: the rule, the configurations, their validation accuracies so far."""
    scored = [job for job in jobs(study) if job.paths.metrics.exists()]
    found = [f"{job.config.digest} {job.seed} {_validation(job.paths.metrics)}" for job in scored]
    return sha256_text("\n".join([str(study.best), *sorted(found)]))


def _validation(metrics: Path) -> str:
    try:
        return str(read_json(metrics, "validation")["validation"])
    except FileProblem:
        return "damaged"  # so nothing was chosen from it; whoever reads it says what is wrong


def weights_needed(study: Study, job: Job, output: Path) -> str | None:
    """Why a step that reads the weights of ``job`` to make ``output`` cannot run, or None if it can or need not."""
    paths = job.paths
    if not paths.train.exists() or paths.checkpoint.exists():
        return None
    record = training_record(paths)
    if not job.made(record):
        return None  # it is trained anew anyway
    if output.exists() and belongs(study, read_json(output), record):
        return None
    return (
        f"{paths.checkpoint}: weights are missing, and {output} needs them. Get them with `vitflow restore`, "
        f"or delete {paths.folder} to train this run again"
    )
