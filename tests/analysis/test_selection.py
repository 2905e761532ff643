"""What is confirmed on fresh seeds: only what is significant by two tests, the best of each axis, within the budget."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.analysis.choosing import best_architecture, changes, choose, seeds, why
from support.measured import study

from vitflow.analysis.records import Choice, Selection
from vitflow.analysis.selection import select
from vitflow.study.grid import BASELINE, expand
from vitflow.study.run import RunConfig


def test_a_sure_gain_is_adopted_and_the_best_of_an_axis_wins(tmp_path: Path) -> None:
    plan = study({"depth": [4, 6, 12, 8], "width": [96, 192]})
    chosen = choose(plan, {"depth=12": 82, "depth=8": 83, "depth=4": 78, "width=96": 81})
    assert best_architecture(chosen) == {"depth": 8, "width": 96}
    assert chosen.architecture == (
        Choice(axis="depth", value="8", gain=3.0, why="significant on validation images"),
        Choice(axis="width", value="96", gain=1.0, why="significant on validation images"),
    )
    chosen.write(tmp_path / "selection.json")
    assert Selection.read(tmp_path / "selection.json") == chosen


def test_a_gain_that_is_not_sure_is_not_adopted() -> None:
    chosen = choose(study({"depth": [6, 12]}), {"depth=12": 80.1})  # seeds of each spread over 0.2
    assert chosen.best_architecture == chosen.best == BASELINE
    assert why(chosen, "depth") == "no value whose gain is significant"


def test_a_gain_that_welchs_test_does_not_support_is_not_adopted() -> None:
    plan = study({"depth": [6, 12], "width": [96, 192], "mlp_ratio": [2, 3]}, baseline_seeds=6)
    wide = {"depth=12": [80.0, 83.0, 86.0], "width=96": seeds(80.0), "mlp_ratio=2": seeds(80.0)}
    chosen = choose(plan, {BASELINE: seeds(80.0, 6), "mlp_ratio=3": seeds(80.0)} | wide)
    assert chosen.best_architecture == BASELINE
    assert why(chosen, "depth") == "no value whose gain is significant"


def test_a_sure_loss_is_not_adopted() -> None:
    assert choose(study({"depth": [4, 6]}), {"depth=4": 78}).best_architecture == BASELINE


@pytest.mark.parametrize("n", [1, 2])
def test_under_three_seeds_nothing_is_adopted(n: int) -> None:
    chosen = choose(study({"depth": [6, 12], "width": [96]}, seeds=n), {"depth=12": 99, "width=96": 99}, n=n)
    assert chosen.best == BASELINE
    assert why(chosen, "depth") == why(chosen, "width") == "under three seeds, so nothing is significant"


def test_a_run_with_a_diverged_seed_is_neither_adopted_nor_a_single_finalist() -> None:
    plan = study({"depth": [6, 12], "width": [96, 192]}, seeds=4)
    chosen = choose(plan, {"depth=12": seeds(99, 3), "width=96": seeds(82, 4)}, n=4)  # one of four is missing
    assert best_architecture(chosen) == {"width": 96}
    assert why(chosen, "depth") == "12 gains 19.00 points, but 1 of its seeds diverged"
    assert chosen.singles == ("width=96",)
    everything_lost: dict[str, list[float]] = {BASELINE: seeds(80)}
    assert select(plan, everything_lost, lambda config: 100).best == BASELINE


def test_nothing_is_adopted_beside_a_baseline_that_lost_seeds() -> None:
    plan = study({"depth": [6, 12]}, seeds=4)
    chosen = choose(plan, {BASELINE: seeds(80, 3), "depth=12": seeds(99, 4)}, n=4)
    assert chosen.best == BASELINE
    assert why(chosen, "depth") == "the gain of 12 is not significant: 1 of the baseline's seeds diverged"


def test_no_validation_images_no_winner() -> None:
    empty: dict[str, list[float]] = {BASELINE: [], "depth=12": []}
    chosen = select(study({"depth": [6, 12]}), empty, lambda config: 100)
    assert (chosen.best, chosen.singles) == (BASELINE, ())


def test_what_costs_too_much_is_not_adopted_and_that_is_the_reason_given() -> None:
    plan = study({"patch_size": [2, 4]}, best={"max_flops_ratio": 4})
    chosen = choose(plan, {"patch_size=2": 85}, {"patch_size=2": 401})
    assert chosen.best_architecture == BASELINE
    told = "2 gains 5.00 points, but costs 4.01 times the baseline, over the limit of 4"
    assert why(chosen, "patch_size") == told
    assert best_architecture(choose(plan, {"patch_size=2": 85}, {"patch_size=2": 400})) == {"patch_size": 2}
    # the second best value of the axis is within the budget
    plan = study({"depth": [6, 12, 24]})
    chosen = choose(plan, {"depth=12": 82, "depth=24": 84}, {"depth=24": 500})
    assert best_architecture(chosen) == {"depth": 12}


def test_a_combination_over_the_budget_goes_without_its_smaller_gain() -> None:
    plan = study({"depth": [6, 12], "width": [192, 256]}, best={"max_flops_ratio": 4})

    def cost(config: RunConfig) -> int:
        return 100 * (3 if config.flat()["depth"] == 12 else 1) * (2 if config.flat()["width"] == 256 else 1)

    validation = {BASELINE: seeds(80), "depth=12": seeds(85), "width=256": seeds(83)}
    chosen = select(plan, validation, cost)
    assert best_architecture(chosen) == {"depth": 12}
    assert why(chosen, "width") == (
        "256 gains 3.00 points, but with what is adopted already it costs 6.00 times the baseline, over the limit of 4"
    )


def test_of_what_is_impossible_together_the_smaller_gain_goes_and_nothing_else() -> None:
    plan = study({"width": [192, 256], "heads": [3, 8], "depth": [6, 12]})
    # 256 is not divisible by 3; depth takes no part in the conflict, however small its gain
    chosen = choose(plan, {"width=256": 84, "heads=3": 83, "depth=12": 82})
    assert best_architecture(chosen) == {"width": 256, "depth": 12}
    told = why(chosen, "heads")
    assert told.startswith("3 gains 3.00 points, but does not go with what is adopted already (")
    assert "width 256 is not divisible by heads 3" in told
    assert best_architecture(choose(plan, {"width=256": 83, "heads=3": 84, "depth=12": 82})) == {
        "heads": 3,
        "depth": 12,
    }


def test_two_axes_do_not_set_one_field_to_different_values() -> None:
    sinusoids = {"name": "low", "position": "sincos2d", "position_base": 100}
    plan = study({}, ablations={"techniques": {"position": ["learned", "rope2d"], "position_base": [sinusoids]}})
    runs = [run for run in expand(plan).runs if run != BASELINE]
    chosen = choose(plan, {runs[0]: 84, runs[1]: 83})
    assert len(changes(chosen, chosen.best)) == 1
    assert "what is adopted already sets position to" in why(chosen, "position_base")


def test_intervals_are_simultaneous_over_the_whole_group() -> None:
    plan = study({"depth": [6, 12], "width": [96, 192]})
    assert best_architecture(choose(plan, {"depth=12": 80.4})) == {"depth": 12}
    # another axis of the group that varies much makes the pooled variance, and so every interval, larger
    assert best_architecture(choose(plan, {"depth=12": 80.4, "width=96": [79.0, 80.0, 81.0]})) == {}


def test_points_of_several_fields_are_adopted_whole() -> None:
    chosen = choose(study({"size": [{"name": "big", "width": 384, "depth": 8}]}), {"depth=8+width=384": 85})
    assert best_architecture(chosen) == {"width": 384, "depth": 8}
    assert chosen.architecture[0].value == "big"


def test_what_the_architecture_sets_comes_first_though_a_technique_gains_more() -> None:
    wide = {"name": "wide_rms", "norm": "rmsnorm", "width": 256}
    plan = study({}, ablations={"architecture": {"width": [192, 96]}, "techniques": {"norm": [wide]}})
    chosen = choose(plan, {"width=96": 81, "norm=rmsnorm+width=256": 86})
    assert changes(chosen, chosen.best) == {"width": 96}
    assert why(chosen, "norm") == "wide_rms gains 6.00 points, but what is adopted already sets width to 96"


@pytest.mark.parametrize(
    ("rope", "adopted", "kept", "told"),
    [
        (
            83,
            "position",
            "cls_position",
            "false gains 2.00 points, but it changes nothing beside what is adopted already",
        ),
        (
            81,
            "cls_position",
            "position",
            "rope2d gains 1.00 points, but beside it cls position false, adopted already, changes nothing",
        ),
    ],
)
def test_nothing_is_adopted_that_changes_nothing_in_the_combination(
    rope: float, adopted: str, kept: str, told: str
) -> None:
    axes = {
        "position": ["learned", "rope2d"],
        "cls_position": [False],
    }  # under rotations, [CLS] has no position to lose
    chosen = choose(study({}, ablations={"techniques": axes}), {"position=rope2d": rope, "cls_position=false": 82})
    assert list(changes(chosen, chosen.best)) == list(chosen.without) == [adopted]
    assert why(chosen, kept) == told


# ------------------------------------------------------------------------------------------- finalists

GROUPS = {
    "architecture": {"depth": [6, 12], "width": [96, 192]},
    "techniques": {"pool": ["cls", "mean"]},
    "training": {"weight_decay": [0.05, 0.2], "epochs": [100, 200], "train_images": [5000]},
}


def test_best_adds_what_the_other_groups_gain_but_neither_epochs_nor_images() -> None:
    plan = study({}, ablations=GROUPS)
    gained = {"depth=12": 82, "pool=mean": 81, "weight_decay=0.2": 83, "epochs=200": 90, "train_images=5000": 91}
    chosen = choose(plan, gained)
    assert best_architecture(chosen) == {"depth": 12}
    assert changes(chosen, chosen.best) == {"depth": 12, "pool": "mean", "weight_decay": 0.2}
    assert why(chosen, "epochs") == "200 gains 10.00 points, but more epochs or images are no part of a model"


def test_finalists_are_the_baseline_the_best_single_changes_the_combinations_and_their_parts() -> None:
    chosen = choose(study({}, ablations=GROUPS), {"depth=12": 82, "width=96": 81, "pool=mean": 83})
    assert chosen.singles == ("depth=12", "width=96")
    assert (chosen.best_architecture, chosen.best) == ("best_architecture", "best")
    # what stands in the grid keeps its name there
    assert chosen.without == {
        "depth": "best-without-depth",
        "width": "best-without-width",
        "pool": "best_architecture",
    }
    assert chosen.all_images == "best-on-all-images"
    names = [one.run for one in chosen.finalists]
    assert names == [
        BASELINE, "depth=12", "width=96", "best_architecture", "best", "best-without-depth", "best-without-width",
        "best-on-all-images",
    ]  # fmt: skip
    assert [one.run for one in chosen.finalists if one.all_images] == ["best-on-all-images"]


def test_equal_configurations_are_one_finalist() -> None:
    chosen = choose(study({}, ablations=GROUPS), {"depth=12": 82})
    assert chosen.best_architecture == chosen.best == "depth=12"
    assert chosen.without == {"depth": BASELINE}
    assert [one.run for one in chosen.finalists] == [BASELINE, "depth=12", "width=96", "best-on-all-images"]


def test_finalists_can_be_fewer() -> None:
    few = {"singles": 0, "take_apart": False, "all_images": False}
    chosen = choose(study({}, ablations=GROUPS, best=few), {"depth=12": 82, "pool=mean": 83})
    assert [one.run for one in chosen.finalists] == [BASELINE, "depth=12", "best"]
    assert (chosen.singles, chosen.without, chosen.all_images) == ((), {}, None)


def test_every_finalist_is_a_valid_configuration_of_its_own() -> None:
    plan = study({}, ablations=GROUPS)
    chosen = choose(plan, {"depth=12": 82, "width=96": 81, "pool=mean": 83})
    configs = [plan.resolve(one.changes, all_images=one.all_images) for one in chosen.finalists]
    assert len({config.digest for config in configs}) == len(configs)
    assert [config.dataset.validation_fraction for config in configs][-2:] == [0.1, 0.0]


def test_the_choice_says_what_it_was_made_from() -> None:
    plan = study({"depth": [6, 12]})
    validation = {BASELINE: seeds(80), "depth=12": seeds(82)}
    assert select(plan, validation, lambda config: 100, "a digest").inputs == "a digest"
