"""Muon for GPUs: matrices of one shape are stacked, so that a step is dozens of kernels and not hundreds."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import torch
from torch import Tensor


class StackedMuon(torch.optim.Muon):
    """``torch.optim.Muon`` with ``adjust_lr_fn="match_rms_adamw"``, but for the order of sums; the same state.

    torch orthogonalises one matrix after another, in some 25 kernels each; here all of one shape, lying and standing
    ones together, go through the same products at once. The rate may be a tensor [] on the device, so that a
    recorded step (:mod:`vitflow.training.replay`) follows the schedule.
    """

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One update of every matrix."""
        for group in self.param_groups:
            self._step(group)

    def _step(self, group: dict[str, Any]) -> None:
        weights: list[Tensor] = group["params"]
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        momenta = [self._momentum(weight) for weight in weights]
        torch._foreach_lerp_(momenta, gradients, 1 - group["momentum"])
        towards = torch._foreach_lerp(gradients, momenta, group["momentum"])  # Nesterov's
        torch._foreach_mul_(weights, 1 - group["lr"] * group["weight_decay"])
        shapes = defaultdict(list)
        for place, weight in enumerate(weights):
            shapes[min(weight.shape), max(weight.shape)].append(place)
        for (_, longer), places in shapes.items():
            stack = torch.stack([_lying(towards[place]) for place in places])  # [M, shorter, longer]
            steps = orthogonalised(stack, group["ns_coefficients"], group["ns_steps"], group["eps"])
            steps = steps.float() * (0.2 * math.sqrt(longer) * group["lr"])
            torch._foreach_sub_([_lying(weights[place]) for place in places], steps.unbind())

    def _momentum(self, weight: Tensor) -> Tensor:
        state = self.state[weight]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(weight, memory_format=torch.preserve_format)
        buffer: Tensor = state["momentum_buffer"]
        return buffer


def orthogonalised(stack: Tensor, coefficients: tuple[float, float, float], steps: int, eps: float) -> Tensor:
    """Matrices [M, R, C], R <= C, each moved towards the nearest with orthogonal rows; bfloat16 [M, R, C].

    Newton-Schulz steps with the quintic of Jordan et al. (2024): all singular values come to lie around 1.
    """
    a, b, c = coefficients
    x = stack.bfloat16()
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x


def _lying(matrix: Tensor) -> Tensor:
    """The matrix, or a view of it transposed where it has more rows than columns."""
    return matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
