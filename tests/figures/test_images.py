"""The example images: pixels as they are, under the names of their classes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from support.figures import Case

from vitflow.figures import images, style


@pytest.mark.parametrize("case", ["diverged", "digits", "hundred classes"])
def test_every_example_is_shown_as_it_is_under_its_class(case: str, cases: dict[str, Case]) -> None:
    found, drawing = cases[case].analysis.features, cases[case].drawing("images")
    shown = [axes for axes in drawing.figure.axes if axes.get_visible() and axes.images]
    assert len(shown) == len(found.example_labels) == 8
    for axes, pixels, label in zip(shown, found.examples.values, found.example_labels, strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), pixels if pixels.shape[-1] == 3 else pixels[..., 0])
        assert axes.images[0].get_interpolation() == "nearest"
        assert axes.get_title(loc="left").replace("\n", " ") == found.classes[label].replace("_", " ")
    size = cases[case].analysis.summary.dataset.image_size
    assert f"{size} × {size} pixels" in drawing.caption


def test_an_odd_number_of_examples_leaves_no_empty_axes(cases: dict[str, Case]) -> None:
    analysis = cases["digits"].analysis
    three = analysis.features.model_copy(update={"example_labels": analysis.features.example_labels[:3]})
    with style.styled():
        drawing = images.draw(dataclasses.replace(analysis, features=three))
    assert [bool(axes.images) for axes in drawing.figure.axes if axes.get_visible()] == [True] * 3


def test_classes_that_are_not_shown_are_counted(cases: dict[str, Case]) -> None:
    assert "8 of 100 classes" in cases["hundred classes"].drawing("images").caption


def test_without_examples_the_reason_is_told(cases: dict[str, Case]) -> None:
    analysis = cases["diverged"].analysis
    without = dataclasses.replace(analysis, features=analysis.features.model_copy(update={"example_labels": ()}))
    with style.styled():
        assert images.draw(without).missing.startswith("no images were kept")
