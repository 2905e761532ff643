"""The reliability diagram: its points are the bins, its error the weighted gap."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import to_hex
from support.figures import Case

from vitflow.figures import style


def test_calibration_error_is_the_weighted_gap(diverged: Case) -> None:
    bins = diverged.analysis.calibration.runs["baseline"]
    confidence, accuracy, count = (np.array(v) for v in (bins.confidence, bins.accuracy, bins.count))
    expected = np.average(np.abs(accuracy - confidence), weights=count)
    drawing = diverged.drawing("calibration")
    assert f"baseline {expected:.1f} %" in drawing.alt
    reliability = drawing.figure.axes[0]
    black = next(line for line in reliability.get_lines() if line.get_color() == style.BLACK)
    filled = count > 0
    assert not filled.all()  # an empty bin is no point at (0, 0)
    np.testing.assert_allclose(black.get_xydata(), np.stack([confidence, accuracy], axis=1)[filled])


def test_bins_of_few_images_are_hollow(cases: dict[str, Case]) -> None:
    case = cases["5 runs"]
    reliability = case.drawing("calibration").figure.axes[0]
    count = np.array(case.analysis.calibration.runs["patch_size=2"].count)
    assert ((count > 0) & (count < 30)).any()
    marks = [line for line in reliability.get_lines() if line.get_linestyle() == "None"]
    blue = [line for line in marks if to_hex(line.get_markeredgecolor()).upper() == style.BLUE]
    full = [line for line in marks if to_hex(line.get_markerfacecolor()).upper() == style.BLUE]
    assert sum(len(line.get_xdata()) for line in blue) == ((count > 0) & (count < 30)).sum()
    assert sum(len(line.get_xdata()) for line in full) == (count >= 30).sum()
