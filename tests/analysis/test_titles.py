"""Sentences on features and inspection: each says the numbers it is made from, and says so where there are none."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from vitflow.analysis import titles
from vitflow.analysis.records import (
    Attention,
    ClassAccuracy,
    ClassContrast,
    Inside,
    Inspected,
    InspectedLayer,
    Layer,
    Packed,
    Separation,
    Similarity,
    View,
)
from vitflow.analysis.runs import spread


def inside(run: str, family: str, **changes: Any) -> Inside:
    """A model of two layers whose numbers are easy to find again; ``changes`` are of its late view."""
    view = View(
        place="late",
        layer="x",
        between=0.52,
        explained=(0.3, 0.2),
        points=Packed.of(np.zeros((2, 2)), "float16"),
        patch_components=(1, 50),
        patch_held=(0.3, 1.0),
        patch_most=6,
        patch_colours=0.53,
        maps=Packed.of(np.zeros((1, 2, 2, 3)), "uint8"),
    ).model_copy(update=changes)
    parts = [Separation(between=0.1, probe=probe, neighbours=probe) for probe in (21.0, 60.0, 74.0)]
    layers = (
        Layer(name="a", depth=0, positions=4, width=50, separation=parts[0]),
        Layer(name="x", depth=1, positions=4, width=50, separation=parts[1]),
    )
    return Inside(
        run=run,
        label=f"the run {run}",
        family=family,
        layers=layers,
        pooled=parts[2],
        views=(view,),
        attention=None,
        position=None,
    )


def looked(family: str, **changes: Any) -> Inspected:
    layer = InspectedLayer(name="x", depth=1, width=200, effective_rank=62, median_norm=1, largest_norm=3)
    return Inspected(
        label=f"a {family}",
        family=family,
        n=2,
        registers=0,
        layers=(layer,),
        attention=None,
        uniform=None,
    ).model_copy(update=changes)


VIT, RESNET = inside("v", "vit"), inside("r", "resnet", between=0.69, patch_colours=0.26, patch_most=21)


def test_families_name_models_where_they_tell_them_apart() -> None:
    assert titles.called([VIT, RESNET]) == ["the ViT", "the ResNet"]
    assert titles.called([VIT, inside("w", "vit")]) == ["the run v", "the run w"]


@pytest.mark.parametrize(
    ("title", "both", "alone"),
    [
        (
            titles.components_title,
            "Classes explain 52 % of the ViT's variance on the first two components and 69 % of the ResNet's",
            "Classes explain 52 % of the ViT's variance on the first two components",
        ),
        (
            titles.patches_title,
            "Three components explain 53 % of the ViT's late patch variance and 26 % of the ResNet's",
            "Three components explain 53 % of the ViT's late patch variance",
        ),
        (
            titles.spectrum_title,
            "Components for 90 % of the late patch variance: 6 of 50 in the ViT and 21 of 50 in the ResNet",
            "Components for 90 % of the late patch variance: 6 of 50 in the ViT",
        ),
        (
            titles.separation_title,
            "Linear-probe accuracy, input to head, goes from 21 to 74 % in the ViT and from 21 to 74 % in the ResNet",
            "Linear-probe accuracy, input to head, goes from 21 to 74 % in the ViT",
        ),
    ],
)
def test_a_sentence_on_features_says_the_numbers_of_both_models_or_of_one(title: Any, both: str, alone: str) -> None:
    assert title([VIT, RESNET]) == both
    assert title([VIT]) == alone
    assert title([]) == "No model gives features"


def test_similarity_is_the_mean_of_different_layers() -> None:
    pairs = [
        Similarity(one="v", other="v", values=((1.0, 0.8), (0.8, 1.0))),
        Similarity(one="v", other="r", values=((0.5, 0.3), (0.2, 0.0))),
        Similarity(one="r", other="r", values=((1.0, 0.4), (0.4, 1.0))),
    ]
    said = "Mean CKA of two layers: 0.80 within the ViT, 0.40 within the ResNet, 0.25 between the two"
    assert titles.similarity_title([VIT, RESNET], pairs) == said
    assert titles.similarity_title([VIT], pairs[:1]) == "Mean CKA of two layers: 0.80 within the ViT"
    assert titles.similarity_title([], []) == "No model gives features"


@pytest.mark.parametrize("asks", ["[CLS]", "the mean patch"])
def test_attention_maps_are_told_by_the_number_of_patches(asks: Any) -> None:
    maps = Packed.of(np.zeros((2, 1, 8, 8)), "uint8")
    seen = Attention(asks=asks, patches=(50.2, 30.0, 12.4), image=maps, patch=maps)
    model = VIT.model_copy(update={"attention": seen})
    said = f"Patches that {asks} effectively attends to: 50 of 64 in the first block"
    assert titles.attention_maps_title([RESNET, model]) == f"{said}, 12 in the last"
    one = model.model_copy(update={"attention": seen.model_copy(update={"patches": (50.2,)})})
    assert titles.attention_maps_title([one]) == said
    assert titles.attention_maps_title([RESNET]) == "No model has attention"


def test_positions_are_told_by_their_neighbours() -> None:
    """On a grid of three places a side: 0.6 beside and above, -0.2 elsewhere."""
    rows, columns = np.divmod(np.arange(9), 3)
    steps = np.abs(rows[:, None] - rows) + np.abs(columns[:, None] - columns)
    cosine = np.select([steps == 0, steps == 1], [1.0, 0.6], -0.2)
    model = VIT.model_copy(update={"position": Packed.of(np.rint((cosine + 1) * 127.5), "uint8")})
    said = "Position embeddings of neighbouring patches have a cosine similarity of +0.60, others of −0.20"
    assert titles.position_title([model]) == said
    single = VIT.model_copy(update={"position": Packed.of([[255]], "uint8")})
    assert titles.position_title([single]) == "Too few patches to compare their position embeddings"
    assert titles.position_title([VIT]) == "No model has learned position embeddings"


def test_attention_distance_is_told_beside_its_value_for_uniform_attention() -> None:
    vit = looked("vit", attention=((10.0, 12.0), (14.0, 16.48)), uniform=16.6)
    said = "Mean attention distance is 11.0 pixels in block 1, 15.2 in block 2; uniform attention would have 16.6"
    assert titles.attention_title([looked("resnet"), vit]) == said
    near = looked("vit", attention=((3.951, 4.0),), uniform=4.016)
    assert (
        titles.attention_title([near])
        == "Mean attention distance is 3.98 pixels in block 1; uniform attention would have 4.02"
    )
    assert titles.attention_title([looked("resnet")]) == "No model that was inspected has attention"


def test_ranks_and_shifts_are_told_for_both() -> None:
    models = [looked("vit"), looked("resnet")]
    vit = {"1": spread([95.0]), "10": spread([81.0, 82.0]), "3": spread([90.0])}
    resnet = {"1": spread([99.0]), "10": spread([55.4])}
    ranks = "Late patch tokens have an effective rank of 31 % of the ViT's width and 31 % of the ResNet's"
    assert titles.layers_title(models) == ranks
    shifts = "Shifted by 10 pixels, 82 % of images keep their prediction in the ViT and 55 % in the ResNet"
    assert titles.shifts_title(models, [vit, resnet]) == shifts
    one = titles.shifts_title(models[:1], [{"1": spread([99.0])}])
    assert one == "Shifted by 1 pixel, 99 % of images keep their prediction in the ViT"
    assert titles.layers_title([]) == titles.shifts_title([], []) == "No model was inspected"


def test_classes_are_told_from_the_least_to_the_largest_difference() -> None:
    def contrast(*points: float) -> ClassContrast:
        classes = [
            ClassAccuracy(name=f"class {k}", one=spread([50.0]), other=spread([50 + p])) for k, p in enumerate(points)
        ]
        return ClassContrast(one="v", other="r", classes=tuple(classes), confused=())

    runs = {"v": looked("vit"), "r": looked("resnet")}
    said = "Class by class, the ResNet differs from the ViT by −1.7 (class 1) to +20.7 points (class 2)"
    assert titles.classes_title(contrast(3, -1.7, 20.7), runs) == said
    assert "by 0.0 (class 1) to +0.1" in titles.classes_title(contrast(0.06, -0.04), runs)
    assert titles.classes_title(None, {}) == "No two models to compare class by class"


def test_no_sentence_is_too_long_for_a_slide() -> None:
    texts = [titles.components_title([VIT, RESNET]), titles.spectrum_title([VIT, RESNET])]
    assert all(len(text) < 110 and re.match(r"[A-Z0-9]", text) for text in texts)
