"""What a run costs. Parameters, multiplications and tokens are exact; speed and memory are measured.

A measurement needs the device for itself, and depends on it: so it has a rule of its own in the workflow, never
shares a training's, and the baseline is measured by turns with each run, in the same minute.
"""

from __future__ import annotations

import copy
import itertools
import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from vitflow.data.splits import Data, Split
from vitflow.models.build import build
from vitflow.study.models import ResNet as ResNetConfig
from vitflow.study.models import ViT as ViTConfig
from vitflow.study.run import RunConfig
from vitflow.study.tokens import tokens as vit_tokens
from vitflow.training.loop import SETTLING
from vitflow.training.trainer import Trainer

#: turns that a run and the baseline take, the seconds of updates in a turn (one update at least), and updates
#: before, on a CPU
ROUNDS, SECONDS, WARM_UP = 5, 0.2, 3


def parameters(model: nn.Module) -> int:
    """Number of trained values."""
    return sum(parameter.numel() for parameter in model.parameters())


def multiplications(model: nn.Module, image_size: int, channels: int) -> int:
    """Multiplications (each with its addition) of one image's forward pass.

    Matrix products and convolutions are counted, attention's included; padding counts as pixels. Biases,
    norms, activations, softmax and additions are not: they are linear in the activations, and conventions
    differ. Nothing is computed: the pass runs on shapes alone, and ``model`` is left as it is.
    """
    shapes = copy.deepcopy(model).to("meta").eval()
    image = torch.empty(1, channels, image_size, image_size, device="meta")
    # on meta tensors attention is two products; a CPU's fused operator would go uncounted
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        shapes(image)
    return int(counter.get_total_flops()) // 2


def tokens(config: ViTConfig | ResNetConfig, image_size: int) -> int:
    """Positions at the end of the model: a ViT's tokens with [CLS] and registers, a ResNet's last feature map."""
    if isinstance(config, ViTConfig):
        return vit_tokens(config, image_size)
    return (-(-image_size // 8)) ** 2  # three halvings, rounded up


def exact(config: RunConfig) -> dict[str, int]:
    """``parameters``, ``multiplications`` (per image, forward) and ``tokens`` of a run; allocates no model."""
    return dict(_exact(config.model, *config.dataset.shape))


@cache  # many runs differ in their recipe alone
def _exact(config: ViTConfig | ResNetConfig, image_size: int, channels: int, classes: int) -> dict[str, int]:
    with torch.device("meta"):
        model = build(config, image_size, channels, classes)
    return {
        "parameters": parameters(model),
        "multiplications": multiplications(model, image_size, channels),
        "tokens": tokens(config, image_size),
    }


def measured(config: RunConfig, baseline: RunConfig, device: torch.device) -> dict[str, Any]:
    """Training speed of a run beside the baseline's, and its peak memory; on images without meaning.

    ``images_per_second``: median over turns. ``time_ratio``: time of an update over that of the baseline's in the
    same turn, per image; median, with ``time_ratios`` the smallest and the largest. ``peak_bytes``:
    see :func:`peak_memory`.
    """
    peak = peak_memory(config, device)
    run, reference = Turns(config, device), Turns(baseline, device)
    pairs = [(run.take(), reference.take()) for _ in range(ROUNDS)]
    ratios = [ours / theirs for ours, theirs in pairs]
    return {
        "batch_size": run.trainer.batches.size,
        "images_per_second": round(1 / median(ours for ours, _ in pairs), 2),
        "time_ratio": round(median(ratios), 4),
        "time_ratios": [round(min(ratios), 4), round(max(ratios), 4)],
        "rounds": ROUNDS,
        "peak_bytes": peak,
    }


class Turns:
    """A training that is timed bit by bit. The first updates, which compile, allocate and record, are not."""

    def __init__(self, config: RunConfig, device: torch.device) -> None:
        self.trainer = Trainer(config, 0, noise(config), device)
        self._steps = itertools.cycle(range(self.trainer.steps))
        self._count = 1
        for _ in range(WARM_UP if device.type == "cpu" else SETTLING):
            seconds = self.take() * self.trainer.batches.size
        self._count = math.ceil(SECONDS / seconds)

    def take(self) -> float:
        """Train for a turn; seconds an image."""
        self._wait()
        started = time.perf_counter()
        for step in itertools.islice(self._steps, self._count):
            self.trainer.update(step)
        self._wait()
        return (time.perf_counter() - started) / (self._count * self.trainer.batches.size)

    def _wait(self) -> None:
        if self.trainer.device.type == "cuda":
            torch.cuda.synchronize(self.trainer.device)


def peak_memory(config: RunConfig, device: torch.device) -> int:
    """Bytes that torch's allocator holds at most while two updates are done: weights, optimizer, activations.

    The images of the dataset, which stay on the device, are not among them.
    """
    data = noise(config)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        _two_updates(config, data, device)
        return torch.cuda.max_memory_allocated(device) - before
    activities = [torch.profiler.ProfilerActivity.CPU]
    with _hushed(), torch.profiler.profile(activities=activities, profile_memory=True) as seen:
        _two_updates(config, data, device)
    return max(itertools.accumulate(_allocations(seen)))


@contextmanager
def _hushed() -> Iterator[None]:
    """Without the lines that the profiler's native code writes to stderr, whatever log level it is given."""
    kept = os.dup(2)
    with Path(os.devnull).open("w") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def noise(config: RunConfig) -> Data:
    """Training images of the run's shape at random, four batches at most, none for validation and test."""
    side, channels, classes = config.dataset.shape
    count = min(4 * config.training.batch_size, config.dataset.train_images or math.inf)
    generator = torch.Generator().manual_seed(0)

    def split(count: int) -> Split:
        pixels = torch.randint(0, 256, (count, side, side, channels), generator=generator, dtype=torch.uint8)
        return Split(pixels, torch.randint(0, classes, (count,), generator=generator))

    middle = (0.5,) * channels
    names = tuple(str(number) for number in range(classes))
    return Data(split(int(count)), split(0), split(0), middle, middle, names, "noise")


def _two_updates(config: RunConfig, data: Data, device: torch.device) -> None:
    trainer = Trainer(config, 0, data, device)  # the optimizer allocates in the first
    for step in range(2):
        trainer.update(step)


def _allocations(seen: torch.profiler.profile) -> Iterator[int]:
    """Bytes that the CPU's allocator gave, or took back (negative), in their order."""
    assert seen.profiler is not None and seen.profiler.kineto_results is not None
    found, left = [], list(seen.profiler.kineto_results.experimental_event_tree())
    while left:
        event = left.pop()
        left += event.children
        if isinstance(event.extra_fields, torch._C._profiler._ExtraFields_Allocation):
            found.append((event.start_time_ns, event.extra_fields.alloc_size))
    return (size for _, size in sorted(found, key=lambda pair: pair[0]))
