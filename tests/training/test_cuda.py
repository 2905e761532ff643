"""Training on a GPU: no waiting, the same function as on the CPU, the same bits where they are asked for."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from support.results import ROOT
from support.trainings import assert_same_bits

from vitflow.measuring import cost
from vitflow.study.dataset import Dataset
from vitflow.study.grid import Run, expand
from vitflow.study.models import ViT
from vitflow.study.reading import read_study
from vitflow.study.run import RunConfig
from vitflow.study.training import Training
from vitflow.training.optimizer import OPTIMIZERS
from vitflow.training.replay import WARM_UP
from vitflow.training.trainer import Trainer

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
EVERYTHING = {"ema": 0.9, "mixing": "cutmix", "random_erasing": 0.5, "augmentation": "trivial"}


def trainer(device: str, **recipe: object) -> Trainer:
    training = Training.model_validate({"batch_size": 64, "epochs": 10, "warmup_epochs": 0} | recipe)
    config = RunConfig(
        dataset=Dataset(name="cifar10"), model=ViT(width=96, depth=2, heads=3, drop_path=0.1), training=training
    )
    return Trainer(config, 0, cost.noise(config), torch.device(device))


def stored(state: dict[str, Any]) -> dict[str, Any]:
    """A state as it comes from a file."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    loaded: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
    return loaded


@pytest.fixture
def waiting_is_an_error() -> Iterator[None]:
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    yield
    torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_an_update_does_not_wait_for_the_device(optimizer: str, request: pytest.FixtureRequest) -> None:
    ours = trainer("cuda", precision="bf16", optimizer=optimizer, **EVERYTHING)
    for step in range(WARM_UP + 2):  # allocate, record, begin an epoch
        ours.update(step)
    request.getfixturevalue("waiting_is_an_error")
    ours.update(WARM_UP + 2)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "auto"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_replayed_update_has_the_bits_of_one_that_is_computed(optimizer: str, precision: str) -> None:
    """Rates, dropped paths and averages change from step to step, so a replay that forgot one would be found."""
    recipe = {"precision": precision, "optimizer": optimizer, "warmup_epochs": 2} | EVERYTHING
    replayed, computed = trainer("cuda", **recipe), trainer("cuda", **recipe)
    computed._recording = None
    for step in range(WARM_UP + 6):
        for mine, theirs in zip(replayed.update(step), computed.update(step), strict=True):
            assert torch.equal(mine, theirs), step
    assert_same_bits(replayed.average.model.state_dict(), computed.average.model.state_dict())


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_state_goes_on_to_the_same_bits_and_one_from_a_cpu_goes_on_too(optimizer: str) -> None:
    recipe = {"precision": "bf16", "optimizer": optimizer} | EVERYTHING
    whole, stopped = trainer("cuda", **recipe), trainer("cuda", **recipe)
    for step in range(WARM_UP + 4):
        whole.update(step)
    for step in range(WARM_UP + 1):
        stopped.update(step)
    resumed = trainer("cuda", **recipe)
    resumed.load_state_dict(stored(stopped.state_dict()))
    for step in range(WARM_UP + 1, WARM_UP + 4):
        resumed.update(step)
    assert_same_bits(resumed.model.state_dict(), whole.model.state_dict())

    plain = {"precision": "fp32", "augmentation": "none", "optimizer": optimizer}
    there, here = trainer("cpu", **plain), trainer("cuda", **plain)
    for step in range(2):
        there.update(step)
    here.load_state_dict(stored(there.state_dict()))
    for drop in (here, there):  # dropped paths come from the device's own generator
        drop.model.eval()
    for step in range(2, 2 + WARM_UP + 2):
        assert here.update(step).loss.item() == pytest.approx(there.update(step).loss.item(), rel=1e-3)


def test_a_state_that_comes_later_is_what_is_trained_on() -> None:
    """A recorded update knows where the optimizer's state was."""
    ours, theirs = (trainer("cuda", precision="fp32", optimizer="adamw") for _ in range(2))
    for step in range(WARM_UP + 2):
        ours.update(step)
    start = stored(theirs.state_dict())
    for step in range(4):
        theirs.update(step)
    ours.load_state_dict(start)
    for step in range(4):
        ours.update(step)
    assert_same_bits(ours.model.state_dict(), theirs.model.state_dict())


@pytest.mark.slow
@pytest.mark.parametrize("run", expand(read_study(ROOT / "config.yaml")).runs.values(), ids=lambda run: run.name)
def test_every_run_of_the_study_is_recorded_and_comes_close_to_single_precision(run: Run) -> None:
    model, images = run.config.model, Dataset(name="cifar10")
    small = model.model_copy(update={"depth": 2}) if isinstance(model, ViT) else model
    losses = []
    for precision in ("fp32", "auto"):
        recipe = run.config.training.model_copy(update={"precision": precision})
        config = RunConfig(dataset=images, model=small, training=recipe)
        ours = Trainer(config, 0, cost.noise(config), torch.device("cuda"))
        losses.append([ours.update(step).loss.item() for step in range(WARM_UP + 3)])
    assert losses[1] == pytest.approx(losses[0], rel=0.05)


def test_the_same_losses_as_on_the_cpu() -> None:
    plain = {"precision": "fp32", "augmentation": "none"}
    theirs, ours = trainer("cpu", **plain), trainer("cuda", **plain)
    ours.model.load_state_dict(theirs.model.state_dict())
    for drop in (ours, theirs):
        drop.model.eval()  # dropped paths come from the device's own generator
    for step in range(3):
        assert ours.update(step).loss.item() == pytest.approx(theirs.update(step).loss.item(), rel=1e-3)


def test_compiled_half_precision_comes_close_to_single_precision() -> None:
    exact, fast = trainer("cuda", precision="fp32"), trainer("cuda", precision="auto")
    for step in range(20):
        expected, found = exact.update(step).loss.item(), fast.update(step).loss.item()
        assert found == pytest.approx(expected, rel=0.05)


def test_the_switch_in_the_documentation_gives_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    try:
        ends = []
        for _ in range(2):
            ours = trainer("cuda", precision="bf16", **EVERYTHING)
            for step in range(10):
                ours.update(step)
            ends.append(ours.model.state_dict())
        assert_same_bits(*ends)
    finally:
        torch.use_deterministic_algorithms(False)
