"""Training on a GPU: no waiting, the same function as on the CPU, the same bits where they are asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import torch

from vitflow.measuring import cost
from vitflow.study.dataset import Dataset
from vitflow.study.models import ViT
from vitflow.study.run import RunConfig
from vitflow.study.training import Training
from vitflow.training.optimizer import OPTIMIZERS
from vitflow.training.trainer import Trainer

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
EVERYTHING = {"ema": 0.9, "mixing": "cutmix", "random_erasing": 0.5, "augmentation": "trivial"}


def trainer(device: str, **recipe: object) -> Trainer:
    training = Training.model_validate({"batch_size": 64, "epochs": 10, "warmup_epochs": 0} | recipe)
    config = RunConfig(
        dataset=Dataset(name="cifar10"), model=ViT(width=96, depth=2, heads=3, drop_path=0.1), training=training
    )
    return Trainer(config, 0, cost.noise(config), torch.device(device))


@pytest.fixture
def waiting_is_an_error() -> Iterator[None]:
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    yield
    torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_an_update_does_not_wait_for_the_device(optimizer: str, request: pytest.FixtureRequest) -> None:
    ours = trainer("cuda", precision="bf16", optimizer=optimizer, **EVERYTHING)
    ours.update(0)  # allocates
    request.getfixturevalue("waiting_is_an_error")
    ours.update(1)


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
        for name, tensor in ends[0].items():
            assert torch.equal(tensor, ends[1][name]), name
    finally:
        torch.use_deterministic_algorithms(False)
