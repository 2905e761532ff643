"""Colours and markers: a run looks alike in all figures, and unlike what it is not."""

from __future__ import annotations

from matplotlib.colors import to_hex
from support.figures import Case
from support.records import a_run, an_axis

from vitflow.figures import looks, style


def test_a_run_looks_like_its_group_and_unlike_other_groups_and_families(cases: dict[str, Case]) -> None:
    families = ("r1", "r2", "r3")
    names = ["baseline", *families, *(f"a{k}" for k in range(24)), "crossed"]
    summary = cases["baseline alone"].analysis.summary.model_copy(
        update={
            "references": families,
            "axes": tuple(an_axis(f"A{k}", "baseline", f"a{k}", group=f"g{k}") for k in range(24)),
            "runs": {name: a_run(kind="family" if name in families else "change") for name in names},
        }
    )
    look = looks.looks(summary)
    pairs = [shown for name, shown in look.items() if name not in ("crossed", "baseline")]
    assert len(set(pairs)) == len(pairs)
    assert look["baseline"].colour == style.BLACK
    assert look["crossed"].colour == style.GREY
    assert not {look[name].colour for name in families} & {look[f"a{k}"].colour for k in range(24)}


def test_values_of_one_group_look_alike(cases: dict[str, Case]) -> None:
    summary = cases["90 runs"].analysis.summary
    look = looks.looks(summary)
    for group in summary.groups:
        shown = {look[name] for name in group.runs}
        assert len(shown) == 1, group.group
    assert len({look[group.runs[0]].colour for group in summary.groups}) == 3


def test_families_have_the_same_colour_in_curves_cost_and_calibration(diverged: Case) -> None:
    colour = looks.looks(diverged.analysis.summary)["resnet18"].colour
    for stem in ("curves", "accuracy-cost", "calibration"):
        lines = [line for axes in diverged.drawing(stem).figure.axes for line in axes.get_lines()]
        assert colour in {to_hex(line.get_color()).upper() for line in lines}
