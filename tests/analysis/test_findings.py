"""Titles that stand in the summary: of the study as a whole, of each axis, and the best single run."""

from __future__ import annotations

from typing import Any

import pytest
from support.analysis import TECHNIQUES
from support.measured import GRID, MEASURED, PLAN, table_of
from support.records import a_run, an_axis, diverged, rival

from vitflow.analysis.claims import axis_finding, best_single, findings
from vitflow.analysis.records import BestSingle, Findings, Run
from vitflow.analysis.summary import axes_table
from vitflow.study.grid import BASELINE

MARGIN = PLAN.equivalence_margin


def found_in(table: dict[str, Run]) -> Findings:
    return findings(PLAN, table)


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
    assert title(none | {"depth=4": 1.5}) == "No run diverged, depth 4 has the most spikes: 3.0 per training"
    partly = "No run diverged; of 3 that were measured, none had a spike of gradient or loss"
    assert title(none | {"resnet18": None}) == partly
    assert title(none, (("depth=4", 1),)) == "1 of 4 runs diverged: depth 4"
    two = (("depth=4", 0), ("resnet18", 2))
    assert title(none, two) == "2 of 4 runs diverged: depth 4, ResNet-18"
    many = tuple((run, 0) for run in MEASURED)
    assert title(none, many) == "4 of 4 runs diverged: baseline, depth 4 and 2 more"


def test_the_title_on_stability_names_logits_that_grow() -> None:
    def title(largest: float) -> str:
        table = table_of(MEASURED)
        for run, value in {BASELINE: 20.0, "depth=4": largest, "width=96": 21.0}.items():
            seen = {"largest_attention_logit": value, "gradient_spikes": 1.0, "loss_spikes": 0.0}
            table[run] = table[run].model_copy(update={"stability": table[run].stability.model_copy(update=seen)})
        return found_in(table).stability

    beginning = "No run diverged; of 3 that were measured"
    assert title(55.0) == f"{beginning}; attention logits reach 55 with depth 4, 20 in the baseline"
    assert title(25.0) == f"{beginning}, baseline has the most spikes: 1.0 per training"


def test_a_baseline_that_diverged_is_said_in_the_titles() -> None:
    found = found_in(table_of(MEASURED, tuple((BASELINE, seed) for seed in range(4))))
    assert found.convergence == "The baseline diverged, at step 5, 15, 25, 35"
    assert found.headline == "The baseline diverged: nothing compares with it"


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
        "After 100 epochs the baseline reaches - % validation accuracy, and - % on its training images"
    )


def test_the_best_single_run_is_chosen_on_validation_among_changes_of_the_vit() -> None:
    table = table_of(MEASURED)
    assert best_single(table) == BestSingle(
        run="width=96", label="width 96", n=3, validation=81.1, test=80.1
    )  # not the ResNet
    for kind in ("cross", "budget", "subset", "family"):
        other = table | {"width=96": table["width=96"].model_copy(update={"kind": kind})}
        found = best_single(other)
        assert found is not None and found.run == BASELINE


def test_a_run_with_a_diverged_seed_is_never_best_and_never_the_headline() -> None:
    survivors = table_of(MEASURED | {"width=96": [95.0, 10.0, 95.2]}, (("width=96", 1),))
    found = best_single(survivors)
    assert found is not None and found.run == BASELINE
    assert "depth 4 loses 2.0 points" in found_in(survivors).headline


def test_what_is_sure_goes_before_what_is_not_whatever_its_size() -> None:
    table = table_of(MEASURED | {"width=96": [90.0, 82.0, 86.0]})  # four points above, and anywhere
    first = table["depth=4"]
    assert first.difference is not None
    significant = first.difference.model_copy(update={"test_interval_overall": (-2.5, -1.5)})
    table["depth=4"] = first.model_copy(update={"difference": significant})
    assert found_in(table).headline == "Largest significant change: depth 4 loses 2.0 points (1.5 to 2.5)"
    table["depth=4"] = first.model_copy(update={"difference": first.difference.model_copy(update={"test": 0.1})})
    unsure = {BASELINE: [80.0, 80.2, 79.8, 80.0], "depth=4": [80.0, 80.2, 79.9], "width=96": [80.0, 80.3, 79.7]}
    assert (
        found_in(table_of(unsure)).headline
        == "None of the 2 changes differs from the baseline significantly, all judged together"
    )


def test_convergence_is_told_from_training_twice_as_long() -> None:
    twice = "training twice as long"
    for points, interval, said in (
        (2.0, (1.0, 3.0), f"Not converged: {twice} gains 2.0 points (1.0 to 3.0)"),
        (0.1, (-0.2, 0.4), f"Converged: {twice} matches the baseline within 0.5 points"),
        (-0.9, (-1.3, -0.6), f"Converged: {twice} loses 0.9 points (0.6 to 1.3)"),
        (0.3, (-0.6, 1.2), f"Convergence is open: {twice}: no clear change (+0.3, −0.6 to +1.2)"),
        # a gain, and perhaps one below the margin
        (0.5, (0.1, 0.9), f"Convergence is open: {twice} gains 0.5 points (0.1 to 0.9)"),
        (0.6, None, f"Convergence is open: {twice} gains 0.6 points (descriptive)"),
    ):
        table = table_of(MEASURED) | {"epochs=200": a_run(points, interval, kind="budget")}
        assert found_in(table).convergence == said


def test_findings_name_numbers_and_references() -> None:
    found = found_in(table_of(MEASURED))
    assert found.headline.startswith("Largest significant change: depth 4 loses 2.0 points ("), "but for other families"
    assert found.cost == "Cost spans a factor of 4.0: 1 million to 4 million multiplications per image"
    reached = "81.0 ± 0.2 % validation accuracy, and 80.0 ± 0.2 % on its training images"
    assert found.convergence == f"After 100 epochs the baseline reaches {reached}"
    assert found.references.startswith("ResNet-18 gains 10.0 points (")
    assert found.references.endswith(
        ") against the baseline ViT, with 1 times the parameters and 4 times the multiplications"
    )
    assert found.best == "Best ViT with at most one change, on validation: width 96, 81.1 ± 0.2 %"


def test_the_title_on_other_families_is_of_their_best() -> None:
    worse, better = rival(-2.0), rival(1.0).model_copy(update={"label": "ResNet-18"})
    found = found_in({BASELINE: a_run(None, kind="baseline"), "own": worse, "better": better})
    assert found.references.startswith("ResNet-18 gains 1.0 points")
    alike = better.model_copy(update={"difference": a_run(0.1, (-0.2, 0.4)).difference})
    found = found_in({BASELINE: a_run(None, kind="baseline"), "alike": alike})
    assert found.references.startswith("ResNet-18 matches the baseline ViT within 0.5 points, with ")


def test_a_baseline_of_another_family_is_called_so() -> None:
    table = {name: run.model_copy(update={"family": "resnet"}) for name, run in table_of(MEASURED).items()}
    found = found_in(table)
    assert "against the baseline ResNet, with" in found.references
    assert found.best.startswith("Best ResNet with at most one change, on validation: ")


@pytest.mark.parametrize(
    ("count", "said"),
    [(999, "999"), (1_000, "1 thousand"), (46_400_000, "46.4 million"), (1_297_829_888, "1.3 billion")],
)
def test_multiplications_are_counted_in_three_figures(count: int, said: str) -> None:
    table = {BASELINE: a_run(multiplications=count)}
    assert findings(PLAN, table).cost == f"{said} multiplications per image"
    assert findings(PLAN, table | {"a": a_run(multiplications=count)}).cost.endswith(
        f"{said} multiplications per image in every run"
    )
    twice = f"Cost spans a factor of 2.0: {said} to "
    assert findings(PLAN, table | {"a": a_run(multiplications=2 * count)}).cost.startswith(twice)


def test_a_single_seed_has_no_deviation_in_the_titles() -> None:
    found = found_in(table_of({BASELINE: [80.0]}))
    assert "reaches 81.0 % validation accuracy, and 80.0 % on its training images" in found.convergence


def test_under_three_seeds_the_sentence_is_descriptive() -> None:
    table = table_of({run: values[:2] for run, values in MEASURED.items()})
    assert axes_table(PLAN, GRID, table, TECHNIQUES)[0].finding.endswith("(descriptive)")


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        (
            {"8": a_run(-3.0, (-3.5, -2.5)), "2": a_run(2.0, (1.5, 2.5))},
            "Patch size 2 gains 2.0 points (1.5 to 2.5); 8 loses 3.0 points (2.5 to 3.5)",
        ),
        # the worst loss and the best gain, whatever lies between
        (
            {"8": a_run(-3.0, (-3.5, -2.5)), "6": a_run(-1.0, (-1.5, -0.5)), "5": a_run(9.0, (-1.0, 19.0))},
            "Patch size 8 loses 3.0 points (2.5 to 3.5)",
        ),
        (
            {"8": a_run(-1.0), "2": a_run(2.0), "4": a_run(None)},
            "Patch size 2 gains 2.0 points (descriptive); 8 loses 1.0 points (descriptive)",
        ),
        (
            {"8": a_run(-3.0, (-3.5, -2.5)), "2": diverged(1, 2, 3), "1": diverged(1, 2, 3)},
            "Patch size 8 loses 3.0 points (2.5 to 3.5); 2 (3 of 3 seeds), 1 (3 of 3 seeds) diverged",
        ),
        ({"2": diverged(1, 2, 3)}, "Patch size 2 (3 of 3 seeds) diverged"),
        # survivors of a divergence take no title
        (
            {"8": a_run(-3.0, (-3.5, -2.5)), "2": diverged(5, points=4.0)},
            "Patch size 8 loses 3.0 points (2.5 to 3.5); 2 (1 of 3 seeds) diverged",
        ),
        ({"2": diverged(5, points=4.0)}, "Patch size 2 (1 of 3 seeds) diverged"),
        (
            {"8": a_run(0.1, (-0.2, 0.4)), "2": a_run(-0.1, (-0.4, 0.2))},
            "Patch size: all 2 values match the baseline within 0.5 points",
        ),
        (
            {"8": a_run(0.1, (-0.9, 1.1)), "2": a_run(-0.3, (-1.3, 0.7))},
            "Patch size: no clear change at any value (largest: 2 with −0.3, −1.3 to +0.7)",
        ),
        (
            {"8": a_run(0.2, (0.1, 0.3)), "2": a_run(-0.3, (-1.3, 0.7))},
            "Patch size 8 gains 0.2 points, below what we call relevant",
        ),
        ({"crop_flip": a_run(1.0)}, "Patch size crop flip gains 1.0 points (descriptive)"),
        ({"4": a_run(None)}, "Patch size: not finished yet"),
        ({}, "Patch size: not finished yet"),
    ],
)
def test_an_axis_says_its_best_gain_and_its_worst_loss_and_what_diverged(runs: dict[str, Any], said: str) -> None:
    assert axis_finding("Patch size", an_axis("Patch size", *runs).values, runs, MARGIN) == said
