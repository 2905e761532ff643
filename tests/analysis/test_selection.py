"""The winning combination: only what is sure, the best of each axis, within the budget."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.measured import study

from vitflow.analysis.records import Selection
from vitflow.analysis.selection import select_architecture
from vitflow.study.grid import BASELINE, expand
from vitflow.study.run import RunConfig
from vitflow.study.schema import Study


def seeds(mean: float, n: int = 3) -> list[float]:
    """``n`` accuracies of this mean, within 0.1 of it."""
    return [mean + 0.1 * (i - (n - 1) / 2) / max(1, (n - 1) / 2) for i in range(n)]


def choose(plan: Study, means: dict[str, float], cost: dict[str, int] | None = None, n: int = 3) -> Selection:
    means = {BASELINE: 80.0} | means
    assert means.keys() <= expand(plan).runs.keys()
    costs = {run.config.digest: (cost or {}).get(name, 100) for name, run in expand(plan).runs.items()}
    validation = {run: seeds(mean, n) for run, mean in means.items()}
    return select_architecture(plan, validation, lambda config: costs.get(config.digest, 100))


def same_cost(config: RunConfig) -> int:
    return 100


def test_a_sure_gain_is_adopted_and_the_best_of_an_axis_wins(tmp_path: Path) -> None:
    plan = study({"depth": [4, 6, 12, 8], "width": [96, 192]})
    chosen = choose(plan, {"depth=12": 82, "depth=8": 83, "depth=4": 78, "width=96": 81})
    assert chosen.changes == {"depth": 8, "width": 96}
    assert chosen.reasons == (
        "depth: 8 adopted, +3.00 points on validation",
        "width: 96 adopted, +1.00 points on validation",
    )
    assert chosen.group == "architecture"
    chosen.write(tmp_path / "best_architecture.json")
    assert Selection.read(tmp_path / "best_architecture.json") == chosen


def test_a_gain_that_is_not_sure_is_not_adopted() -> None:
    chosen = choose(study({"depth": [6, 12]}), {"depth=12": 80.1})  # seeds of each spread over 0.2
    assert chosen.changes == {}
    assert chosen.reasons == ("depth: baseline kept, no value whose gain is sure",)


def test_a_sure_loss_is_not_adopted() -> None:
    assert choose(study({"depth": [4, 6]}), {"depth=4": 78}).changes == {}


@pytest.mark.parametrize("n", [1, 2])
def test_under_three_seeds_nothing_is_adopted(n: int) -> None:
    chosen = choose(study({"depth": [6, 12], "width": [96]}), {"depth=12": 99, "width=96": 99}, n=n)
    assert chosen.changes == {}
    assert all("under three seeds, so nothing is sure" in reason for reason in chosen.reasons)
    assert len(chosen.reasons) == 2


def test_diverged_seeds_make_a_run_unsure() -> None:
    plan = study({"depth": [6, 12], "width": [96, 192]})
    validation = {BASELINE: seeds(80, 6), "depth=12": seeds(99, 2), "width=96": seeds(82)}
    chosen = select_architecture(plan, validation, same_cost)
    assert chosen.changes == {"width": 96}
    without = select_architecture(plan, {BASELINE: seeds(80)}, same_cost)
    assert without.changes == {}  # every seed of every point diverged


def test_no_validation_images_no_winner() -> None:
    plan = study({"depth": [6, 12]})
    empty: dict[str, list[float]] = {BASELINE: [], "depth=12": []}
    assert select_architecture(plan, empty, same_cost).changes == {}


def test_what_costs_too_much_is_not_adopted() -> None:
    plan = study({"patch_size": [2, 4]}, best={"max_flops_ratio": 4})
    assert choose(plan, {"patch_size=2": 85}, {"patch_size=2": 401}).changes == {}
    assert choose(plan, {"patch_size=2": 85}, {"patch_size=2": 400}).changes == {"patch_size": 2}
    # the second best value of the axis is within the budget
    plan = study({"depth": [6, 12, 24]})
    assert choose(plan, {"depth=12": 82, "depth=24": 84}, {"depth=24": 500}).changes == {"depth": 12}


def test_a_combination_over_the_budget_loses_its_smallest_gain() -> None:
    plan = study({"depth": [6, 12], "width": [192, 256]}, best={"max_flops_ratio": 4})

    def cost(config: RunConfig) -> int:
        return 100 * (3 if config.flat()["depth"] == 12 else 1) * (2 if config.flat()["width"] == 256 else 1)

    validation = {BASELINE: seeds(80), "depth=12": seeds(85), "width=256": seeds(83)}
    chosen = select_architecture(plan, validation, cost)
    assert chosen.changes == {"depth": 12}
    assert chosen.reasons[-1] == "width: dropped again, the combination costs more than 4 times the baseline"


def test_the_smallest_gain_is_dropped_until_the_combination_is_valid() -> None:
    plan = study({"width": [192, 256], "heads": [3, 8], "depth": [6, 12]})
    # 256 is not divisible by 3: the smaller of the two gains goes, the valid third stays though it is smaller still
    chosen = choose(plan, {"width=256": 83, "heads=3": 82, "depth=12": 85})
    assert chosen.changes == {"width": 256, "depth": 12}
    assert chosen.reasons[-1].startswith("heads: dropped again, the combination is impossible (")
    assert "width 256 is not divisible by heads 3" in chosen.reasons[-1]

    chosen = choose(plan, {"width=256": 82, "heads=3": 83, "depth=12": 85})
    assert chosen.changes == {"heads": 3, "depth": 12}


def test_the_smallest_gain_goes_first_even_if_it_is_not_the_culprit() -> None:
    plan = study({"width": [192, 256], "heads": [3, 8], "depth": [6, 12]})
    chosen = choose(plan, {"width=256": 84, "heads=3": 83, "depth=12": 82})
    assert chosen.changes == {"width": 256}
    dropped = [reason.split(":")[0] for reason in chosen.reasons if "dropped again" in reason]
    assert dropped == ["depth", "heads"]


def test_intervals_are_simultaneous_over_the_whole_group() -> None:
    plan = study({"depth": [6, 12], "width": [96, 192]})
    gained = {BASELINE: seeds(80), "depth=12": seeds(80.3)}
    alone = select_architecture(plan, gained, same_cost)
    assert alone.changes == {"depth": 12}
    # another axis of the group that varies much makes the pooled variance, and so every interval, larger
    assert select_architecture(plan, gained | {"width=96": [79.0, 80.0, 81.0]}, same_cost).changes == {}


def test_points_of_several_fields_are_adopted_whole() -> None:
    plan = study({"size": [{"name": "big", "width": 384, "depth": 8}]})
    chosen = choose(plan, {"depth=8+width=384": 85})
    assert chosen.changes == {"width": 384, "depth": 8}
    assert chosen.reasons == ("size: big adopted, +5.00 points on validation",)


def test_the_choice_says_what_it_was_made_from_and_in_which_group() -> None:
    plan = study({}, ablations={"architecture": {"depth": [6, 12]}, "training": {"batch_size": [64, 128]}})
    validation = {BASELINE: seeds(80), "depth=12": seeds(82), "batch_size=64": seeds(83)}
    assert select_architecture(plan, validation, same_cost, "a digest").inputs == "a digest"
    chosen = select_architecture(plan, validation, same_cost, group="training")
    assert (chosen.changes, chosen.group) == ({"batch_size": 64}, "training")
