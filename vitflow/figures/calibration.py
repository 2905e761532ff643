"""Is the model right as often as it claims to be?"""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import MultipleLocator
from numpy.typing import NDArray

from vitflow.analysis.records import Bins
from vitflow.figures.labels import Label, end_labels, wrap
from vitflow.figures.looks import highlighted, looks
from vitflow.figures.read import Analysis
from vitflow.figures.style import FULL, GREY, SMALL, Drawing, diverged, heading, missing, new_figure, seeds

#: a share of fewer images than this is little to go by
FEW = 30


def draw(analysis: Analysis) -> Drawing:
    """Accuracy by confidence in ten bins, and how many predictions fall into each; validation images."""
    summary, look = analysis.summary, looks(analysis.summary)
    bins = analysis.calibration.runs
    named = [name for name in highlighted(summary) if name in bins]
    others = [name for name in bins if name not in named]
    if not bins:
        return missing("No run has finished, so there are no predictions to calibrate.", FULL)
    figure = new_figure(FULL)
    reliability, shares = figure.subplots(1, 2)

    reliability.plot([0, 100], [0, 100], color=GREY, linewidth=1, linestyle=":")
    reliability.text(14, 16, "perfect", color=GREY, fontsize=SMALL, ha="right", va="bottom")
    for name in others:
        filled = _filled(bins[name])
        reliability.plot(filled[0], filled[1], color=GREY, alpha=0.3, linewidth=0.8)
        shares.plot(filled[0], _share(filled), color=GREY, alpha=0.3, linewidth=0.8)
    labels = []
    for name in reversed(named):  # the baseline on top
        filled, style = _filled(bins[name]), look[name]
        few = filled[2] < FEW
        for axes, values in ((reliability, filled[1]), (shares, _share(filled))):
            axes.plot(filled[0], values, color=style.colour)
            for some, size, inside in ((~few, 8, style.colour), (few, 5, "white")):
                marks = {"marker": style.marker, "markersize": size, "markerfacecolor": inside}
                edge = "white" if inside != "white" else style.colour
                axes.plot(filled[0][some], values[some], linestyle="", markeredgecolor=edge, zorder=3, **marks)
        text = f"{wrap(summary.runs[name].label, 24)}\nECE {_ece(filled):.1f} %"
        labels.append(Label(float(filled[0][-1]), float(_share(filled)[-1]), text, style.colour))
    reliability.set(xlim=(0, 101), ylim=(0, 101), xlabel="confidence (%)")
    shares.set(xlim=(0, 101), ylim=(0, None), xlabel="confidence (%)")
    heading(reliability, "accuracy in the bin (%)")
    heading(shares, "share of predictions (%)")
    for axes in (reliability, shares):
        axes.xaxis.set_major_locator(MultipleLocator(20))
        axes.grid()
    if others:
        note = f"grey: {len(others)} other runs"
        reliability.text(0.98, 0.03, note, transform=reliability.transAxes, ha="right", color=GREY, fontsize=SMALL)
    end_labels(shares, labels)

    told = "; ".join(f"{summary.runs[n].label} {_ece(_filled(bins[n])):.1f} %" for n in named)
    of = seeds(summary, named)
    caption = f"Calibration on validation images, predictions of all seeds pooled ({of}); hollow: under {FEW} of them."
    alt = (
        f"Reliability diagram in ten bins of confidence, validation images, predictions of all finished seeds pooled, "
        f"{seeds(summary, list(bins))}; dotted line: accuracy equal to confidence. Expected calibration error: "
        f"{told}. Right panel: share of predictions in each bin. Grey: {len(others)} other runs. Hollow markers: "
        f"under {FEW} predictions. There are no bands."
        f"{diverged(summary, list(bins))}"
    )
    return Drawing(figure, caption, alt)


def _filled(bins: Bins) -> NDArray[np.float64]:
    """Rows confidence, accuracy and count of the bins that hold any prediction: float array [3, bins]."""
    table = [
        (confidence, accuracy, count)
        for confidence, accuracy, count in zip(bins.confidence, bins.accuracy, bins.count, strict=True)
        if count
    ]
    return np.array(table, dtype=float).reshape(-1, 3).T


def _share(filled: NDArray[np.float64]) -> NDArray[np.float64]:
    return 100 * filled[2] / filled[2].sum()


def _ece(filled: NDArray[np.float64]) -> float:
    """Expected calibration error in percent (Guo et al., 2017): the mean gap, weighted by predictions."""
    return float((filled[2] * np.abs(filled[1] - filled[0])).sum() / filled[2].sum())
