"""A few of the images, with their classes: what a model gets to see."""

from __future__ import annotations

import math

from matplotlib.layout_engine import ConstrainedLayoutEngine

from vitflow.figures.labels import wrap
from vitflow.figures.read import Analysis
from vitflow.figures.style import BESIDE, Drawing, missing, new_figure, picture

ROWS = 2


def draw(analysis: Analysis) -> Drawing:
    """The example images that features were looked at for, in two rows, pixels as they are."""
    data, found = analysis.features, analysis.summary.dataset
    if not data.example_labels:
        return missing("no images were kept, since no run has features.", BESIDE)
    columns = math.ceil(len(data.example_labels) / ROWS)
    figure = new_figure(BESIDE)
    # square pictures leave gaps in a plain grid: compress them
    figure.set_layout_engine(ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.06, wspace=0, hspace=0, compress=True))
    panels = list(figure.subplots(ROWS, columns, squeeze=False).flat)
    for axes, image, label in zip(panels, data.examples.values, data.example_labels, strict=False):
        picture(axes, image)
        axes.set_title(wrap(data.classes[label], 14), loc="left", pad=5, fontsize=16)
    for axes in panels[len(data.example_labels) :]:
        axes.set_visible(False)
    names = list(dict.fromkeys(data.classes[label] for label in data.example_labels))
    few = f" {len(names)} of {len(data.classes)} classes." if len(names) < len(data.classes) else ""
    size = f"{found.image_size} × {found.image_size} pixels"
    caption = f"Images of {found.title}, {size}, from the {data.split} part.{few}"
    alt = (
        f"n = {len(data.example_labels)} {data.split} images of {found.title}, {size}: "
        f"{', '.join(data.classes[label] for label in data.example_labels)}.{few} There are no bands."
    )
    return Drawing(figure, caption, alt)
