"""The loop: an update and an epoch against the same written by hand, and what is counted."""

from __future__ import annotations

import copy
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from support.trainings import (
    CPU,
    EPOCHS,
    FAMILIES,
    IMAGES,
    RESNET,
    STEPS_PER_EPOCH,
    VIT,
    Sit,
    Whole,
    assert_same_bits,
    assert_same_run,
    run_config,
)
from torch import nn

from vitflow.data.splits import Data, Split
from vitflow.models.build import build
from vitflow.study.models import ResNet, ViT
from vitflow.study.training import Training
from vitflow.training import batches, loop
from vitflow.training.ema import decay_at
from vitflow.training.optimizer import build_optimizer, learning_rate
from vitflow.training.randomness import derive


def test_the_loop_applies_the_schedule_step_by_step(whole: Whole) -> None:
    config = run_config()
    last_of_epoch = [(epoch + 1) * STEPS_PER_EPOCH - 1 for epoch in range(EPOCHS)]
    expected = [learning_rate(config.training, step, STEPS_PER_EPOCH) for step in last_of_epoch]
    ended = whole(config)
    assert [row["learning_rate"] for row in ended.outcome.history] == expected
    assert [row["step"] for row in ended.outcome.history] == [4, 8, 12]
    assert {group["lr"] for group in ended.optimizer["param_groups"]} == {expected[-1]}


def test_one_step_of_the_loop_is_one_step_written_by_hand(sit: Sit, digits: Data) -> None:
    config = run_config(epochs=1, batch_size=IMAGES, warmup_epochs=0, augmentation="none", gradient_clip=0.01)
    torch.manual_seed(derive(0, "initialisation"))
    network = build(VIT, 8, 1, 10)
    images = digits.train.images.permute(0, 3, 1, 2).float() / 255
    images = (images - digits.mean[0]) / digits.std[0]
    loss = nn.functional.cross_entropy(network(images), digits.train.labels, label_smoothing=0.1)
    loss.backward()
    norm = torch.stack([p.grad.norm() for p in network.parameters() if p.grad is not None]).norm()
    assert norm > 0.01
    for parameter in network.parameters():
        assert parameter.grad is not None
        parameter.grad *= 0.01 / norm
    matrices = [p for n, p in network.named_parameters() if p.ndim == 2 and "embedding" not in n and "tokens" not in n]
    others = [p for p in network.parameters() if all(p is not m for m in matrices)]
    groups: list[dict[str, Any]] = [{"params": matrices}, {"params": others, "weight_decay": 0}]
    torch.optim.AdamW(groups, lr=3e-3, weight_decay=0.05).step()
    ended = sit(config)
    assert ended.outcome.history[0]["train_loss"] == pytest.approx(loss.item(), rel=1e-5)
    assert ended.outcome.history[0]["gradient_norm"] == pytest.approx(norm.item(), rel=1e-4)
    for name, parameter in network.named_parameters():
        if name != "head.bias":  # its gradient is 0 but for rounding, since the classes are balanced
            torch.testing.assert_close(ended.weights[name], parameter.detach(), rtol=0, atol=1e-6)


@FAMILIES
def test_the_loss_falls_where_there_is_something_to_learn(sit: Sit, model: ViT | ResNet) -> None:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(10).repeat(20)
    images = torch.randint(0, 60, (200, 8, 8, 1), generator=generator, dtype=torch.uint8)
    brightness = torch.where(labels < 8, 255, 150).to(torch.uint8)
    images[torch.arange(200), labels % 8, :, 0] = brightness[:, None]  # one bright row
    toy = Split(images, labels)
    data = Data(toy, toy, toy, (0.2,), (0.2,), tuple(map(str, range(10))), "toy")
    changes = {"epochs": 12, "batch_size": 20, "augmentation": "none", "learning_rate": 0.01, "label_smoothing": 0}
    history = sit(run_config(model, **changes), data=data).outcome.history
    assert history[0]["train_loss"] > 1.5
    assert history[-1]["train_loss"] < 0.3
    assert history[-1]["train_accuracy"] > 90
    assert history[-1]["validation_accuracy"] > 90


def test_history_counts_what_a_loop_by_hand_counts(whole: Whole, digits: Data) -> None:
    ended = whole(run_config())
    row, model = ended.outcome.history[-1], copy.deepcopy(ended.outcome.model).eval()
    images = (digits.validation.images.permute(0, 3, 1, 2).float() / 255 - digits.mean[0]) / digits.std[0]
    with torch.no_grad():
        logits = model(images)
    labels = digits.validation.labels
    assert row["validation_accuracy"] == pytest.approx(100 * (logits.argmax(1) == labels).float().mean().item())
    assert row["validation_loss"] == pytest.approx(nn.functional.cross_entropy(logits, labels).item(), rel=1e-5)
    assert set(row) == set(loop.HISTORY)
    assert 0 < row["gradient_norm"] <= row["largest_gradient_norm"]


def loop_by_hand(digits: Data, training: Training) -> tuple[nn.Module, nn.Module]:
    """(latest, averaged) after a plain loop that averages tensor by tensor."""
    torch.manual_seed(derive(0, "initialisation"))
    network = build(RESNET, 8, 1, 10).train()
    average = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    optimizer = build_optimizer(network, training, CPU)
    make = batches.Batches(training, digits, 0, CPU)
    for step in range(EPOCHS * STEPS_PER_EPOCH):
        images, targets, _ = make(step)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(training, step, STEPS_PER_EPOCH)
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(images), targets, label_smoothing=training.label_smoothing).backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        kept = min(training.ema or 0.0, (step + 2) / (step + 11))
        for name, tensor in network.state_dict().items():
            if tensor.is_floating_point():
                average[name] = kept * average[name] + (1 - kept) * tensor
            else:
                average[name] = tensor.clone()
    averaged = copy.deepcopy(network)
    averaged.load_state_dict(average)
    return network, averaged


def test_averaged_weights_are_what_is_scored_and_handed_on(sit: Sit, whole: Whole, digits: Data) -> None:
    config = run_config(RESNET, ema=0.7)
    assert decay_at(1, 0.7) < 0.7 == decay_at(EPOCHS * STEPS_PER_EPOCH + 9, 0.7), "the warm-up takes part"
    ended = sit(config)
    latest, averaged = loop_by_hand(digits, config.training)
    for name, tensor in averaged.state_dict().items():
        torch.testing.assert_close(ended.weights[name], tensor, rtol=1e-4, atol=1e-6, msg=name)
    validation = digits.validation
    expected, other = (loop._score(model, validation, digits, False)[0] for model in (averaged, latest))
    row = ended.outcome.history[-1]
    assert row["validation_loss"] == pytest.approx(expected, rel=1e-4) and row["validation_loss"] != other
    plain = whole(run_config(RESNET))
    for key in ("train_loss", "train_accuracy", "gradient_norm"):
        assert row[key] == plain.outcome.history[-1][key], "averaging leaves the training as it is"
    assert_same_bits(ended.optimizer, plain.optimizer)
    assert_same_bits(plain.weights, dict(latest.state_dict()))


def test_training_accuracy_counts_the_class_with_the_larger_share(sit: Sit, digits: Data) -> None:
    config = run_config(epochs=1, batch_size=IMAGES, warmup_epochs=0, mixing="mixup", augmentation="none")
    row = sit(config).outcome.history[0]
    torch.manual_seed(derive(0, "initialisation"))
    network = build(VIT, 8, 1, 10)
    images, targets, _ = batches.Batches(config.training, digits, 0, CPU)(0)
    logits = network(images)
    agree = (logits.argmax(1) == targets.argmax(1)).double().mean().item()
    assert row["train_accuracy"] == pytest.approx(100 * agree)
    smoothed = 0.9 * targets + 0.01
    by_hand = -(smoothed * logits.log_softmax(1)).sum(1).mean().item()
    assert row["train_loss"] == pytest.approx(by_hand, rel=1e-6)


def test_training_without_validation_images(sit: Sit, whole: Whole, digits: Data) -> None:
    empty = Split(digits.validation.images[:0], digits.validation.labels[:0])
    with_images, without = whole(run_config()), sit(run_config(), data=replace(digits, validation=empty))
    assert [row["validation_accuracy"] for row in without.outcome.history] == [None] * EPOCHS
    assert [row["validation_loss"] for row in without.outcome.history] == [None] * EPOCHS
    assert "no validation images" in without.said[0]
    assert_same_bits(without.weights, with_images.weights)


def test_a_recipe_without_clipping_trains(sit: Sit, tmp_path: Path) -> None:
    free = sit(run_config(gradient_clip=None), folder=tmp_path / "free")
    loose = sit(run_config(gradient_clip=1e9), folder=tmp_path / "loose")
    assert_same_run(free, loose)


def test_the_margin_before_a_time_limit_covers_scoring(
    digits: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, score, margins = [0.0], loop._score, []

    def slow_score(*arguments: Any) -> Any:
        now[0] += 100
        return score(*arguments)

    def should_stop(margin: float) -> bool:
        margins.append(margin)
        return False

    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(loop, "_score", slow_score)
    loop.train(run_config(), 0, digits, tmp_path, device=CPU, should_stop=should_stop, checkpoint_seconds=1e9)
    assert margins[2 * STEPS_PER_EPOCH - 1] >= 100


def test_the_margin_before_a_time_limit_forgets_a_slow_beginning(
    digits: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An update that compiles takes a minute, those after it milliseconds: a sitting of two minutes has to get on."""
    now, update, margins = [0.0], loop.Trainer.update, []

    def slow_at_first(trainer: loop.Trainer, step: int) -> Any:
        now[0] += 60 if step == 0 else 3 if step == loop.SETTLING + 1 else 0.01
        return update(trainer, step)

    def should_stop(margin: float) -> bool:
        margins.append(margin)
        return False

    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(loop.Trainer, "update", slow_at_first)
    loop.train(run_config(), 0, digits, tmp_path, device=CPU, should_stop=should_stop, checkpoint_seconds=1e9)
    assert margins[1] >= 60 and margins[2] < 2, "the first is all that is known of an update, until there are others"
    assert margins[-1] >= 3, "but a slow one among many is kept in mind"
