"""Weights: what is written comes back, and anything else is told in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file
from support.trainings import FAMILIES, RESNET, VIT, Sit, assert_same_bits, run_config

from vitflow.models.build import build
from vitflow.study.models import ResNet, ViT
from vitflow.training.checkpoint import CheckpointError, load_weights, save_weights


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
