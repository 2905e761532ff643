"""How far the attention of a ViT reaches."""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import MaxNLocator

from vitflow.figures.labels import Label, end_labels
from vitflow.figures.looks import looks
from vitflow.figures.read import Analysis
from vitflow.figures.style import FULL, GREY, Drawing, heading, missing, new_figure
from vitflow.study.names import counted


def draw(analysis: Analysis) -> Drawing:
    """Mean distance of attention by block, a dot a head, a panel a ViT; dotted: the same attention to all."""
    data, look = analysis.inspection, looks(analysis.summary)
    models = {name: run for name in data.shown if (run := data.runs[name]).attention}
    if not models:
        return missing("No model that was looked into attends to anything")
    figure = new_figure(FULL)
    panels = figure.subplots(1, len(models), sharey=True, squeeze=False)[0]
    for axes, (name, run) in zip(panels, models.items(), strict=True):
        heads = [np.array(block) for block in run.attention or ()]
        blocks = np.arange(1, len(heads) + 1)
        for block, found in zip(blocks, heads, strict=True):
            spread = np.linspace(-0.16, 0.16, len(found)) if len(found) > 1 else np.zeros(1)
            axes.plot(block + spread, found, "o", color=look[name].colour, alpha=0.55, markersize=8, markeredgewidth=0)
        means = [float(found.mean()) for found in heads]
        axes.plot(blocks, means, color=look[name].colour)
        axes.axhline(run.uniform or 0, color=GREY, linestyle=":")
        axes.set(xlim=(0.5, len(heads) + 0.5), xlabel="block")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=12))
        axes.grid(axis="y")
        heading(axes, run.label if len(models) > 1 else "mean attention distance (pixels)")
    if len(models) > 1:
        panels[0].set_ylabel("mean attention distance (pixels)")
    last = next(reversed(models.values()))
    reached = float(np.mean((last.attention or ((0.0,),))[-1]))
    end_labels(
        panels[-1],
        [
            Label(0, last.uniform or 0, f"uniform\n{last.uniform:.1f}", GREY),
            Label(0, reached, f"mean of\nheads {reached:.1f}", look[list(models)[-1]].colour),
        ],
    )
    side = analysis.summary.dataset.image_size
    told = "; ".join(
        f"{run.label} (n = {counted(run.n, 'seed')}) "
        + ", ".join(f"block {k} {min(b):.1f} to {max(b):.1f}" for k, b in enumerate(run.attention or (), start=1))
        + f", uniform {run.uniform:.1f}"
        for run in models.values()
    )
    caption = (
        f"Mean attention distance in images of {side} pixels: a dot per head, sorted, averaged over seeds; "
        f"line: mean over heads ({data.images} {data.split} images); blocks whose patch tokens the classifier reads."
    )
    alt = (
        f"Dots, one for each head, by block: distance in pixels over which patches attend to patches, {data.images} "
        f"{data.split} images; dotted line: uniform attention. {told}. There are no bands."
    )
    return Drawing(figure, caption, alt)
