"""Titles that stand in the summary: of the study as a whole, of each axis, and the best single run."""

from __future__ import annotations

from typing import Any

import pytest
from support.analysis import TECHNIQUES
from support.measured import GRID, MEASURED, PLAN, table_of
from support.records import a_run, an_axis, diverged

from vitflow.analysis.claims import axis_finding, best_single, findings
from vitflow.analysis.records import BestSingle, Findings, Run
from vitflow.analysis.summary import axes_table
from vitflow.study.grid import BASELINE, feature_runs

MARGIN = PLAN.equivalence_margin


def found_in(table: dict[str, Run]) -> Findings:
    return findings(PLAN, table, feature_runs(PLAN))


def test_results_from_before_stability_was_measured_say_so() -> None:
    assert found_in(table_of(MEASURED)).stability == "No run diverged; spikes were not measured"


def test_the_title_on_stability_says_what_was_seen() -> None:
    def title(spikes: dict[str, float | None], diverged: tuple[tuple[str, int], ...] = ()) -> str:
        table = table_of(MEASURED, diverged)
        for run, value in spikes.items():
            seen = table[run].stability.model_copy(update={"gradient_spikes": value, "loss_spikes": value})
            table[run] = table[run].model_copy(update={"stability": seen})
        return found_in(table).stability

    none: dict[str, float | None] = dict.fromkeys(MEASURED, 0.0)
    assert title(none) == "No run diverged, none had a spike of gradient or loss"
    assert title(none | {"depth=4": 1.5}) == "No run diverged, depth 4 has the most spikes: 3.0 a training"
    partly = "No run diverged; of 3 that were measured, none had a spike of gradient or loss"
    assert title(none | {"resnet18": None}) == partly
    assert title(none, (("depth=4", 1),)) == "1 of 4 runs diverged: depth 4"
    two = (("depth=4", 0), ("resnet18", 2))
    assert title(none, two) == "2 of 4 runs diverged: depth 4, ResNet-18"
    many = tuple((run, 0) for run in MEASURED)
    assert title(none, many) == "4 of 4 runs diverged: baseline, depth 4 and 2 more"


def test_a_baseline_that_diverged_is_said_in_the_titles() -> None:
    found = found_in(table_of(MEASURED, tuple((BASELINE, seed) for seed in range(4))))
    assert found.convergence == "The baseline diverged, at step 5, 15, 25, 35"
    assert found.headline == "The baseline diverged: nothing compares with it"
    assert found.features == "No features: the models that were to give them diverged"


def test_findings_of_a_study_that_is_not_finished() -> None:
    measured: dict[str, list[float]]
    for measured in ({}, {BASELINE: [80.0]}, {"depth=4": [78.0]}):
        table = table_of(measured)
        assert all(text for text in found_in(table).model_dump().values())
        assert all(axis.finding for axis in axes_table(PLAN, GRID, table, TECHNIQUES))
    assert best_single(table_of({})) is None
    unfinished = found_in(table_of({}))
    assert unfinished.headline == "Nothing to compare with the baseline yet"
    assert unfinished.best == "No run has a validation accuracy yet"
    assert unfinished.references == "No model of another family in this study"
    assert unfinished.convergence == (
        "After 100 epochs the baseline has - % of its training images right, - % of validation images"
    )


def test_the_best_single_run_is_chosen_on_validation() -> None:
    assert best_single(table_of(MEASURED)) == BestSingle(
        run="resnet18", label="ResNet-18", n=3, validation=91.0, test=90.0
    )


def test_findings_name_numbers_and_references() -> None:
    found = found_in(table_of(MEASURED))
    assert found.headline.startswith(
        "Largest change: depth 4 loses 2.0 points ("
    )  # the largest change but for other families
    assert found.cost == "Cost spans a factor of 4.0: 1 million to 4 million multiplications an image"
    assert found.convergence == (
        "After 100 epochs the baseline has 80.0 ± 0.2 % of its training images right, 81.0 ± 0.2 % of validation images"
    )
    assert found.references.startswith("ResNet-18 gains 10.0 points (")
    assert found.references.endswith(") against the baseline ViT")
    assert found.best == "Best on validation: ResNet-18, 91.0 ± 0.2 %"
    assert found.features == "First components of what each model has learned"


@pytest.mark.parametrize(
    ("count", "said"),
    [(999, "999"), (1_000, "1 thousand"), (46_400_000, "46.4 million"), (1_297_829_888, "1.3 billion")],
)
def test_multiplications_are_counted_in_three_figures(count: int, said: str) -> None:
    table = {BASELINE: a_run(multiplications=count)}
    expected = f"Cost spans a factor of 1.0: {said} to {said} multiplications an image"
    assert findings(PLAN, table, []).cost == expected


def test_features_of_models_whose_first_seed_diverged_are_none() -> None:
    table = {BASELINE: a_run(), "lost": diverged(7), "later": a_run(stability=diverged(7, 9).stability)}
    for run in ("lost", "later"):
        assert findings(PLAN, table, [run]).features.startswith("No features")
        assert findings(PLAN, table, [run, BASELINE]).features.startswith("First components")


def test_a_single_seed_has_no_deviation_in_the_titles() -> None:
    found = found_in(table_of({BASELINE: [80.0]}))
    assert "has 80.0 % of its training images right, 81.0 % of validation images" in found.convergence


def test_under_three_seeds_the_sentence_is_descriptive() -> None:
    table = table_of({run: values[:2] for run, values in MEASURED.items()})
    assert axes_table(PLAN, GRID, table, TECHNIQUES)[0].finding.endswith("(descriptive)")


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ({"8": a_run(-3.0, (-3.5, -2.5)), "2": a_run(2.0, (1.5, 2.5))}, "Patch size 8 loses 3.0 points (2.5 to 3.5)"),
        ({"8": a_run(-1.0), "2": a_run(2.0), "4": a_run(None)}, "Patch size 2 gains 2.0 points (descriptive)"),
        ({"8": a_run(-3.0), "2": diverged(1, 2, 3), "1": diverged(1, 2, 3)}, "Patch size 2, 1 diverged"),
        ({"8": a_run(-3.0), "2": diverged(5, points=4.0)}, "Patch size 2 gains 4.0 points (descriptive)"),
        ({"crop_flip": a_run(1.0)}, "Patch size crop+flip gains 1.0 points (descriptive)"),
        ({"4": a_run(None)}, "Patch size: not finished yet"),
        ({}, "Patch size: not finished yet"),
    ],
)
def test_an_axis_says_its_largest_difference_or_what_diverged(runs: dict[str, Any], said: str) -> None:
    assert axis_finding("Patch size", an_axis("Patch size", *runs).values, runs, MARGIN) == said
