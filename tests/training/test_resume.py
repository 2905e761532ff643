"""A seed decides every bit, and sittings of any number come to the same end."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from support.trainings import (
    EPOCHS,
    FAMILIES,
    RESNET,
    STEPS_PER_EPOCH,
    TECHNIQUES,
    VIT,
    Sit,
    Whole,
    assert_same_run,
    interrupt,
    run_config,
)

from vitflow.study.models import ResNet, ViT


@FAMILIES
def test_a_resumed_run_is_the_uninterrupted_one_to_the_last_bit(
    sit: Sit, whole: Whole, tmp_path: Path, model: ViT | ResNet
) -> None:
    config = run_config(model)
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
        assert_same_run(resumed, whole(config))
    assert whole(config).outcome.resumed_from == []


@FAMILIES
@pytest.mark.parametrize("name", TECHNIQUES)
def test_every_technique_trains_and_resumes_mid_epoch_to_the_last_bit(
    sit: Sit, whole: Whole, model: ViT | ResNet, name: str
) -> None:
    config = run_config(model, epochs=2, **TECHNIQUES[name])
    undisturbed, plain = whole(config), whole(run_config(model, epochs=2))
    assert undisturbed.outcome.status == "finished"
    assert not torch.equal(plain.weights["head.weight"], undisturbed.weights["head.weight"])
    interrupt(sit, config, 2)
    interrupt(sit, config, 6)
    resumed = sit(config)
    assert resumed.outcome.resumed_from == [2, 6]
    assert_same_run(resumed, undisturbed)


def test_many_sittings_are_one_run(sit: Sit, whole: Whole) -> None:
    config = run_config()
    for step in (1, 2, 4, 7, 8):
        interrupt(sit, config, step)
    said: list[str] = []
    resumed = sit(config, said=said)
    assert resumed.outcome.resumed_from == [1, 2, 4, 7, 8]
    assert said[0] == "resumed at step 8 of 12"
    assert_same_run(resumed, whole(config))


def test_saving_changes_nothing(sit: Sit, whole: Whole) -> None:
    config = run_config(RESNET)
    assert_same_run(sit(config, checkpoint_seconds=0.0), whole(config))


@FAMILIES
def test_a_seed_decides_every_bit(sit: Sit, whole: Whole, model: ViT | ResNet) -> None:
    config = run_config(model)
    one = whole(config, 5)
    torch.rand(7)  # the state of the global generator must not matter
    assert_same_run(sit(config, seed=5), one)
    other = whole(config, 0)
    assert other.outcome.history != one.outcome.history
    for name, tensor in one.weights.items():
        if tensor.is_floating_point():
            assert not torch.equal(other.weights[name], tensor), name


def test_a_resumed_training_drops_the_same_paths(sit: Sit, whole: Whole) -> None:
    changes = {"drop_path": 0.5, "patch_embed": "conv_stem", "registers": 1}
    config = run_config(VIT.model_copy(update=changes), epochs=2, augmentation="none")
    interrupt(sit, config, 6)
    assert_same_run(sit(config), whole(config))
