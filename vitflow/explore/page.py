"""The page itself: one file that needs neither network nor anything beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import altair
import numpy as np
import vl_convert
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from vitflow.analysis.curves import Curves
from vitflow.explore import charts
from vitflow.explore.read import Analysis, read
from vitflow.explore.view import context, initial
from vitflow.machine.files import write_text
from vitflow.study.grid import Grid

_HERE = Path(__file__).parent
#: points of one seed's curve, at most
POINTS = 100


def explore(analysis: Path, grid: Grid, target: Path) -> None:
    """Write the page of a study; equal numbers give equal bytes.

    Raises ExploreError naming a missing or damaged file of the analysis, FileProblem where ``target`` cannot be
    written.
    """
    write_text(target, page(read(analysis), grid))


def page(analysis: Analysis, grid: Grid) -> str:
    """The page of a study, as HTML."""
    summary = analysis.summary
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    data = {
        "labels": {name: run.label for name, run in summary.runs.items()},
        "drawn": initial(summary),
        "ink": charts.INK,
        "curves": thinned(analysis.curves),
        "charts": {"cost": charts.cost(summary), "curves": charts.curves()},
    }
    return environment.get_template("page.html").render(
        **context(analysis, grid),
        css=Markup((_HERE / "explore.css").read_text(encoding="utf-8")),
        script=Markup((_HERE / "explore.js").read_text(encoding="utf-8")),
        library=Markup(_library()),
        data=Markup(in_script(data)),
    )


def _library() -> str:
    """Vega, Vega-Lite and vega-embed as one script, in the version that Altair writes for."""
    version = ".".join(altair.VEGALITE_VERSION.split(".")[:2])
    script: str = vl_convert.javascript_bundle(vl_version=version)  # type: ignore[call-arg]  # its stub wants more
    return script.replace("</script", "<\\/script")


def in_script(value: Any) -> str:
    """``value`` as JSON that may stand inside a ``<script>``: nothing in it ends the element."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def thinned(curves: Curves) -> dict[str, dict[int, dict[str, list[float | None]]]]:
    """By run, seed and column: what the chart shows of at most :data:`POINTS` epochs, the first and last among them."""
    found: dict[str, dict[int, dict[str, list[float | None]]]] = {}
    for run, seeds in curves.items():
        for seed, columns in seeds.items():
            epochs = len(columns["epoch"])
            kept = np.unique(np.linspace(0, epochs - 1, min(epochs, POINTS)).round().astype(int))
            found.setdefault(run, {})[seed] = {
                name: [float(f"{value:.4g}") if np.isfinite(value) else None for value in columns[name][kept]]
                for name in ("epoch", *charts.QUANTITIES)
                if name in columns
            }
    return found
