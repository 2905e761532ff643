"""Which result belongs to which configuration: provenance, verification, and what Snakemake may believe.

A result is believed only by digest: ``train.json`` names the configuration, data and weights it came from,
``metrics.json`` the weights it was computed with. File times, which git and DVC set as they like, are made
to agree with the digests (:func:`settle`), so that Snakemake plans exactly what has changed. No torch here.
"""

from __future__ import annotations

import ast
import datetime
import functools
import importlib.metadata
import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from vitflow import __version__, layout
from vitflow.config import ConfigError, RunConfig, Study
from vitflow.files import FileProblem, read_json, sha256, sha256_text, write_json
from vitflow.grid import Grid, Run, expand, feature_runs
from vitflow.layout import Layout, SeedPaths

Status = Literal["done", "diverged", "trained", "interrupted", "stale", "missing"]
LONG_AGO = 946_684_800  # 2000-01-01: older than any result
PACKAGE = Path(__file__).parent

#: the name under which the winning combination is trained, and its first seed: never one used for choosing
BEST = "best_architecture"
FRESH_SEED = 100


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
        record = read_json(self.paths.train) if self.paths.train.exists() else None
        if record is None:
            return "interrupted" if any(self.paths.state.glob("step-*.pt")) else "missing"
        if record["config_digest"] != self.config.digest:
            return "stale"
        if not self.evaluated(record):
            return "trained"
        return "diverged" if record["status"] == "diverged" else "done"

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
        return bool(read_json(self.paths.metrics)["checkpoint_sha256"] == record["checkpoint_sha256"])


def jobs(study: Study, grid: Grid | None = None) -> list[Job]:
    """Every run of the static grid, once per seed, in the order of the study."""
    grid = grid or expand(study)
    return [job(study, run, seed) for run in grid.runs.values() for seed in run.seeds]


def job(study: Study, run: Run, seed: int) -> Job:
    """One run and seed."""
    return Job(run.name, seed, run.config, Layout(study.study).seed(run.name, seed))


def best_run(study: Study) -> Run | None:
    """The selected combination with its fresh seeds; None if the study selects none, or not yet from these scores.

    Raises LedgerError where the stored selection is damaged.
    """
    path = Layout(study.study).selection
    if study.best is None or not path.exists():
        return None
    selection = read_json(path)
    if selection["inputs"] != scores_digest(study):
        return None
    try:
        config = study.resolve(selection["changes"])
    except ConfigError as error:
        raise LedgerError(f"{path}: not a selection of this study ({error}); delete it to have it made again") from None
    return Run(BEST, config, tuple(range(FRESH_SEED, FRESH_SEED + study.best.seeds)))


def best_jobs(study: Study) -> list[Job]:
    """The winner on its fresh seeds; empty before it is selected."""
    run = best_run(study)
    return [job(study, run, seed) for seed in run.seeds] if run else []


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
    that name each other are put in that order. Contents of results are never touched.
    """
    home, paths = Layout(study.study), job.paths
    wanted = home.wanted(job.run, job.seed)
    content = {"run": job.run, "digest": job.config.digest, "config": job.config.normalised().model_dump()}
    if not wanted.exists() or read_json(wanted) != content:
        write_json(wanted, content)
    if not paths.train.exists():
        return
    record = read_json(paths.train)
    if record["config_digest"] != job.config.digest:
        os.utime(wanted)
        return
    os.utime(wanted, (LONG_AGO, LONG_AGO))
    valid, outdated = [], []
    if job.evaluated(record):
        valid += [paths.metrics, paths.predictions]
    elif paths.metrics.exists():
        outdated.append(paths.metrics)
    features = home.features / f"{job.run}.json"
    if job.seed == 0 and features.exists():
        same = read_json(features)["checkpoint_sha256"] == record["checkpoint_sha256"]
        (valid if same else outdated).append(features)
    for dependant in valid:
        _make_older(paths.train, dependant)
    for dependant in outdated:  # last, since the lines above may have made train.json older
        _make_older(dependant, paths.train)


def settle_analysis(study: Study) -> None:
    """As :func:`settle`, for what is computed from all runs: tables, principal components, the selection.

    Comes before it: what features are made older than here, their weights are made older than there.
    """
    home = Layout(study.study)
    summary, pca = home.analysis / "summary.json", home.analysis / "pca.json"
    if summary.exists() and read_json(summary)["study_digest"] != study_digest(study):
        os.utime(summary, (LONG_AGO, LONG_AGO))
    manifests = [home.features / f"{run}.json" for run in feature_runs(study)]
    if pca.exists() and all(path.exists() for path in manifests):
        if read_json(pca)["inputs"] == [read_json(path)["features_sha256"] for path in manifests]:
            for path in manifests:
                _make_older(path, pca)
        else:
            os.utime(pca, (LONG_AGO, LONG_AGO))
    if home.selection.exists():
        if read_json(home.selection)["inputs"] == scores_digest(study):
            scores = [job.paths.metrics for job in jobs(study)]
            newest = max((path.stat().st_mtime for path in scores if path.exists()), default=0)
            if home.selection.stat().st_mtime <= newest:
                os.utime(home.selection, (newest + 1, newest + 1))
        else:
            os.utime(home.selection, (LONG_AGO, LONG_AGO))


def study_digest(study: Study) -> str:
    """Digest of all that tables and slides are made from, but for the results: the study without its data's path."""
    return sha256_text(study.model_dump_json(exclude={"dataset": {"path"}}))


def scores_digest(study: Study) -> str:
    """Digest of the stored scores of the static grid, as far as they are there."""
    found = sorted(job.paths.metrics for job in jobs(study))
    return sha256_text("\n".join(sha256(path) for path in found if path.exists()))


def weights_needed(job: Job, output: Path) -> str | None:
    """Why a step that reads the weights of ``job`` to make ``output`` cannot run, or None if it can or need not."""
    paths = job.paths
    if not paths.train.exists() or paths.checkpoint.exists():
        return None
    record = read_json(paths.train)
    if record["config_digest"] != job.config.digest:
        return None  # it is trained anew anyway
    if output.exists() and read_json(output).get("checkpoint_sha256") == record["checkpoint_sha256"]:
        return None
    return (
        f"{paths.checkpoint}: weights are missing, and {output} needs them. Fetch them with `dvc pull`, "
        f"or delete {paths.folder} to train this run again"
    )


def _make_older(path: Path, than: Path) -> None:
    limit = than.stat().st_mtime_ns
    if path.stat().st_mtime_ns >= limit:
        os.utime(path, ns=(limit - 1_000_000_000, limit - 1_000_000_000))


# ------------------------------------------------------------------------------------------ provenance


def provenance(*rooms: str, device: str = "cpu", threads: int | None = None) -> dict[str, Any]:
    """Where an artifact came from: sources of ``rooms``, git commit, versions, device, date (UTC)."""
    record: dict[str, Any] = {
        "vitflow": __version__,
        "sources": source_digest(*rooms),
        "git": _git_commit(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in ("torch", "numpy", "scikit-learn", "matplotlib")},
        "device": device_name(device),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }
    return record | ({"threads": threads} if threads else {})


@functools.cache
def source_digest(*rooms: str) -> str:
    """Digest of the code of ``rooms`` (folders or modules of the package); comments and docstrings do not count."""
    files = sorted(
        file
        for room in rooms
        for file in (
            [PACKAGE / f"{room}.py"] if (PACKAGE / f"{room}.py").exists() else sorted((PACKAGE / room).rglob("*"))
        )
    )
    parts = []
    for file in files:
        if file.suffix == ".py":
            parts.append(f"{file.relative_to(PACKAGE)} {_code(file)}")
        elif file.is_file() and file.suffix in (".css", ".js", ".html"):
            parts.append(f"{file.relative_to(PACKAGE)} {file.read_text(encoding='utf-8')}")
    return sha256_text("\n".join(parts))


def _code(file: Path) -> str:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node
        ):
            node.body = node.body[1:]
    return ast.dump(tree)


def device_name(device: str) -> str:
    """A name people know: the GPU's, or the processor's."""
    if device.startswith("cuda"):
        import torch

        return torch.cuda.get_device_name(device)
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _git_commit() -> str | None:
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], capture_output=True, text=True, check=True, cwd=PACKAGE).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+changes" if git("status", "--porcelain", "--", "vitflow") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def data_digest(dataset: str) -> str:
    """Identity of the prepared data, from its manifest. Raises FileProblem if there is none."""
    manifest = layout.manifest(dataset)
    if not manifest.exists():
        raise FileProblem(f"{manifest}: no such file; run `vitflow prepare` first")
    digests = read_json(manifest)["digests"]
    return sha256_text(digests["train"] + digests["test"])
