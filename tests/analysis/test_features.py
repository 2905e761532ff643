"""What features say: which layers are looked at, which models are set side by side, and that all of it is in order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitflow.analysis.features import NOTHING, describe, pair, similarities, together, views
from vitflow.analysis.records import Absent, Features, Inside, Packed
from vitflow.analysis.separation import separation
from vitflow.analysis.similarity import cosines
from vitflow.study.models import ResNet, ViT

LABELS = np.arange(40) % 4
LAYERS = ["patch_embed", "block1", "block2"]


def arrays(positions: int = 16, width: int = 6) -> dict[str, Any]:
    generator = np.random.default_rng(0)
    found: dict[str, Any] = {
        "labels": LABELS,
        "examples": generator.integers(0, 256, (4, 8, 8, 1)).astype(np.uint8),
        "example_index": np.arange(4),
        "pooled": generator.normal(size=(40, 5)),
        "position": generator.normal(size=(positions, width)),
        "attention/image": np.full((2, 4, positions), 1 / positions),
        "attention/patch": np.eye(positions)[np.arange(8)].reshape(2, 4, positions),
    }
    for layer in LAYERS:
        rows = generator.normal(size=(200, width)) * np.arange(1, width + 1)
        found |= {
            f"{layer}/means": generator.normal(size=(40, width)),
            f"{layer}/examples": generator.normal(size=(4, positions, width)),
            f"{layer}/centre": rows.mean(axis=0),
            f"{layer}/covariance": np.cov(rows.T, bias=True),
        }
    return found


# ---------------------------------------------------------------------------------------- which layers


@pytest.mark.parametrize(
    ("depth", "expected"),
    [
        (12, {"patch_embed": "early", "block6": "middle", "block11": "late"}),
        (4, {"patch_embed": "early", "block2": "middle", "block3": "late"}),
        (2, {"patch_embed": "early", "block1": "middle/late"}),
        (1, {"patch_embed": "early/middle/late"}),
    ],
)
def test_a_vit_is_looked_at_up_to_the_input_of_its_last_block(depth: int, expected: dict[str, str]) -> None:
    names = ["patch_embed", *(f"block{k + 1}" for k in range(depth))]
    assert views(ViT(depth=depth), dict.fromkeys(names, 64), 64) == expected


@pytest.mark.parametrize(
    ("side", "positions", "expected"),
    [
        (32, 64, {"stem": "early", "stage2": "middle", "stage3": "late"}),
        (32, 16, {"stem": "early", "stage2": "middle", "stage4": "late"}),
        (32, 5000, {"stem": "early", "stage1": "middle/late"}),
        (8, 16, {"stem": "early", "stage1": "middle", "stage2": "late"}),
    ],
)
def test_a_resnet_is_looked_at_up_to_the_stage_of_as_many_positions(
    side: int, positions: int, expected: dict[str, str]
) -> None:
    counts = {"stem": side**2} | {f"stage{k + 1}": (side // 2**k) ** 2 for k in range(4)}
    assert views(ResNet(), counts, positions) == expected


# ---------------------------------------------------------------------------------------- which models


def test_the_first_model_is_set_beside_the_first_of_another_family() -> None:
    assert pair({"a": "vit", "b": "vit", "c": "resnet", "d": "resnet"}) == ("a", "c")
    assert pair({"c": "resnet", "d": "resnet"}) == ("c", "d")
    assert pair({"a": "vit"}) is None
    assert pair({}) is None


def test_models_are_compared_with_each_other_and_with_themselves() -> None:
    generator = np.random.default_rng(0)
    ones, others = ([generator.normal(size=(40, 5)) for _ in range(number)] for number in (2, 3))
    found = similarities({"a": ones, "b": others})
    assert [(s.one, s.other, np.shape(s.values)) for s in found] == [
        ("a", "a", (2, 2)),
        ("a", "b", (2, 3)),
        ("b", "b", (3, 3)),
    ]
    np.testing.assert_allclose(np.diag(found[0].values), 1)


# ---------------------------------------------------------------------------------------- what is said


def test_layers_are_told_in_their_order_with_what_separates_classes() -> None:
    taken = arrays()
    found = describe("r", "a run", ViT(depth=2), LAYERS, taken, 16)
    assert [(layer.name, layer.depth, layer.positions, layer.width) for layer in found.layers] == [
        ("patch_embed", 0.0, 16, 6),
        ("block1", 0.5, 16, 6),
        ("block2", 1.0, 16, 6),
    ]
    assert found.layers[1].separation == separation(taken["block1/means"], LABELS)
    assert found.pooled == separation(taken["pooled"], LABELS)
    assert [(view.place, view.layer) for view in found.views] == [("early", "patch_embed"), ("middle/late", "block1")]
    view = found.views[0]
    assert view.points.values.shape == (40, 2) and view.maps.values.shape == (4, 4, 4, 3)
    assert view.patch_components[-1] == 6 and view.patch_held[-1] == 1
    assert view.patch_colours == view.patch_held[2]


def test_attention_is_scaled_map_by_map_and_counts_its_patches() -> None:
    found = describe("r", "a run", ViT(depth=2), LAYERS, arrays(), 16).attention
    assert found is not None and found.asks == "[CLS]"
    assert found.patches == (16.0, 16.0), "attention to all alike reaches all"
    assert (found.image.values == 255).all()
    patch = found.patch.values
    assert patch.shape == (2, 4, 4, 4)
    assert patch.reshape(8, 16).argmax(axis=1).tolist() == list(range(8)), "row by row"
    one = arrays() | {"attention/image": np.eye(16)[None, :4].repeat(2, axis=0)}
    sharp = describe("r", "a run", ViT(depth=2, pool="mean"), LAYERS, one, 16).attention
    assert sharp is not None and sharp.asks == "the mean patch" and sharp.patches == (1.0, 1.0)


def test_positions_keep_their_cosines_to_a_hundredth() -> None:
    taken = arrays()
    found = describe("r", "a run", ViT(depth=2), LAYERS, taken, 16).position
    assert found is not None
    np.testing.assert_allclose(found.values / 127.5 - 1, cosines(taken["position"]), atol=0.005)
    del taken["position"]
    assert describe("r", "a run", ViT(depth=2), LAYERS, taken, 16).position is None


def test_a_study_in_which_no_model_gives_features_has_a_record(tmp_path: Path) -> None:
    lost = Absent(run="r", label="a run", reason="diverged at step 3")
    found = together([], [lost], {}, NOTHING, "validation", ("a", "b"))
    assert (found.images, found.fitted, found.similarities) == (0, 0, ())
    assert found.titles.components == found.titles.similarity == "No model gives features"
    found.write(tmp_path / "features.json")
    assert Features.read(tmp_path / "features.json") == found


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float16"])
def test_packed_arrays_are_read_as_they_were_written(dtype: Any) -> None:
    values = np.arange(24).reshape(2, 3, 4).astype(dtype)
    again = Packed.model_validate_json(Packed.of(values, dtype).model_dump_json()).values
    np.testing.assert_array_equal(again, values)
    assert again.dtype == values.dtype


def names_of(labels: dict[str, str]) -> dict[str, str]:
    """What models of these labels are called, by run."""
    models = tuple(Inside.model_construct(run=run, label=label) for run, label in labels.items())
    return Features.model_construct(models=models).names


@given(st.sets(st.lists(st.sampled_from(["ViT", "best", "width 16", "lr 0.1"]), min_size=1).map(", ".join), min_size=1))
def test_models_are_called_by_the_fewest_of_their_words_that_tell_them_apart(labels: set[str]) -> None:
    names = names_of({label: label for label in labels})
    assert len(set(names.values())) == len(labels)
    for label, name in names.items():
        fewer = name.rpartition(", ")[0]
        assert f"{label}, ".startswith(f"{name}, ")
        assert not fewer or any(f"{other}, ".startswith(f"{fewer}, ") for other in labels - {label})


def test_a_model_alone_in_its_family_is_called_by_it() -> None:
    labels = {"a": "ViT, best", "b": "ViT, baseline", "c": "ResNet-18, width 16, learning rate 0.008"}
    assert names_of(labels) == {"a": "ViT, best", "b": "ViT, baseline", "c": "ResNet-18"}
