"""The training room: schedule and decay against references, and runs that are the same to the last bit."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from vitflow.data.prepare import load
from vitflow.data.splits import Data, Split
from vitflow.models.build import build
from vitflow.study.dataset import Dataset
from vitflow.study.models import ResNet, ViT
from vitflow.study.run import RunConfig
from vitflow.study.training import Training
from vitflow.training import batches, checkpoint, loop
from vitflow.training.augmentation.augment import normalise
from vitflow.training.checkpoint import CheckpointError, load_weights, save_weights
from vitflow.training.ema import decay_at
from vitflow.training.optimizer import build_optimizer, learning_rate
from vitflow.training.randomness import derive
from vitflow.training.trainer import Trainer

CPU = torch.device("cpu")
IMAGES, BATCH, EPOCHS = 200, 50, 3
STEPS_PER_EPOCH = IMAGES // BATCH
VIT = ViT(patch_size=4, width=16, depth=2, heads=2)
RESNET = ResNet(width=4)
FAMILIES = pytest.mark.parametrize("model", [VIT, RESNET], ids=["vit", "resnet"])


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Data:
    """Two hundred training digits and the validation images of the default split."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("digits"))
        return load(Dataset(name="digits", train_images=IMAGES))


def recipe(**changes: Any) -> Training:
    fields = {"epochs": EPOCHS, "batch_size": BATCH, "learning_rate": 3e-3, "warmup_epochs": 1, "crop_padding": 1}
    return Training(**{**fields, **changes})


def run_config(model: ViT | ResNet = VIT, **changes: Any) -> RunConfig:
    return RunConfig(dataset=Dataset(name="digits", train_images=IMAGES), model=model, training=recipe(**changes))


@dataclass
class Ended:
    """All that one finished training leaves, the optimizer included."""

    outcome: loop.Outcome
    optimizer: dict[str, Any]
    said: list[str]

    @property
    def weights(self) -> dict[str, Tensor]:
        return self.outcome.model.state_dict()


Sit = Callable[..., Ended]


@pytest.fixture
def sit(digits: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sit:
    """One sitting at a run: to its end, or until ``stop_at`` updates are done (raises Interrupted)."""
    made: list[Trainer] = []

    def keep(*arguments: Any) -> Trainer:
        made.append(Trainer(*arguments))
        return made[-1]

    monkeypatch.setattr(loop, "Trainer", keep)

    def sit(
        config: RunConfig,
        seed: int = 0,
        *,
        stop_at: int | None = None,
        folder: Path = tmp_path / "state",
        data: Data = digits,
        said: list[str] | None = None,
        checkpoint_seconds: float = 1e9,
    ) -> Ended:
        lines = [] if said is None else said
        reached = _reached(folder)

        def should_stop(seconds: float) -> bool:
            nonlocal reached
            reached += 1
            return reached - 1 == stop_at

        outcome = loop.train(
            config,
            seed,
            data,
            folder,
            device=CPU,
            should_stop=should_stop,
            report=lines.append,
            checkpoint_seconds=checkpoint_seconds,
        )
        return Ended(outcome, copy.deepcopy(made[-1].optimizer.state_dict()), lines)

    return sit


def _reached(folder: Path) -> int:
    """The step in the name of the newest state."""
    return max((int(path.name.split("-")[1]) for path in folder.glob("step-*.pt")), default=0)


def interrupt(sit: Sit, config: RunConfig, step: int, **arguments: Any) -> None:
    with pytest.raises(loop.Interrupted, match=f"stopped at step {step} of"):
        sit(config, stop_at=step, **arguments)


def assert_same_bits(ours: Any, theirs: Any, where: str = "") -> None:
    """Equal at atol = rtol = 0, dtypes and structure included."""
    if isinstance(theirs, Tensor):
        assert ours.dtype == theirs.dtype and torch.equal(ours, theirs), where
    elif isinstance(theirs, dict):
        assert ours.keys() == theirs.keys(), where
        for key in theirs:
            assert_same_bits(ours[key], theirs[key], f"{where}.{key}")
    elif isinstance(theirs, list | tuple):
        assert len(ours) == len(theirs), where
        for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            assert_same_bits(one, other, f"{where}[{number}]")
    else:
        assert ours == theirs, where


def assert_same_run(ours: Ended, theirs: Ended) -> None:
    assert_same_bits(ours.weights, theirs.weights, "weights")
    assert_same_bits(ours.optimizer, theirs.optimizer, "optimizer")
    assert ours.outcome.history == theirs.outcome.history
    assert ours.outcome.stability == theirs.outcome.stability
    assert (ours.outcome.status, ours.outcome.steps) == (theirs.outcome.status, theirs.outcome.steps)


# ---------------------------------------------------------------------------------- schedule and decay


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


def test_the_loop_applies_the_schedule_step_by_step(sit: Sit) -> None:
    config = run_config()
    last_of_epoch = [(epoch + 1) * STEPS_PER_EPOCH - 1 for epoch in range(EPOCHS)]
    expected = [learning_rate(config.training, step, STEPS_PER_EPOCH) for step in last_of_epoch]
    ended = sit(config)
    assert [row["learning_rate"] for row in ended.outcome.history] == expected
    assert [row["step"] for row in ended.outcome.history] == [4, 8, 12]
    assert {group["lr"] for group in ended.optimizer["param_groups"]} == {expected[-1]}


@FAMILIES
def test_decay_shrinks_matrices_and_kernels_and_nothing_else(model: ViT | ResNet) -> None:
    training = recipe(learning_rate=0.1, weight_decay=0.5)
    network = build(model, 8, 1, 10)
    for parameter in network.parameters():
        nn.init.ones_(parameter)
        parameter.grad = torch.zeros_like(parameter)
    optimizer = build_optimizer(network, training, CPU)
    optimizer.step()
    # AdamW with zero gradients: decoupled decay alone, p <- p (1 - rate * decay)
    for name, parameter in network.named_parameters():
        kept = parameter.ndim < 2 or name in ("prefix.tokens", "position.embedding")
        assert torch.equal(parameter, torch.full_like(parameter, 1.0 if kept else 1 - 0.1 * 0.5)), name
    assert [group["betas"] for group in optimizer.param_groups] == [(0.9, 0.999)] * 2


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


# ------------------------------------------------------------------------------------------ same bits


@FAMILIES
def test_a_resumed_run_is_the_uninterrupted_one_to_the_last_bit(sit: Sit, tmp_path: Path, model: ViT | ResNet) -> None:
    config = run_config(model)
    whole = sit(config, folder=tmp_path / "whole")
    stops = {
        "before the first update": 0,
        "after the first update": 1,
        "mid-epoch": STEPS_PER_EPOCH + 2,
        "before the last update of an epoch": 2 * STEPS_PER_EPOCH - 1,
        "after the last update of an epoch": STEPS_PER_EPOCH,
        "before the last update of all": EPOCHS * STEPS_PER_EPOCH - 1,
    }
    for where, step in stops.items():
        folder = tmp_path / where
        interrupt(sit, config, step, folder=folder)
        resumed = sit(config, folder=folder)
        assert resumed.outcome.resumed_from == ([step] if step else []), where
        assert_same_run(resumed, whole)
    assert whole.outcome.resumed_from == []


TECHNIQUES: dict[str, dict[str, Any]] = {
    "trivial": {"augmentation": "trivial"},
    "mixup": {"mixing": "mixup"},
    "cutmix": {"mixing": "cutmix"},
    "erasing": {"random_erasing": 0.5},
    "ema": {"ema": 0.9},
    "sgd": {"optimizer": "sgd", "learning_rate": 0.05, "weight_decay": 0.0005},
    "muon": {"optimizer": "muon"},
    "all": {"augmentation": "trivial", "mixing": "cutmix", "random_erasing": 0.5, "ema": 0.9, "optimizer": "muon"},
}


@FAMILIES
@pytest.mark.parametrize("name", TECHNIQUES)
def test_every_technique_trains_and_resumes_mid_epoch_to_the_last_bit(
    sit: Sit, tmp_path: Path, model: ViT | ResNet, name: str
) -> None:
    config = run_config(model, epochs=2, **TECHNIQUES[name])
    whole = sit(config, folder=tmp_path / "whole")
    assert whole.outcome.status == "finished"
    plain = sit(run_config(model, epochs=2), folder=tmp_path / "plain")
    assert not torch.equal(plain.weights["head.weight"], whole.weights["head.weight"])
    interrupt(sit, config, 2, folder=tmp_path / "state")
    interrupt(sit, config, 6, folder=tmp_path / "state")
    resumed = sit(config, folder=tmp_path / "state")
    assert resumed.outcome.resumed_from == [2, 6]
    assert_same_run(resumed, whole)


def test_many_sittings_are_one_run(sit: Sit, tmp_path: Path) -> None:
    config = run_config()
    whole = sit(config, folder=tmp_path / "whole")
    for step in (1, 2, 4, 7, 8):
        interrupt(sit, config, step)
    said: list[str] = []
    resumed = sit(config, said=said)
    assert resumed.outcome.resumed_from == [1, 2, 4, 7, 8]
    assert said[0] == "resumed at step 8 of 12"
    assert_same_run(resumed, whole)


def test_saving_changes_nothing(sit: Sit, tmp_path: Path) -> None:
    config = run_config(RESNET)
    rarely = sit(config, folder=tmp_path / "rarely")
    assert_same_run(sit(config, folder=tmp_path / "always", checkpoint_seconds=0.0), rarely)


@FAMILIES
def test_a_seed_decides_every_bit(sit: Sit, tmp_path: Path, model: ViT | ResNet) -> None:
    config = run_config(model)
    one = sit(config, seed=5, folder=tmp_path / "one")
    torch.rand(7)  # the state of the global generator must not matter
    assert_same_run(sit(config, seed=5, folder=tmp_path / "again"), one)
    other = sit(config, seed=6, folder=tmp_path / "other")
    assert other.outcome.history != one.outcome.history
    for name, tensor in one.weights.items():
        if tensor.is_floating_point():
            assert not torch.equal(other.weights[name], tensor), name


@pytest.fixture
def images_seen(sit: Sit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Tensor]]:
    """The uint8 batches that enter training, after augmentation."""
    seen: list[Tensor] = []

    def watching(images: Tensor, *statistics: Any) -> Tensor:
        seen.append(images.clone())
        return normalise(images, *statistics)

    monkeypatch.setattr(batches, "normalise", watching)

    def images_seen(config: RunConfig, seed: int = 0) -> list[Tensor]:
        seen.clear()
        sit(config, seed, folder=tmp_path / "watched")
        return list(seen)

    return images_seen


def test_order_and_augmentation_do_not_depend_on_the_model(images_seen: Callable[..., list[Tensor]]) -> None:
    first = images_seen(run_config(VIT))
    assert len(first) == EPOCHS * STEPS_PER_EPOCH
    for model in (VIT.model_copy(update={"width": 8, "pool": "mean"}), RESNET):
        assert_same_bits(images_seen(run_config(model)), first)
    assert_same_bits(images_seen(run_config(VIT, learning_rate=1e-4)), first)
    assert not any(torch.equal(a, b) for a, b in zip(images_seen(run_config(VIT), 1), first, strict=True))


def test_crops_and_flips_of_a_seed_are_the_same_under_every_technique(images_seen: Callable[..., list[Tensor]]) -> None:
    first = images_seen(run_config(epochs=2))
    for name, changes in TECHNIQUES.items():
        if "augmentation" not in changes:
            assert_same_bits(images_seen(run_config(epochs=2, **changes)), first, name)
    trivial = images_seen(run_config(epochs=2, augmentation="trivial"))
    kept = torch.cat([(a == b).flatten(1).all(1) for a, b in zip(trivial, first, strict=True)])
    assert 1 / 14 / 2 < kept.float().mean() < 0.4, "identity leaves the crop and flip as they were"


def test_every_epoch_is_a_new_permutation_and_every_step_a_new_augmentation(
    images_seen: Callable[..., list[Tensor]], digits: Data
) -> None:
    def sorted_images(images: Tensor) -> list[bytes]:
        return sorted(image.numpy().tobytes() for image in images)

    plain = images_seen(run_config(augmentation="none", epochs=2))
    epochs = [torch.cat(plain[:STEPS_PER_EPOCH]), torch.cat(plain[STEPS_PER_EPOCH:])]
    for epoch in epochs:
        assert sorted_images(epoch) == sorted_images(digits.train.images), "each image once"
        assert not torch.equal(epoch, digits.train.images)
    assert not torch.equal(*epochs)

    cropped = images_seen(run_config(augmentation="crop", epochs=2))
    kept = [(a == b).flatten(1).all(1) for a, b in zip(cropped, plain, strict=True)]  # offset (0, 0): 1 of 9
    assert 0 < torch.cat(kept).float().mean() < 0.3
    assert len({tuple(mask.tolist()) for mask in kept}) == len(kept), "offsets repeat from step to step"


def test_an_incomplete_batch_is_dropped_and_small_sets_are_one_batch(images_seen: Callable[..., list[Tensor]]) -> None:
    assert [len(b) for b in images_seen(run_config(batch_size=90, epochs=2))] == [90] * 4
    assert [len(b) for b in images_seen(run_config(batch_size=512, epochs=2))] == [IMAGES] * 2


@pytest.mark.parametrize("changes", [{"random_erasing": 1.0}, {"mixing": "cutmix"}], ids=str)
def test_erasing_and_mixing_draw_anew_at_every_step(digits: Data, changes: dict[str, Any]) -> None:
    plain = batches.Batches(recipe(augmentation="none"), digits, 0, CPU)
    changed = batches.Batches(recipe(augmentation="none", **changes), digits, 0, CPU)
    touched = {(plain(step).images != changed(step).images).numpy().tobytes() for step in range(3 * STEPS_PER_EPOCH)}
    assert len(touched) == 3 * STEPS_PER_EPOCH
    assert_same_bits(list(changed(5)), list(changed(5)))


# --------------------------------------------------------------------------------------------- states


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_the_last_two_states_are_kept(sit: Sit, tmp_path: Path) -> None:
    interrupt(sit, run_config(), 7, checkpoint_seconds=0.0)
    names = sorted(path.name for path in (tmp_path / "state").iterdir())
    assert [name[:14] for name in names] == ["step-000000006", "step-000000007"]


def test_a_damaged_state_is_passed_over_for_the_one_before(sit: Sit, tmp_path: Path) -> None:
    config = run_config()
    whole = sit(config, folder=tmp_path / "whole")
    interrupt(sit, config, 7, checkpoint_seconds=0.0)
    newest = max((tmp_path / "state").iterdir())
    damage(newest)
    said: list[str] = []
    resumed = sit(config, said=said)
    assert said[0] == f"{newest}: damaged, passed over"
    assert said[1] == "resumed at step 6 of 12"
    assert resumed.outcome.resumed_from == [6]
    assert_same_run(resumed, whole)


def test_a_truncated_state_is_passed_over_too(sit: Sit, tmp_path: Path) -> None:
    interrupt(sit, run_config(), 3, checkpoint_seconds=0.0)
    newest = max((tmp_path / "state").iterdir())
    newest.write_bytes(newest.read_bytes()[:1000])
    assert sit(run_config()).outcome.resumed_from == [2]


def test_where_both_states_are_damaged_the_error_names_the_file_and_the_way_out(sit: Sit, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    interrupt(sit, run_config(), 7, checkpoint_seconds=0.0)
    for path in folder.iterdir():
        damage(path)
    with pytest.raises(CheckpointError) as error:
        sit(run_config())
    message = str(error.value)
    assert str(max(folder.iterdir())) in message and f"delete {folder} to start over" in message
    assert "\n" not in message
    assert len(list(folder.iterdir())) == 2, "nothing is deleted unasked"


def test_a_state_of_another_configuration_is_never_picked_up(sit: Sit, tmp_path: Path) -> None:
    other = run_config(learning_rate=1e-3)
    alone = sit(other, folder=tmp_path / "alone")
    interrupt(sit, run_config(), 7, checkpoint_seconds=0.0)
    after = sit(other)
    assert after.outcome.resumed_from == []
    assert_same_run(after, alone)


def test_states_of_another_configuration_do_not_push_out_new_ones(sit: Sit) -> None:
    interrupt(sit, run_config(), 7, checkpoint_seconds=0.0)
    other = run_config(learning_rate=1e-3)
    with pytest.raises(loop.Interrupted):
        sit(other, stop_at=10, checkpoint_seconds=1e9)  # counted from 7: after three updates
    assert sit(other).outcome.resumed_from == [3]


def test_states_are_read_without_executing_anything(sit: Sit, tmp_path: Path) -> None:
    """A pickle that would call a function is refused, even with the right digest in its name."""

    class Call:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "executed",))

    state: dict[str, Any] = {"step": 1, "digest": Call()}
    checkpoint.save_state(tmp_path / "state", state)
    with pytest.raises(Exception, match="Weights only load failed"):
        checkpoint.load_state(tmp_path / "state", "", "")
    assert not (tmp_path / "executed").exists()


def test_a_finished_runs_states_are_cleared_and_nothing_else(sit: Sit, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    interrupt(sit, run_config(), 2, checkpoint_seconds=0.0)
    (folder / "lock").touch()
    checkpoint.clear_states(folder)
    assert [path.name for path in folder.iterdir()] == ["lock"]


# ------------------------------------------------------------------------------------------- weights


@FAMILIES
def test_weights_come_back_from_safetensors(sit: Sit, tmp_path: Path, model: ViT | ResNet) -> None:
    ended, path = sit(run_config(model, epochs=2)), tmp_path / "checkpoints" / "seed0.safetensors"
    save_weights(path, ended.outcome.model)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert_same_bits(load_file(path), dict(ended.weights))
    fresh = build(model, 8, 1, 10)
    load_weights(path, fresh)
    assert_same_bits(fresh.state_dict(), ended.weights)


def write_nothing(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def garble(path: Path) -> None:
    path.write_bytes(b"\xff" * 500)


@pytest.mark.parametrize("spoil", [write_nothing, cut, garble, Path.unlink])
def test_damaged_weights_give_one_line(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    path = tmp_path / "seed0.safetensors"
    save_weights(path, build(VIT, 8, 1, 10))
    spoil(path)
    with pytest.raises(CheckpointError) as error:
        load_weights(path, build(VIT, 8, 1, 10))
    message = str(error.value)
    assert message.startswith(f"{path}: ") and "\n" not in message
    assert "train" in message, "what to do"


def test_weights_of_another_model_give_one_line(tmp_path: Path) -> None:
    path = tmp_path / "seed0.safetensors"
    save_weights(path, build(VIT, 8, 1, 10))
    with pytest.raises(CheckpointError, match="weights of another model") as error:
        load_weights(path, build(RESNET, 8, 1, 10))
    assert "\n" not in str(error.value)


# --------------------------------------------------------------------------------------- what happens


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


def test_history_counts_what_a_loop_by_hand_counts(sit: Sit, digits: Data) -> None:
    ended = sit(run_config())
    row, model = ended.outcome.history[-1], ended.outcome.model.eval()
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


def test_averaged_weights_are_what_is_scored_and_handed_on(sit: Sit, tmp_path: Path, digits: Data) -> None:
    config = run_config(RESNET, ema=0.7)
    assert decay_at(1, 0.7) < 0.7 == decay_at(EPOCHS * STEPS_PER_EPOCH + 9, 0.7), "the warm-up takes part"
    ended = sit(config, folder=tmp_path / "averaged")
    latest, averaged = loop_by_hand(digits, config.training)
    for name, tensor in averaged.state_dict().items():
        torch.testing.assert_close(ended.weights[name], tensor, rtol=1e-4, atol=1e-6, msg=name)
    validation = digits.validation
    expected, other = (loop._score(model, validation, digits, False)[0] for model in (averaged, latest))
    row = ended.outcome.history[-1]
    assert row["validation_loss"] == pytest.approx(expected, rel=1e-4) and row["validation_loss"] != other
    plain = sit(run_config(RESNET), folder=tmp_path / "plain")
    for key in ("train_loss", "train_accuracy", "gradient_norm"):
        assert row[key] == plain.outcome.history[-1][key], "averaging leaves the training as it is"
    assert_same_bits(ended.optimizer, plain.optimizer)
    assert_same_bits(plain.weights, dict(latest.state_dict()))


def test_training_accuracy_counts_the_class_with_the_larger_share(sit: Sit, digits: Data, tmp_path: Path) -> None:
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


def test_training_without_validation_images(sit: Sit, digits: Data) -> None:
    empty = Split(digits.validation.images[:0], digits.validation.labels[:0])
    with_images, without = sit(run_config()), sit(run_config(), data=replace(digits, validation=empty))
    assert [row["validation_accuracy"] for row in without.outcome.history] == [None] * EPOCHS
    assert [row["validation_loss"] for row in without.outcome.history] == [None] * EPOCHS
    assert "no validation images" in without.said[0]
    assert_same_bits(without.weights, with_images.weights)


def test_divergence_is_recorded_with_its_step_and_ends_the_training(sit: Sit, monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0
    bad = STEPS_PER_EPOCH + 2

    def spoiling(images: Tensor, *statistics: Any) -> Tensor:
        nonlocal made
        made += 1
        return normalise(images, *statistics) * (math.nan if made == bad + 1 else 1)

    monkeypatch.setattr(batches, "normalise", spoiling)
    said: list[str] = []
    outcome = sit(run_config(), said=said).outcome
    assert (outcome.status, outcome.diverged_step) == ("diverged", bad)
    assert outcome.steps == 2 * STEPS_PER_EPOCH, "it ends with the epoch"
    assert outcome.stability["largest_gradient_norm"] is not None
    assert [row["epoch"] for row in outcome.history] == [1]
    assert f"step {bad}" in said[-1]


def test_a_run_stopped_after_it_diverged_records_the_same_step(sit: Sit, tmp_path: Path) -> None:
    config = run_config(learning_rate=1e30, warmup_epochs=0)
    whole = sit(config, folder=tmp_path / "whole").outcome
    assert whole.status == "diverged" and whole.diverged_step is not None and whole.history == []
    assert whole.steps == STEPS_PER_EPOCH
    interrupt(sit, config, STEPS_PER_EPOCH - 1)
    resumed = sit(config).outcome
    assert (resumed.status, resumed.diverged_step, resumed.steps) == ("diverged", whole.diverged_step, whole.steps)


def test_a_last_update_that_ruins_the_weights_is_a_divergence_too(sit: Sit) -> None:
    config = run_config(learning_rate=1e30, warmup_epochs=0, epochs=1, batch_size=IMAGES)
    assert sit(config).outcome.status == "diverged"


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
