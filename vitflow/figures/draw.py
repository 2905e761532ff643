"""All figures of a study: their names, known beforehand, and the drawing of them.

Drawing needs nothing but the analysis folder, and gives the same bytes for the same numbers. matplotlib is
imported where it is used, so that a Snakefile can ask for :func:`names` cheaply.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vitflow.figures.pages import pages, stem
from vitflow.machine.files import publishing, write_json
from vitflow.machine.log import say
from vitflow.study.grid import BASELINE, expand
from vitflow.study.schema import Study

if TYPE_CHECKING:
    from vitflow.figures.read import Analysis
    from vitflow.figures.style import Drawing

FORMATS = ("svg", "png")
#: figures that every study has: the stem of their files, and where in this folder the function is that draws them
FIGURES = {
    "images": "images.draw",
    "model": "model.draw",
    "curves": "curves.draw",
    "fit": "fit.draw",
    "differences": "differences.draw",
    "accuracy-cost": "cost.draw",
    "subsets": "subsets.draw",
    "winners": "winners.draw",
    "pca": "pca.draw",
    "pca-spectrum": "pca.draw_spectrum",
    "pca-patches": "gallery.draw_patches",
    "attention-maps": "gallery.draw_attention",
    "attention-distance": "attention.draw",
    "positions": "similarity.draw_positions",
    "cka": "similarity.draw",
    "separation": "layers.draw_separation",
    "layers": "layers.draw",
    "shifts": "shifts.draw",
    "classes": "classes.draw",
    "confusion": "confusion.draw",
    "calibration": "calibration.draw",
}


def names(study: Study) -> list[str]:
    """Stems of the study's figures: :data:`FIGURES`, those of each group of its ablations, and one for each axis."""
    found = list(FIGURES)
    points = expand(study).points
    for group in study.ablations:
        axes = [point.axis for point in points if point.group == group and point.run != BASELINE]
        found += [stem(group), *(stem(group, page) for page, _ in enumerate(pages(axes), start=1))]
    return [*found, *(axis_stem(group, axis) for group, axes in study.ablations.items() for axis in axes)]


def axis_stem(group: str, axis: str) -> str:
    """The stem of an axis' figure."""
    return f"axis-{group}-{axis}"


def draw(analysis: Path, out: Path) -> None:
    """Draw every figure as ``<stem>.svg`` and ``<stem>.png`` (150 dpi) into ``out``, then ``captions.json``.

    ``captions.json`` maps a stem to its ``caption`` (one line), ``alt`` text (with n, and what bands mean), and the
    reason why it is ``missing`` ('' where it is not).
    Raises FigureError naming a missing or damaged file of the analysis, FileProblem where ``out`` cannot be
    written. Says so where no font here has a letter that is written.
    """
    from vitflow.figures.alphabets import advice
    from vitflow.figures.read import read
    from vitflow.figures.style import styled

    captions, numbers = {}, read(analysis)
    text = numbers.summary.model_dump_json()
    if told := advice(text):
        say(told)
    with styled(text):
        for name, make in drawings(numbers).items():
            drawing = make()
            _publish(drawing, out, name)
            captions[name] = {"caption": drawing.caption, "alt": drawing.alt, "missing": drawing.missing}
    write_json(out / "captions.json", captions)


def drawings(numbers: Analysis) -> dict[str, Callable[[], Drawing]]:
    """By stem, what makes each figure (call it inside :func:`vitflow.figures.style.styled`)."""
    from vitflow.figures import axis, differences

    makers: dict[str, Callable[[], Drawing]] = {}
    for name, place in FIGURES.items():
        module, function = place.split(".")
        makers[name] = partial(getattr(import_module(f"vitflow.figures.{module}"), function), numbers)
    for group in [group.group for group in numbers.summary.groups]:
        makers[stem(group)] = partial(differences.draw_group, numbers, group)
        for page, _ in enumerate(pages(differences.axes_of(numbers.summary, group)), start=1):
            makers[stem(group, page)] = partial(differences.draw_page, numbers, group, page)
    for index, found in enumerate(numbers.summary.axes):
        makers[axis_stem(found.group, found.axis)] = partial(axis.draw, numbers, index)
    return makers


def _publish(drawing: Drawing, out: Path, name: str) -> None:
    # neither dates nor versions: the same numbers give the same bytes
    metadata: dict[str, dict[str, Any]] = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}
    for kind in FORMATS:
        with publishing(out / f"{name}.{kind}") as path:
            drawing.figure.savefig(path, format=kind, metadata=metadata[kind])
