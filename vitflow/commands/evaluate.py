"""`vitflow evaluate`: final weights scored on validation, test and clean training images, and inspected."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from vitflow.commands.options import add_run, add_seed, machine_of, study_of
from vitflow.machine.limits import Machine
from vitflow.machine.log import say
from vitflow.results.ledger import Job, all_jobs, find_job
from vitflow.study.schema import Study

if TYPE_CHECKING:
    import torch

EXAMPLE = "vitflow evaluate --run baseline --seed 0"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_run(parser)
    add_seed(parser)


def run(options: argparse.Namespace) -> int:
    """Score the run and seed that were named, or all that are trained and not scored."""
    study, machine = study_of(options), machine_of(options)
    if options.run_name:
        evaluate(study, find_job(study, options.run_name, options.seed), machine, patient=True)
        return 0
    waiting = [job for job in all_jobs(study) if job.status == "trained"]
    for job in waiting:
        evaluate(study, job, machine)
    if not waiting:
        say(f"{study.study}: whatever is trained is scored")
    return 0


def evaluate(study: Study, job: Job, machine: Machine, *, patient: bool = False) -> None:
    """Score the final weights of a run and seed; publish metrics and predictions.

    Where another process is at work on it, waits for that one if ``patient``, and may find it done.
    """
    from vitflow.machine.memory import told_if_memory_ends
    from vitflow.results.lock import locked
    from vitflow.results.weights import trained

    trained(job)  # told before anything is written
    who = f"{job.run} seed {job.seed}"
    with locked(job, until=machine.last if patient else 0.0, say=say) as waited:
        if waited and job.is_over:
            say(f"{who}: already scored")
            return
        with machine.device() as device, told_if_memory_ends(who):
            _evaluate(study, job, device)


def _evaluate(study: Study, job: Job, device: torch.device) -> None:
    import numpy as np
    import torch

    from vitflow.machine.files import publishing, sha256
    from vitflow.measuring.inspection.inspect import inspect
    from vitflow.measuring.scores import predictions, score, scored_splits
    from vitflow.results.code import SCORING
    from vitflow.results.lock import sweep_results
    from vitflow.results.provenance import provenance, write_sealed
    from vitflow.results.weights import trained, trained_model
    from vitflow.training.precision import uses_bf16
    from vitflow.training.predict import predict

    record = trained(job)
    model, data = trained_model(study, job, device)
    metrics: dict[str, Any] = {
        "run": job.run,
        "seed": job.seed,
        "status": record["status"],
        "config_digest": job.config.digest,
        "data_digest": data.digest,
        "checkpoint_sha256": record["checkpoint_sha256"],
        "provenance": provenance(*SCORING, device=device.type, threads=torch.get_num_threads()),
    }
    arrays: dict[str, Any] = {}
    bf16 = uses_bf16(job.config.training.precision, device)
    for name, split in scored_splits(data).items():
        if not len(split.labels) or record["status"] != "finished":
            metrics[name] = None
            continue
        logits = predict(model, split.images.to(device), data, bf16=bf16).cpu()
        metrics[name] = score(logits.numpy(), split.labels.numpy())
        if name != "train":
            found = predictions(logits, split.labels)
            arrays |= {f"{name}_{key}": values for key, values in found.items()}
    metrics["inspection"] = inspect(model, data, device) if record["status"] == "finished" else None
    sweep_results(job)
    with publishing(job.paths.predictions) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)
    write_sealed(job.paths.metrics, metrics | {"predictions_sha256": sha256(job.paths.predictions)})
    shown = metrics["test"]
    say(f"{job.run} seed {job.seed}: " + ("diverged" if shown is None else f"test {shown['accuracy']:.2f} %"))
