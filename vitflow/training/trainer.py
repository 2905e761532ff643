"""One run in the making: its model, optimizer, batches and averaged weights, and how an update changes them.

What a recipe varies is chosen here, before the first update. Nothing in an update waits for the device, and its
randomness follows from seed and step (:mod:`vitflow.training.randomness`), so a resumed run repeats no draw. On a GPU
what follows the batch is recorded and replayed (:mod:`vitflow.training.replay`).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vitflow.data.splits import Data
from vitflow.machine.memory import keep_freed_memory
from vitflow.models.build import build
from vitflow.study.run import RunConfig
from vitflow.training.batches import Batches
from vitflow.training.ema import build_average
from vitflow.training.optimizer import build_optimizer, learning_rate
from vitflow.training.precision import compiled, compiles, uses_bf16
from vitflow.training.randomness import derive
from vitflow.training.replay import Recording


class Update(NamedTuple):
    """What an update tells, each [] on the device."""

    loss: Tensor  #: mean over the batch, before the update
    correct: Tensor  #: images whose dominant label has the largest score
    norm: Tensor  #: of the gradient, before clipping


class Trainer:
    """A model and all that trains it, as ``config`` and ``seed`` say, on ``device``."""

    def __init__(self, config: RunConfig, seed: int, data: Data, device: torch.device) -> None:
        recipe = config.training
        if device.type == "cpu":
            keep_freed_memory()
        self.recipe, self.seed, self.device = recipe, seed, device
        self.bf16 = uses_bf16(recipe.precision, device)
        self.batches = Batches(recipe, data, seed, device)
        self.steps = recipe.epochs * self.batches.per_epoch
        torch.manual_seed(derive(seed, "initialisation"))
        self.model = build(config.model, *config.dataset.shape).to(device).train()
        self.optimizer = build_optimizer(self.model, recipe, device)
        self.average = build_average(self.model, recipe.ema)
        self._forward = compiled(self.model) if compiles(recipe.precision, device) else self.model
        #: on a GPU the rate is a tensor, which a recorded update reads anew
        self._rate = torch.zeros((), device=device) if device.type == "cuda" else None
        self._recording = None if self._rate is None else Recording()

    def learning_rate(self, step: int) -> float:
        """The rate of update ``step``; 0 is the first."""
        return learning_rate(self.recipe, step, self.batches.per_epoch)

    def update(self, step: int) -> Update:
        """Do update ``step``, with its own batch, learning rate and draws."""
        batch, rate = self.batches(step), self.learning_rate(step)
        known = rate if self._rate is None else self._rate.fill_(rate)
        for group in self.optimizer.param_groups:
            group["lr"] = known
        torch.manual_seed(derive(self.seed, "model", step))  # modules with randomness of their own draw from here
        learned = self.learn(*batch) if self._recording is None else self._recording(self.learn, *batch)
        self.average.update(step + 1)
        return Update(*learned)

    def learn(self, images: Tensor, targets: Tensor, labels: Tensor) -> Update:
        """Loss, gradient, and a step of the optimizer at the rate that it has; see :class:`Batches` for the shapes."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            logits = self._forward(images)
            loss = F.cross_entropy(logits, targets, label_smoothing=self.recipe.label_smoothing)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.gradient_clip or math.inf)
        self.optimizer.step()
        return Update(loss.detach(), (logits.detach().argmax(1) == labels).sum(), norm.detach())

    def state_dict(self) -> dict[str, Any]:
        """Weights, optimizer and averages; they go on changing with the trainer."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a stored state."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.average.load_state_dict(state["average"])
        if self._recording is not None:
            self._recording = Recording()  # the optimizer's state has moved
