"""Whether models answer the same when an image moves by a few pixels."""

from __future__ import annotations

import numpy as np

from vitflow.analysis.titles import UNSEEN
from vitflow.figures.labels import Label, end_labels, wrap
from vitflow.figures.looks import looks
from vitflow.figures.read import Analysis
from vitflow.figures.style import BESIDE, GREY, SMALL, Drawing, heading, missing, new_figure
from vitflow.study.names import counted


def draw(analysis: Analysis) -> Drawing:
    """Predictions that a shift leaves unchanged, by its pixels: the models set beside each other, others in grey."""
    data, runs, look = analysis.inspection, analysis.summary.runs, looks(analysis.summary)
    if not data.shown:
        return missing(UNSEEN, BESIDE)
    figure = new_figure(BESIDE)
    axes = figure.subplots()
    others = [name for name in data.runs if name not in data.shown]
    for name in others:
        moved, means, _ = _curve(runs[name].shifts)
        axes.plot(moved, means, color=GREY, alpha=0.35, linewidth=0.9)
    ends = []
    for name in reversed(data.shown):  # the first on top
        moved, means, deviations = _curve(runs[name].shifts)
        style = look[name]
        axes.fill_between(moved, means - deviations, means + deviations, color=style.colour, alpha=0.15, linewidth=0)
        axes.plot(moved, means, color=style.colour, marker=style.marker, markersize=8, markeredgecolor="white")
        ends.append(Label(float(moved[-1]), float(means[-1]), wrap(data.runs[name].label, 14, 4), style.colour))
    axes.set_xticks(moved)
    axes.set(xlabel="shift (pixels)", ylim=(None, 101.5))
    axes.grid(axis="y")
    heading(axes, "unchanged predictions (%)")
    if others:
        note = f"grey: {counted(len(others), 'other run')}"
        axes.text(0.02, 0.03, note, transform=axes.transAxes, color=GREY, fontsize=SMALL)
    end_labels(axes, ends)
    told = "; ".join(
        f"{data.runs[name].label} (n = {data.runs[name].n}) "
        + ", ".join(f"{pixels} px {kept.mean:.1f} %" for pixels, kept in runs[name].shifts.items())
        for name in data.shown
    )
    caption = (
        f"Predictions unchanged when {data.split} images are shifted by whole pixels (n = {data.images} images, four "
        "directions; band: standard deviation over seeds)."
    )
    alt = (
        f"Lines by shift, 0 to {moved[-1]} pixels: percent of {data.images} {data.split} images whose prediction "
        f"stays the same, mean over four directions and seeds. {told}. Grey: {len(others)} other runs. Bands: standard "
        "deviation over seeds, where there are two or more."
    )
    return Drawing(figure, caption, alt)


def _curve(shifts: dict) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """(pixels moved, mean, standard deviation); unmoved, all predictions stay."""
    kept = sorted(shifts.items(), key=lambda pair: int(pair[0]))
    return (
        np.array([0, *(int(pixels) for pixels, _ in kept)]),
        np.array([100.0, *(found.mean or 0 for _, found in kept)]),
        np.array([0.0, *(found.sd or 0 for _, found in kept)]),
    )
