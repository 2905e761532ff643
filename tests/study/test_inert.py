"""Fields without effect: runs that compute the same thing are one run, and only those."""

from __future__ import annotations

from typing import Any

import pytest
from support.studies import EXAMPLES, GOLDEN

from vitflow.study.models import ViT
from vitflow.study.run import RunConfig


def test_padding_is_inert_without_a_crop() -> None:
    def run(augmentation: str, padding: int) -> RunConfig:
        training = {"augmentation": augmentation, "crop_padding": padding}
        return RunConfig.model_validate({**EXAMPLES["cifar10 baseline"], "training": training})

    assert run("none", 2).digest == run("none", 4).digest == run("none", 8).digest
    assert run("none", 2).normalised().training.crop_padding == 4
    assert "crop_padding" not in run("none", 2).flat()
    assert run("crop", 2).digest != run("crop", 4).digest
    assert run("crop", 2).normalised().training.crop_padding == 2


def test_the_share_of_a_mixture_is_inert_without_mixing() -> None:
    def run(mixing: str, alpha: float) -> RunConfig:
        training = {"mixing": mixing, "mixing_alpha": alpha}
        return RunConfig.model_validate({**EXAMPLES["cifar10 baseline"], "training": training})

    assert run("none", 0.2).digest == run("none", 1).digest == GOLDEN["digests"]["cifar10 baseline"]
    assert "mixing_alpha" not in run("none", 0.2).flat()
    assert len({run(mixing, alpha).digest for mixing in ("mixup", "cutmix") for alpha in (0.2, 1)}) == 4


def vit_run(**model: Any) -> RunConfig:
    return RunConfig.model_validate({**EXAMPLES["cifar10 baseline"], "model": {"family": "vit", **model}})


@pytest.mark.parametrize(
    ("field", "value", "inert", "effective"),
    [
        (
            "position_base",
            10000,
            [{}, {"position": "none"}],
            [{"position": p} for p in ("sincos1d", "sincos2d", "rope1d", "rope2d")],
        ),
        (
            "cls_position",
            False,
            [{"position": "none"}, {"position": "rope1d"}, {"position": "rope2d"}, {"pool": "mean"}],
            [{}, {"position": "sincos1d"}, {"position": "sincos2d"}],
        ),
        ("drop_path", 0.1, [{"depth": 1}], [{}, {"depth": 2}]),
    ],
)
def test_a_field_of_the_vit_is_inert_exactly_where_it_has_no_effect(
    field: str, value: object, inert: list[dict[str, Any]], effective: list[dict[str, Any]]
) -> None:
    for model in inert:
        run = vit_run(**model, **{field: value})
        assert run.digest == vit_run(**model).digest
        assert getattr(run.normalised().model, field) == ViT.model_fields[field].default
        assert field not in run.flat()
    for model in effective:
        run = vit_run(**model, **{field: value})
        assert run.digest != vit_run(**model).digest
        assert getattr(run.normalised().model, field) == run.flat()[field] == value


def test_what_is_inert_in_a_vit_does_not_concern_a_resnet() -> None:
    run = RunConfig.model_validate(EXAMPLES["half-width ResNet-18 on 5,000 images"])
    assert run.normalised().model == run.model
