"""Schedule and optimizers: who gets which parameter, and rates and steps against torch's own and formulas by hand."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vitflow.models.build import build
from vitflow.study.models import ResNet, ViT
from vitflow.study.training import Training
from vitflow.training.muon import StackedMuon
from vitflow.training.optimizer import OPTIMIZERS, MuonWithAdamW, build_optimizer, hidden_weights, learning_rate

CPU = torch.device("cpu")
WIDTH, RATE, DECAY = 8, 0.01, 0.1
VIT = ViT(patch_size=4, width=WIDTH, depth=2, heads=2)
MODELS = pytest.mark.parametrize("config", [VIT, ResNet(width=4), ResNet(width=4, depth=50)], ids=str)


@pytest.mark.parametrize("steps_per_epoch", [1, 7])
@pytest.mark.parametrize("warmup_epochs", [0, 2, 2.5])
def test_learning_rate_is_linear_then_half_a_cosine(steps_per_epoch: int, warmup_epochs: float) -> None:
    training = Training(epochs=6, warmup_epochs=warmup_epochs, learning_rate=0.02)
    total, warmup = 6 * steps_per_epoch, round(warmup_epochs * steps_per_epoch)
    rising = 0.02 * np.arange(1, warmup + 1) / max(warmup, 1)
    falling = 0.01 * (1 + np.cos(np.pi * np.arange(total - warmup) / (total - warmup)))
    found = [learning_rate(training, step, steps_per_epoch) for step in range(total)]
    np.testing.assert_allclose(found, np.concatenate([rising, falling]), rtol=1e-12)
    assert max(found) == 0.02


def test_learning_rate_agrees_with_torch_schedulers() -> None:
    training, warmup, total = Training(epochs=6, warmup_epochs=2, learning_rate=0.02), 14, 42
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.02)
    scheduler = torch.optim.lr_scheduler.SequentialLR(
        optimizer,
        [
            torch.optim.lr_scheduler.LinearLR(optimizer, 1 / warmup, 1, warmup - 1),
            torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, total - warmup),
        ],
        [warmup],
    )
    expected: list[float] = []
    for _ in range(total):
        expected.append(float(scheduler.get_last_lr()[0]))
        optimizer.step()
        scheduler.step()
    found = [learning_rate(training, step, 7) for step in range(total)]
    np.testing.assert_allclose(np.array(found), np.array(expected), rtol=1e-9)


def made(config: ViT | ResNet, name: str) -> tuple[nn.Module, Any]:
    torch.manual_seed(0)
    model = build(config, 8, 1, 10)
    training = Training.model_validate({"optimizer": name, "learning_rate": RATE, "weight_decay": DECAY})
    return model, build_optimizer(model, training, CPU)


def give_gradients(model: nn.Module) -> dict[str, Tensor]:
    """Gradients of noise, kept by name."""
    for parameter in model.parameters():
        parameter.grad = torch.randn(parameter.shape)
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters() if parameter.grad is not None}


@MODELS
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_number_of_a_model_is_in_exactly_one_group(config: ViT | ResNet, name: str) -> None:
    model, optimizer = made(config, name)
    owners: dict[int, int] = {}
    for group in optimizer.param_groups:
        assert group["lr"] == RATE
        for tensor in group["params"]:
            assert tensor.is_contiguous()
            for place in range(tensor.data_ptr(), tensor.data_ptr() + 4 * tensor.numel(), 4):
                owners[place] = owners.get(place, 0) + 1
    expected = {p.data_ptr() + 4 * i for p in model.parameters() for i in range(p.numel())}
    assert owners.keys() == expected and set(owners.values()) == {1}


@MODELS
def test_decay_shrinks_matrices_and_kernels_and_nothing_else(config: ViT | ResNet) -> None:
    network, optimizer = made(config, "adamw")
    for parameter in network.parameters():
        nn.init.ones_(parameter)
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    # AdamW with zero gradients: decoupled decay alone, p <- p (1 - rate * decay)
    for name, parameter in network.named_parameters():
        kept = parameter.ndim < 2 or name in ("prefix.tokens", "position.embedding")
        assert torch.equal(parameter, torch.full_like(parameter, 1.0 if kept else 1 - RATE * DECAY)), name
    assert [group["betas"] for group in optimizer.param_groups] == [(0.9, 0.999)] * 2


def test_muon_takes_the_hidden_matrices_of_a_vit_and_queries_keys_and_values_apart() -> None:
    model, optimizer = made(VIT, "muon")
    block = [(WIDTH, WIDTH)] * 4 + [(4 * WIDTH, WIDTH), (WIDTH, 4 * WIDTH)]
    assert [tuple(matrix.shape) for matrix in optimizer.muon.param_groups[0]["params"]] == block * VIT.depth
    names = {name for name, parameter in model.named_parameters() for w, _ in hidden_weights(model) if w is parameter}
    linear = {"attention.qkv", "attention.projection", "feedforward.expand", "feedforward.contract"}
    assert names == {f"blocks.{number}.{layer}.weight" for number in range(2) for layer in linear}


def test_muon_takes_the_kernels_of_a_resnet_but_neither_stem_nor_head() -> None:
    model, _ = made(ResNet(width=4), "muon")
    taken = {id(weight) for weight, _ in hidden_weights(model)}
    for name, parameter in model.named_parameters():
        assert (id(parameter) in taken) == (parameter.ndim == 4 and not name.startswith("stem")), name


@MODELS
def test_a_step_of_muon_is_torchs_own_on_the_same_matrices(config: ViT | ResNet) -> None:
    """Three steps at two rates; queries, keys, values and flattened kernels copied out by hand, AdamW for the rest."""
    model, optimizer = made(config, "muon")
    torch.manual_seed(1)
    copies: dict[str, list[Tensor]] = {}
    rest: dict[bool, dict[str, Tensor]] = {True: {}, False: {}}
    for name, parameter in model.named_parameters():
        start = parameter.detach().clone()
        if name.startswith(("blocks", "stages")) and parameter.ndim > 1:
            parts = start.flatten(1).split(WIDTH) if "qkv" in name else [start.flatten(1)]
            copies[name] = [part.clone() for part in parts]
        else:
            is_weight = isinstance(model.get_submodule(name.rpartition(".")[0]), nn.Linear | nn.Conv2d)
            rest[is_weight and name.endswith("weight")][name] = start
    muon = torch.optim.Muon(
        [part for parts in copies.values() for part in parts],
        lr=RATE,
        weight_decay=DECAY,
        adjust_lr_fn="match_rms_adamw",
    )
    adamw = torch.optim.AdamW(
        [{"params": list(rest[decays].values()), "weight_decay": DECAY * decays} for decays in (True, False)]
    )
    for rate in (RATE, RATE, RATE / 2):
        for group in (*optimizer.param_groups, *muon.param_groups, *adamw.param_groups):
            group["lr"] = rate
        optimizer.zero_grad()
        assert all(parameter.grad is None for parameter in model.parameters())
        gradients = give_gradients(model)
        for name, parts in copies.items():
            split = gradients[name].flatten(1).chunk(len(parts))
            for part, gradient in zip(parts, split, strict=True):
                part.grad = gradient
        for name, tensor in {**rest[True], **rest[False]}.items():
            tensor.grad = gradients[name]
        for each in (optimizer, muon, adamw):
            each.step()
    for name, parameter in model.named_parameters():
        expected = torch.cat(copies[name]).view_as(parameter) if name in copies else (rest[True] | rest[False])[name]
        assert torch.equal(parameter, expected), name


def test_stacked_matrices_take_the_steps_of_torchs_muon_and_keep_its_state() -> None:
    """Of three shapes, one of them lying and standing; the rate as a tensor, as on a GPU."""
    torch.manual_seed(0)
    start = [torch.randn(shape) for shape in ((16, 16), (64, 16), (16, 64), (24, 8), (16, 16), (16, 64))]
    ours, theirs = ([matrix.clone().requires_grad_() for matrix in start] for _ in range(2))
    settings: dict[str, Any] = {"weight_decay": DECAY, "momentum": 0.95, "adjust_lr_fn": "match_rms_adamw"}
    stacked = StackedMuon(ours, lr=torch.tensor(RATE), **settings)
    plain = torch.optim.Muon(theirs, lr=RATE, **settings)
    for step in range(6):
        for one, other in zip(ours, theirs, strict=True):
            one.grad = torch.randn(one.shape)
            other.grad = one.grad.clone()
        if step == 3:
            plain.load_state_dict(copy.deepcopy(stacked.state_dict()))
            plain.param_groups[0]["lr"] = RATE
        before = [matrix.detach().clone() for matrix in theirs]
        stacked.step()
        plain.step()
        for one, other, old in zip(ours, theirs, before, strict=True):
            # both orthogonalise in bfloat16, whose numbers are 0.4 % apart
            assert (one - other).norm() < 0.02 * (step + 1) * (other - old).norm()


def test_a_step_of_muon_is_nearly_orthogonal_and_of_adamws_size() -> None:
    model, optimizer = made(VIT, "muon")
    weight = model.get_parameter("blocks.0.feedforward.expand.weight")
    before = weight.detach().clone()
    give_gradients(model)
    optimizer.step()
    update = (before * (1 - RATE * DECAY) - weight.detach()) / (0.2 * (4 * WIDTH) ** 0.5 * RATE)
    singular = torch.linalg.svdvals(update)
    assert singular.min() > 0.5 and singular.max() < 1.3, "five steps of Newton-Schulz come this close to 1"


@MODELS
def test_muon_goes_on_from_its_state_and_gradients_may_have_any_layout(config: ViT | ResNet) -> None:
    model, optimizer = made(config, "muon")
    torch.manual_seed(1)
    give_gradients(model)
    optimizer.step()
    other = copy.deepcopy(model)
    training = Training(optimizer="muon", learning_rate=RATE, weight_decay=DECAY)
    again = MuonWithAdamW(other, training, CPU)
    again.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    optimizer.zero_grad()
    gradients = give_gradients(model)
    for name, parameter in other.named_parameters():
        layout = torch.channels_last if parameter.ndim == 4 else torch.contiguous_format
        parameter.grad = gradients[name].contiguous(memory_format=layout)
    optimizer.step()
    again.step()
    for (name, one), (_, two) in zip(model.named_parameters(), other.named_parameters(), strict=True):
        assert torch.equal(one, two), name


@MODELS
def test_a_step_of_sgd_is_nesterovs_with_decay_in_the_gradient(config: ViT | ResNet) -> None:
    model, optimizer = made(config, "sgd")
    torch.manual_seed(1)
    start = {name: parameter.detach().clone().double() for name, parameter in model.named_parameters()}
    velocity = {name: torch.zeros_like(tensor) for name, tensor in start.items()}
    for _ in range(3):
        gradients = give_gradients(model)
        optimizer.step()
        for name, weight in start.items():
            layer = model.get_submodule(name.rpartition(".")[0])
            decay = DECAY if isinstance(layer, nn.Linear | nn.Conv2d) and name.endswith("weight") else 0.0
            gradient = gradients[name].double() + decay * weight
            velocity[name] = 0.9 * velocity[name] + gradient
            weight -= RATE * (gradient + 0.9 * velocity[name])
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.detach().double(), start[name], rtol=1e-5, atol=1e-6, msg=name)
