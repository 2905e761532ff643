"""The inspection over seeds: uniform attention in closed form, layers in their order, two runs class by class."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vitflow.analysis.inspection import PAIRS, contrasted, inspection, uniform_distance
from vitflow.analysis.runs import Result
from vitflow.measuring.inspection.attention import patch_distances
from vitflow.study.grid import Grid, expand
from vitflow.study.reading import parse_study

CLASSES = ("cat", "dog", "ship")
LABELS = {"baseline": "ViT, baseline", "resnet18": "ResNet-18"}


def grid(depth: int = 12, registers: int = 0) -> Grid:
    study = {
        "study": "s",
        "dataset": {"name": "cifar10"},
        "baseline": {"depth": depth, "heads": 2, "registers": registers},
        "references": {"resnet18": {"family": "resnet"}},
    }
    return expand(parse_study(study, "s"))


def result(run: str, seed: int, confusion: Any = None, **inspected: Any) -> Result:
    layers = [f"block{k}" for k in range(1, 13)] if run == "baseline" else [f"stage{k}" for k in range(1, 5)]
    first = "patch_embed" if run == "baseline" else "stem"
    norms = {"width": 8, "effective_rank": 4.0 + seed, "median_norm": 2.0 + seed, "largest_norm": 5.0 + seed}
    found = {
        "images": 500,
        "shift_consistency": {"1": 90.0 + seed, "2": 80.0},
        "attention_distance": [[6.0 + seed, 2.0]] * 12 if run == "baseline" else None,
        "layers": {name: norms for name in sorted([first, *layers])},  # as JSON has them
    }
    metrics = {"validation": {"confusion": confusion or np.eye(3).tolist()}, "inspection": found | inspected}
    return Result(run, seed, {"status": "finished"}, metrics)


@pytest.mark.parametrize(("grid", "side"), [(8, 32), (4, 8), (1, 8), (16, 32)])
def test_uniform_attention_reaches_the_mean_of_all_distances(grid: int, side: int) -> None:
    assert uniform_distance(grid, side) == pytest.approx(float(patch_distances(grid, side).mean()), rel=1e-6)


def test_two_patches_a_side_reach_half_a_side_and_a_quarter_of_the_diagonal() -> None:
    assert uniform_distance(2, 8) == pytest.approx((2 * 4 + 4 * 2**0.5) / 4)


def test_layers_are_in_the_order_of_the_model_and_means_of_the_seeds() -> None:
    results = [result("baseline", 0), result("baseline", 1), result("resnet18", 0)]
    found = inspection(grid().runs, LABELS, results, ["baseline", "resnet18"], CLASSES)
    vit, resnet = found.runs["baseline"], found.runs["resnet18"]
    assert [layer.name for layer in vit.layers] == ["patch_embed", *(f"block{k}" for k in range(1, 12))], (
        "read by [CLS]"
    )
    assert [layer.name for layer in resnet.layers] == ["stem", *(f"stage{k}" for k in range(1, 5))]
    assert (vit.layers[0].depth, vit.layers[6].depth, vit.layers[-1].depth) == (0, 0.5, 0.9167)
    assert (vit.n, vit.layers[3].effective_rank, vit.layers[3].median_norm, vit.layers[3].largest_norm) == (
        2,
        4.5,
        2.5,
        6,
    )
    assert found.titles.shifts.startswith("Shifted by 2 pixels, 80 % of images keep their prediction in the ViT")
    assert vit.attention is not None and vit.attention[0] == (2, 6.5), "heads sorted within each seed"
    assert vit.uniform == pytest.approx(uniform_distance(8, 32), rel=1e-3)
    assert resnet.attention is None and resnet.uniform is None


def test_results_that_were_not_looked_into_or_diverged_are_left_out() -> None:
    old = Result("baseline", 0, {"status": "finished"}, {"validation": {"confusion": np.eye(3).tolist()}})
    lost = Result("resnet18", 0, {"status": "diverged"}, {"validation": None, "inspection": None})
    found = inspection(grid().runs, LABELS, [old, lost], ["baseline", "resnet18"], CLASSES)
    assert (found.runs, found.shown, found.contrast, found.images) == ({}, (), None, 0)
    assert found.titles.shifts == "No model was inspected"
    again = inspection(grid().runs, LABELS, [old, result("baseline", 1), lost], ["baseline"], CLASSES)
    assert again.runs["baseline"].n == 1


def test_two_runs_are_compared_class_by_class_in_percent_over_their_seeds() -> None:
    one = [[[8, 2, 0], [0, 10, 0], [0, 0, 5]], [[6, 4, 0], [0, 10, 0], [0, 0, 5]]]
    other = [[[9, 0, 1], [0, 9, 1], [0, 0, 5]]]
    results = [result("baseline", k, matrix) for k, matrix in enumerate(one)]
    results += [result("resnet18", k, matrix) for k, matrix in enumerate(other)]
    found = contrasted("baseline", "resnet18", results, CLASSES)
    assert found is not None
    assert [(c.name, c.one.values, c.other.values) for c in found.classes] == [
        ("cat", (80, 60), (90,)),
        ("dog", (100, 100), (90,)),
        ("ship", (100, 100), (100,)),
    ]
    pairs = [(c.actual, c.predicted, c.one, c.other) for c in found.confused]
    assert pairs == [("cat", "dog", 30, 0), ("cat", "ship", 0, 10), ("dog", "ship", 0, 10)]
    assert contrasted("baseline", "resnet18", results[:2], CLASSES) is None


def test_of_many_pairs_the_ones_that_differ_most_are_told() -> None:
    generator = np.random.default_rng(0)
    matrices = generator.integers(1, 50, (2, 10, 10))
    results = [result("baseline", 0, matrices[0].tolist()), result("resnet18", 0, matrices[1].tolist())]
    found = contrasted("baseline", "resnet18", results, [str(k) for k in range(10)])
    percent = 100 * matrices / matrices.sum(axis=2, keepdims=True)
    apart = np.abs(percent[0] - percent[1])[~np.eye(10, dtype=bool)]
    assert found is not None
    told = [abs(c.one - c.other) for c in found.confused]
    assert told == pytest.approx(sorted(apart, reverse=True)[:PAIRS], abs=0.02)
