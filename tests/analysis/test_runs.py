"""The table of runs: statistics over seeds, differences from the baseline with their intervals, stability."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.analysis import TECHNIQUES
from support.measured import COSTS, GRID, MEASURED, PLAN, result, results_of, study, table_of

from vitflow.analysis.claims import of_group, of_study
from vitflow.analysis.intervals import simultaneous_intervals
from vitflow.analysis.records import Interval, Stability, Statistics
from vitflow.analysis.runs import Cost, Result, kind_of, runs_table, spread, stability
from vitflow.study.grid import BASELINE, expand


def test_spread() -> None:
    values = [80.12345, 81.5, 79.0]
    assert spread(values) == Statistics(
        mean=round(float(np.mean(values)), 4),
        sd=round(float(np.std(values, ddof=1)), 4),
        values=(80.1235, 81.5, 79.0),
    )
    assert spread([80.0, 81.0]) == Statistics(mean=80.5, sd=0.7071, values=(80.0, 81.0))
    assert spread([80.0]) == Statistics(mean=80.0, sd=None, values=(80.0,))
    assert spread([]) == Statistics(mean=None, sd=None, values=())


def test_the_table_of_runs() -> None:
    table = table_of(MEASURED)
    assert list(table) == [BASELINE, "depth=4", "width=96", "resnet18"]
    run = table["depth=4"]
    assert run.test == spread(MEASURED["depth=4"])
    assert run.validation.mean == 79
    assert (run.n, run.diverged, run.seeds, run.label) == (3, 0, (0, 1, 2), "depth 4")
    assert run.multiplications == 2_000_000
    assert run.difference is not None
    assert run.difference.test == run.difference.validation == -2
    assert [run.kind for run in table.values()] == ["baseline", "change", "change", "family"]
    assert table[BASELINE].difference is None


def test_a_run_has_its_model_its_scores_and_what_it_costs() -> None:
    measured = Cost(10, 20, 65, images_per_second=99.5, time_ratio=1.5, time_ratios=(1.4, 1.6), peak_bytes=1234)
    run = runs_table(PLAN, GRID, results_of(MEASURED), COSTS | {"depth=4": measured}, TECHNIQUES)["depth=4"]
    assert (run.family, run.model["depth"]) == ("vit", 4)
    assert [values.mean for values in (run.clean_train, run.test_loss, run.test_ece)] == [78.0, 1.0, 5.0]
    assert (run.parameters, run.multiplications, run.tokens) == (10, 20, 65)
    assert (run.images_per_second, run.time_ratio, run.time_ratios, run.peak_bytes) == (99.5, 1.5, (1.4, 1.6), 1234)


def test_intervals_are_simultaneous_within_their_group() -> None:
    table = table_of(MEASURED)
    group = simultaneous_intervals(MEASURED[BASELINE], {run: MEASURED[run] for run in ("depth=4", "width=96")})
    reference = simultaneous_intervals(MEASURED[BASELINE], {"resnet18": MEASURED["resnet18"]})
    for run, interval in (group | reference).items():
        difference = table[run].difference
        assert difference is not None
        # validation accuracies are a point higher throughout
        assert difference.test_interval == difference.validation_interval == interval


@pytest.mark.parametrize("wide", [0.2, 0.8], ids=["the first is wider", "the second is wider"])
def test_a_run_of_two_groups_has_an_interval_that_holds_in_both(wide: float) -> None:
    groups = {"one": {"depth": [4], "pool": ["mean"]}, "two": {"pool": ["mean"], "width": [96]}}
    plan = study({}, ablations=groups, cross={"both": {"depth": [12], "heads": [3]}})
    grid = expand(plan)
    assert list(grid.runs) == [BASELINE, "depth=4", "pool=mean", "width=96", "depth=12+heads=3"]
    spreads = (0.1, 1.0 - wide, 0.4, wide, 0.3)
    measured = {run: [80.0 - k, 80.0, 80.0 + k] for run, k in zip(grid.runs, spreads, strict=True)}
    found = runs_table(plan, grid, results_of(measured), dict.fromkeys(grid.runs, COSTS[BASELINE]), TECHNIQUES)

    def together(*names: str) -> dict[str, Interval | None]:
        return simultaneous_intervals(measured[BASELINE], {name: measured[name] for name in names})

    first, second = together("depth=4", "pool=mean"), together("pool=mean", "width=96")
    ends = [found for found in (first["pool=mean"], second["pool=mean"]) if found]
    widest = {"pool=mean": (min(low for low, _ in ends), max(high for _, high in ends))}
    expected = first | second | together("depth=12+heads=3") | widest
    differences = {name: run.difference for name, run in found.items() if run.difference}
    assert {name: difference.test_interval for name, difference in differences.items()} == expected


def test_a_group_that_has_no_spread_takes_no_interval_from_a_run_of_another() -> None:
    plan = study({}, ablations={"flat": {"pool": ["mean"]}, "wild": {"pool": ["mean"], "width": [96]}})
    grid = expand(plan)
    measured = {BASELINE: [80.0] * 3, "pool=mean": [81.0] * 3, "width=96": [79.0, 80.0, 81.0]}
    table = runs_table(plan, grid, results_of(measured), dict.fromkeys(grid.runs, COSTS[BASELINE]), TECHNIQUES)
    wild = simultaneous_intervals(measured[BASELINE], {run: measured[run] for run in ("pool=mean", "width=96")})
    found = table["pool=mean"].difference
    assert found and found.test_interval is not None and found.test_interval == wild["pool=mean"]


def test_intervals_over_the_whole_study_cover_all_changes_of_the_model_and_nothing_else() -> None:
    table = table_of(MEASURED)
    every = simultaneous_intervals(MEASURED[BASELINE], {run: MEASURED[run] for run in ("depth=4", "width=96")})
    for run, found in table.items():
        if found.difference:
            assert found.difference.test_interval_overall == every.get(run)


def test_nothing_is_surer_among_all_changes_than_within_its_group() -> None:
    plan = study({}, ablations={"wild": {"depth": [4, 3]}, "calm": {"pool": ["mean"], "width": [96, 48]}})
    grid = expand(plan)
    spreads = dict(zip(grid.runs, (0.8, 0.8, 0.8, 0.1, 0.1, 0.1), strict=True))
    measured = {run: [80.0 - spread, 80.0, 80.0 + spread] for run, spread in spreads.items()}
    every = simultaneous_intervals(measured[BASELINE], {run: measured[run] for run in grid.runs if run != BASELINE})
    table = runs_table(plan, grid, results_of(measured), dict.fromkeys(grid.runs, COSTS[BASELINE]), TECHNIQUES)
    narrower = 0
    for run, alone in every.items():
        found = table[run].difference
        assert found and found.test_interval and found.test_interval_overall and alone
        ends = (found.test_interval, alone)
        assert found.test_interval_overall == (min(low for low, _ in ends), max(high for _, high in ends))
        narrower += alone[1] < found.test_interval[1]
    assert narrower == 2, "those of depth: the calm group's spread is not their own"


def test_families_crosses_subsets_and_longer_trainings_are_no_changes_of_the_model() -> None:
    plan = study(
        {"depth": [4, 6]},
        ablations={
            "architecture": {"depth": [4, 6]},
            "training": {
                "epochs": [100, 200],
                "train_images": [500],
                "model": [{"name": "resnet", "family": "resnet"}],
                "equal": [{"name": "shallow", "depth": 2, "epochs": 300}],
            },
        },
        cross={
            "both": {"depth": [4], "heads": [3]},
            "images": {"train_images": [500, 1000], "family": ["vit", "resnet"]},
        },
        references={"big": {"family": "vit", "width": 384}, "small": {"family": "vit", "depth": 4}},
    )
    grid = expand(plan)
    kinds = {name: kind_of(name, run.config, plan, grid) for name, run in grid.runs.items()}
    assert kinds == {
        BASELINE: "baseline",
        "depth=4": "change",  # named under references too
        "epochs=200": "budget",
        "train_images=500": "subset",
        "resnet18": "family",
        "depth=2+epochs=300": "budget",
        "depth=4+heads=3": "cross",
        "resnet18+train_images=500": "subset",
        "train_images=1000": "subset",
        "resnet18+train_images=1000": "subset",
        "width=384": "family",
    }


def test_what_inspection_found_is_averaged_over_seeds_and_missing_from_older_results() -> None:
    found = {"shift_consistency": {"1": 90.0, "2": 80.0}, "attention_distance": [[10.0, 12.0], [14.0, 16.0]]}
    old, new = result("depth=4", 0, 78.0), result("depth=4", 1, 78.0)
    seen = Result(new.run, 1, new.train, new.metrics | {"inspection": found})
    run = runs_table(PLAN, GRID, [old, seen], COSTS, TECHNIQUES)["depth=4"]
    assert {pixels: kept.values for pixels, kept in run.shifts.items()} == {"1": (90.0,), "2": (80.0,)}
    assert run.attention_distance.values == (11.0,), "without the last block"
    convolutional = Result("depth=4", 1, new.train, new.metrics | {"inspection": found | {"attention_distance": None}})
    assert runs_table(PLAN, GRID, [convolutional], COSTS, TECHNIQUES)["depth=4"].attention_distance == spread([])


def test_diverged_seeds_are_counted_and_not_averaged() -> None:
    measured = MEASURED | {"depth=4": [78.0, 10.0, 78.4]}
    run = table_of(measured, diverged=(("depth=4", 1),))["depth=4"]
    assert (run.n, run.diverged) == (2, 1)
    assert run.test.values == (78.0, 78.4)
    assert run.difference is not None
    assert (run.difference.n, run.difference.test_interval) == (2, None)


def test_a_diverged_seed_of_the_baseline_makes_no_difference_sure() -> None:
    significantly = table_of(MEASURED)["depth=4"]
    assert of_group(significantly).significant
    run = table_of(MEASURED, diverged=((BASELINE, 0),))["depth=4"]
    assert run.difference is not None and run.difference.control_diverged == 1
    assert not of_group(run).significant and not of_study(run).significant


@pytest.mark.parametrize("lost", ["depth=4", BASELINE])
def test_without_a_finished_seed_on_either_side_there_is_no_difference(lost: str) -> None:
    table = table_of(MEASURED, diverged=tuple((lost, seed) for seed in range(len(MEASURED[lost]))))
    assert table["depth=4"].difference is None
    assert (table["width=96"].difference is None) == (lost == BASELINE)


def test_without_validation_images_only_test_accuracies_are_compared() -> None:
    unseen = [Result(r.run, r.seed, r.train, r.metrics | {"validation": None}) for r in results_of(MEASURED)]
    run = runs_table(PLAN, GRID, unseen, COSTS, TECHNIQUES)["depth=4"]
    assert run.validation == spread([])
    assert run.difference is not None and run.difference.test == -2 and run.difference.test_interval is not None
    assert run.difference.validation is run.difference.validation_interval is None


# ----------------------------------------------------------------------------------------- stability


def with_stability(results: list[Result], **measured: Any) -> list[Result]:
    return [
        Result(r.run, r.seed, r.train | {"stability": {k: v[r.seed] for k, v in measured.items()}}, r.metrics)
        for r in results
    ]


def test_stability_is_the_mean_of_spikes_and_the_largest_of_the_rest_over_all_seeds() -> None:
    results = [result("depth=4", seed, 78.0, "diverged" if seed == 1 else "finished") for seed in range(3)]
    measured = with_stability(
        results,
        gradient_spikes=[1, 4, 0],
        loss_spikes=[0, 2, None],
        largest_gradient_norm=[1.5, 9.0, 2.0],
        largest_attention_logit=[None] * 3,
    )
    found = stability(measured)
    assert found == Stability(
        gradient_spikes=1.6667,
        loss_spikes=1.0,
        largest_gradient_norm=9.0,
        largest_attention_logit=None,
        diverged_at={"1": 15},
    )
    assert found.spikes == pytest.approx(8 / 3, abs=1e-4)
    logits = with_stability(results, largest_attention_logit=[3.0, None, 12.34567])
    assert stability(logits).largest_attention_logit == 12.3457


def test_results_from_before_stability_was_measured_have_none() -> None:
    found = table_of(MEASURED)["depth=4"].stability
    assert found.model_dump() == dict.fromkeys(
        ("gradient_spikes", "loss_spikes", "largest_gradient_norm", "largest_attention_logit")
    ) | {"diverged_at": {}}
    assert found.spikes == 0
