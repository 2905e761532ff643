"""The identity of a run: frozen defaults, digests that never change, and what is part of them."""

from __future__ import annotations

import copy
from typing import Literal

import pytest
from support.studies import EXAMPLES, GOLDEN

from vitflow.study.dataset import Dataset
from vitflow.study.models import ResNet, ViT
from vitflow.study.run import RunConfig
from vitflow.study.schema import Study
from vitflow.study.training import Training


@pytest.mark.parametrize("schema", [Dataset, ViT, ResNet, Training], ids=lambda schema: schema.__name__)
def test_a_released_default_never_changes(schema: type[Dataset]) -> None:
    required = {"name"} if schema is Dataset else set()
    defaults = {name: field.default for name, field in schema.model_fields.items() if name not in required}
    assert defaults == GOLDEN["defaults"][schema.__name__]


@pytest.mark.parametrize("name", EXAMPLES)
def test_digests_of_known_runs_never_change(name: str) -> None:
    assert RunConfig.model_validate(EXAMPLES[name]).digest == GOLDEN["digests"][name]


class NewDataset(Dataset):
    grayscale: bool = False


class NewViT(ViT):
    convolution: Literal["none", "depthwise"] = "none"
    memories: int = 0


class NewResNet(ResNet):
    stochastic_depth: float = 0.0


class NewTraining(Training):
    lookahead: float | None = None


class NewRunConfig(RunConfig):
    dataset: NewDataset
    model: NewViT | NewResNet  # type: ignore[assignment]
    training: NewTraining


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_field_added_with_a_default_changes_no_digest(name: str) -> None:
    run = NewRunConfig.model_validate(EXAMPLES[name])
    assert type(run.model) in (NewViT, NewResNet)
    assert run.digest == GOLDEN["digests"][name]


def test_an_added_field_away_from_its_default_is_another_run() -> None:
    changed = copy.deepcopy(EXAMPLES["cifar10 baseline"])
    changed["model"]["convolution"] = "depthwise"
    assert NewRunConfig.model_validate(changed).digest != GOLDEN["digests"]["cifar10 baseline"]


#: another value of every field that has an effect in the baseline
CHANGED: dict[str, dict[str, object]] = {
    "dataset": {"name": "cifar100", "train_images": 5000, "validation_fraction": 0.2, "duplicates": "drop"},
    "training": {
        "epochs": 101,
        "batch_size": 129,
        "optimizer": "sgd",
        "learning_rate": 1.001,
        "weight_decay": 1.05,
        "warmup_epochs": 6,
        "label_smoothing": 0.2,
        "gradient_clip": 2.0,
        "augmentation": "crop",
        "crop_padding": 5,
        "mixing": "mixup",
        "random_erasing": 0.25,
        "ema": 0.99,
        "precision": "fp32",
    },
    "model": {
        "patch_size": 2,
        "width": 96,
        "depth": 4,
        "heads": 3,
        "mlp_ratio": 2.0,
        "pool": "mean",
        "patch_embed": "overlap",
        "position": "rope2d",
        "cls_position": False,
        "registers": 4,
        "norm": "rmsnorm",
        "norm_placement": "post",
        "qk_norm": "l2",
        "attention": "locality",
        "feedforward": "swiglu",
        "layer_scale": 0.1,
        "drop_path": 0.1,
    },
}


def test_another_value_is_known_of_every_field_with_an_effect() -> None:
    run = RunConfig.model_validate(EXAMPLES["cifar10 baseline"])
    fixed = {"image_size", "channels", "classes"}  # by the dataset's name
    assert {field for fields in CHANGED.values() for field in fields} - {"name"} == run.flat().keys() - fixed


@pytest.mark.parametrize(
    ("section", "field", "value"),
    [(section, field, value) for section, fields in CHANGED.items() for field, value in fields.items()],
    ids=[f"{section}.{field}" for section, fields in CHANGED.items() for field in fields],
)
def test_every_field_with_an_effect_is_part_of_the_identity(section: str, field: str, value: object) -> None:
    changed = copy.deepcopy(EXAMPLES["cifar10 baseline"])
    changed[section][field] = value
    assert RunConfig.model_validate(changed).digest != GOLDEN["digests"]["cifar10 baseline"]


def test_where_the_data_lie_is_not_what_they_are() -> None:
    here, there = (Study(study="s", dataset=Dataset(name="cifar10", path=path)) for path in ("/a", None))
    assert here.baseline_run.digest == there.baseline_run.digest


def test_what_the_talk_calls_the_images_is_no_part_of_a_run() -> None:
    folder = {"name": "folder", "path": "a", "image_size": 8, "channels": 1, "classes": 2}
    one, other = (
        RunConfig.model_validate({"dataset": folder | {"title": title}, "model": {}, "training": {}})
        for title in ("pets", "animals")
    )
    assert one.digest == other.digest and one.changes_from(other) == {}
