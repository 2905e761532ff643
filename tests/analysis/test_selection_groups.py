"""An axis that stands in several groups: one value is adopted, and it is told of once."""

from __future__ import annotations

from typing import Any

import pytest
from support.analysis.choosing import changes, choose
from support.measured import study

from vitflow.analysis.records import Choice, Selection
from vitflow.study.grid import BASELINE

DEEP, WIDE = {"name": "deep", "depth": 12}, {"name": "wide", "width": 256}
SMALL = {"name": "small", "width": 96, "epochs": 150}


def chosen_of(axis: str, means: dict[str, float], **groups: list[Any]) -> Selection:
    """From a study of one axis; ``groups``: its values in each."""
    return choose(study({}, ablations={group: {axis: values} for group, values in groups.items()}), means)


@pytest.mark.parametrize("other", [70, 81])  # a loss, and a smaller gain
def test_what_one_group_adopts_is_not_told_as_kept_for_another(other: float) -> None:
    means = {"augmentation=trivial": 83, "augmentation=crop": other}
    chosen = chosen_of("augmentation", means, techniques=["trivial"], training=["crop"])
    told = Choice(axis="augmentation", value="trivial", gain=3.0, why="significant on validation images")
    assert chosen.techniques == (told,)
    assert changes(chosen, chosen.best) == {"augmentation": "trivial"}


@pytest.mark.parametrize("others", [[SMALL], [SMALL, 200]])
def test_a_gain_in_one_group_is_told_once_though_another_has_none(others: list[Any]) -> None:
    chosen = chosen_of("epochs", {"epochs=200": 85}, training=[200], equal_compute=others)
    told = "200 gains 5.00 points, but more epochs or images are no part of a model"
    assert chosen.techniques == (Choice(axis="epochs", value="", gain=None, why=told),)


def test_an_axis_adopts_one_value_whatever_other_groups_have() -> None:
    means = {"depth=12": 82.0, "width=256": 83.0}
    chosen = chosen_of("size", means, techniques=[DEEP], training=[WIDE])
    assert [(one.axis, one.value) for one in chosen.techniques] == [("size", "wide")]
    assert chosen.without == {"size": BASELINE}


@pytest.mark.parametrize(
    ("means", "architecture", "techniques"),
    [
        ({"depth=12": 82.0, "width=256": 83.0}, [("size", "deep")], []),  # the architecture is chosen first
        ({"width=256": 83.0}, [], [("size", "wide")]),
        ({}, [("size", "")], []),
    ],
)
def test_an_axis_of_the_architecture_and_of_another_group_is_told_where_it_is_adopted(
    means: dict[str, float], architecture: list[tuple[str, str]], techniques: list[tuple[str, str]]
) -> None:
    chosen = chosen_of("size", means, architecture=[DEEP], more=[WIDE])
    assert [(one.axis, one.value) for one in chosen.architecture] == architecture
    assert [(one.axis, one.value) for one in chosen.techniques] == techniques
