"""Optimizer and learning-rate schedule."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from vitflow.models.build import decayed_parameters
from vitflow.study.training import Training
from vitflow.training.muon import StackedMuon

#: where a model keeps its hidden layers; what comes before embeds images, what comes after classifies
BODIES = ("blocks", "stages")


class MuonWithAdamW:
    """Muon (Jordan et al., 2024) for the weight matrices of hidden layers, AdamW for all else, one rate for both.

    Muon orthogonalises the (Nesterov) momentum of each matrix, so that all its singular values are about 1. Its
    authors leave embeddings, classifier, norms and biases to AdamW, flatten kernels [out, in, k, k] to
    [out, in k k], and treat queries, keys and values as a matrix each. Steps are scaled by 0.2 sqrt(longer side),
    the typical size of AdamW's (Liu et al., 2025, arXiv:2502.16982), so AdamW's rate and decay are a place to start.

    Looks like one optimizer: ``param_groups``, ``zero_grad``, ``step``, ``state_dict``, ``load_state_dict``.
    """

    def __init__(self, model: nn.Module, training: Training, device: torch.device) -> None:
        hidden = hidden_weights(model)
        owned = {id(weight) for weight, _ in hidden}
        decay, no_decay = decayed_parameters(model)
        self._hidden = [(weight, _matrices(weight.detach(), count)) for weight, count in hidden]
        muon = torch.optim.Muon if device.type == "cpu" else StackedMuon
        self.muon = muon(
            [view for _, views in self._hidden for view in views],
            lr=training.learning_rate,
            weight_decay=training.weight_decay,
            momentum=0.95,
            adjust_lr_fn="match_rms_adamw",
        )
        self.muon.register_load_state_dict_pre_hook(_settings_stay)
        self.adamw = _adamw([p for p in decay if id(p) not in owned], no_decay, training, device)

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The groups of both; setting ``lr`` in them sets the rate."""
        return [*self.muon.param_groups, *self.adamw.param_groups]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients."""
        for weight, views in self._hidden:
            for tensor in (weight, *views):
                tensor.grad = None
        self.adamw.zero_grad(set_to_none)

    def step(self) -> None:
        """One update of every parameter; Muon works on views, which share the parameters' memory."""
        for weight, views in self._hidden:
            assert weight.grad is not None
            for view, gradient in zip(views, _matrices(weight.grad.contiguous(), len(views)), strict=True):
                view.grad = gradient
        self.muon.step()
        self.adamw.step()

    def state_dict(self) -> dict[str, Any]:
        """The state of both."""
        return {"muon": self.muon.state_dict(), "adamw": self.adamw.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a stored state."""
        self.muon.load_state_dict(state["muon"])
        self.adamw.load_state_dict(state["adamw"])


def hidden_weights(model: nn.Module) -> list[tuple[Tensor, int]]:
    """(weight of a linear layer or convolution of the model's body, number of matrices stacked in it)."""
    return [
        (layer.weight, getattr(parent, "stacked", {}).get(name, 1))
        for place, parent in model.named_modules()
        if place.split(".")[0] in BODIES
        for name, layer in parent.named_children()
        if isinstance(layer, nn.Linear | nn.Conv2d)
    ]


def _matrices(weight: Tensor, count: int) -> tuple[Tensor, ...]:
    """Views: [out, in] or [out, in, k, k] -> ``count`` matrices [out / count, in k k]."""
    return weight.view(len(weight), -1).chunk(count)


def _adamw(
    decay: list[nn.Parameter], no_decay: list[nn.Parameter], training: Training, device: torch.device
) -> torch.optim.AdamW:
    """AdamW (Loshchilov & Hutter, 2019): the decay is taken from the weights, apart from the gradient."""
    groups, gpu = _groups(decay, no_decay, training), device.type == "cuda"
    adamw = torch.optim.AdamW(groups, lr=training.learning_rate, betas=(0.9, 0.999), fused=gpu, capturable=gpu)
    adamw.register_load_state_dict_pre_hook(_settings_stay)
    return adamw


def _sgd(model: nn.Module, training: Training, device: torch.device) -> torch.optim.SGD:
    """Stochastic gradient descent with Nesterov momentum 0.9; the decay is added to the gradient, as is usual here."""
    groups, fused = _groups(*decayed_parameters(model), training), device.type == "cuda"  # fused: the rate may be there
    sgd = torch.optim.SGD(groups, lr=training.learning_rate, momentum=0.9, nesterov=True, fused=fused)
    sgd.register_load_state_dict_pre_hook(_settings_stay)
    return sgd


def _settings_stay(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> dict[str, Any]:
    """A stored state without its settings: how an optimizer computes is up to this device, not the one of the state."""
    pairs = zip(optimizer.param_groups, state["param_groups"], strict=True)
    return state | {"param_groups": [own | {"params": theirs["params"]} for own, theirs in pairs]}


def _groups(decay: list[nn.Parameter], no_decay: list[nn.Parameter], training: Training) -> list[dict[str, Any]]:
    return [{"params": decay, "weight_decay": training.weight_decay}, {"params": no_decay, "weight_decay": 0.0}]


#: one builder per allowed value of ``training.optimizer``
OPTIMIZERS: dict[str, Callable[[nn.Module, Training, torch.device], torch.optim.Optimizer | MuonWithAdamW]] = {
    "adamw": lambda model, training, device: _adamw(*decayed_parameters(model), training, device),
    "sgd": _sgd,
    "muon": MuonWithAdamW,
}


def build_optimizer(
    model: nn.Module, training: Training, device: torch.device
) -> torch.optim.Optimizer | MuonWithAdamW:
    """The optimizer a recipe names; decay on weight matrices and kernels only."""
    return OPTIMIZERS[training.optimizer](model, training, device)


def learning_rate(training: Training, step: int, steps_per_epoch: int) -> float:
    """The rate of update ``step`` (0 is the first): linear warm-up, then half a cosine towards 0.

    The warm-up reaches the peak on its last update; the cosine would reach 0 on the update after the last.
    """
    total = training.epochs * steps_per_epoch
    warmup = round(training.warmup_epochs * steps_per_epoch)
    if step < warmup:
        return training.learning_rate * (step + 1) / warmup
    return training.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (total - warmup)))
