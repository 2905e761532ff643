"""The drawing of the model: what was exchanged stands out with its values, and everything is told that was."""

from __future__ import annotations

import dataclasses
import re

import pytest
from matplotlib.patches import FancyBboxPatch
from support.figures import CASES, Case

from vitflow.analysis.records import Axis, Place, Summary
from vitflow.figures import flow, model, style
from vitflow.figures.flow import Item
from vitflow.figures.read import Analysis
from vitflow.figures.style import Drawing


def drawing_of(analysis: Analysis, **changes: object) -> Drawing:
    summary = analysis.summary.model_copy(update=changes)
    with style.styled():
        return model.draw(dataclasses.replace(analysis, summary=summary))


def an_axis(name: str, *values: str) -> Axis:
    """Its first value is the baseline's."""
    places = tuple(Place(value=v, run=f"{name}={v}" if k else "baseline") for k, v in enumerate(values))
    return Axis(group="g", axis=name, label=name.capitalize(), confound="", values=places, finding="")


def lit(drawing: Drawing) -> set[str]:
    """Words of the boxes in the accent colour."""
    axes = drawing.figure.axes[0]
    boxes = [patch for patch in axes.patches if isinstance(patch, FancyBboxPatch)]
    blue = [b.get_window_extent() for b in boxes if b.get_edgecolor()[:3] == (0, 0x72 / 255, 0xB2 / 255)]
    words = [text for text in axes.texts if text.get_va() == "center" and text.get_text()]
    return {
        text.get_text().replace("\n", " ")
        for text in words
        for box in blue
        if box.contains(*axes.transData.transform(text.get_position())) and box.width < 300
    }


def told(drawing: Drawing) -> str:
    """All words in the order in which they were written, as one line."""
    return " ".join(text.get_text() for text in drawing.figure.axes[0].texts)


def analysis_of(cases: dict[str, Case]) -> Analysis:
    return cases["baseline alone"].analysis


@pytest.mark.parametrize(
    ("axis", "part"),
    [
        ("width", {"patch embedding"}),
        ("heads", {"attention"}),
        ("qk_norm", {"attention"}),
        ("feedforward", {"feed-forward"}),
        ("norm", {"norm"}),
        ("pool", {"pool"}),
        ("optimizer", set()),
    ],
)
def test_the_part_that_an_axis_exchanges_stands_out_and_no_other(
    cases: dict[str, Case], axis: str, part: set[str]
) -> None:
    drawing = drawing_of(analysis_of(cases), axes=(an_axis(axis, "a", "b", "c"),))
    assert lit(drawing) == part
    assert f"{axis.capitalize()} a → b, c" in told(drawing)
    assert f"n = 1 axes (baseline → tried): {axis.capitalize()} a → b, c." in drawing.alt
    assert ("training" in told(drawing)) == (axis == "optimizer")


def test_every_field_of_the_model_has_a_part(cases: dict[str, Case]) -> None:
    named = {name for names in model.PARTS.values() for name in names}
    assert named == set(analysis_of(cases).summary.model) - {"family"}


@pytest.mark.parametrize("case", [case for case in CASES])
def test_every_axis_and_every_value_is_told_in_every_study(case: str, cases: dict[str, Case]) -> None:
    drawing = cases[case].drawing("model")
    words = told(drawing).replace("…", "")
    for axis in cases[case].analysis.summary.axes:
        assert axis.label in words, axis.label
        for place in axis.values:
            assert place.value.replace("_", " ").split()[0] in words, place.value


def test_norms_stand_where_the_baseline_has_them(cases: dict[str, Case]) -> None:
    analysis = analysis_of(cases)

    def order(placement: str) -> list[str]:
        summary: Summary = analysis.summary
        texts = drawing_of(analysis, model=summary.model | {"norm_placement": placement}).figure.axes[0].texts
        chain = [
            (t.get_position()[0], t.get_text()) for t in texts if t.get_text() in ("norm", "attention", "feed-forward")
        ]
        return [word for _, word in sorted(chain)]

    assert order("pre") == ["norm", "attention", "norm", "feed-forward"]
    assert order("post") == ["attention", "norm", "feed-forward", "norm"]


def test_positions_are_drawn_only_where_they_are_added(cases: dict[str, Case]) -> None:
    analysis = analysis_of(cases)
    for position, added in (("learned", True), ("sincos2d", True), ("none", False), ("rope2d", False)):
        drawing = drawing_of(analysis, model=analysis.summary.model | {"position": position})
        assert ("tokens + positions" in told(drawing)) == added


def test_a_baseline_of_another_family_is_told_and_not_drawn(cases: dict[str, Case]) -> None:
    drawing = drawing_of(analysis_of(cases), model={"family": "resnet", "depth": 18})
    assert drawing.missing.startswith("the baseline is no Vision Transformer")
    assert re.search(r"\bn = 0", drawing.alt)


def test_words_flow_into_lines_of_a_width() -> None:
    words = [Item("Label", style.BLUE), *(Item(word) for word in ["one", "two", "three", "four"])]
    with style.styled():
        wide = flow.flow([words, words], 99, 12)
        assert [[item for _, item in line] for line in wide] == [words, words]
        assert len(flow.flow([words, words], 99, 12, apart=False)) == 1
        least = flow.narrowest([words], 2, 12)
        assert len(flow.flow([words], least, 12)) == 2
        assert len(flow.flow([words], least - 0.2, 12)) > 2
        for line in flow.flow([words], 0.5, 12):
            assert line[0][0] == 0.0
