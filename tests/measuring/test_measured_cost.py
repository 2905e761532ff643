"""Measured costs: time by turns with the baseline, and the peak of memory."""

from __future__ import annotations

from itertools import accumulate
from typing import ClassVar

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from vitflow.data.splits import Data
from vitflow.measuring import cost
from vitflow.study.dataset import Dataset
from vitflow.study.models import ViT
from vitflow.study.run import RunConfig
from vitflow.study.training import Training
from vitflow.training.batches import Batches

pytestmark = pytest.mark.usefixtures("one_thread")  # small models are slower on two, most of all beside other tests


def run_of(batch_size: int = 32, **changes: object) -> RunConfig:
    model = ViT.model_validate({"patch_size": 4, "width": 24, "depth": 2, "heads": 3} | changes)
    return RunConfig(
        dataset=Dataset(name="digits"), model=model, training=Training(batch_size=batch_size, precision="fp32")
    )


CPU = torch.device("cpu")


class Clock:
    """In place of a trainer, whose updates take a 64th of a second for each block of the model, and of the clock."""

    now = 0.0
    updates: ClassVar[list[int]] = []

    def __init__(self, config: RunConfig, seed: int, data: Data, device: torch.device) -> None:
        self.blocks, self.device, self.steps = config.model.depth, device, 3
        self.batches = Batches(config.training, data, seed, device)

    def update(self, step: int) -> None:
        Clock.updates.append(step)
        Clock.now += self.blocks / 64


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> type[Clock]:
    monkeypatch.setattr(cost, "Trainer", Clock)
    monkeypatch.setattr(cost.time, "perf_counter", lambda: Clock.now)
    monkeypatch.setattr(cost, "peak_memory", lambda config, device: 7)
    Clock.updates = []
    return Clock


def test_time_is_that_of_an_image_beside_the_baselines(clock: type[Clock]) -> None:
    found = cost.measured(run_of(depth=6, batch_size=32), run_of(depth=2, batch_size=16), CPU)
    # 6/64 s for 32 images, 2/64 s for 16
    assert found["images_per_second"] == pytest.approx(32 / (6 / 64), abs=0.01)
    assert found["time_ratio"] == 1.5
    assert found["time_ratios"] == [1.5, 1.5]
    assert (found["batch_size"], found["rounds"], found["peak_bytes"]) == (32, cost.ROUNDS, 7)


def test_turns_are_long_enough_and_pass_through_the_steps_again_and_again(clock: type[Clock]) -> None:
    turns = cost.Turns(run_of(depth=4), CPU)
    assert clock.updates == [0, 1, 2], "warm-up"
    before = clock.now
    turns.take()
    assert clock.now - before == 4 * 4 / 64, "the fewest updates that take a fifth of a second"
    assert clock.updates[3:] == [0, 1, 2, 0]


def test_a_real_measurement_tells_a_deeper_model_from_a_shallow_one() -> None:
    found = cost.measured(run_of(depth=12), run_of(depth=1), CPU)
    assert found["time_ratio"] > 2 and found["images_per_second"] > 0
    low, high = found["time_ratios"]
    assert low <= found["time_ratio"] <= high


def test_the_peak_counts_what_is_held_at_once() -> None:
    mib = 2**18  # float32 values
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        first, second = torch.empty(3 * mib), torch.empty(2 * mib)
        del first
        third = torch.empty(4 * mib)
        del second, third
    held = [round(size / 2**20) for size in accumulate(cost._allocations(seen))]
    assert [size for size in held if size] == [3, 5, 2, 6, 4]


def test_peak_memory_is_weights_gradients_moments_and_activations() -> None:
    small, large = (cost.peak_memory(run_of(batch_size=size), CPU) for size in (16, 32))
    assert cost.peak_memory(run_of(batch_size=16), CPU) == small, "the same every time"
    weights = 4 * cost.exact(run_of())["parameters"]
    assert small > 4 * weights
    per_image = (large - small) / 16
    # what each block keeps for its backward pass: at least its input, queries, keys, values, and the hidden layer twice
    config, tokens = run_of().model, 5
    assert per_image > 4 * config.depth * tokens * config.width * (1 + 3 + 2 * 4)
    assert large < 4 * weights + 32 * 3 * per_image


def test_noise_has_the_shape_of_the_images() -> None:
    config = run_of(batch_size=10).model_copy(update={"dataset": Dataset(name="cifar10", train_images=25)})
    data = cost.noise(config)
    assert data.train.images.shape == (25, 32, 32, 3) and data.train.images.dtype == torch.uint8
    assert len(data.classes) == 10 and data.train.labels.max() < 10
    assert len(data.validation.labels) == len(data.test.labels) == 0
    assert len(cost.noise(run_of(batch_size=10)).train.labels) == 40
