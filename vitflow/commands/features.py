"""`vitflow features`: what validation images look like inside a model, layer by layer, as arrays."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from vitflow.commands.options import add_run, machine_of, study_of
from vitflow.machine.files import publishing, sha256
from vitflow.machine.limits import Machine
from vitflow.machine.log import say
from vitflow.machine.memory import told_if_memory_ends
from vitflow.results.code import FEATURES
from vitflow.results.layout import Layout
from vitflow.results.ledger import Job, LedgerError, feature_jobs, find_job
from vitflow.results.provenance import provenance, write_sealed
from vitflow.results.weights import trained, trained_model
from vitflow.study.schema import Study

if TYPE_CHECKING:
    import torch

EXAMPLE = "vitflow features --run baseline"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_run(parser)


def run(options: argparse.Namespace) -> int:
    """Store the features of the run that was named, or of all that the study wants."""
    study, machine = study_of(options), machine_of(options)
    wanted, name = feature_jobs(study), options.run_name
    if name:
        wanted = {name: wanted[name] if name in wanted else find_job(study, name, 0)}
    for name, job in wanted.items():
        _store(study, name, job, machine)
    return 0


def _store(study: Study, name: str, job: Job, machine: Machine) -> None:
    """Store features of validation images for one run and seed, under a name of the configuration.

    A run that diverged, or nearly so, has none: the arrays are an empty file, and ``absent`` in the manifest says why.
    """
    import safetensors.torch

    record = trained(job)
    if record["status"] == "finished":
        with machine.device() as device, told_if_memory_ends(job.run):
            tensors, found = _extracted(study, job, device)
    else:
        tensors, found = {}, {"absent": f"diverged at step {record['diverged_step']}"}
    arrays = Layout(study.study).features / f"{name}.safetensors"
    with publishing(arrays) as temporary:
        temporary.write_bytes(safetensors.torch.save(tensors))
    write_sealed(
        arrays.with_suffix(".json"),
        {
            "run": job.run,
            "seed": job.seed,
            "requested": study.features.images,
            **found,
            "config_digest": job.config.digest,
            "checkpoint_sha256": record["checkpoint_sha256"],
            "features_sha256": sha256(arrays),
            "provenance": provenance(*FEATURES),
        },
    )
    told = f"no features, {found['absent']}" if "absent" in found else f"features of {found['images']:,} images"
    say(f"{job.run} seed {job.seed}: {told}")


def _extracted(study: Study, job: Job, device: torch.device) -> tuple[dict[str, Any], dict[str, Any]]:
    """(features by name, what they are of), or ({}, why there are none)."""
    from vitflow.data.splits import Split
    from vitflow.measuring.features import extract

    model, data = trained_model(study, job, device)
    if not len(data.validation.labels):
        raise LedgerError("features are taken from validation images, and validation_fraction is 0")
    validation = Split(data.validation.images.to(device), data.validation.labels.to(device))
    taken = extract(model, validation, data, study.features.images)
    if not all(found.isfinite().all() for found in taken.values()):
        return {}, {"absent": "larger than single precision holds"}
    layers = [name.removesuffix("/means") for name in taken if name.endswith("/means")]
    return taken, {
        "images": len(taken["labels"]),
        "layers": [
            {"name": name, "positions": taken[f"{name}/examples"].shape[1], "width": len(taken[f"{name}/centre"])}
            for name in layers
        ],
        "classes": list(data.classes),
    }
