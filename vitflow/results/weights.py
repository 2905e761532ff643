"""The final weights of a run: whether they are the right ones, and the model that has them."""

from __future__ import annotations

from typing import Any

import torch

from vitflow.data.prepare import load
from vitflow.data.splits import Data
from vitflow.machine.files import FileProblem, sha256
from vitflow.models.build import build
from vitflow.models.resnet import ResNet
from vitflow.models.vit import ViT
from vitflow.results.ledger import Job, LedgerError, training_record
from vitflow.study.schema import Study
from vitflow.training.checkpoint import load_weights


def trained(job: Job) -> dict[str, Any]:
    """What train.json says of a finished training.

    Raises LedgerError where it is not finished, FileProblem where the weights are others than it names.
    """
    if job.status in ("missing", "interrupted", "stale"):
        raise LedgerError(
            f"{job.run} seed {job.seed} is {job.status}; train it first: "
            f"`vitflow train --run {job.run} --seed {job.seed}`"
        )
    record = training_record(job.paths)
    if job.paths.checkpoint.exists() and sha256(job.paths.checkpoint) != record["checkpoint_sha256"]:
        raise FileProblem(
            f"{job.paths.checkpoint}: not the weights that {job.paths.train} names; delete it and fetch or train again"
        )
    return record


def trained_model(study: Study, job: Job, device: torch.device) -> tuple[ViT | ResNet, Data]:
    """(model with its stored weights on ``device``, in evaluation mode; the images it was trained on).

    Raises CheckpointError where the weights are missing or damaged.
    """
    data = images_of(study, job)
    model = build(job.config.model, *job.config.dataset.shape)
    load_weights(job.paths.checkpoint, model)
    return model.to(device).eval(), data


def images_of(study: Study, job: Job) -> Data:
    """The images of a run, from where the study has them."""
    return load(job.config.dataset.model_copy(update={"path": study.dataset.path}))
