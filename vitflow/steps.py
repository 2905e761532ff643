"""The steps of a study: read what is stored, compute, publish. One function per command of the CLI.

Everything is published whole, last of all the file that says the step is done; provenance stands beside it.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from filelock import FileLock, Timeout

from vitflow import layout, ledger
from vitflow.config import Study, nearest
from vitflow.files import FileProblem, publishing, read_json, sha256, sha256_text, write_csv, write_json
from vitflow.grid import BASELINE, expand, feature_runs
from vitflow.layout import Layout
from vitflow.ledger import BEST, Job

TRAINING_ROOMS = ("data", "models", "training")


class StepError(RuntimeError):
    """A step cannot run; the message says why and what to do."""


class Busy(StepError):
    """Another process is at work on the same run and seed."""


def say(line: str) -> None:
    """Progress, for people and for logs."""
    print(line, file=sys.stderr, flush=True)


# ------------------------------------------------------------------------------------- before training


def prepare(study: Study) -> dict[str, Any]:
    """Prepare the study's dataset, or verify that it is prepared; returns the manifest."""
    from vitflow.data.prepare import load, prepare

    if layout.prepared(study.dataset.key).exists() and layout.manifest(study.dataset.key).exists():
        load(study.dataset)
        return dict(read_json(layout.manifest(study.dataset.key)))
    return prepare(study.dataset)


def costs(study: Study) -> dict[str, dict[str, int]]:
    """Per run: ``parameters``, ``multiplications`` (per image, forward) and ``tokens``; exact, from the models."""
    import torch

    from vitflow.cost import multiplications, parameters, tokens
    from vitflow.models.build import build

    result = {}
    for name, run in expand(study).runs.items():
        image_size, channels, classes = run.config.dataset.shape
        with torch.device("meta"):
            model = build(run.config.model, image_size, channels, classes)
        result[name] = {
            "parameters": parameters(model),
            "multiplications": multiplications(model, image_size, channels),
            "tokens": tokens(run.config.model, image_size),
        }
    return result


# -------------------------------------------------------------------------------------------- training


def all_jobs(study: Study) -> list[Job]:
    """The static grid and, once selected, the winning combination on its fresh seeds."""
    best = ledger.best_run(study)
    return ledger.jobs(study) + ([ledger.job(study, best, seed) for seed in best.seeds] if best else [])


def find_job(study: Study, run: str, seed: int) -> Job:
    """The job of that name and seed. Raises StepError with the nearest valid choice."""
    found = [job for job in all_jobs(study) if job.run == run]
    if not found:
        if run == BEST and study.best is not None:
            raise StepError(f"'{BEST}' is not selected yet; run `vitflow analyse` when the grid is finished")
        raise StepError(f"no run '{run}' in study '{study.study}'{nearest(run, sorted(expand(study).runs))}")
    for job in found:
        if job.seed == seed:
            return job
    raise StepError(f"run '{run}' has no seed {seed}; valid: {', '.join(str(j.seed) for j in found)}")


def train(study: Study, job: Job, *, threads: int | None = None, deadline: float | None = None) -> None:
    """Train one job to its end, or go on with it, and publish weights, history, configuration and train.json.

    Does nothing if it is finished. Raises Interrupted on SIGTERM, SIGUSR1, Ctrl-C or before ``deadline``
    (``time.monotonic()`` seconds), with the state saved.
    """
    import torch

    from vitflow.data.prepare import load
    from vitflow.training import checkpoint, loop

    if threads:
        torch.set_num_threads(threads)
    device = loop.select_device()
    data = load(job.config.dataset.model_copy(update={"path": study.dataset.path}))
    with _locked(job):
        if job.status in ("done", "diverged") or (job.status == "trained" and job.paths.checkpoint.exists()):
            say(f"{job.run} seed {job.seed}: already trained")
            return
        with _stop_requests() as requested:

            def should_stop(margin: float) -> bool:
                return requested() or (deadline is not None and time.monotonic() + margin > deadline)

            say(f"{job.run} seed {job.seed}: training on {ledger.device_name(device.type)}")
            outcome = loop.train(
                job.config, job.seed, data, job.paths.state, device=device, should_stop=should_stop, report=say
            )
        paths = job.paths
        checkpoint.save_weights(paths.checkpoint, outcome.model)
        write_csv(paths.history, loop.HISTORY, outcome.history)
        write_json(paths.config, job.config.normalised().model_dump())
        write_json(
            paths.train,
            {
                "run": job.run,
                "seed": job.seed,
                "status": outcome.status,
                "diverged_step": outcome.diverged_step,
                "steps": outcome.steps,
                "train_images": len(data.train.labels),
                "config_digest": job.config.digest,
                "data_digest": data.digest,
                "checkpoint_sha256": sha256(paths.checkpoint),
                "cost": {"seconds": round(outcome.seconds, 3), "images_per_second": round(outcome.images_per_second, 2)},
                "stability": {
                    "largest_gradient_norm": max((r["largest_gradient_norm"] for r in outcome.history), default=None),
                },
                "resumed_from": outcome.resumed_from,
                "provenance": ledger.provenance(*TRAINING_ROOMS, device=device.type, threads=torch.get_num_threads()),
            },
        )
        checkpoint.clear_states(paths.state)


def train_pending(study: Study, *, time_limit: float | None = None, threads: int | None = None) -> int:
    """Train and evaluate whatever is missing, here, one after another; returns the number of jobs left.

    ``time_limit`` in seconds is counted from now; the last state is saved before it. Several processes may
    work on one study: a job that another one holds is left to it.
    """
    deadline = None if time_limit is None else time.monotonic() + time_limit
    pending = [job for job in all_jobs(study) if job.status not in ("done", "diverged")]
    if not pending:
        return 0
    from vitflow.training.loop import Interrupted

    total, others, started = len(pending), 0, time.monotonic()
    for number, job in enumerate(pending):
        done = number - others
        left = (time.monotonic() - started) / done * (total - number) if done else None
        say(f"[{number + 1}/{total}] {job.run} seed {job.seed}" + (f", about {left / 60:.0f} min left" if left else ""))
        if deadline is not None and time.monotonic() > deadline:
            return total - number
        try:
            train(study, job, threads=threads, deadline=deadline)
        except Interrupted as stop:
            say(f"{job.run} seed {job.seed}: {stop}")
            return total - number
        except Busy as busy:
            say(str(busy))
            others += 1
            continue
        if job.status == "trained":
            evaluate(study, job, threads=threads)
    return others


# ---------------------------------------------------------------------------------------- after training


def evaluate(study: Study, job: Job, *, threads: int | None = None) -> None:
    """Score the final weights on validation, test and clean training images; publish metrics and predictions."""
    import numpy as np
    import torch

    from vitflow.data.prepare import Split, load
    from vitflow.evaluation import score
    from vitflow.features import stratified
    from vitflow.training.loop import select_device, uses_bf16
    from vitflow.training.predict import predict

    record = _trained(job)
    model, data, device = _model(study, job, threads)
    limit = len(data.validation.labels) or 5000
    clean = stratified(data.train.labels, limit)
    splits = {
        "validation": data.validation,
        "test": data.test,
        "train": Split(data.train.images[clean], data.train.labels[clean]),
    }
    metrics: dict[str, Any] = {
        "run": job.run,
        "seed": job.seed,
        "status": record["status"],
        "config_digest": job.config.digest,
        "data_digest": data.digest,
        "checkpoint_sha256": record["checkpoint_sha256"],
        "provenance": ledger.provenance(
            *TRAINING_ROOMS, "evaluation", device=device.type, threads=torch.get_num_threads()
        ),
    }
    arrays: dict[str, Any] = {}
    bf16 = uses_bf16(job.config.training.precision, select_device())
    for name, split in splits.items():
        if not len(split.labels) or record["status"] != "finished":
            metrics[name] = None
            continue
        logits = predict(model, split.images.to(device), data, bf16=bf16).cpu()
        metrics[name] = score(logits.numpy(), split.labels.numpy())
        if name != "train":
            probabilities = logits.double().softmax(1)
            truth = split.labels[:, None]
            arrays[f"{name}_label"] = split.labels.numpy().astype(np.uint8)
            arrays[f"{name}_predicted"] = logits.argmax(1).numpy().astype(np.uint8)
            arrays[f"{name}_confidence"] = probabilities.max(1).values.half().numpy()
            arrays[f"{name}_true_probability"] = probabilities.gather(1, truth).squeeze(1).half().numpy()
    with publishing(job.paths.predictions) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)
    write_json(job.paths.metrics, metrics)
    shown = metrics["test"]
    say(f"{job.run} seed {job.seed}: " + ("diverged" if shown is None else f"test {shown['accuracy']:.2f} %"))


def features(study: Study, run: str, *, threads: int | None = None) -> None:
    """Store patch tokens and pooled features of validation images for one run (its first seed)."""
    import safetensors.torch

    from vitflow.features import choose_layer, extract

    job = find_job(study, run, 0)
    record = _trained(job)
    if record["status"] != "finished":
        raise StepError(f"{job.paths.train}: this run diverged and has no features; take it out of features.runs")
    model, data, _ = _model(study, job, threads)
    image_size = job.config.dataset.shape[0]
    layer = choose_layer(job.config.model, image_size, _positions(study))
    if not len(data.validation.labels):
        raise StepError("features are taken from validation images, and validation_fraction is 0")
    found = extract(model, layer, data.validation, data, study.features.images)
    arrays = Layout(study.study).features / f"{run}.safetensors"
    with publishing(arrays) as temporary:
        temporary.write_bytes(
            safetensors.torch.save(
                {
                    "patch": found.patch,
                    "pooled": found.pooled,
                    "labels": found.labels,
                    "examples": found.examples,
                    "example_index": found.example_index,
                }
            )
        )
    write_json(
        arrays.with_suffix(".json"),
        {
            "run": run,
            "seed": job.seed,
            "layer": layer,
            "images": len(found.labels),
            "patch": list(found.patch.shape),
            "pooled": list(found.pooled.shape),
            "classes": list(data.classes),
            "config_digest": job.config.digest,
            "checkpoint_sha256": record["checkpoint_sha256"],
            "features_sha256": sha256(arrays),
            "provenance": ledger.provenance("models", "features"),
        },
    )


def pca(study: Study) -> None:
    """Principal components of all stored features: analysis/pca.json."""
    import safetensors.numpy

    from vitflow.analysis.pca import describe
    from vitflow.analysis.summary import run_label

    home, grid = Layout(study.study), expand(study)
    models, labels, examples, manifests = [], None, [], []
    for run in feature_runs(study):
        path = home.features / f"{run}.safetensors"
        manifest = read_json(path.with_suffix(".json"))
        if sha256(path) != manifest["features_sha256"]:
            raise FileProblem(f"{path}: not what {path.with_suffix('.json')} says; delete both to have them made again")
        arrays = safetensors.numpy.load_file(path)
        described = describe(arrays["patch"], arrays["pooled"], arrays["example_index"])
        label = run_label(run, grid.runs[run].config, study.baseline_run)
        name = "ViT, baseline" if run == BASELINE else label
        models.append({"run": run, "label": name, "layer": manifest["layer"], **described})
        manifests.append(manifest)
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
            "classes": manifests[0]["classes"],
            "labels": labels,
            "models": models,
            "examples": examples,
            "inputs": [m["features_sha256"] for m in manifests],
        },
    )


def analyse(study: Study) -> None:
    """Tables of the static grid: grid.csv, summary.csv, metrics.json, analysis/*.json and curves.csv.

    Works on whatever is finished and says how much that is. Raises StepError naming stale results.
    """
    import csv

    from vitflow.analysis import summary

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
        if job.status not in ("done", "diverged"):
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

    exact = costs(study)
    table = summary.runs_table(study, grid, records, exact)
    manifest = read_json(layout.manifest(study.dataset.key))
    classes = list(manifest["classes"])
    example = next((r.metrics for r in records if r.finished), records[0].metrics)
    provenances = [r.train["provenance"] for r in records]
    write_csv(home.grid, ("group", "axis", "value", "run", "seeds", "digest"), grid.table())
    write_csv(home.analysis / "curves.csv", ("run", "seed", *_history_columns()), curves)
    write_json(home.analysis / "calibration.json", {"split": "validation", "runs": {k: _pool(v) for k, v in calibration.items()}})
    write_json(
        home.analysis / "confusion.json",
        {
            "run": BASELINE,
            "n": len(confusion),
            "classes": classes,
            "split": "validation",
            "matrix": [[sum(m[i][j] for m in confusion) for j in range(len(classes))] for i in range(len(classes))],
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
            "study_digest": ledger.study_digest(study),
            "date": max(p["date"] for p in provenances),
            "done": len(records),
            "total": len(jobs),
            "diverged": [name for name, row in table.items() if row["diverged"]],
            "seeds": study.seeds,
            "baseline_seeds": study.baseline_seeds or study.seeds,
            "device": ", ".join(sorted({f"{p['device']} ({p.get('threads', 1)} threads)" for p in provenances})),
            "versions": provenances[-1]["versions"],
            "train_hours": round(sum(r.train["cost"]["seconds"] for r in records) / 3600, 3),
            "runs": table,
            "axes": summary.axes_table(study, grid, table),
            "references": [name for name, row in table.items() if row["reference"]],
            "findings": summary.findings(study, table),
            "best": summary.best_single(table),
        },
    )
    _write_tables(home, table)


def select(study: Study) -> None:
    """Choose the winning combination from validation results of the finished static grid."""
    from vitflow.analysis.selection import select_architecture

    home = Layout(study.study)
    if study.best is None:
        raise StepError(f"study '{study.study}' has no section 'best'")
    validation: dict[str, list[float]] = {}
    for job in ledger.jobs(study):
        if job.status not in ("done", "diverged"):
            raise StepError(f"{job.run} seed {job.seed} is {job.status}; winners are chosen when the grid is finished")
        scores = read_json(job.paths.metrics)["validation"]
        validation.setdefault(job.run, []).extend([scores["accuracy"]] if scores else [])
    multiplications = {name: cost["multiplications"] for name, cost in costs(study).items()}
    chosen = select_architecture(study, validation, multiplications)
    write_json(home.selection, chosen | {"inputs": ledger.scores_digest(study)})


def best(study: Study) -> None:
    """Report the winner on its fresh seeds: analysis/best.json."""
    from vitflow.analysis.summary import run_label, spread

    home, run = Layout(study.study), ledger.best_run(study)
    if run is None:
        raise StepError("no winner is selected yet; run `vitflow analyse` when the grid is finished")
    jobs = [ledger.job(study, run, seed) for seed in run.seeds]
    unfinished = [job for job in jobs if job.status not in ("done", "diverged")]
    if unfinished:
        raise StepError(f"{BEST} seed {unfinished[0].seed} is {unfinished[0].status}; run `vitflow train --pending`")
    metrics = [read_json(job.paths.metrics) for job in jobs if job.status == "done"]
    selection = read_json(home.selection)
    write_json(
        home.analysis / "best.json",
        {
            "run": BEST,
            "label": run_label("the baseline", run.config, study.baseline_run),
            "seeds": list(run.seeds),
            "n": len(metrics),
            "validation": spread([m["validation"]["accuracy"] for m in metrics if m["validation"]]),
            "test": spread([m["test"]["accuracy"] for m in metrics]),
            **selection,
        },
    )


# ---------------------------------------------------------------------------------------- presentation


def figures(study: Study) -> None:
    """Draw the figures from analysis/*."""
    from vitflow.figures.draw import draw

    home = Layout(study.study)
    draw(home.analysis, home.figures)


def slides(study: Study) -> None:
    """Render the talk in its three forms."""
    from vitflow.slides.render import render

    home, talk = Layout(study.study), Path("workflow/slides")
    render(talk / "slides.md.j2", home.analysis, home.figures, talk / "techniques.yaml", home.slides)


# --------------------------------------------------------------------------------------------- helpers


def _trained(job: Job) -> dict[str, Any]:
    if job.status in ("missing", "interrupted", "stale"):
        raise StepError(f"{job.run} seed {job.seed} is {job.status}; train it first: `vitflow train --run {job.run} --seed {job.seed}`")
    record = dict(read_json(job.paths.train))
    if job.paths.checkpoint.exists() and sha256(job.paths.checkpoint) != record["checkpoint_sha256"]:
        raise FileProblem(f"{job.paths.checkpoint}: not the weights that {job.paths.train} names; delete it and fetch or train again")
    return record


def _model(study: Study, job: Job, threads: int | None) -> tuple[Any, Any, Any]:
    """(model with its stored weights, data, device)."""
    import torch

    from vitflow.data.prepare import load
    from vitflow.models.build import build
    from vitflow.training.checkpoint import load_weights
    from vitflow.training.loop import select_device

    if threads:
        torch.set_num_threads(threads)
    device = select_device()
    data = load(job.config.dataset.model_copy(update={"path": study.dataset.path}))
    model = build(job.config.model, *job.config.dataset.shape)
    load_weights(job.paths.checkpoint, model)
    return model.to(device).eval(), data, device


@contextmanager
def _locked(job: Job) -> Iterator[None]:
    job.paths.state.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(job.paths.state / "lock", timeout=0):
            yield
    except Timeout:
        raise Busy(f"{job.paths.state}: another process is training {job.run} seed {job.seed}") from None


@contextmanager
def _stop_requests() -> Iterator[Callable[[], bool]]:
    """A question that becomes true on SIGTERM, SIGUSR1 or Ctrl-C; earlier handlers return at the end."""
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)}
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _positions(study: Study) -> int:
    """Patch tokens of the baseline ViT: the number of positions that features of all families aim at."""
    baseline = study.baseline
    size = study.dataset.shape[0]
    return (size // baseline.patch_size) ** 2 if baseline.family == "vit" else (size // 4) ** 2


def _history_columns() -> tuple[str, ...]:
    from vitflow.training.loop import HISTORY

    return HISTORY


def _pool(bins: list[dict[str, list[float]]]) -> dict[str, list[float]]:
    """Calibration bins of several seeds as one, weighted by their counts."""
    count = [sum(column) for column in zip(*(b["count"] for b in bins), strict=True)]
    pooled: dict[str, list[float]] = {"count": count}
    for key in ("confidence", "accuracy"):
        weighted = [sum(b[key][i] * b["count"][i] for b in bins) for i in range(len(count))]
        pooled[key] = [round(w / max(c, 1), 4) for w, c in zip(weighted, count, strict=True)]
    return pooled


def _write_tables(home: Layout, table: dict[str, dict[str, Any]]) -> None:
    """summary.csv for people, metrics.json for `dvc metrics`: a key per run."""
    rows = []
    flat: dict[str, dict[str, Any]] = {}
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
                "train_seconds": row["train_seconds"]["mean"],
            }
        )
        if row["n"]:
            flat[name] = {
                "test": row["test"]["mean"],
                "test_sd": row["test"]["sd"],
                "validation": row["validation"]["mean"],
                "n": row["n"],
                "mega_multiplications": round(row["multiplications"] / 1e6, 3),
            }
    write_csv(home.root / "summary.csv", rows[0].keys(), rows)
    write_json(home.root / "metrics.json", flat)
