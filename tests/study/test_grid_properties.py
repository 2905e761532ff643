"""From a study to its runs: properties that hold for every study."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from support.studies import MINIMAL, digests, grid

from vitflow.study.grid import BASELINE, expand, run_name
from vitflow.study.models import ViT
from vitflow.study.reading import parse_study
from vitflow.study.run import RunConfig

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
