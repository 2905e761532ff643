"""Averaged weights, against torch's own averaging and a plain loop."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from vitflow.models.build import build
from vitflow.study.models import ResNet, ViT
from vitflow.training.ema import Average, Latest, build_average, decay_at

UPDATES = 30
MODELS = pytest.mark.parametrize("config", [ViT(patch_size=4, width=8, depth=1, heads=2), ResNet(width=4)], ids=str)


def wander(model: nn.Module) -> None:
    """Change every parameter and statistic, as an update does."""
    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            tensor.add_(torch.randn(tensor.shape) if tensor.is_floating_point() else 1)


def test_the_decay_warms_up_from_two_elevenths() -> None:
    found = [decay_at(update, 0.999) for update in (1, 2, 90, 8990, 8992, 10**6)]
    assert found[:3] == pytest.approx([2 / 11, 3 / 12, 0.91])
    assert found[3] == pytest.approx(0.999) and found[4:] == [0.999, 0.999]
    assert [decay_at(update, 0.1) for update in (1, 2)] == [0.1, 0.1]


@MODELS
def test_averages_are_those_of_torch_and_of_a_plain_loop(config: ViT | ResNet) -> None:
    torch.manual_seed(0)
    model = build(config, 8, 1, 10)

    def blend(average: Tensor, latest: Tensor, averaged: Tensor | int) -> Tensor:
        kept = decay_at(int(averaged), 0.8)
        return kept * average + (1 - kept) * latest

    ours, theirs = Average(model, 0.8), AveragedModel(model, avg_fn=blend, use_buffers=True)
    theirs.update_parameters(model)  # torch's first call copies; ours starts as a copy
    plain = copy.deepcopy(dict(model.state_dict()))
    for update in range(1, UPDATES + 1):
        wander(model)
        ours.update(update)
        theirs.update_parameters(model)
        for name, tensor in model.state_dict().items():
            plain[name] = blend(plain[name], tensor, update) if tensor.is_floating_point() else tensor.clone()
    found, of_torch = ours.model.state_dict(), theirs.module.state_dict()
    for name, tensor in plain.items():
        torch.testing.assert_close(found[name], tensor, rtol=1e-5, atol=1e-6, msg=name)
        if tensor.is_floating_point():
            torch.testing.assert_close(found[name], of_torch[name], rtol=1e-5, atol=1e-6, msg=name)
        else:
            assert tensor == UPDATES, "counters are copied"


@MODELS
def test_averaging_leaves_the_model_alone_and_goes_on_from_its_state(config: ViT | ResNet) -> None:
    torch.manual_seed(0)
    model = build(config, 8, 1, 10)
    whole, broken = Average(model, 0.9), Average(model, 0.9)
    for update in range(1, 6):
        wander(model)
        before = copy.deepcopy(model.state_dict())
        whole.update(update)
        broken.update(update)
        assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
        state = copy.deepcopy(broken.state_dict())
        broken = Average(model, 0.9)
        broken.load_state_dict(state)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, broken.state_dict()[name]), name
    assert not any(parameter.requires_grad for parameter in whole.model.parameters())


def test_without_a_decay_the_latest_weights_count() -> None:
    model = build(ResNet(width=4), 8, 1, 10)
    scored = build_average(model, None)
    assert isinstance(scored, Latest) and scored.model is model and scored.state_dict() == {}
    assert isinstance(build_average(model, 0.9), Average)
