"""A few of the images, with their classes: what a model gets to see."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.layout_engine import ConstrainedLayoutEngine

from vitflow.figures.labels import wrap
from vitflow.figures.read import Analysis
from vitflow.figures.style import BESIDE, Drawing, missing, new_figure, picture

ROWS = 2


def draw(analysis: Analysis) -> Drawing:
    """The example images that features were looked at for, in two rows, pixels as they are."""
    data, found = analysis.pca, analysis.summary.dataset
    if not data.examples:
        return missing("no images were kept, since no run has features.", BESIDE)
    columns = math.ceil(len(data.examples) / ROWS)
    figure = new_figure(BESIDE)
    # square pictures leave gaps in a plain grid: compress them
    figure.set_layout_engine(ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.06, wspace=0, hspace=0, compress=True))
    panels = figure.subplots(ROWS, columns, squeeze=False).flat
    for axes, example in zip(panels, data.examples, strict=False):
        picture(axes, np.array(example.image, dtype=np.uint8))
        axes.set_title(wrap(data.classes[example.label], 14), loc="left", pad=5, fontsize=16)
    for axes in list(panels):
        axes.set_visible(False)
    names = list(dict.fromkeys(data.classes[example.label] for example in data.examples))
    few = f" {len(names)} of {len(data.classes)} classes." if len(names) < len(data.classes) else ""
    size = f"{found.image_size} × {found.image_size} pixels"
    caption = f"Images of {found.title}, {size}, from the {data.split} part.{few}"
    alt = (
        f"n = {len(data.examples)} {data.split} images of {found.title}, {size}: "
        f"{', '.join(data.classes[example.label] for example in data.examples)}.{few} There are no bands."
    )
    return Drawing(figure, caption, alt)
