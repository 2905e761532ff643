"""The steps of a study: read what is stored, compute, publish. One function per command of the CLI.

Everything is published whole, last of all the file that says the step is done; provenance stands beside it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from vitflow import layout, ledger, stages, stopping
from vitflow.config import RunConfig, Study, nearest
from vitflow.files import FileProblem, publishing, read_json, sha256, sweep, unwritable, write_csv, write_json
from vitflow.grid import expand
from vitflow.layout import Layout
from vitflow.ledger import BEST, TRAINING_ROOMS, Job
from vitflow.provenance import device_name, provenance, write_sealed

if TYPE_CHECKING:
    import torch

    from vitflow.data.prepare import Data

#: training images that are scored where no validation images say how many
CLEAN = 5000


class StepError(RuntimeError):
    """A step cannot run; the message says why and what to do."""


class Busy(StepError):
    """Another process is at work on the same run and seed."""


@dataclass(frozen=True)
class Machine:
    """What a step may use of this machine, and until when."""

    threads: int | None = None  #: of the CPU; None is all
    jobs_per_gpu: int = 1
    deadline: float | None = None  #: ``time.monotonic()`` seconds

    @contextmanager
    def device(self, *, alone: bool = False) -> Iterator[torch.device]:
        """The CPU, or a place on a GPU (all of its places, if ``alone``); raises AllTaken if none comes free."""
        import torch

        from vitflow.gpu import claimed

        if self.threads:
            torch.set_num_threads(self.threads)
        with claimed(self.jobs_per_gpu, alone=alone, say=say, deadline=self.deadline) as device:
            yield device

    def is_over(self, margin: float = 0.0) -> bool:
        """Whether less than ``margin`` seconds are left."""
        return self.deadline is not None and time.monotonic() + margin > self.deadline


def say(line: str) -> None:
    """Progress, for people and for logs. A log on a full disk, or one that nobody reads any more, stops nothing."""
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)


# ------------------------------------------------------------------------------------- before training


def prepare(study: Study) -> dict[str, Any]:
    """Prepare the study's dataset, or verify that it is prepared; returns the manifest."""
    from vitflow.data.prepare import load, prepare

    if layout.prepared(study.dataset.key).exists() and layout.manifest(study.dataset.key).exists():
        load(study.dataset)
        return dict(read_json(layout.manifest(study.dataset.key)))
    return prepare(study.dataset)


# -------------------------------------------------------------------------------------------- training


def find_job(study: Study, run: str, seed: int) -> Job:
    """The job of that name and seed. Raises StepError with the nearest valid choice."""
    found = [job for job in ledger.all_jobs(study) if job.run == run]
    if not found:
        if run == BEST and study.best is not None:
            raise StepError(f"'{BEST}' is not selected yet; run `vitflow analyse` when the grid is finished")
        raise _unknown(study, run)
    for job in found:
        if job.seed == seed:
            return job
    raise StepError(f"run '{run}' has no seed {seed}; valid: {', '.join(str(j.seed) for j in found)}")


def train(study: Study, job: Job, machine: Machine) -> bool:
    """Train one job to its end, or go on with it, and publish weights, history, configuration and train.json.

    Does nothing if it is finished. Raises Interrupted on SIGTERM, SIGUSR1, Ctrl-C or before the machine's deadline,
    with the state saved. Returns whether a signal came when the training was over and being published: then nothing
    else should begin.
    """
    import torch

    from vitflow.data.prepare import load
    from vitflow.training import checkpoint, loop

    data = load(job.config.dataset.model_copy(update={"path": study.dataset.path}))
    with (
        _locked(job),
        machine.device() as device,
        stopping.noted() as requested,
        _told_if_memory_ends(f"{job.run} seed {job.seed}", job.config, device.type),
    ):
        if job.is_over or (job.status == "trained" and job.paths.checkpoint.exists()):
            say(f"{job.run} seed {job.seed}: already trained")
            return requested()
        _sweep(job)
        checkpoint.sweep_states(job.paths.state)

        def should_stop(margin: float) -> bool:
            return requested() or machine.is_over(margin)

        say(f"{job.run} seed {job.seed}: training on {device_name(device.type)}")
        outcome = loop.train(
            job.config,
            job.seed,
            data,
            job.paths.state,
            device=device,
            should_stop=should_stop,
            hurry=requested,
            report=say,
        )
        paths = job.paths
        checkpoint.save_weights(paths.checkpoint, outcome.model)
        write_csv(paths.history, loop.HISTORY, outcome.history)
        write_json(paths.config, job.config.normalised().model_dump())
        write_sealed(
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
                "history_sha256": sha256(paths.history),
                "cost": {
                    "seconds": round(outcome.seconds, 3),
                    "images_per_second": round(outcome.images_per_second, 2),
                },
                "stability": outcome.stability,
                "resumed_from": outcome.resumed_from,
                "provenance": provenance(*TRAINING_ROOMS, device=device.type, threads=torch.get_num_threads()),
            },
        )
        checkpoint.clear_states(paths.state)
        return requested()


def train_pending(study: Study, machine: Machine) -> int:
    """Train and evaluate whatever is missing, here, one after another; returns the number of jobs left.

    The last state is saved before the machine's deadline. Several processes may work on one study: a job that another
    one holds is left to it.
    """
    pending = [job for job in ledger.all_jobs(study) if not job.is_over]
    if not pending:
        return 0
    from vitflow.gpu import AllTaken
    from vitflow.training.loop import Interrupted

    total, done, started = len(pending), 0, time.monotonic()
    for number, job in enumerate(pending):
        left = (time.monotonic() - started) / done * (total - number) if done else None
        say(f"[{number + 1}/{total}] {job.run} seed {job.seed}" + (f", about {left / 60:.0f} min left" if left else ""))
        if machine.is_over():
            break
        waiting = job.status == "trained"  # since an earlier sitting: scored first, or a short limit never gets there
        try:
            asked = train(study, job, machine)
            if job.status == "trained":
                if asked or (machine.is_over(_scoring_seconds(study, job)) and not waiting):
                    break
                evaluate(study, job, machine)
        except (Interrupted, AllTaken) as stop:
            say(f"{job.run} seed {job.seed}: {stop}")
            break
        except Busy as busy:
            say(str(busy))
            continue
        if asked:
            break
        done += 1
    return sum(not job.is_over for job in pending)


def _scoring_seconds(study: Study, job: Job) -> float:
    """Longer than scoring takes: training, which goes through each image backwards too, is slower."""
    speed = read_json(job.paths.train, "cost")["cost"]["images_per_second"]
    counts = read_json(layout.manifest(study.dataset.key), "counts")["counts"]
    official, test = (sum(counts[split].values()) for split in ("train", "test"))
    held_out = round(study.dataset.validation_fraction * official)
    return float((test + 2 * (held_out or CLEAN)) / speed)


# ------------------------------------------------------------------------------------------------ cost


def measure(study: Study, runs: list[str], machine: Machine) -> None:
    """Measure speed and peak memory of runs, each by turns with the baseline, where that is not done yet.

    No other job of vitflow's may use the GPU meanwhile (it waits for that); on a CPU it is for the caller to see to it.
    """
    import torch

    from vitflow.cost import measured

    home, grid, started = Layout(study.study), expand(study), time.monotonic()
    for run in runs:
        if run not in grid.runs:
            raise _unknown(study, run)
    pending = [run for run in runs if not ledger.measured_cost(study, run, grid.runs[run].config)]
    for number, run in enumerate(pending):
        config = grid.runs[run].config
        with machine.device(alone=True) as device, _told_if_memory_ends(run, config, device.type):
            found = measured(config, study.baseline_run, device)
        write_sealed(
            home.cost(run),
            {
                "run": run,
                **found,
                "config_digest": config.digest,
                "baseline_digest": study.baseline_run.digest,
                "provenance": provenance(*TRAINING_ROOMS, device=device.type, threads=torch.get_num_threads()),
            },
        )
        left = (time.monotonic() - started) / (number + 1) * (len(pending) - number - 1)
        say(
            f"[{number + 1}/{len(pending)}] {run}: {found['images_per_second']:,.0f} images/s, "
            f"{found['time_ratio']:.2f} times the baseline's time, {found['peak_bytes'] / 2**20:,.0f} MiB"
            + (f", about {left / 60:.0f} min left" if left > 60 else "")
        )


# ---------------------------------------------------------------------------------------- after training


def evaluate(study: Study, job: Job, machine: Machine) -> None:
    """Score the final weights on validation, test and clean training images; publish metrics and predictions."""
    _trained(job)  # told before anything is written
    with _locked(job), machine.device() as device, _told_if_memory_ends(f"{job.run} seed {job.seed}"):
        _evaluate(study, job, device)


def _evaluate(study: Study, job: Job, device: torch.device) -> None:
    import numpy as np
    import torch

    from vitflow.data.prepare import Split
    from vitflow.evaluation import score
    from vitflow.features import stratified
    from vitflow.training.device import uses_bf16
    from vitflow.training.predict import predict

    record = _trained(job)
    model, data = _model(study, job, device)
    limit = len(data.validation.labels) or CLEAN
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
        "provenance": provenance(*TRAINING_ROOMS, "evaluation", device=device.type, threads=torch.get_num_threads()),
    }
    arrays: dict[str, Any] = {}
    bf16 = uses_bf16(job.config.training.precision, device)
    for name, split in splits.items():
        if not len(split.labels) or record["status"] != "finished":
            metrics[name] = None
            continue
        logits = predict(model, split.images.to(device), data, bf16=bf16).cpu()
        metrics[name] = score(logits.numpy(), split.labels.numpy())
        if name != "train":
            probabilities = logits.double().softmax(1)
            truth = split.labels[:, None]
            smallest = np.min_scalar_type(len(data.classes) - 1)
            arrays[f"{name}_label"] = split.labels.numpy().astype(smallest)
            arrays[f"{name}_predicted"] = logits.argmax(1).numpy().astype(smallest)
            arrays[f"{name}_confidence"] = probabilities.max(1).values.half().numpy()
            arrays[f"{name}_true_probability"] = probabilities.gather(1, truth).squeeze(1).half().numpy()
    _sweep(job)
    with publishing(job.paths.predictions) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)
    write_sealed(job.paths.metrics, metrics | {"predictions_sha256": sha256(job.paths.predictions)})
    shown = metrics["test"]
    say(f"{job.run} seed {job.seed}: " + ("diverged" if shown is None else f"test {shown['accuracy']:.2f} %"))


def features(study: Study, run: str, machine: Machine) -> None:
    """Store patch tokens and pooled features of validation images for one run (its first seed).

    A run that diverged, or nearly so, has none: the arrays are an empty file, and ``absent`` in the manifest says why.
    """
    import safetensors.torch

    job = find_job(study, run, 0)
    record = _trained(job)
    if record["status"] == "finished":
        with machine.device() as device, _told_if_memory_ends(run):
            tensors, found = _extracted(study, job, device)
    else:
        tensors, found = {}, {"absent": f"diverged at step {record['diverged_step']}"}
    arrays = Layout(study.study).features / f"{run}.safetensors"
    with publishing(arrays) as temporary:
        temporary.write_bytes(safetensors.torch.save(tensors))
    write_sealed(
        arrays.with_suffix(".json"),
        {
            "run": run,
            "seed": job.seed,
            "requested": study.features.images,
            **found,
            "config_digest": job.config.digest,
            "checkpoint_sha256": record["checkpoint_sha256"],
            "features_sha256": sha256(arrays),
            "provenance": provenance("models", "features"),
        },
    )
    if "absent" in found:
        say(f"{run} seed {job.seed}: no features, {found['absent']}")


def _extracted(study: Study, job: Job, device: torch.device) -> tuple[dict[str, Any], dict[str, Any]]:
    """(features by name, where they were taken), or ({}, why there are none)."""
    from vitflow.data.prepare import Split
    from vitflow.features import choose_layer, extract

    model, data = _model(study, job, device)
    layer = choose_layer(job.config.model, job.config.dataset.shape[0], _positions(study))
    if not len(data.validation.labels):
        raise StepError("features are taken from validation images, and validation_fraction is 0")
    validation = Split(data.validation.images.to(device), data.validation.labels.to(device))
    taken = extract(model, layer, validation, data, study.features.images)
    if not (taken.patch.isfinite().all() and taken.pooled.isfinite().all()):
        return {}, {"absent": "larger than half precision holds"}
    tensors = {name: getattr(taken, name) for name in ("patch", "pooled", "labels", "examples", "example_index")}
    return tensors, {
        "layer": layer,
        "images": len(taken.labels),
        "patch": list(taken.patch.shape),
        "pooled": list(taken.pooled.shape),
        "classes": list(data.classes),
    }


# ---------------------------------------------------------------------------------------- presentation


def figures(study: Study) -> None:
    """Draw the figures from analysis/*."""
    from vitflow.figures.draw import draw

    home = Layout(study.study)
    draw(home.analysis, home.figures)
    stages.stages(study)["figures"].seal()


def slides(study: Study) -> None:
    """Render the talk in its three forms."""
    from vitflow.slides.render import render

    home, (template, techniques) = Layout(study.study), stages.talk()
    render(template, home.analysis, home.figures, techniques, home.slides)
    stages.stages(study)["slides"].seal()


# --------------------------------------------------------------------------------------------- helpers


def _unknown(study: Study, run: str) -> StepError:
    return StepError(f"no run '{run}' in study '{study.study}'{nearest(run, sorted(expand(study).runs))}")


def _trained(job: Job) -> dict[str, Any]:
    if job.status in ("missing", "interrupted", "stale"):
        raise StepError(
            f"{job.run} seed {job.seed} is {job.status}; train it first: "
            f"`vitflow train --run {job.run} --seed {job.seed}`"
        )
    record = ledger.training_record(job.paths)
    if job.paths.checkpoint.exists() and sha256(job.paths.checkpoint) != record["checkpoint_sha256"]:
        raise FileProblem(
            f"{job.paths.checkpoint}: not the weights that {job.paths.train} names; delete it and fetch or train again"
        )
    return record


def _model(study: Study, job: Job, device: torch.device) -> tuple[Any, Data]:
    """(model with its stored weights on the device, data)."""
    from vitflow.data.prepare import load
    from vitflow.models.build import build
    from vitflow.training.checkpoint import load_weights

    data = load(job.config.dataset.model_copy(update={"path": study.dataset.path}))
    model = build(job.config.model, *job.config.dataset.shape)
    load_weights(job.paths.checkpoint, model)
    return model.to(device).eval(), data


@contextmanager
def _locked(job: Job) -> Iterator[None]:
    lock = FileLock(job.paths.state / "lock", timeout=0)
    try:
        job.paths.state.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise Busy(f"{job.paths.state}: another process is at work on {job.run} seed {job.seed}") from None
    except OSError as error:
        raise unwritable(job.paths.state, error) from None
    try:
        yield
    finally:
        lock.release()


def _sweep(job: Job) -> None:
    """Remove what killed processes left of publishing results of this run and seed; for who holds its lock."""
    paths = job.paths
    for path in (paths.checkpoint, paths.config, paths.history, paths.train, paths.metrics, paths.predictions):
        sweep(path.parent, path.name)


@contextmanager
def _told_if_memory_ends(who: str, config: RunConfig | None = None, device: str = "cpu") -> Iterator[None]:
    """One line instead of a traceback; ``config`` is what is being trained on ``device``, None where it is scored."""
    import torch

    try:
        yield
    except (RuntimeError, MemoryError) as error:
        told = isinstance(error, torch.OutOfMemoryError | MemoryError)
        if not told and "DefaultCPUAllocator: can't allocate memory" not in str(error):
            raise
        what, less = "out of memory while scoring", ""
        if config is not None:
            what = f"out of memory on {device} with batch_size {config.training.batch_size}"
            less = ", or lower training.batch_size, which makes it another study: all runs are trained anew"
        raise StepError(f"{who}: {what}; run fewer jobs side by side{less}") from None


def _positions(study: Study) -> int:
    """Patch tokens of the baseline ViT: the number of positions that features of all families aim at."""
    baseline = study.baseline
    size = study.dataset.shape[0]
    return (size // baseline.patch_size) ** 2 if baseline.family == "vit" else (size // 4) ** 2
