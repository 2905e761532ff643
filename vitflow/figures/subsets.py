"""Fewer training images: what they cost each model, and how far training and validation accuracy part."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from vitflow.analysis.claims.subsets import Series, by_images
from vitflow.analysis.records import Run
from vitflow.figures.labels import Label, end_labels, wrap
from vitflow.figures.looks import FAMILY_COLOURS, FAMILY_MARKERS, GROUP_COLOURS, Look
from vitflow.figures.read import Analysis
from vitflow.figures.style import BLACK, FULL, Drawing, heading, missing, new_figure, seeds


def draw(analysis: Analysis) -> Drawing:
    """Test accuracy against training images, and beside it accuracy on clean training minus validation images."""
    summary = analysis.summary
    series = by_images(summary.runs, summary.epochs)
    if not series:
        return missing("No model was trained on fewer images.")
    figure = new_figure(FULL)
    accuracy, gap = figure.subplots(1, 2)
    look = _looks(series)
    for one in series:
        for axes, of in ((accuracy, _test), (gap, _gap)):
            pairs = [(run.train_images, value, run) for run in one.runs if (value := of(run)) is not None]
            axes.plot(
                [x for x, _, _ in pairs], [y for _, y, _ in pairs], color=look[one.label].colour, marker="", zorder=2
            )
            for x, y, run in pairs:
                deviation = (run.test.sd or 0) if of is _test else 0
                style = {"fmt": look[one.label].marker, "color": look[one.label].colour, "markersize": 8}
                axes.errorbar(x, y, yerr=deviation, elinewidth=1.2, zorder=3, **style)
    counts = sorted({run.train_images for one in series for run in one.runs})
    for axes, words in ((accuracy, "test accuracy (%)"), (gap, "training minus validation accuracy (points)")):
        _scale(axes, counts)
        heading(axes, words)
    ends = [
        Label(one.runs[-1].train_images, _test(one.runs[-1]) or 0.0, wrap(one.label, 20), look[one.label].colour)
        for one in series
    ]
    end_labels(accuracy, ends)

    how = f", as many {series[0].equal} on each" if series[0].equal else ""
    names = [name for name, run in summary.runs.items() if any(run in one.runs for one in series)]
    told = "; ".join(
        f"{one.label}: " + ", ".join(f"{run.train_images:,} images {_test(run):.1f} %" for run in one.runs)
        for one in series
    )
    caption = f"Nested subsets of the training images{how}; {seeds(summary, names)}; vertical: one sd."
    alt = (
        f"Test accuracy against the number of training images, on a log scale, {seeds(summary, names)}{how}: "
        f"{told}. Vertical lines are plus and minus one standard deviation over seeds. Right panel: accuracy on clean "
        f"training images minus that on validation images."
    )
    return Drawing(figure, caption, alt)


def _test(run: Run) -> float | None:
    return run.test.mean


def _gap(run: Run) -> float | None:
    if run.clean_train.mean is None or run.validation.mean is None:
        return None
    return run.clean_train.mean - run.validation.mean


def _looks(series: list[Series]) -> dict[str, Look]:
    """The baseline black, other families warm, other ViTs cool."""
    found, warm, cool = {}, 0, 0
    for one in series:
        if one.runs[-1].kind == "baseline":
            found[one.label] = Look(BLACK, "o")
        elif one.runs[-1].kind == "family":
            found[one.label] = Look(FAMILY_COLOURS[warm % 3], FAMILY_MARKERS[warm % 3])
            warm += 1
        else:
            found[one.label] = Look(GROUP_COLOURS[cool % 4], "^")
            cool += 1
    return found


def _scale(axes: Axes, counts: list[int]) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(counts))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_xlabel("training images")
    axes.grid()
