"""All figures of a study: their names, known beforehand, and the drawing of them.

Drawing needs nothing but the analysis folder, and gives the same bytes for the same numbers. matplotlib is
imported where it is used, so that a Snakefile can ask for :func:`names` cheaply.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vitflow.machine.files import publishing, write_json
from vitflow.study.schema import Study

if TYPE_CHECKING:
    from vitflow.figures.style import Drawing

FORMATS = ("svg", "png")


def names(study: Study) -> list[str]:
    """Stems of the study's figures, in the order of the talk."""
    return _stems([(group, axis) for group, axes in study.ablations.items() for axis in axes])


def draw(analysis: Path, out: Path) -> None:
    """Draw every figure as ``<stem>.svg`` and ``<stem>.png`` (150 dpi) into ``out``, then ``captions.json``.

    ``captions.json`` maps a stem to its ``caption`` (one line) and ``alt`` text (with n, and what bands mean).
    Raises FigureError naming a missing or damaged file of the analysis, FileProblem where ``out`` cannot be
    written.
    """
    from vitflow.figures.style import styled

    captions = {}
    with styled():
        for stem, make in drawings(analysis).items():
            drawing = make()
            _publish(drawing, out, stem)
            captions[stem] = {"caption": drawing.caption, "alt": drawing.alt}
    write_json(out / "captions.json", captions)


def drawings(analysis: Path) -> dict[str, Callable[[], Drawing]]:
    """By stem, what makes each figure (call it inside :func:`vitflow.figures.style.styled`)."""
    from functools import partial

    from vitflow.figures import axis, calibration, confusion, cost, curves, differences, pca
    from vitflow.figures.read import read

    numbers = read(analysis)
    axes = numbers.summary.axes
    makers: list[Callable[[], Drawing]] = [
        partial(curves.draw, numbers),
        *(partial(axis.draw, numbers, index) for index in range(len(axes))),
        *(partial(kind, numbers) for kind in (differences.draw, cost.draw, pca.draw, pca.draw_patches)),
        *(partial(kind, numbers) for kind in (confusion.draw, calibration.draw)),
    ]
    return dict(zip(_stems([(a.group, a.axis) for a in axes]), makers, strict=True))


def _stems(axes: list[tuple[str, str]]) -> list[str]:
    return [
        "curves",
        *(f"axis-{group}-{axis}" for group, axis in axes),
        *("differences", "accuracy-cost", "pca", "pca-patches", "confusion", "calibration"),
    ]


def _publish(drawing: Drawing, out: Path, stem: str) -> None:
    # neither dates nor versions: the same numbers give the same bytes
    metadata: dict[str, dict[str, Any]] = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}
    for kind in FORMATS:
        with publishing(out / f"{stem}.{kind}") as path:
            drawing.figure.savefig(path, format=kind, metadata=metadata[kind])
