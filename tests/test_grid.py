"""From a study to its runs: properties that hold for every study, and the grid that we ship."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitflow.study.grid import BASELINE, Grid, expand, feature_runs, run_name
from vitflow.study.models import ViT
from vitflow.study.names import ConfigError
from vitflow.study.reading import parse_study, read_study
from vitflow.study.run import RunConfig
from vitflow.study.schema import Study

ROOT = Path(__file__).parent.parent
MINIMAL: dict[str, Any] = {"study": "s", "dataset": {"name": "cifar10"}}

#: per axis, values that are valid alone and with any value of the other axes
AXES: dict[str, list[Any]] = {
    "patch_size": [2, 4, 8],
    "width": [96, 192, 384],
    "depth": [4, 6, 12],
    "heads": [1, 2, 8],
    "mlp_ratio": [2, 2.5, 4],
    "pool": ["cls", "mean"],
    "position": ["none", "learned", "rope2d"],
    "position_base": [10, 100],
    "cls_position": [True, False],
    "augmentation": ["none", "crop", "crop_flip"],
    "crop_padding": [2, 4],
    "learning_rate": [0.0005, 0.001, 0.002],
    "gradient_clip": [None, 1.0],
    "label_smoothing": [0, 0.1],
    "train_images": [None, 5000],
    "size": [{"name": "small", "width": 96, "depth": 4}, {"name": "half", "family": "resnet", "width": 32}],
}
REFERENCES: dict[str, dict[str, Any]] = {
    "resnet18": {"family": "resnet", "depth": 18, "width": 64},
    "half": {"family": "resnet", "width": 32},
    "wide": {"width": 384},
    "same": {"family": "vit"},
}


@st.composite
def studies(draw: st.DrawFn) -> dict[str, Any]:
    """A study with up to two groups of up to three axes, a cross and references."""

    def axes(least: int) -> st.SearchStrategy[dict[str, list[Any]]]:
        names = st.lists(st.sampled_from(sorted(AXES)), min_size=least, max_size=3, unique=True)
        return names.flatmap(lambda chosen: st.fixed_dictionaries({name: values(name) for name in chosen}))

    def values(axis: str) -> st.SearchStrategy[list[Any]]:
        return st.lists(st.sampled_from(AXES[axis]), min_size=1, unique_by=str)

    study = dict(MINIMAL)
    study["ablations"] = {group: draw(axes(1)) for group in draw(st.sampled_from([[], ["a"], ["a", "b"]]))}
    crossed = draw(st.one_of(st.none(), axes(2)))
    if crossed and not ("size" in crossed and crossed.keys() & ViT.model_fields.keys()):  # two axes, one field
        study["cross"] = {"c": crossed}
    study["references"] = {name: REFERENCES[name] for name in draw(st.lists(st.sampled_from(sorted(REFERENCES))))}
    study["baseline"] = draw(st.sampled_from([{}, {"patch_size": 8, "pool": "mean"}, {"width": 96, "heads": 2}]))
    study["training"] = draw(st.sampled_from([{}, {"augmentation": "none", "crop_padding": 2}, {"epochs": 20}]))
    return study


def grid(study: dict[str, Any]) -> Grid:
    return expand(parse_study(study, "x"))


def digests(of: Grid) -> dict[str, str]:
    return {name: run.config.digest for name, run in of.runs.items()}


def mixed(draw: st.DataObject, mapping: dict[str, Any]) -> dict[str, Any]:
    return {key: mapping[key] for key in draw.draw(st.permutations(list(mapping)))}


@settings(max_examples=60, deadline=None)
@given(studies())
def test_equal_configurations_are_one_run_with_one_name(study: dict[str, Any]) -> None:
    found = grid(study)
    names = digests(found)
    assert len(set(names.values())) == len(names)
    assert all(name == run.name for name, run in found.runs.items())
    assert next(iter(names)) == BASELINE
    for point in found.points:  # every point resolves, and every run stands for some point
        assert RunConfig.model_validate(found.runs[point.run].config.model_dump()) == found.runs[point.run].config
    assert {point.run for point in found.points} == names.keys()


@settings(max_examples=60, deadline=None)
@given(studies())
def test_names_are_safe_as_file_names_and_targets(study: dict[str, Any]) -> None:
    for name in grid(study).runs:
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.=+-]*", name)
        assert ".." not in name and len(name) < 200


@settings(max_examples=60, deadline=None)
@given(studies(), st.data())
def test_reordering_changes_no_name_and_no_digest(study: dict[str, Any], data: st.DataObject) -> None:
    other = dict(study)
    for section in ("ablations", "cross"):
        other[section] = {
            group: {axis: data.draw(st.permutations(values)) for axis, values in mixed(data, axes).items()}
            for group, axes in mixed(data, study.get(section, {})).items()
        }
    other["references"] = mixed(data, study["references"])
    assert digests(grid(other)) == digests(grid(study))


@settings(max_examples=40, deadline=None)
@given(studies(), st.data())
def test_an_added_value_leaves_all_other_names_alone(study: dict[str, Any], data: st.DataObject) -> None:
    axis = data.draw(st.sampled_from(sorted(AXES)))
    more = study | {"ablations": {"new": {axis: AXES[axis]}} | study["ablations"]}
    assert digests(grid(study)).items() <= digests(grid(more)).items()


@settings(max_examples=40, deadline=None)
@given(studies())
def test_defaults_spelled_out_change_nothing(study: dict[str, Any]) -> None:
    short = parse_study(study, "x")
    long = study | {
        "dataset": short.dataset.model_dump(),
        "training": short.training.model_dump(),
        "baseline": short.baseline.model_dump(),
    }
    assert digests(grid(long)) == digests(expand(short))
    assert grid(long).table() == expand(short).table()


@settings(max_examples=40, deadline=None)
@given(studies())
def test_names_say_the_whole_difference(study: dict[str, Any]) -> None:
    # two runs of one family that differ from the baseline in the same fields and values have one name
    found = grid(study)
    baseline = found.runs[BASELINE].config
    for name, run in found.runs.items():
        assert run_name(baseline, run.config) == name
        if name != BASELINE and run.config.model.family == baseline.model.family:
            fields = {part.split("=")[0] for part in name.split("+")}
            # what has no effect in the baseline stands there all the same; crop_padding has always been named
            written = baseline.model.model_dump() | baseline.training.model_dump() | baseline.flat()
            named = {"crop_padding"} - baseline.flat().keys()
            ours = run.config.flat()
            assert fields == {f for f in ours if f in named or f not in written or ours[f] != written[f]}


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


def test_resolve_names_the_nearest_field() -> None:
    study = Study.model_validate(MINIMAL)
    with pytest.raises(ConfigError, match="no field 'widht' to vary; did you mean 'width'"):
        study.resolve({"widht": 96})
    assert study.resolve({}).digest == study.baseline_run.digest
