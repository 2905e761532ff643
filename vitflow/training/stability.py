"""How steady a training was: spikes of gradient norm and loss, the largest gradient norm and attention logit.

A spike is a step that the steps before it do not foretell: on a logarithmic scale its value stands more than
SPIKE deviations, and at least a third, above the median of the WINDOW steps before. That is Hampel's rule (Davies
& Gather, 1993), one-sided: a median, and 1.4826 times the median distance from it in place of a standard
deviation, so that one spike neither hides the next nor makes it. With 3 deviations, its usual bound, a long
training has some by chance; with 6 it has none. The logarithm, because norms and losses are positive and skewed.

Letters: S steps.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vitflow.data.splits import Data, Split
from vitflow.models.resnet import ResNet
from vitflow.models.vit import ViT
from vitflow.training.augmentation.augment import normalise

WINDOW = 50
SPIKE = 6.0
LEAST = math.log(4 / 3)
#: what makes the median distance of normal noise its standard deviation
NORMAL = 1.4826
#: images on which attention logits are measured
IMAGES = 128
#: scores held in memory when they are looked at: 64 MiB
SCORES_AT_ONCE = 2**24
QUANTITIES = ("loss", "gradient")


class Stability:
    """Watches a training. What it is told stays on the device until ``close``, which the end of an epoch calls."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._steps: list[Tensor] = []  # of this epoch, each [2]: loss, gradient norm
        self._before: dict[str, list[float]] = {name: [] for name in QUANTITIES}  # logarithms, WINDOW at most
        self._spikes = dict.fromkeys(QUANTITIES, 0)
        self._judged = 0
        self._norms: list[float] = []  # the largest of each epoch
        self._logits: list[float] = []

    def add(self, loss: Tensor, norm: Tensor) -> None:
        """Take in a step's loss and gradient norm (before clipping), each []."""
        self._steps.append(torch.stack([loss.double(), norm.double()]))

    def close(self) -> None:
        """Judge the epoch's steps; of a diverged epoch, those before its first non-finite loss."""
        values = self._stacked().numpy()  # [S, 2]
        values = values[: int(np.isfinite(values[:, 0]).cumprod().sum())]
        self._steps = []
        self._judged += max(0, len(values) - (WINDOW - len(self._before["loss"])))
        for name, column in zip(QUANTITIES, values.T, strict=True):
            spikes, self._before[name] = count_spikes(column, self._before[name])
            self._spikes[name] += spikes
        norms = values[np.isfinite(values[:, 1]), 1]  # JSON has no infinity
        self._norms += [float(norms.max())] if len(norms) else []

    def measure(self, model: ViT | ResNet, images: Tensor) -> None:
        """Take in the largest attention logit of a model at an epoch's end, on images [N, C, H, W]."""
        was_training = model.training
        model.eval()
        with torch.no_grad():
            largest = largest_attention_logit(model, images)
        model.train(was_training)
        if largest is not None and largest.isfinite():
            self._logits.append(largest.item())

    def result(self) -> dict[str, Any]:
        """What train.json keeps. Spikes are None where no step had WINDOW steps before it, logits without attention."""
        return {
            "largest_gradient_norm": max(self._norms, default=None),
            "gradient_spikes": self._spikes["gradient"] if self._judged else None,
            "loss_spikes": self._spikes["loss"] if self._judged else None,
            "judged_steps": self._judged,
            "largest_attention_logit": max(self._logits, default=None),
            "final_attention_logit": self._logits[-1] if self._logits else None,
        }

    def state_dict(self) -> dict[str, Any]:
        """All that a resumed training needs to come to the same numbers."""
        return {
            "steps": self._stacked(),
            "before": self._before,
            "spikes": self._spikes,
            "judged": self._judged,
            "norms": self._norms,
            "logits": self._logits,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a stored state."""
        self._steps = list(state["steps"].to(self._device))
        self._before, self._spikes, self._judged = state["before"], state["spikes"], state["judged"]
        self._norms, self._logits = state["norms"], state["logits"]

    def _stacked(self) -> Tensor:
        return torch.stack(self._steps).cpu() if self._steps else torch.empty(0, 2, dtype=torch.float64)


def count_spikes(values: NDArray[np.float64], before: list[float]) -> tuple[int, list[float]]:
    """(spikes among ``values`` [S], logarithms of the last WINDOW values), given those before; infinity may spike.

    Steps with fewer than WINDOW before them are not judged.
    """
    known = np.nan_to_num(values, nan=np.inf, posinf=np.inf)
    levels = np.concatenate([before, np.log(np.maximum(known, np.finfo(float).tiny))])
    kept: list[float] = levels[-WINDOW:].tolist()
    if len(levels) <= WINDOW:
        return 0, kept
    # [judged, WINDOW]: what came before each judged step
    windows = np.lib.stride_tricks.sliding_window_view(levels, WINDOW)[:-1]
    centre = np.median(windows, axis=1)
    with np.errstate(invalid="ignore"):  # infinity from infinity: no number, and no spike
        deviation = NORMAL * np.median(np.abs(windows - centre[:, None]), axis=1)
        spikes = levels[WINDOW:] - centre > np.maximum(SPIKE * deviation, LEAST)
    return int(spikes.sum()), kept


def largest_attention_logit(model: ViT | ResNet, images: Tensor) -> Tensor | None:
    """The largest absolute score that enters a softmax, over images [B, C, S, S], heads and blocks: [].

    None where there is no attention.
    """
    if not isinstance(model, ViT):
        return None
    tokens, largest = model.embed(images), []
    for block in model.blocks:
        queries, keys, _ = block.attention.project(block.attended(tokens), model.position)  # type: ignore[operator, union-attr]
        few = max(1, SCORES_AT_ONCE // (queries.shape[1] * tokens.shape[1] ** 2))
        for part in zip(queries.split(few), keys.split(few), strict=True):
            scores = block.attention.scores(*part)  # type: ignore[operator, union-attr]
            largest.append(scores.masked_fill(scores.isneginf(), 0).abs().amax())
        tokens = block(tokens, model.position)
    return torch.stack(largest).amax()


def watched_images(data: Data, device: torch.device) -> Tensor:
    """IMAGES validation images at most, or training images where there are none: normalised, [N, C, H, W]."""
    split: Split = data.validation if len(data.validation.labels) else data.train
    count = min(IMAGES, len(split.labels))
    chosen = torch.arange(count) * len(split.labels) // count  # evenly, since they are sorted by class
    return normalise(split.images[chosen].to(device), data.mean, data.std)
