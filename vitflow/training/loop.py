"""The training loop: one run and seed, from any step to its end, bit for bit the same.

Nothing inside an epoch waits for the device: losses, norms and the first non-finite step stay there until
the epoch ends. What an update does is in :mod:`vitflow.training.trainer`; here is when to stop, save and score.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from vitflow.data.splits import Data, Split
from vitflow.study.run import RunConfig
from vitflow.training import checkpoint
from vitflow.training.predict import Abandoned, predict
from vitflow.training.replay import WARM_UP
from vitflow.training.stability import Stability, watched_images
from vitflow.training.trainer import Trainer, Update

#: columns of history.csv; accuracies in percent; no clock times, so that a resumed history is bit-equal.
#: Training columns are of the images as trained on and the latest weights, and where labels are mixed, accuracy
#: counts the class with the larger share; validation columns are of the weights that count (averaged, with `ema`)
HISTORY = (
    "epoch",
    "step",
    "learning_rate",
    "train_loss",
    "train_accuracy",
    "validation_loss",
    "validation_accuracy",
    "gradient_norm",
    "largest_gradient_norm",
)
CHECKPOINT_SECONDS = 60.0
#: updates of a sitting after which they are alike
SETTLING = WARM_UP + 2


class Interrupted(Exception):
    """Training stopped on request, its state saved."""

    def __init__(self, step: int, steps: int) -> None:
        super().__init__(f"stopped at step {step} of {steps}; the same command continues there")


@dataclass
class Outcome:
    """What a finished training hands on."""

    model: nn.Module  #: with the weights that count: the averaged ones where the recipe averages
    status: str  #: finished | diverged
    history: list[dict[str, Any]]  #: one row of HISTORY per epoch
    steps: int  #: updates done
    seconds: float  #: training time, validation included, over all sittings
    images_per_second: float  #: training only
    stability: dict[str, Any]  #: spikes, largest gradient norm and attention logit: see vitflow.training.stability
    diverged_step: int | None = None  #: first update with a non-finite loss
    resumed_from: list[int] = field(default_factory=list)  #: steps at which sittings after the first began


def train(
    config: RunConfig,
    seed: int,
    data: Data,
    state_folder: Path,
    *,
    device: torch.device,
    should_stop: Callable[[float], bool] = lambda seconds: False,
    hurry: Callable[[], bool] = lambda: False,
    report: Callable[[str], None] = lambda line: None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> Outcome:
    """Train to the end, continuing from the newest good state in ``state_folder``.

    ``should_stop(seconds)`` is asked before every step with the time that a step and a checkpoint may take;
    when it says yes, the state is saved and Interrupted is raised. ``hurry()`` is asked during scoring, which may
    take long: when it says yes, the state from before the epoch's last step is saved instead. ``report`` gets
    one line per epoch.
    """
    trainer, validation = Trainer(config, seed, data, device), _to(data.validation, device)
    model, scored, bf16 = trainer.model, trainer.average.model, trainer.bf16
    steps, steps_per_epoch = trainer.steps, trainer.batches.per_epoch

    step, seconds, train_seconds = 0, 0.0, 0.0
    history: list[dict[str, Any]] = []
    resumed_from: list[int] = []
    sums = _EpochSums(device)
    stability, watched = Stability(device), watched_images(data, device)
    state, damaged = checkpoint.load_state(state_folder, config.digest, data.digest)
    for line in damaged:
        report(f"{line}, passed over")
    if state is not None:
        trainer.load_state_dict(state)
        stability.load_state_dict(state["stability"])
        step, seconds, train_seconds = state["step"], state["seconds"], state["train_seconds"]
        history, sums.values = state["history"], state["sums"].to(device)
        resumed_from = [*state["resumed_from"], step]
        report(f"resumed at step {step} of {steps}")

    def current() -> dict[str, Any]:
        return {
            "digest": config.digest,
            "data": data.digest,
            **trainer.state_dict(),
            "stability": stability.state_dict(),
            "step": step,
            "seconds": seconds,
            "train_seconds": train_seconds,
            "history": history,
            "sums": sums.values,
            "resumed_from": resumed_from,
        }

    saved_at = clock = time.monotonic()
    first_step, slowest_step, slowest_score, save_time = step, 0.0, 0.0, 0.5
    diverged_step: int | None = None
    while step < steps and diverged_step is None:
        epoch, in_epoch = divmod(step, steps_per_epoch)
        scoring = slowest_score if in_epoch == steps_per_epoch - 1 else 0.0
        if should_stop(2 * (slowest_step + scoring + save_time)):
            if step > first_step:
                checkpoint.save_state(state_folder, current())
            raise Interrupted(step, steps)
        if in_epoch == steps_per_epoch - 1:
            before_scoring = copy.deepcopy(current())

        update = trainer.update(step)
        sums.add(step, update)
        stability.add(update.loss, update.norm)
        step += 1

        epoch_ends = step % steps_per_epoch == 0
        if epoch_ends:
            row = sums.row(trainer.batches.size)
            diverged_step = row.pop("first_bad_step")
            now = time.monotonic()
            train_seconds, seconds, clock = train_seconds + now - clock, seconds + now - clock, now
            stability.close()
            if diverged_step is None and step == steps:  # no later loss tells whether the last update was ruinous
                last = trainer.batches.images[trainer.batches.chosen(step - 1)]
                diverged_step = None if predict(scored, last, data, bf16=bf16).isfinite().all() else step - 1
            if diverged_step is None:
                try:
                    loss_, accuracy = _score(scored, validation, data, bf16, hurry)
                except Abandoned:
                    checkpoint.save_state(state_folder, before_scoring)
                    raise Interrupted(step - 1, steps) from None
                stability.measure(model, watched)
                history.append(
                    {"epoch": epoch + 1, "step": step, "learning_rate": trainer.learning_rate(step - 1)}
                    | row
                    | {"validation_loss": loss_, "validation_accuracy": accuracy}
                )
                sums = _EpochSums(device)
        now = time.monotonic()
        seconds += now - clock
        if epoch_ends:
            slowest_score = max(slowest_score, now - clock)
            if diverged_step is None:
                report(_progress(history[-1], config.training.epochs, seconds))
        else:
            train_seconds += now - clock
            # a sitting's first updates, which compile and record on a GPU, tell nothing of later ones
            slowest_step = max(slowest_step if step - first_step > SETTLING else 0.0, now - clock)
        clock = now
        due = now - saved_at > checkpoint_seconds / (6 if epoch_ends else 1)
        if due and step < steps and diverged_step is None:
            checkpoint.save_state(state_folder, current())
            saved_at = time.monotonic()
            save_time, clock = saved_at - now, saved_at

    if diverged_step is not None:
        report(f"diverged: the loss was not finite at step {diverged_step}; recorded as a result")
    return Outcome(
        model=scored,
        status="finished" if diverged_step is None else "diverged",
        history=history,
        steps=step,
        seconds=seconds,
        images_per_second=step * trainer.batches.size / max(train_seconds, 1e-9),
        stability=stability.result(),
        diverged_step=diverged_step,
        resumed_from=resumed_from,
    )


class _EpochSums:
    """Sums over an epoch, on the device: loss, correct, norm, largest norm, first non-finite step + 1, updates."""

    def __init__(self, device: torch.device) -> None:
        self.values = torch.zeros(6, dtype=torch.float64, device=device)

    def add(self, step: int, update: Update) -> None:
        v = self.values
        v[0] += update.loss
        v[1] += update.correct
        v[2] += update.norm
        v[3] = torch.maximum(v[3], update.norm.double())
        v[4] = torch.where((v[4] == 0) & ~torch.isfinite(update.loss), float(step + 1), v[4])
        v[5] += 1

    def row(self, batch_size: int) -> dict[str, Any]:
        loss, correct, norm, largest, bad, updates = self.values.tolist()  # the epoch's one wait for the device
        return {
            "train_loss": loss / updates,
            "train_accuracy": 100 * correct / (updates * batch_size),
            "gradient_norm": norm / updates,
            "largest_gradient_norm": largest,
            "first_bad_step": int(bad) - 1 if bad else None,
        }


def _to(split: Split, device: torch.device) -> Split:
    return Split(split.images.to(device), split.labels.to(device))


def _score(
    model: nn.Module, split: Split, data: Data, bf16: bool, hurry: Callable[[], bool] = lambda: False
) -> tuple[float | None, float | None]:
    """(cross-entropy, accuracy in percent), or (None, None) for an empty split."""
    if not len(split.labels):
        return None, None
    logits = predict(model, split.images, data, bf16=bf16, give_up=hurry)
    loss = F.cross_entropy(logits.double(), split.labels)
    return loss.item(), 100 * (logits.argmax(1) == split.labels).double().mean().item()


def _progress(row: dict[str, Any], epochs: int, seconds: float) -> str:
    left = seconds / row["epoch"] * (epochs - row["epoch"])
    validation = row["validation_accuracy"]
    shown = "no validation images" if validation is None else f"validation {validation:5.2f} %"
    return (
        f"epoch {row['epoch']:>3}/{epochs}  loss {row['train_loss']:.3f}  train {row['train_accuracy']:5.2f} %  "
        f"{shown}  left {int(left // 60)}:{int(left % 60):02d}"
    )
