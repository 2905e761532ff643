"""From all stored results of a study to the files that people, figures and slides read: tables and ``analysis/*``."""

from __future__ import annotations

import csv
from typing import Any

from vitflow import layout, ledger
from vitflow.config import Study
from vitflow.files import FileProblem, read_json, sha256, sha256_text, write_csv, write_json
from vitflow.grid import BASELINE, expand, feature_runs
from vitflow.layout import Layout
from vitflow.ledger import BEST
from vitflow.provenance import spell_device
from vitflow.stages import stages
from vitflow.steps import StepError


def pca(study: Study) -> None:
    """Principal components of all stored features: analysis/pca.json. Runs without are named there."""
    import safetensors.numpy

    from vitflow.analysis.pca import describe
    from vitflow.analysis.summary import run_label

    home, grid = Layout(study.study), expand(study)
    models, labels, examples, absent = [], None, [], []
    for run in feature_runs(study):
        path = home.features / f"{run}.safetensors"
        if not path.exists():
            raise StepError(f"{path}: no such features; run `vitflow features` (it reads the weights of the run)")
        manifest = read_json(path.with_suffix(".json"))
        if sha256(path) != manifest["features_sha256"]:
            raise FileProblem(f"{path}: not what {path.with_suffix('.json')} says; delete both to have them made again")
        label = run_label(run, grid.runs[run].config, study.baseline_run)
        name = "ViT, baseline" if run == BASELINE else label
        if "absent" in manifest:
            absent.append({"run": run, "label": name, "reason": manifest["absent"]})
            continue
        arrays = safetensors.numpy.load_file(path)
        described = describe(arrays["patch"], arrays["pooled"], arrays["example_index"])
        models.append({"run": run, "label": name, "layer": manifest["layer"], **described})
        if labels is None:
            labels = arrays["labels"].tolist()
            examples = [
                {"label": int(arrays["labels"][i]), "image": image.tolist()}
                for i, image in zip(arrays["example_index"], arrays["examples"], strict=True)
            ]
    write_json(
        home.analysis / "pca.json",
        {
            "images": len(labels or []),
            "split": "validation",
            "classes": list(read_json(layout.manifest(study.dataset.key))["classes"]),
            "labels": labels or [],
            "models": models,
            "absent": absent,
            "examples": examples,
        },
    )
    stages(study)["pca"].seal()


def summarise(study: Study) -> None:
    """Tables of the static grid: grid.csv, summary.csv, metrics.json, analysis/*.json and curves.csv.

    Works on whatever is finished and says how much that is. Raises StepError naming stale results.
    """
    from vitflow.analysis import summary
    from vitflow.cost import exact
    from vitflow.training.loop import HISTORY

    home, grid = Layout(study.study), expand(study)
    records: list[summary.Record] = []
    curves: list[dict[str, Any]] = []
    calibration: dict[str, Any] = {}
    confusion: list[list[list[int]]] = []
    digests: list[str] = []
    jobs = ledger.jobs(study, grid)
    for job in jobs:
        if job.status == "stale":
            raise StepError(
                f"{job.paths.train}: result of another configuration than {job.run} has now; "
                f"run `snakemake train` or `vitflow train --pending`"
            )
        if not job.is_over:
            continue
        record = summary.Record(job.run, job.seed, read_json(job.paths.train), read_json(job.paths.metrics))
        records.append(record)
        digests.append(f"{job.run} {job.seed} {record.train['checkpoint_sha256']} {sha256(job.paths.metrics)}")
        with job.paths.history.open(encoding="utf-8") as file:
            curves += [{"run": job.run, "seed": job.seed, **row} for row in csv.DictReader(file)]
        if record.metrics["validation"]:
            calibration.setdefault(job.run, []).append(record.metrics["validation"]["calibration"])
            if job.run == BASELINE:
                confusion.append(record.metrics["validation"]["confusion"])
    if not records:
        raise StepError(f"study '{study.study}' has no results yet; run `snakemake train` or `vitflow train --pending`")

    measured = {name: ledger.measured_cost(study, name, run.config) or {} for name, run in grid.runs.items()}
    costs = {
        name: exact(run.config) | {key: measured[name].get(key) for key in summary.MEASURED}
        for name, run in grid.runs.items()
    }
    table = summary.runs_table(study, grid, records, costs)
    manifest = read_json(layout.manifest(study.dataset.key))
    classes = list(manifest["classes"])
    example = next((r.metrics for r in records if r.finished), records[0].metrics)
    provenances = [r.train["provenance"] for r in records]
    write_csv(home.grid, ("group", "axis", "value", "run", "seeds", "digest"), grid.table())
    write_csv(home.analysis / "curves.csv", ("run", "seed", *HISTORY), curves)
    write_json(
        home.analysis / "calibration.json",
        {"split": "validation", "runs": {k: _pool(v) for k, v in calibration.items()}},
    )
    write_json(
        home.analysis / "confusion.json",
        {
            "run": BASELINE,
            "n": len(confusion),
            "classes": classes,
            "split": "validation",
            # a list of objects, which `dvc plots` reads as a table
            "cells": [
                {"actual": actual, "predicted": predicted, "images": sum(matrix[i][j] for matrix in confusion)}
                for i, actual in enumerate(classes)
                for j, predicted in enumerate(classes)
            ],
        },
    )
    write_json(
        home.analysis / "summary.json",
        {
            "study": study.study,
            "title": study.title,
            "author": study.author,
            "dataset": {
                "name": study.dataset.name,
                "image_size": study.dataset.shape[0],
                "channels": study.dataset.shape[1],
                "classes": classes,
                "train_images": records[0].train["train_images"],
                "validation_images": example["validation"]["images"] if example["validation"] else 0,
                "test_images": example["test"]["images"] if example["test"] else 0,
            },
            "training": study.training.model_dump(),
            "model": study.baseline.model_dump(),
            "equivalence_margin": study.equivalence_margin,
            "descriptive": summary.is_descriptive(table),
            "digest": sha256_text("\n".join(digests)),
            "date": max(p["date"] for p in provenances),
            "done": len(records),
            "total": len(jobs),
            "diverged": [name for name, row in table.items() if row["diverged"]],
            "seeds": study.seeds,
            "baseline_seeds": study.baseline_seeds or study.seeds,
            "device": _devices(provenances),
            "measured_on": _devices([record["provenance"] for record in measured.values() if record]),
            "versions": provenances[-1]["versions"],
            "train_hours": round(sum(r.train["cost"]["seconds"] for r in records) / 3600, 3),
            "runs": table,
            "axes": summary.axes_table(study, grid, table),
            "references": [name for name, row in table.items() if row["reference"]],
            "findings": summary.findings(study, table),
            "best": summary.best_single(table),
        },
    )
    _write_tables(home, table, has_winner=study.best is not None)
    stages(study)["summary"].seal()


def select(study: Study) -> None:
    """Choose the winning combination from validation results of the finished static grid."""
    from vitflow.analysis.selection import select_architecture
    from vitflow.cost import exact

    home = Layout(study.study)
    if study.best is None:
        raise StepError(f"study '{study.study}' has no section 'best'")
    validation: dict[str, list[float]] = {}
    for job in ledger.jobs(study):
        if not job.is_over:
            raise StepError(f"{job.run} seed {job.seed} is {job.status}; winners are chosen when the grid is finished")
        scores = read_json(job.paths.metrics)["validation"]
        validation.setdefault(job.run, []).extend([scores["accuracy"]] if scores else [])
    chosen = select_architecture(study, validation, lambda config: exact(config)["multiplications"])
    write_json(home.selection, chosen | {"inputs": ledger.scores_digest(study)})
    stages(study)["select"].seal()


def best(study: Study) -> None:
    """Report the winner on its fresh seeds: analysis/best.json."""
    from vitflow.analysis.summary import run_label, spread
    from vitflow.cost import exact

    home, jobs = Layout(study.study), ledger.best_jobs(study)
    if not jobs:
        raise StepError("no winner is selected yet; run `vitflow analyse` when the grid is finished")
    unfinished = [job for job in jobs if not job.is_over]
    if unfinished:
        raise StepError(f"{BEST} seed {unfinished[0].seed} is {unfinished[0].status}; run `vitflow train --pending`")
    metrics = [read_json(job.paths.metrics) for job in jobs if job.status == "done"]
    scores = {
        "n": len(metrics),
        "validation": spread([m["validation"]["accuracy"] for m in metrics if m["validation"]]),
        "test": spread([m["test"]["accuracy"] for m in metrics]),
    }
    write_json(
        home.analysis / "best.json",
        {
            "run": BEST,
            "label": run_label("the baseline", jobs[0].config, study.baseline_run),
            "seeds": [job.seed for job in jobs],
            **scores,
            **read_json(home.selection),
        },
    )
    _write_metrics(home, BEST, scores, exact(jobs[0].config))
    stages(study)["best"].seal()


def _devices(provenances: list[dict[str, Any]]) -> str:
    """``AMD EPYC (2 threads)``; several are listed."""
    return ", ".join(sorted({spell_device(p["device"], p.get("threads", 1)) for p in provenances}))


def _pool(bins: list[dict[str, list[float]]]) -> dict[str, list[float]]:
    """Calibration bins of several seeds as one, weighted by their counts."""
    count = [sum(column) for column in zip(*(b["count"] for b in bins), strict=True)]
    pooled: dict[str, list[float]] = {"count": count}
    for key in ("confidence", "accuracy"):
        weighted = [sum(b[key][i] * b["count"][i] for b in bins) for i in range(len(count))]
        pooled[key] = [round(w / max(c, 1), 4) for w, c in zip(weighted, count, strict=True)]
    return pooled


def _write_tables(home: Layout, table: dict[str, dict[str, Any]], *, has_winner: bool) -> None:
    """summary.csv for people; a small file per run for `dvc metrics`, which shows them as a table."""
    from vitflow.analysis import summary

    rows = []
    for name, row in table.items():
        difference = row["difference"] or {}
        interval = difference.get("test_interval") or (None, None)
        rows.append(
            {
                "run": name,
                "n": row["n"],
                "diverged": row["diverged"],
                "test_mean": row["test"]["mean"],
                "test_sd": row["test"]["sd"],
                "validation_mean": row["validation"]["mean"],
                "validation_sd": row["validation"]["sd"],
                "difference_test": difference.get("test"),
                "interval_low": interval[0],
                "interval_high": interval[1],
                "clean_train_mean": row["clean_train"]["mean"],
                "test_ece": row["test_ece"]["mean"],
                "parameters": row["parameters"],
                "multiplications": row["multiplications"],
                "tokens": row["tokens"],
                "images_per_second": row["images_per_second"],
                "time_ratio": row["time_ratio"],
                "peak_bytes": row["peak_bytes"],
                **{key: row["stability"][key] for key in summary.STABILITY},
            }
        )
        _write_metrics(home, name, row, row)
    write_csv(home.summary, rows[0].keys(), rows)
    for path in home.metrics.glob("*.json"):
        if path.stem not in table and path.stem != BEST:
            path.unlink()  # a run that the study no longer has
    if not has_winner:
        for path in (home.analysis / "best.json", home.metrics / f"{BEST}.json"):
            path.unlink(missing_ok=True)


def _write_metrics(home: Layout, run: str, scores: dict[str, Any], cost: dict[str, Any]) -> None:
    write_json(
        home.metrics / f"{run}.json",
        {
            "test": scores["test"]["mean"],
            "test_sd": scores["test"]["sd"],
            "validation": scores["validation"]["mean"],
            "n": scores["n"],
            "million_parameters": round(cost["parameters"] / 1e6, 3),
            "million_multiplications": round(cost["multiplications"] / 1e6, 3),
        },
    )
