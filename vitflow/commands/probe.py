"""`vitflow probe`: what a linear probe makes of a ResNet-50 that has seen ImageNet, if the study asks for it."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from vitflow.commands.options import add_machine, add_study, machine_of, study_of
from vitflow.machine.files import sha256
from vitflow.machine.limits import Machine
from vitflow.machine.log import remaining, say
from vitflow.results.layout import Layout
from vitflow.study.names import ConfigError
from vitflow.study.pretrained import DOWNLOADED, PUBLISHED
from vitflow.study.schema import Study

if TYPE_CHECKING:
    import torch
    from torch import nn

    from vitflow.analysis.records import Pretrained
    from vitflow.data.splits import Data, Split

EXAMPLE = "vitflow probe"
DETAILS = """

Wants a section `pretrained` in the study. Nothing is trained but a logistic regression on the model's frozen
features, and its result is never ranked with models that were trained from scratch."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_study(parser)
    add_machine(parser)


def run(options: argparse.Namespace) -> int:
    """Write analysis/pretrained.json."""
    study, machine = study_of(options), machine_of(options)
    if study.pretrained is None:
        raise ConfigError(f"{options.config}: the study has no section 'pretrained'; `pretrained: {{}}` asks for it")
    from vitflow.data.prepare import load
    from vitflow.measuring.pretrained import weights_file
    from vitflow.results.stages import stages

    file = weights_file(study.pretrained.weights)
    found = _probe(study, study.pretrained.images, file, load(study.dataset), machine)
    found.write(Layout(study.study).pretrained)
    stages(study)["pretrained"].seal()
    say(f"pretrained ResNet-50, linear probe: test {found.test.accuracy:.2f} % of {found.test.images:,} images")
    return 0


def _probe(study: Study, images: int, file: Path, data: Data, machine: Machine) -> Pretrained:
    import torch

    from vitflow.analysis import probe
    from vitflow.analysis.records import Pretrained
    from vitflow.analysis.separation import fitted
    from vitflow.data.splits import Split, stratified
    from vitflow.machine.memory import told_if_memory_ends
    from vitflow.measuring import cost, pretrained
    from vitflow.results.code import PROBE
    from vitflow.results.provenance import provenance

    splits = {}
    for name, split in {"train": data.train, "validation": data.validation, "test": data.test}.items():
        index = stratified(split.labels, images)
        splits[name] = Split(split.images[index], split.labels[index])
    with machine.device() as device, told_if_memory_ends("pretrained ResNet-50"):
        model = pretrained.without_head(pretrained.load(file)).to(device)
        features = _features(model, splits, device)
        used = provenance(*PROBE, device=device.type, threads=torch.get_num_threads())
    labels = {name: split.labels.numpy() for name, split in splits.items()}
    taught, strength = probe.taught(features["train"].numpy(), labels["train"])
    validation, test = (probe.probed(taught, features[name].numpy(), labels[name]) for name in ("validation", "test"))
    digest = sha256(file)
    published = PUBLISHED.get(digest[: len(DOWNLOADED)])
    return Pretrained(
        title=probe.title(published, test),
        weights=file.name,
        weights_sha256=digest,
        published=published,
        side=pretrained.SIDE,
        width=features["train"].shape[1],
        parameters=cost.parameters(model),
        multiplications=cost.multiplications(model, pretrained.SIDE, 3),
        requested=images,
        learned_from=len(labels["train"]),
        chosen_on=int((~fitted(labels["train"])).sum()),
        strengths=probe.STRENGTHS,
        strength=strength,
        validation=validation,
        test=test,
        data_digest=data.digest,
        provenance=used,
    )


def _features(model: nn.Module, splits: dict[str, Split], device: torch.device) -> dict[str, torch.Tensor]:
    """Of all splits, with a line for each tenth of the images."""
    from vitflow.measuring.pretrained import pooled

    total, done, started = sum(len(split.labels) for split in splits.values()), 0, time.monotonic()

    def told(count: int) -> None:
        nonlocal done
        if (done + count) * 10 // total > done * 10 // total:
            say(f"pretrained ResNet-50: {done + count:,} of {total:,} images" + remaining(started, done + count, total))
        done += count

    return {name: pooled(model, split.images, device, told) for name, split in splits.items()}
