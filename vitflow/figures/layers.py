"""Through the layers of models: how features spread, how long they are, how far classes lie apart."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MultipleLocator

from vitflow.analysis.claims.wording import between
from vitflow.analysis.records import Inspected, Layer
from vitflow.analysis.titles import UNSEEN
from vitflow.figures.labels import Label, end_labels, wrap
from vitflow.figures.looks import looks
from vitflow.figures.pca import ONE_SEED, left_out, without_features
from vitflow.figures.read import Analysis
from vitflow.figures.style import FULL, Drawing, heading, missing, new_figure

REGISTERS = 3  #: runs with registers that have room beside
HEAD = 1.3  #: where what the head reads is drawn, the last layer being at 1


def draw(analysis: Analysis) -> Drawing:
    """Effective rank in parts of the width; largest and median norm of patch tokens, registers beside."""
    data, look = analysis.inspection, looks(analysis.summary)
    if not data.shown:
        return missing(UNSEEN)
    figure = new_figure(FULL)
    ranks, norms = figure.subplots(1, 2)
    beside = [name for name, run in data.runs.items() if run.registers and name not in data.shown][:REGISTERS]
    ends = []
    for name in (*data.shown, *beside):
        run, style = data.runs[name], look[name]
        depths = [layer.depth for layer in run.layers]
        rank = [100 * layer.effective_rank / layer.width for layer in run.layers]
        ratio = [layer.largest_norm / layer.median_norm if layer.median_norm else 1.0 for layer in run.layers]
        for axes, values in ((ranks, rank), (norms, ratio)):
            axes.plot(depths, values, color=style.colour, marker=style.marker, markersize=7)
        ends.append(Label(1, ratio[-1], wrap(run.label, 13, 4), style.colour))
    ranks.set_ylim(0, None)
    norms.set_ylim(1, None)
    heading(ranks, "effective rank (% of the width)")
    heading(norms, "largest token norm / median")
    for axes in (ranks, norms):
        _through(axes)
    end_labels(norms, ends)
    runs = [data.runs[name] for name in (*data.shown, *beside)]
    of = f"{data.images} {data.split} images, n = {_seeds(runs)}"
    told = "; ".join(
        f"{run.label}: "
        + ", ".join(
            f"{layer.name} rank {layer.effective_rank:.0f} of {layer.width}, norm {layer.median_norm:.2g} (largest "
            f"{layer.largest_norm:.2g})"
            for layer in run.layers
        )
        for run in runs
    )
    caption = f"Patch tokens, as far as the classifier depends on them ({of}, averaged; the largest norm of all)."
    alt = (
        f"Two panels over depth, features at positions of {of}: effective rank, exp of the entropy of the spectrum, in "
        f"percent of the width; and largest token norm over the median. {told}. There are no bands."
    )
    return Drawing(figure, caption, alt)


def draw_separation(analysis: Analysis) -> Drawing:
    """Accuracy of a linear probe and of nearest neighbours on the features of each layer."""
    data, look = analysis.features, looks(analysis.summary)
    models = [model for model in data.models if model.pooled.probe is not None]
    if not models:
        return missing("Too few images to score a probe") if data.models else without_features(data)
    figure = new_figure(FULL)
    panels = figure.subplots(1, 3, width_ratios=[1, 1, 1])
    measures = (
        ("probe", "linear probe (%)"),
        ("neighbours", "nearest neighbours (%)"),
        ("between", "variance between classes (%)"),
    )
    for axes, (key, title) in zip(panels, measures, strict=True):
        ends = []
        for model in models:
            style, scale = look[model.run], 100 if key == "between" else 1
            values = [scale * getattr(layer.separation, key) for layer in model.layers]
            read = scale * getattr(model.pooled, key)
            axes.plot([layer.depth for layer in model.layers], values, color=style.colour, marker=style.marker)
            axes.plot([1, HEAD], [values[-1], read], color=style.colour, linestyle=":", linewidth=1.5)
            axes.plot(HEAD, read, color=style.colour, marker=style.marker, markersize=10, markerfacecolor="white")
            ends.append(Label(HEAD, read, wrap(data.names[model.run], 12, 4), style.colour))
        axes.set_ylim(0, 100)
        axes.yaxis.set_major_locator(MultipleLocator(25))
        heading(axes, title)
        _through(axes, pooled=True)
    end_labels(panels[-1], ends)
    half = f"{data.fitted} of {data.images} {data.split} images fitted, {data.images - data.fitted} scored"
    told = "; ".join(
        f"{m.label}: "
        + ", ".join(_layer(layer) for layer in m.layers)
        + f", read by the head {m.pooled.probe:.0f} % and {m.pooled.neighbours:.0f} %"
        for m in models
    )
    caption = f"Features averaged over positions; white: what the head reads. {half}.{left_out(data)}"
    alt = (
        f"Three panels over depth, {ONE_SEED}: accuracy of a linear probe, of ten nearest neighbours by cosine, and "
        f"share of the variance between classes, of features averaged over positions; {half}. {told}.{left_out(data)} "
        "There are no bands."
    )
    return Drawing(figure, caption, alt)


def _layer(layer: Layer) -> str:
    return f"{layer.name} probe {layer.separation.probe:.0f} %, neighbours {layer.separation.neighbours:.0f} %"


def _through(axes: Axes, pooled: bool = False) -> None:
    """The horizontal axis: through a model."""
    axes.set_xlim(-0.04, HEAD + 0.05 if pooled else 1.04)
    axes.set_xticks([0, 1] + [HEAD] * pooled, ["input", "last"] + ["head"] * pooled)
    axes.grid(axis="y")


def _seeds(runs: Sequence[Inspected]) -> str:
    counts = [run.n for run in runs]
    return f"{between(counts)} seed{'' if max(counts) == 1 else 's'}"
