"""What the page says of a run: the numbers of the summary, and the images that it gets wrong."""

from __future__ import annotations

import pytest
from support.explore import Page

from vitflow.analysis.records import Answers, Mistakes, Picture
from vitflow.explore.view import bars, cells, changes, configuration, facts, initial, wrong


def test_the_baselines_time_is_1_whatever_the_clock_says(made: Page) -> None:
    base = made.summary.runs["baseline"].model_copy(update={"time_ratio": 1.01})
    assert "1.00" in [cell.text for cell in cells(base)]


def test_cells_are_the_numbers_of_the_summary(made: Page) -> None:
    run = made.summary.runs["patch_size=2"]
    assert run.difference and run.difference.test_interval
    low, high = run.difference.test_interval
    found = cells(run)
    assert [cell.value for cell in found] == [
        3,
        run.test.mean,
        run.difference.test,
        low,
        run.time_ratio,
        run.multiplications,
        run.parameters,
    ]
    assert [cell.text for cell in found[1:4]] == [
        f"{run.test.mean:.1f} ± {run.test.sd:.1f}",
        f"{run.difference.test:+.1f}",
        f"{low:+.1f} to {high:+.1f}",
    ]


def test_a_run_that_never_finished_has_dashes_for_numbers(made: Page) -> None:
    run = made.summary.runs["heads=96"]
    assert [cell.text for cell in cells(run)[:4]] == ["0", "–", "–", "–"]
    assert dict(facts(run, "a clock"))["Test accuracy"] == "–"
    assert dict(facts(run, "a clock"))["Diverged"].count("at step") == 3


def test_bars_share_one_scale(made: Page) -> None:
    drawn = bars(made.summary)
    (zero,) = {bar["zero"] for bar in drawn.values()}
    for name, bar in drawn.items():
        difference = made.summary.runs[name].difference
        assert difference and 0 <= bar["low"] <= bar["middle"] <= bar["high"] <= 100
        if difference.test_interval:
            low, high = difference.test_interval
            assert (bar["low"] < zero < bar["high"]) == (low < 0 < high)
    ends = [end for bar in drawn.values() for end in bar.values()]
    assert (min(ends), max(ends)) == (0, 100)


def test_changes_and_configuration_are_the_grid_s(made: Page) -> None:
    assert changes(made.grid, "patch_size=2") == [("patch_size", "2", "4")]
    assert changes(made.grid, "baseline") == []
    assert ("family", "resnet", "vit") in changes(made.grid, "resnet50")
    assert ("depth", "50") in configuration(made.grid, "resnet50")


def test_images_that_most_seeds_get_wrong_come_first_and_of_these_the_surest() -> None:
    pictures = tuple(Picture(index=k, label=0, png="") for k in range(4))
    answers = Answers(n=3, wrong=(1, 3, 0, 3), predicted=(1, 2, 0, 1), confidence=(0.9, 0.4, 0.8, 0.6))
    mistakes = Mistakes(split="validation", images=9, classes=("a", "b", "c"), pictures=pictures, runs={"x": answers})
    found = [
        (image.place, image.actual, image.predicted, image.confidence, image.seeds) for image in wrong(mistakes, "x")
    ]
    assert found == [(3, "a", "b", 60, 3), (1, "a", "c", 40, 3), (0, "a", "b", 90, 1)]
    assert wrong(mistakes, "another") == []


def test_curves_begin_with_the_baseline_and_the_largest_gain_and_loss(made: Page) -> None:
    differences = {name: run.difference.test for name, run in made.summary.runs.items() if run.difference}
    assert initial(made.summary) == [
        "baseline",
        max(differences, key=lambda name: differences[name]),
        min(differences, key=lambda name: differences[name]),
    ]


def test_speed_and_memory_name_the_device_that_they_were_measured_on(made: Page) -> None:
    run = made.summary.runs["baseline"].model_copy(update={"images_per_second": 278.4, "peak_bytes": 2**20})
    told = dict(facts(run, "a clock (1 thread)"))
    assert told["Speed"] == "278 images/s on a clock (1 thread)"
    assert told["Peak memory"].endswith("B on a clock (1 thread)")


@pytest.mark.parametrize("name", ["baseline", "resnet18"])
def test_facts_name_every_seed_s_accuracy(made: Page, name: str) -> None:
    told = dict(facts(made.summary.runs[name], made.summary.measured_on))["Test accuracy"]
    assert all(f"{value:.1f}" in told for value in made.summary.runs[name].test.values)
