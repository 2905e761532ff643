"""The confusion matrix: percent of the true class, and the pairs most often confused."""

from __future__ import annotations

import numpy as np
from support.figures import Case


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
