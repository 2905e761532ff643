"""Colours and markers: a run looks alike in all figures, and unlike what it is not."""

from __future__ import annotations

from matplotlib.colors import to_hex
from support.figures import Case
from support.records import a_run, an_axis

from vitflow.figures import style


def test_a_run_looks_alike_in_all_figures_and_unlike_other_axes(cases: dict[str, Case]) -> None:
    names = ["baseline", "r1", "r2", "r3", *(f"a{k}" for k in range(18)), "crossed"]
    summary = cases["baseline alone"].analysis.summary.model_copy(
        update={
            "references": ("r1", "r2", "r3"),
            "axes": tuple(an_axis(f"A{k}", "baseline", f"a{k}") for k in range(18)),
            "runs": {name: a_run() for name in names},
        }
    )
    look = style.looks(summary)
    pairs = [(shown.colour, shown.marker) for name, shown in look.items() if name not in ("crossed", "baseline")]
    assert len(set(pairs)) == len(pairs)
    assert look["baseline"].colour == style.BLACK
    assert look["crossed"].colour == style.GREY
    assert not {look[f"r{k}"].colour for k in (1, 2, 3)} & {look[f"a{k}"].colour for k in range(18)}


def test_references_have_the_same_colour_in_curves_cost_and_calibration(diverged: Case) -> None:
    colour = style.looks(diverged.analysis.summary)["resnet18"].colour
    for stem in ("curves", "accuracy-cost", "calibration"):
        lines = [line for axes in diverged.drawing(stem).figure.axes for line in axes.get_lines()]
        assert colour in {to_hex(line.get_color()).upper() for line in lines}
