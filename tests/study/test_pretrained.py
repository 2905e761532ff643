"""Section ``pretrained``: absent unless asked for, and what is said of mistakes in it."""

from __future__ import annotations

import pytest
from support.studies import HEAD, MINIMAL, ROOT, IsTold, mistakes

from vitflow.study.pretrained import DOWNLOADED, PUBLISHED, URL, Pretrained
from vitflow.study.reading import parse_study


def test_no_study_has_one_unless_it_asks_for_it() -> None:
    assert parse_study(MINIMAL, "x").pretrained is None
    assert parse_study(MINIMAL | {"pretrained": None}, "x").pretrained is None
    assert parse_study(MINIMAL | {"pretrained": {}}, "x").pretrained == Pretrained(weights=None, images=5000)


@mistakes(
    {
        HEAD + "pretrained: {weight: a.pth}": ["pretrained.weight: unknown key; did you mean 'weights'?"],
        HEAD + "pretrained: true": ["pretrained: expected a mapping with keys such as weights"],
        HEAD + 'pretrained: {weights: ""}': ["pretrained.weights: String should have at least 1 character"],
        HEAD + "pretrained: {weights: 3}": ["pretrained.weights: Input should be a valid string"],
        HEAD + "pretrained: {images: true}": ["pretrained", "expected a number, not true"],
        HEAD + "pretrained: {images: 0}": ["pretrained.images: Input should be greater than or equal to 1"],
        HEAD + "pretrained: {images: 19}": ["pretrained.images: 19 are too few", "at least 20"],
        "study: s\ndataset: {name: cifar100}\npretrained: {images: 199}": ["pretrained.images: ", "at least 200"],
    }
)
def test_a_mistake_is_told(is_told: IsTold, text: str, parts: list[str]) -> None:
    is_told(text, parts)


def test_the_downloaded_weights_are_those_that_torchvision_calls_so() -> None:
    from vitflow.machine.compat import import_torchvision

    import_torchvision()
    from torchvision.models import ResNet50_Weights

    assert ResNet50_Weights.IMAGENET1K_V1.url == URL
    assert {weights.name: weights.url.rsplit("-")[-1] for weights in ResNet50_Weights} == {
        name: f"{digits}.pth" for digits, name in PUBLISHED.items()
    }
    assert PUBLISHED[DOWNLOADED] == "IMAGENET1K_V1"


@pytest.mark.parametrize("path", ["config.yaml", "workflow/studies/digits.yaml"])
def test_no_study_that_everybody_runs_wants_a_download(path: str) -> None:
    from vitflow.study.reading import read_study

    assert read_study(ROOT / path).pretrained is None
