"""`vitflow analyse`: from stored results to tables, what features say, the winner, and ``analysis/*``."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vitflow.analysis import pooled, selection, tables, titles
from vitflow.analysis.confirmation import confirm
from vitflow.analysis.curves import write_curves
from vitflow.analysis.features import NOTHING, describe, together
from vitflow.analysis.inspection import inspection
from vitflow.analysis.records import Absent, Confirmed, Finalist, Run
from vitflow.analysis.runs import Cost, Result, spread
from vitflow.analysis.summary import summarise
from vitflow.analysis.techniques import Techniques, read_techniques
from vitflow.commands.options import add_study, study_of
from vitflow.data import places
from vitflow.data.manifest import notes
from vitflow.machine.files import FileProblem, read_json, sha256, sha256_text, write_csv, write_json
from vitflow.measuring.cost import exact
from vitflow.results import ledger
from vitflow.results.audit import check_unaltered
from vitflow.results.layout import WINNERS, Layout
from vitflow.results.ledger import LedgerError
from vitflow.results.stages import check_inputs, stages
from vitflow.study.grid import BASELINE, BEST, expand, feature_runs, inspected_runs
from vitflow.study.models import ViT
from vitflow.study.names import ConfigError, counted, nearest
from vitflow.study.run import RunConfig
from vitflow.study.schema import Study
from vitflow.training.loop import HISTORY

EXAMPLE = "vitflow analyse summary features"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_study(parser)
    parser.add_argument(
        "step", nargs="*", metavar="STEP", help="summary, select, features, best (default: what needs no finalist)"
    )


def run(options: argparse.Namespace) -> int:
    """Do the steps that were named, in their order."""
    study = study_of(options)
    for step in options.step:
        if step not in STEPS:
            raise ConfigError(f"no step '{step}'{nearest(step, list(STEPS))}")
    early = ["summary", *([] if BEST in study.features.runs else ["features"]), *(["select"] if study.best else [])]
    for step in options.step or early:
        STEPS[step](study)
        print(f"{step}: {counted(len(stages(study)[step].outputs), 'file')} in {Layout(study.study).root}")
    return 0


def summary(study: Study) -> None:
    """Tables of the static grid: grid.csv, summary.csv, metrics/*.json, and most of analysis/*.

    Works on whatever is finished and says how much that is. Raises LedgerError naming stale results.
    """
    home, grid, techniques = Layout(study.study), expand(study), read_techniques(study.study)
    finished = []
    for job in ledger.jobs(study, grid):
        if job.status == "stale":
            raise LedgerError(
                f"{job.paths.train}: result of another configuration than {job.run} has now, or of other images; "
                f"run `snakemake train` or `vitflow train --pending`"
            )
        if job.is_over:
            check_unaltered(job)
            finished.append(job)
    if not finished:
        raise LedgerError(
            f"study '{study.study}' has no results yet; run `snakemake train` or `vitflow train --pending`"
        )
    results = [Result(j.run, j.seed, read_json(j.paths.train), read_json(j.paths.metrics)) for j in finished]
    measured = {name: ledger.measured_cost(study, name, run.config) or {} for name, run in grid.runs.items()}
    scores = [sha256(job.paths.metrics) for job in finished]
    seen = [f"{r.run} {r.seed} {r.train['checkpoint_sha256']} {d}" for r, d in zip(results, scores, strict=True)]
    found = summarise(
        study,
        grid,
        results,
        {name: _cost(run.config, measured[name]) for name, run in grid.runs.items()},
        techniques,
        classes=_classes(study),
        duplicates=notes(study.dataset),
        digest=sha256_text("\n".join(seen)),
        measured_on=[record["provenance"] for record in measured.values() if record],
        right=[_right(job) for job in finished if job.run == BASELINE and job.status == "done"],
    )
    write_csv(home.grid, ("group", "axis", "value", "run", "seeds", "digest"), grid.table())
    write_curves(home.analysis / "curves.csv", [(j.run, j.seed, j.paths.history) for j in finished], HISTORY)
    pooled.calibration(results).write(home.analysis / "calibration.json")
    pooled.confusion(results, found.dataset.classes).write(home.analysis / "confusion.json")
    base = titles.baseline(study)
    labels = {n: techniques.run_label(base, r.config, study.baseline_run) for n, r in grid.runs.items()}
    looked = inspection(grid.runs, labels, results, inspected_runs(study), found.dataset.classes)
    looked.write(home.analysis / "inspection.json")
    found.write(home.analysis / "summary.json")
    _write_tables(home, found.runs, has_winner=study.best is not None)
    stages(study)["summary"].seal()


def features(study: Study) -> None:
    """What all stored features say: analysis/features.json. Runs without are named there."""
    import safetensors.numpy

    home, techniques = Layout(study.study), read_techniques(study.study)
    models, absent, means, shared = [], [], {}, NOTHING
    jobs = ledger.feature_jobs(study)
    if unknown := [name for name in feature_runs(study) if name not in jobs]:
        raise LedgerError(f"features.runs: '{unknown[0]}' is not selected yet; run `vitflow analyse select` first")
    patch_sizes = [model.patch_size for job in jobs.values() if isinstance(model := job.config.model, ViT)]
    positions = (study.dataset.shape[0] // (patch_sizes or [4])[0]) ** 2
    for name, job in jobs.items():
        path = home.features / f"{name}.safetensors"
        if not path.exists():
            raise LedgerError(f"{path}: no such features; run `vitflow features` (it reads the weights of the run)")
        manifest = read_json(path.with_suffix(".json"))
        if sha256(path) != manifest["features_sha256"]:
            raise FileProblem(f"{path}: not what {path.with_suffix('.json')} says; delete both to have them made again")
        label = (
            f"{titles.FAMILIES[job.config.model.family]}, {BEST}"
            if name == BEST
            else techniques.run_label(titles.baseline(study), job.config, study.baseline_run)
        )
        if "layers" not in manifest and "absent" not in manifest:
            raise FileProblem(f"{path}: of an older version; delete it and its .json to have them made again")
        if "absent" in manifest:
            absent.append(Absent(run=name, label=label, reason=manifest["absent"]))
            continue
        arrays, layers = safetensors.numpy.load_file(path), [layer["name"] for layer in manifest["layers"]]
        models.append(describe(name, label, job.config.model, layers, arrays, positions))
        means[name] = [arrays[f"{layer}/means"] for layer in layers]
        shared = {key: arrays[key] for key in NOTHING}
    together(models, absent, means, shared, "validation", _classes(study)).write(home.analysis / "features.json")
    stages(study)["features"].seal()


def select(study: Study) -> None:
    """Choose what is confirmed on fresh seeds, from validation results of the finished static grid."""
    if study.best is None:
        raise LedgerError(f"study '{study.study}' has no section 'best'")
    validation: dict[str, list[float]] = {}
    for job in ledger.jobs(study):
        if not job.is_over:
            raise LedgerError(
                f"{job.run} seed {job.seed} is {job.status}; winners are chosen when the grid is finished"
            )
        check_unaltered(job)
        scores = read_json(job.paths.metrics)["validation"]
        validation.setdefault(job.run, []).extend([scores["accuracy"]] if scores else [])
    chosen = selection.select(
        study, validation, lambda config: exact(config)["multiplications"], ledger.scores_digest(study)
    )
    chosen.write(Layout(study.study).selection)
    stages(study)["select"].seal()


def best(study: Study) -> None:
    """Report the finalists on their fresh seeds: analysis/best.json, and metrics of the two that are winners."""
    if study.best is None:
        raise LedgerError(f"study '{study.study}' has no section 'best'")
    home, chosen, jobs = Layout(study.study), ledger.selection(study), ledger.fresh_jobs(study)
    if chosen is None:
        raise LedgerError("no winner is selected yet; run `vitflow analyse` when the grid is finished")
    if unfinished := [job for job in jobs if not job.is_over]:
        job = unfinished[0]
        raise LedgerError(f"{job.run} seed {job.seed} is {job.status}; run `vitflow train --pending`")
    for job in jobs:
        check_unaltered(job)
    check_inputs(study, "best")
    techniques = read_techniques(study.study)
    runs = {
        one.run: _confirmed(study, one, [job for job in jobs if job.run == one.run], techniques)
        for one in chosen.finalists
    }
    confirm(chosen, runs, techniques, study.equivalence_margin).write(home.analysis / "best.json")
    for role, path in zip(WINNERS, home.winners, strict=True):
        run = runs[getattr(chosen, role)]
        write_json(path, tables.metrics(run, run.parameters, run.multiplications))
    stages(study)["best"].seal()


def _confirmed(study: Study, finalist: Finalist, jobs: list[ledger.Job], techniques: Techniques) -> Confirmed:
    scores = [read_json(job.paths.metrics) for job in jobs if job.status == "done"]
    config, cost = study.resolve(finalist.changes), exact(jobs[0].config)
    return Confirmed(
        label=techniques.run_label(BASELINE, config, study.baseline_run),
        seeds=tuple(job.seed for job in jobs),
        n=len(scores),
        diverged=len(jobs) - len(scores),
        validation=spread([found["validation"]["accuracy"] for found in scores if found["validation"]]),
        test=spread([found["test"]["accuracy"] for found in scores]),
        parameters=cost["parameters"],
        multiplications=cost["multiplications"],
    )


STEPS = {"summary": summary, "select": select, "features": features, "best": best}


def _right(job: ledger.Job) -> NDArray[np.bool_]:
    """Which test images a trained seed told right: [N]."""
    with np.load(job.paths.predictions) as arrays:
        found: NDArray[np.bool_] = arrays["test_predicted"] == arrays["test_label"]
    return found


def _classes(study: Study) -> tuple[str, ...]:
    return tuple(read_json(places.manifest(study.dataset.key), "classes")["classes"])


def _cost(config: RunConfig, measured: dict[str, Any]) -> Cost:
    counts = exact(config)
    return Cost(
        parameters=counts["parameters"],
        multiplications=counts["multiplications"],
        tokens=counts["tokens"],
        images_per_second=measured.get("images_per_second"),
        time_ratio=measured.get("time_ratio"),
        time_ratios=measured.get("time_ratios"),
        peak_bytes=measured.get("peak_bytes"),
    )


def _write_tables(home: Layout, runs: dict[str, Run], *, has_winner: bool) -> None:
    """summary.csv for people; a small file per run for `dvc metrics`, which shows them as a table."""
    rows = [tables.row(name, run) for name, run in runs.items()]
    write_csv(home.summary, rows[0].keys(), rows)
    for name, run in runs.items():
        write_json(home.metrics / f"{name}.json", tables.metrics(run, run.parameters, run.multiplications))
    for path in home.metrics.glob("*.json"):
        if path.stem not in runs and path not in home.winners:
            path.unlink()  # a run that the study no longer has
    if not has_winner:
        for path in (home.analysis / "best.json", *home.winners):
            path.unlink(missing_ok=True)
