"""The confusion matrix: percent of the true class, and the pairs most often confused."""

from __future__ import annotations

import json
import shutil
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.figures import Case

from vitflow.figures import style
from vitflow.figures.draw import drawings
from vitflow.figures.read import read


def test_confusion_is_in_percent_of_the_true_class(diverged: Case) -> None:
    cells, pairs = diverged.drawing("confusion").figure.axes
    data = diverged.analysis.confusion
    matrix = np.array([cell.images for cell in data.cells]).reshape(10, 10)
    percent = 100 * matrix / matrix.sum(axis=1)[:, None]
    shown = cells.images[0].get_array()
    off = ~np.eye(10, dtype=bool)
    np.testing.assert_allclose(np.asarray(shown)[off], percent[off])
    assert np.ma.getmaskarray(shown)[~off].all()  # the diagonal would outshine the errors
    i, j = np.unravel_index(np.argmax(percent * off), percent.shape)
    assert pairs.get_yticklabels()[0].get_text() == f"{data.classes[i]} → {data.classes[j]}"
    assert pairs.texts[0].get_text() == f"{percent[i, j]:.1f}"


def test_where_nothing_is_confused_the_matrix_stands_alone(diverged: Case) -> None:
    data = diverged.analysis.confusion
    right = tuple(
        cell if cell.actual == cell.predicted else cell.model_copy(update={"images": 0}) for cell in data.cells
    )
    analysis = replace(diverged.analysis, confusion=data.model_copy(update={"cells": right}))
    with style.styled():
        drawing = drawings(analysis)["confusion"]()
    (cells,) = drawing.figure.axes
    assert len(cells.texts) == 10 and {text.get_text() for text in cells.texts} == {"100"}
    assert "Most often confused: none." in drawing.alt


@pytest.mark.parametrize("name", ["$x^2$", "$\\nothing$", "50% & $", "x" * 60])
def test_names_of_classes_are_shown_as_they_are_and_leave_room(name: str, diverged: Case, tmp_path: Path) -> None:
    analysis = shutil.copytree(diverged.folder, tmp_path / "analysis")
    for file in analysis.glob("*.json"):
        file.write_text(file.read_text().replace('"cat"', json.dumps(name)))
    with style.styled(), warnings.catch_warnings():
        warnings.simplefilter("error")
        drawing = drawings(read(analysis))["confusion"]()
        drawing.figure.savefig(tmp_path / "confusion.png")
    shown = [label.get_text() for label in drawing.figure.axes[0].get_yticklabels()]
    assert (name if len(name) < 24 else f"{'x' * 23}…") in shown and name in drawing.alt
