"""From a study to its runs, by example, and the grid that we ship."""

from __future__ import annotations

from typing import Any

import pytest
from support.studies import MINIMAL, ROOT, digests, grid

from vitflow.study.grid import BASELINE, expand, feature_runs, point
from vitflow.study.models import ViT
from vitflow.study.reading import parse_study, read_study


@pytest.mark.parametrize(
    "section",
    [
        {"ablations": {"g": {"width": [96]}, "h": {"width": [96, 192]}}},
        {"ablations": {"g": {"width": [96], "m": [{"name": "narrow", "width": 96}]}}},
        {"ablations": {"g": {"width": [96]}}, "references": {"narrow": {"width": 96, "family": "vit"}}},
        {"ablations": {"g": {"m": [{"name": "narrow", "width": 96, "depth": 6, "heads": 8}]}}},
        {"cross": {"c": {"width": [96], "depth": [6]}}},
        {"cross": {"c": {"augmentation": ["crop_flip"], "width": [96, 192]}}},
    ],
    ids=str,
)
def test_one_run_whatever_axis_it_came_from(section: dict[str, Any]) -> None:
    assert list(grid(MINIMAL | section).runs) == [BASELINE, "width=96"]


def test_a_point_equal_to_the_baseline_is_the_baseline() -> None:
    found = grid(MINIMAL | {"ablations": {"g": {"width": [192], "pool": ["cls"]}}, "references": {"r": {"depth": 6}}})
    assert list(found.runs) == [BASELINE]
    assert {p.run for p in found.points} == {BASELINE}


def test_the_baseline_is_on_every_axis_written_or_not() -> None:
    found = grid(MINIMAL | {"ablations": {"g": {"patch_size": [8, 2], "depth": [4, 6]}}})
    assert [(p.axis, p.value, p.run) for p in found.points if p.group == "g"] == [
        ("patch_size", "4", BASELINE),
        ("patch_size", "8", "patch_size=8"),
        ("patch_size", "2", "patch_size=2"),
        ("depth", "4", "depth=4"),
        ("depth", "6", BASELINE),
    ]


def test_padding_without_a_crop_is_no_run_of_its_own() -> None:
    points = [{"name": "a", "augmentation": "none", "crop_padding": 2}, {"name": "b", "augmentation": "none"}]
    found = grid(MINIMAL | {"ablations": {"g": {"crop": points}}})
    assert list(found.runs) == [BASELINE, "augmentation=none"]
    study = MINIMAL | {"training": {"augmentation": "none"}, "ablations": {"g": {"crop_padding": [2, 4, 8]}}}
    assert list(grid(study).runs) == [BASELINE]


def test_a_name_tells_what_was_changed_and_not_what_came_into_effect() -> None:
    points = [{"name": "far", "position": "rope2d", "position_base": 10000}]
    found = grid(MINIMAL | {"ablations": {"g": {"position": ["rope2d"], "base": points}}})
    assert list(found.runs) == [BASELINE, "position=rope2d", "position=rope2d+position_base=10000"]
    found = grid(MINIMAL | {"baseline": {"pool": "mean"}, "ablations": {"g": {"pool": ["cls"]}}})
    assert list(found.runs) == [BASELINE, "pool=cls"]
    # as before these were rules
    found = grid(MINIMAL | {"training": {"augmentation": "none"}, "ablations": {"g": {"augmentation": ["crop"]}}})
    assert list(found.runs) == [BASELINE, "augmentation=crop+crop_padding=4"]


def test_a_cross_is_multiplied_out() -> None:
    found = grid(MINIMAL | {"cross": {"c": {"learning_rate": [0.001, 0.002], "width": [96, 192]}}})
    assert [(p.axis, p.value, p.run) for p in found.points if p.group == "c"] == [
        ("learning_rate x width", "0.001 x 96", "width=96"),
        ("learning_rate x width", "0.001 x 192", BASELINE),
        ("learning_rate x width", "0.002 x 96", "learning_rate=0.002+width=96"),
        ("learning_rate x width", "0.002 x 192", "learning_rate=0.002"),
    ]


def test_another_family_starts_from_its_own_defaults() -> None:
    baseline = {"depth": 12, "width": 96, "heads": 3}  # neither is a ResNet's
    found = grid(MINIMAL | {"baseline": baseline, "references": {"r": {"family": "resnet"}}})
    assert found.runs["resnet18"].config.model.model_dump() == {"family": "resnet", "depth": 18, "width": 64}
    changed = {"family": "resnet", "depth": 50, "width": 32, "learning_rate": 0.002}
    assert "resnet50-width=32+learning_rate=0.002" in grid(MINIMAL | {"references": {"r": changed}}).runs


def test_a_resnet_may_be_the_baseline() -> None:
    study = MINIMAL | {"baseline": {"family": "resnet"}, "ablations": {"g": {"depth": [18, 50], "family": ["vit"]}}}
    assert list(grid(study).runs) == [BASELINE, "depth=50", "vit"]


def test_seeds_of_baseline_and_points() -> None:
    found = grid(MINIMAL | {"seeds": 2, "baseline_seeds": 4, "ablations": {"g": {"width": [96]}}})
    assert {name: run.seeds for name, run in found.runs.items()} == {BASELINE: (0, 1, 2, 3), "width=96": (0, 1)}
    assert grid(MINIMAL).runs[BASELINE].seeds == (0, 1, 2)


def test_features_are_of_runs() -> None:
    references = {"half": {"family": "resnet", "width": 32}, "same": {"width": 192}}
    study = MINIMAL | {"references": references, "features": {"runs": ["baseline", "half", "same"]}}
    assert feature_runs(parse_study(study, "x")) == [BASELINE, "resnet18-width=32"]


def test_the_grid_of_the_assignment() -> None:
    study = read_study(ROOT / "config.yaml")
    found = expand(study)
    assert isinstance(study.baseline, ViT)
    architecture = {
        axis: [p.value for p in found.points if (p.group, p.axis) == ("architecture", axis)]
        for axis in study.ablations["architecture"]
    }
    assert architecture == {
        "patch_size": ["2", "4", "8"],
        "width": ["96", "192", "256"],
        "depth": ["4", "6", "12"],
        "heads": ["1", "3", "8", "96"],
    }
    assert {(p.axis, p.value) for p in found.points if p.group == "architecture" and p.run == BASELINE} == {
        ("patch_size", "4"),
        ("width", "192"),
        ("depth", "6"),
        ("heads", "8"),
    }
    assert {p.value: p.run for p in found.points if p.group == "references"} == {
        "resnet18": "resnet18",
        "resnet18_half": "resnet18-width=32",
        "resnet50": "resnet50",
    }
    assert len(found.runs[BASELINE].seeds) == 6
    assert {len(run.seeds) for name, run in found.runs.items() if name != BASELINE} == {3}


def test_what_newcomers_train_again_are_runs_of_the_study_that_they_compare_with() -> None:
    studies = ROOT / "workflow/studies"
    again, whole = (digests(expand(read_study(studies / f"cifar10-{name}.yaml"))) for name in ("again", "cpu"))
    assert len(again) == 3 and again.items() <= whole.items()


def test_the_table_joins_points_and_runs() -> None:
    found = grid(MINIMAL | {"seeds": 1, "baseline_seeds": 2, "ablations": {"g": {"width": [96]}}})
    assert found.table() == [
        {"group": group, "axis": axis, "value": value, "run": run, "seeds": seeds, "digest": digests(found)[run]}
        for group, axis, value, run, seeds in [
            ("baseline", "baseline", "baseline", "baseline", 2),
            ("g", "width", "192", "baseline", 2),
            ("g", "width", "96", "width=96", 1),
        ]
    ]


def test_a_point_of_several_fields_is_labelled_by_its_name() -> None:
    assert point("model", {"name": "wide", "width": 256, "depth": 4}) == ("wide", {"width": 256, "depth": 4})
    assert point("width", 256) == ("256", {"width": 256})
