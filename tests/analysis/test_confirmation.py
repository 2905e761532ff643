"""Finalists on fresh seeds: whom each is compared with, and what is said of the winners."""

from __future__ import annotations

from typing import Any

import pytest
from support.analysis import TECHNIQUES
from support.records import confirmed, winners

from vitflow.analysis.confirmation import confirm, evidence
from vitflow.analysis.intervals import simultaneous_intervals, turned
from vitflow.analysis.records import Choice, Confirmed, Selection, Winners
from vitflow.analysis.runs import spread
from vitflow.study.grid import BASELINE

CHOSEN = winners().selection


def told(selection: Selection = CHOSEN, **tests: float | None) -> Winners:
    """``tests``: mean test accuracy by run, without its signs; None where every seed diverged."""
    reached: dict[str, float | None] = {"baseline": 84.0, "patch_size2": 87.0, "best": 88.0, "poolmean": 85.0} | tests
    names = {"patch_size2": "patch_size=2", "poolmean": "pool=mean"}
    runs = {names.get(name, name): confirmed(name, mean) for name, mean in reached.items()}
    return confirm(selection, runs, TECHNIQUES, 0.5)


def values(found: Winners, run: str) -> tuple[float, ...]:
    return found.runs[run].test.values


def test_every_finalist_is_compared_with_the_baseline_on_the_same_fresh_seeds() -> None:
    found = told()
    others = {run: values(found, run) for run in found.runs if run != "baseline"}
    expected = simultaneous_intervals(values(found, "baseline"), others)
    assert {run: c.interval for run, c in found.against_baseline.items()} == expected
    assert {run: c.points for run, c in found.against_baseline.items()} == {
        "patch_size=2": 3.0, "best": 4.0, "pool=mean": 1.0,
    }  # fmt: skip


def test_best_is_taken_apart_by_what_it_loses_without_each_part() -> None:
    found = told()
    parts = {"patch_size": values(found, "pool=mean"), "pool": values(found, "patch_size=2")}
    expected = simultaneous_intervals(values(found, "best"), parts)
    assert {axis: c.interval for axis, c in found.against_best.items()} == expected
    assert {axis: c.points for axis, c in found.against_best.items()} == {"patch_size": -3.0, "pool": -1.0}


def uneven(chosen: dict[str, Any], **seeds: list[float]) -> Winners:
    """Of these choices; ``seeds``: values by run, as in :func:`told`."""
    names = {"patch_size2": "patch_size=2", "poolmean": "pool=mean"}
    ran = {names.get(name, name): values for name, values in seeds.items()}
    runs = {name: confirmed(name).model_copy(update={"test": spread(values)}) for name, values in ran.items()}
    return confirm(CHOSEN.model_copy(update=chosen), runs, TECHNIQUES, 0.5)


def test_what_one_part_is_worth_is_no_surer_in_the_title_than_in_the_figure() -> None:
    apart = {"patch_size": "pool=mean", "pool": "patch_size=2"}
    found = uneven(
        {"without": apart},
        baseline=[73.8, 74.1, 74.0],
        patch_size2=[77.1, 77.5, 77.3],
        best=[78.0, 78.4, 78.2],
        poolmean=[75.0, 77.6, 76.0],  # spreads more, so that all that is taken apart is less significant
    )
    step, part = found.against_architecture, found.against_best["pool"]
    assert step is not None and step.interval == turned(part.interval)
    assert "the best combination: no clear change (+0.9, " in found.best_finding


def test_best_is_no_surer_against_an_architecture_that_is_the_baseline_than_against_the_baseline() -> None:
    found = uneven(
        {"best_architecture": "baseline", "best": "pool=mean", "without": {}},
        baseline=[73.8, 74.2, 74.0],
        poolmean=[75.0, 75.1, 75.2],
        patch_size2=[73.0, 75.2, 74.0],  # a single change beside them, which spreads more
    )
    assert found.against_architecture == found.against_baseline["pool=mean"]
    assert "the best combination: no clear change (+1.1, " in found.best_finding


def test_the_only_part_of_best_is_worth_what_best_gains_on_the_baseline() -> None:
    found = uneven(
        {"best": "patch_size=2", "techniques": (), "without": {"patch_size": "baseline"}},
        baseline=[73.8, 74.2, 74.0],
        patch_size2=[75.0, 75.1, 75.2],
        poolmean=[73.0, 75.2, 74.0],
    )
    whole = found.against_baseline["patch_size=2"]
    assert found.against_best["patch_size"].interval == turned(whole.interval)
    assert whole.interval is not None and whole.interval[0] < 0


def test_the_two_tasks_are_compared_with_each_other() -> None:
    found = told()
    assert found.against_architecture is not None and found.against_architecture.points == 1.0
    assert found.architecture_finding.startswith(
        "On fresh seeds, the best architecture (patch size 2) gains 3.0 points ("
    )
    assert found.best_finding.startswith(
        "88.0 ± 0.2 % on 3 fresh seeds: with pooling mean, the best combination gains 1.0 points ("
    )
    assert found.best_finding.endswith(") against the best architecture")


@pytest.mark.parametrize(
    ("adopted", "said"),
    [
        ({"patch_embed": "conv_stem", "norm": ""}, "patch embedding conv stem"),
        ({"pool": "mean", "position": "rope2d"}, "pooling mean, position rope2d"),
        ({"pool": "mean", "position": "rope2d", "qk_norm": "l2"}, "3 changes"),
    ],
)
def test_a_title_names_two_changes_and_counts_more(adopted: dict[str, str], said: str) -> None:
    choices = tuple(Choice(axis=axis, value=value, gain=1.0, why="significant") for axis, value in adopted.items())
    found = told(CHOSEN.model_copy(update={"techniques": choices}))
    assert f": with {said}, the best combination" in found.best_finding


def test_a_run_on_all_images_is_reported_and_not_compared() -> None:
    selection = CHOSEN.model_copy(update={"all_images": "best-on-all-images"})
    found = told(selection, **{"best-on-all-images": 89.0})
    assert found.runs["best-on-all-images"].test.mean == 89.0
    assert "best-on-all-images" not in found.against_baseline


@pytest.mark.parametrize(
    ("changed", "architecture", "best"),
    [
        (
            {"best_architecture": "baseline", "best": "baseline", "techniques": (), "without": {}},
            "No change of the architecture is adopted: none can be (see what was chosen, and why)",
            "No technique is adopted: the best combination is the best architecture, 84.0 ± 0.2 % on 3 fresh seeds",
        ),
        (
            {"best_architecture": "baseline", "best": "pool=mean", "without": {"pool": "baseline"}},
            "No change of the architecture is adopted: none can be (see what was chosen, and why)",
            "85.0 ± 0.2 % on 3 fresh seeds: with pooling mean, the best combination gains 1.0 points (0.4 to 1.6) "
            "against the best architecture",
        ),
        (
            {"best": "patch_size=2", "techniques": (), "without": {"patch_size": "baseline"}},
            None,
            "No technique is adopted: the best combination is the best architecture, 87.0 ± 0.2 % on 3 fresh seeds",
        ),
    ],
)
def test_where_nothing_is_adopted_that_is_said(changed: dict[str, Any], architecture: str | None, best: str) -> None:
    found = told(CHOSEN.model_copy(update=changed))
    assert architecture is None or found.architecture_finding == architecture
    assert found.best_finding == best
    assert (found.against_architecture is None) == (found.selection.best == found.selection.best_architecture)


def test_a_combination_that_matches_is_not_said_to_gain() -> None:
    tight = {
        run: confirmed(run, mean) for run, mean in (("baseline", 84.0), ("patch_size=2", 88.0), ("pool=mean", 85.0))
    }
    close = Confirmed(**tight["patch_size=2"].model_dump() | {"label": "best"})
    found = confirm(CHOSEN, tight | {"best": close}, TECHNIQUES, 0.7)
    assert found.best_finding.endswith("the best combination matches the best architecture within 0.7 points")


def test_finalists_that_diverged_have_no_contrast_and_it_is_said() -> None:
    found = told(patch_size2=None)
    assert "patch_size=2" not in found.against_baseline
    assert found.architecture_finding == "The best architecture (patch size 2) diverged on every fresh seed"
    assert found.best_finding == (
        "88.0 ± 0.2 % on 3 fresh seeds with pooling mean; the best architecture has no finished seed to compare with"
    )
    assert "pool" not in found.against_best
    nothing = told(baseline=None)
    assert nothing.against_baseline == {}
    assert nothing.architecture_finding == (
        "The best architecture (patch size 2) has no baseline to compare with: that diverged on every fresh seed"
    )


def test_nothing_is_sure_where_a_fresh_seed_of_the_control_diverged() -> None:
    """Of the baseline, and of the best combination when it is taken apart: the right panel has no colour then."""
    found = told()
    for control, of in ((BASELINE, "against_baseline"), (CHOSEN.best, "against_best")):
        runs = found.runs | {control: found.runs[control].model_copy(update={"diverged": 1})}
        contrasts = getattr(confirm(CHOSEN, runs, TECHNIQUES, 0.5), of)
        assert contrasts and not any(evidence(contrast, 3).significant for contrast in contrasts.values())
        assert any(evidence(contrast, 3).significant for contrast in getattr(found, of).values())


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        ("patch_size=2", "88.0 ± 0.2 % on 3 fresh seeds with pooling mean; the best architecture diverged with 1 of 4"),
        ("best", "88.0 ± 0.2 % on 3 fresh seeds: with pooling mean, the best combination diverged with 1 of 4"),
    ],
)
def test_nothing_is_sure_where_a_seed_of_either_diverged(lost: str, said: str) -> None:
    found = told()
    runs = found.runs | {lost: found.runs[lost].model_copy(update={"seeds": (100, 101, 102, 103), "diverged": 1})}
    assert confirm(CHOSEN, runs, TECHNIQUES, 0.5).best_finding == f"{said} seeds"
