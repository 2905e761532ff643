"""What may be said: intervals, sentences, winners, tables and components, against references."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from vitflow.analysis.claims import sentence, simultaneous_intervals
from vitflow.analysis.pca import SPECTRUM, describe, principal_components
from vitflow.analysis.selection import select_architecture
from vitflow.analysis.summary import (
    STABILITY,
    Record,
    axes_table,
    axis_label,
    best_single,
    findings,
    is_descriptive,
    run_label,
    runs_table,
    spread,
    stability,
)
from vitflow.study.grid import BASELINE, expand
from vitflow.study.reading import parse_study
from vitflow.study.run import RunConfig
from vitflow.study.schema import Study

# ------------------------------------------------------------------------------------------ intervals

#: breaking strength of cotton fibres, standard and three chemical treatments (Dunnett, 1955, section 3)
STANDARD = [55.0, 47.0, 48.0]
TREATMENTS = {"one": [55.0, 64.0, 64.0], "two": [55.0, 49.0, 52.0], "three": [50.0, 44.0, 41.0]}


def test_intervals_of_dunnetts_own_example() -> None:
    # s^2 = 19 with 8 degrees of freedom; the two-sided 5 % point for three treatments is 2.88 (Dunnett, 1964, table II)
    half = 2.88 * math.sqrt(19) * math.sqrt(2 / 3)
    intervals = simultaneous_intervals(STANDARD, TREATMENTS)
    for name, difference in {"one": 11, "two": 2, "three": -5}.items():
        interval = intervals[name]
        assert interval is not None
        assert interval == pytest.approx((difference - half, difference + half), abs=0.03)


def test_intervals_agree_with_scipy() -> None:
    generator = np.random.default_rng(1)
    baseline, a, b = (generator.normal(mean, 0.3, n) for mean, n in ((80, 6), (81, 3), (80, 4)))
    expected = stats.dunnett(a, b, control=baseline, rng=np.random.default_rng(0)).confidence_interval(0.95)
    found = simultaneous_intervals(list(baseline), {"a": list(a), "b": list(b)})
    for name, low, high in zip("ab", expected.low, expected.high, strict=True):
        assert found[name] == pytest.approx((low, high), abs=6e-4)  # three decimals are kept


def test_one_comparison_is_students_t() -> None:
    baseline, point = [80.1, 80.4, 79.9, 80.3], [81.0, 80.8, 81.3]
    expected = stats.ttest_ind(point, baseline).confidence_interval(0.95)  # pooled variance
    found = simultaneous_intervals(baseline, {"p": point})["p"]
    assert found == pytest.approx((expected.low, expected.high), abs=6e-4)


def test_more_comparisons_widen_every_interval() -> None:
    # of the same pooled variance: a simultaneous interval is wider than one for this point alone
    pooled = math.sqrt(19 * (1 / 3 + 1 / 3))
    interval = simultaneous_intervals(STANDARD, TREATMENTS)["two"]
    assert interval is not None
    assert (interval[1] - interval[0]) / 2 > 1.1 * pooled * stats.t.ppf(0.975, 8)


def test_equal_values_give_equal_bits() -> None:
    assert simultaneous_intervals(STANDARD, TREATMENTS) == simultaneous_intervals(STANDARD, TREATMENTS)


def test_below_three_seeds_there_is_no_interval() -> None:
    found = simultaneous_intervals(STANDARD, {"two seeds": [50.0, 51.0], "none": [], "one": TREATMENTS["one"]})
    assert found["two seeds"] is None and found["none"] is None
    assert found["one"] == simultaneous_intervals(STANDARD, {"one": TREATMENTS["one"]})["one"]  # not taken into account
    assert simultaneous_intervals(STANDARD[:2], TREATMENTS) == dict.fromkeys(TREATMENTS)
    assert simultaneous_intervals(STANDARD, {}) == {}


def test_without_any_spread_there_is_no_interval() -> None:
    assert simultaneous_intervals([90.0] * 3, {"a": [91.0] * 3}) == {"a": None}


@pytest.mark.parametrize(
    ("difference", "interval", "expected"),
    [
        # beside zero and reaching beyond the margin
        (1.3, (0.9, 1.7), "SwiGLU gains 1.3 points (0.9 to 1.7)"),
        (-1.3, (-1.7, -0.9), "SwiGLU loses 1.3 points (0.9 to 1.7)"),
        (0.4, (0.2, 0.6), "SwiGLU gains 0.4 points (0.2 to 0.6)"),
        # beside zero, inside the margin
        (0.2, (0.1, 0.3), "SwiGLU gains 0.2 points, below what we call relevant"),
        (-0.2, (-0.3, -0.1), "SwiGLU loses 0.2 points, below what we call relevant"),
        (0.3, (0.1, 0.5), "SwiGLU gains 0.3 points, below what we call relevant"),
        # touching zero, inside the margin: only this permits "equal"
        (0.1, (-0.1, 0.3), "SwiGLU matches the baseline within 0.5 points"),
        (0.0, (-0.5, 0.5), "SwiGLU matches the baseline within 0.5 points"),
        (0.2, (0.0, 0.4), "SwiGLU matches the baseline within 0.5 points"),
        (-0.2, (-0.4, 0.0), "SwiGLU matches the baseline within 0.5 points"),
        # otherwise
        (0.2, (-0.6, 1.0), "SwiGLU: no clear change (+0.2, −0.6 to +1.0)"),
        (-0.2, (-0.6, 0.2), "SwiGLU: no clear change (−0.2, −0.6 to +0.2)"),
        (0.3, (0.0, 0.6), "SwiGLU: no clear change (+0.3, +0.0 to +0.6)"),
        # under three seeds
        (1.3, None, "SwiGLU gains 1.3 points (descriptive)"),
        (-1.3, None, "SwiGLU loses 1.3 points (descriptive)"),
    ],
)
def test_each_sentence(difference: float, interval: tuple[float, float] | None, expected: str) -> None:
    assert sentence("SwiGLU", difference, interval, 0.5) == expected


def test_the_margin_decides_what_is_relevant() -> None:
    assert sentence("X", 0.7, (0.6, 0.8), 0.5) == "X gains 0.7 points (0.6 to 0.8)"
    assert sentence("X", 0.7, (0.6, 0.8), 1) == "X gains 0.7 points, below what we call relevant"
    assert sentence("X", 0.1, (-0.7, 0.9), 1) == "X matches the baseline within 1 points"


# -------------------------------------------------------------------------------------------- winners


def study(architecture: dict[str, list[Any]], **more: Any) -> Study:
    plain = {"study": "s", "dataset": {"name": "cifar10"}, "best": {}, "ablations": {"architecture": architecture}}
    return parse_study(plain | more, "x")


def seeds(mean: float, n: int = 3) -> list[float]:
    """``n`` accuracies of this mean, within 0.1 of it."""
    return [mean + 0.1 * (i - (n - 1) / 2) / max(1, (n - 1) / 2) for i in range(n)]


def choose(plan: Study, means: dict[str, float], cost: dict[str, int] | None = None, n: int = 3) -> dict[str, Any]:
    means = {BASELINE: 80.0} | means
    assert means.keys() <= expand(plan).runs.keys()
    costs = {run.config.digest: (cost or {}).get(name, 100) for name, run in expand(plan).runs.items()}
    validation = {run: seeds(mean, n) for run, mean in means.items()}
    return select_architecture(plan, validation, lambda config: costs.get(config.digest, 100))


def same_cost(config: RunConfig) -> int:
    return 100


def test_a_sure_gain_is_adopted_and_the_best_of_an_axis_wins() -> None:
    plan = study({"depth": [4, 6, 12, 8], "width": [96, 192]})
    chosen = choose(plan, {"depth=12": 82, "depth=8": 83, "depth=4": 78, "width=96": 81})
    assert chosen["changes"] == {"depth": 8, "width": 96}
    assert chosen["reasons"] == [
        "depth: 8 adopted, +3.00 points on validation",
        "width: 96 adopted, +1.00 points on validation",
    ]
    assert chosen["group"] == "architecture"
    json.dumps(chosen)


def test_a_gain_that_is_not_sure_is_not_adopted() -> None:
    chosen = choose(study({"depth": [6, 12]}), {"depth=12": 80.1})  # seeds of each spread over 0.2
    assert chosen["changes"] == {}
    assert chosen["reasons"] == ["depth: baseline kept, no value whose gain is sure"]


def test_a_sure_loss_is_not_adopted() -> None:
    assert choose(study({"depth": [4, 6]}), {"depth=4": 78})["changes"] == {}


@pytest.mark.parametrize("n", [1, 2])
def test_under_three_seeds_nothing_is_adopted(n: int) -> None:
    chosen = choose(study({"depth": [6, 12], "width": [96]}), {"depth=12": 99, "width=96": 99}, n=n)
    assert chosen["changes"] == {}
    assert all("under three seeds, so nothing is sure" in reason for reason in chosen["reasons"])
    assert len(chosen["reasons"]) == 2


def test_diverged_seeds_make_a_run_unsure() -> None:
    plan = study({"depth": [6, 12], "width": [96, 192]})
    validation = {BASELINE: seeds(80, 6), "depth=12": seeds(99, 2), "width=96": seeds(82)}
    chosen = select_architecture(plan, validation, same_cost)
    assert chosen["changes"] == {"width": 96}
    without = select_architecture(plan, {BASELINE: seeds(80)}, same_cost)
    assert without["changes"] == {}  # every seed of every point diverged


def test_no_validation_images_no_winner() -> None:
    plan = study({"depth": [6, 12]})
    empty: dict[str, list[float]] = {BASELINE: [], "depth=12": []}
    assert select_architecture(plan, empty, same_cost)["changes"] == {}


def test_what_costs_too_much_is_not_adopted() -> None:
    plan = study({"patch_size": [2, 4]}, best={"max_flops_ratio": 4})
    assert choose(plan, {"patch_size=2": 85}, {"patch_size=2": 401})["changes"] == {}
    assert choose(plan, {"patch_size=2": 85}, {"patch_size=2": 400})["changes"] == {"patch_size": 2}
    # the second best value of the axis is within the budget
    plan = study({"depth": [6, 12, 24]})
    assert choose(plan, {"depth=12": 82, "depth=24": 84}, {"depth=24": 500})["changes"] == {"depth": 12}


def test_a_combination_over_the_budget_loses_its_smallest_gain() -> None:
    plan = study({"depth": [6, 12], "width": [192, 256]}, best={"max_flops_ratio": 4})

    def cost(config: RunConfig) -> int:
        return 100 * (3 if config.flat()["depth"] == 12 else 1) * (2 if config.flat()["width"] == 256 else 1)

    validation = {BASELINE: seeds(80), "depth=12": seeds(85), "width=256": seeds(83)}
    chosen = select_architecture(plan, validation, cost)
    assert chosen["changes"] == {"depth": 12}
    assert chosen["reasons"][-1] == "width: dropped again, the combination costs more than 4 times the baseline"


def test_the_smallest_gain_is_dropped_until_the_combination_is_valid() -> None:
    plan = study({"width": [192, 256], "heads": [3, 8], "depth": [6, 12]})
    # 256 is not divisible by 3: the smaller of the two gains goes, the valid third stays though it is smaller still
    chosen = choose(plan, {"width=256": 83, "heads=3": 82, "depth=12": 85})
    assert chosen["changes"] == {"width": 256, "depth": 12}
    assert chosen["reasons"][-1].startswith("heads: dropped again, the combination is impossible (")
    assert "width 256 is not divisible by heads 3" in chosen["reasons"][-1]

    chosen = choose(plan, {"width=256": 82, "heads=3": 83, "depth=12": 85})
    assert chosen["changes"] == {"heads": 3, "depth": 12}


def test_the_smallest_gain_goes_first_even_if_it_is_not_the_culprit() -> None:
    plan = study({"width": [192, 256], "heads": [3, 8], "depth": [6, 12]})
    chosen = choose(plan, {"width=256": 84, "heads=3": 83, "depth=12": 82})
    assert chosen["changes"] == {"width": 256}
    dropped = [reason.split(":")[0] for reason in chosen["reasons"] if "dropped again" in reason]
    assert dropped == ["depth", "heads"]


def test_intervals_are_simultaneous_over_the_whole_group() -> None:
    plan = study({"depth": [6, 12], "width": [96, 192]})
    gained = {BASELINE: seeds(80), "depth=12": seeds(80.3)}
    alone = select_architecture(plan, gained, same_cost)
    assert alone["changes"] == {"depth": 12}
    # another axis of the group that varies much makes the pooled variance, and so every interval, larger
    assert select_architecture(plan, gained | {"width=96": [79.0, 80.0, 81.0]}, same_cost)["changes"] == {}


def test_points_of_several_fields_are_adopted_whole() -> None:
    plan = study({"size": [{"name": "big", "width": 384, "depth": 8}]})
    chosen = choose(plan, {"depth=8+width=384": 85})
    assert chosen["changes"] == {"width": 384, "depth": 8}
    assert chosen["reasons"] == ["size: big adopted, +5.00 points on validation"]


# --------------------------------------------------------------------------------------------- tables


def test_spread() -> None:
    values = [80.12345, 81.5, 79.0]
    assert spread(values) == {
        "mean": round(float(np.mean(values)), 4),
        "sd": round(float(np.std(values, ddof=1)), 4),
        "values": [80.1235, 81.5, 79.0],
    }
    assert spread([80.0]) == {"mean": 80.0, "sd": None, "values": [80.0]}
    assert spread([]) == {"mean": None, "sd": None, "values": []}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "baseline"),
        ({"patch_size": 2}, "patch size 2"),
        ({"mlp_ratio": 2}, "MLP ratio 2"),
        ({"pool": "mean"}, "pooling mean"),
        ({"augmentation": "none"}, "augmentation none"),
        ({"gradient_clip": None}, "gradient clip none"),
        ({"width": 96, "learning_rate": 0.002}, "learning rate 0.002, width 96"),
        ({"family": "resnet"}, "ResNet-18"),
        ({"family": "resnet", "depth": 50}, "ResNet-50"),
        ({"family": "resnet", "width": 32}, "ResNet-18, half width"),
        ({"family": "resnet", "width": 16}, "ResNet-18, width 16"),
        ({"family": "resnet", "width": 32, "train_images": 5000}, "ResNet-18, half width, train images 5000"),
    ],
    ids=str,
)
def test_a_run_is_labelled_as_people_say_it(changes: dict[str, Any], expected: str) -> None:
    plan = study({"depth": [4]})
    config = plan.resolve(changes)
    assert run_label("baseline", config, plan.baseline_run) == expected


def test_padding_that_has_no_effect_is_not_in_the_label() -> None:
    plan = study({"depth": [4]}, training={"crop_padding": 2})
    assert run_label("x", plan.resolve({"augmentation": "none"}), plan.baseline_run) == "augmentation none"


@pytest.mark.parametrize(
    ("axis", "expected"), [("patch_size", "Patch size"), ("mlp_ratio", "MLP ratio"), ("pool", "Pooling")]
)
def test_an_axis_is_labelled_as_people_say_it(axis: str, expected: str) -> None:
    assert axis_label(axis) == expected


def record(run: str, seed: int, accuracy: float, status: str = "finished") -> Record:
    scores = {"accuracy": accuracy, "loss": 1.0, "ece": 5.0}
    metrics = {"test": scores, "validation": scores | {"accuracy": accuracy + 1}, "train": scores}
    bad = None if status == "finished" else 10 * seed + 5
    return Record(run, seed, {"status": status, "diverged_step": bad, "cost": {"seconds": 10.0 + seed}}, metrics)


PLAN = study({"depth": [4, 6], "width": [96, 192]}, references={"r": {"family": "resnet"}}, baseline_seeds=4)
COSTS = {
    run: {"parameters": 10, "multiplications": 1_000_000 * (i + 1), "tokens": 65}
    for i, run in enumerate(expand(PLAN).runs)
}


def table_of(values: dict[str, list[float]], diverged: tuple[tuple[str, int], ...] = ()) -> dict[str, dict[str, Any]]:
    records = [
        record(run, seed, accuracy, "diverged" if (run, seed) in diverged else "finished")
        for run, accuracies in values.items()
        for seed, accuracy in enumerate(accuracies)
    ]
    return runs_table(PLAN, expand(PLAN), records, COSTS)


MEASURED = {
    BASELINE: [80.0, 80.2, 79.8, 80.0],
    "depth=4": [78.0, 78.2, 77.8],
    "width=96": [80.1, 79.9, 80.3],
    "resnet18": [90.0, 90.2, 89.8],
}


def test_the_table_of_runs() -> None:
    table = table_of(MEASURED)
    assert list(table) == [BASELINE, "depth=4", "width=96", "resnet18"]
    row = table["depth=4"]
    assert row["test"] == spread(MEASURED["depth=4"])
    assert row["validation"]["mean"] == 79
    assert (row["n"], row["diverged"], row["seeds"], row["label"]) == (3, 0, [0, 1, 2], "depth 4")
    assert row["multiplications"] == 2_000_000
    assert row["difference"]["test"] == row["difference"]["validation"] == -2
    assert [name for name in table if table[name]["reference"]] == ["resnet18"]
    assert table[BASELINE]["difference"] is None
    assert not is_descriptive(table)
    json.dumps(table, allow_nan=False)


def test_intervals_are_simultaneous_within_their_group() -> None:
    table = table_of(MEASURED)
    group = simultaneous_intervals(MEASURED[BASELINE], {run: MEASURED[run] for run in ("depth=4", "width=96")})
    assert table["depth=4"]["difference"]["test_interval"] == group["depth=4"]
    assert table["width=96"]["difference"]["test_interval"] == group["width=96"]
    reference = simultaneous_intervals(MEASURED[BASELINE], {"resnet18": MEASURED["resnet18"]})
    assert table["resnet18"]["difference"]["test_interval"] == reference["resnet18"]


def test_diverged_seeds_are_counted_and_not_averaged() -> None:
    measured = MEASURED | {"depth=4": [78.0, 10.0, 78.4]}
    row = table_of(measured, diverged=(("depth=4", 1),))["depth=4"]
    assert (row["n"], row["diverged"]) == (2, 1)
    assert row["test"]["values"] == [78.0, 78.4]
    assert row["difference"]["test_interval"] is None


def with_stability(records: list[Record], **measured: Any) -> list[Record]:
    return [
        Record(r.run, r.seed, r.train | {"stability": {k: v[r.seed] for k, v in measured.items()}}, r.metrics)
        for r in records
    ]


def test_stability_is_the_mean_of_spikes_and_the_largest_of_the_rest_over_all_seeds() -> None:
    records = [record("depth=4", seed, 78.0, "diverged" if seed == 1 else "finished") for seed in range(3)]
    measured = with_stability(
        records,
        gradient_spikes=[1, 4, 0],
        loss_spikes=[0, 2, None],
        largest_gradient_norm=[1.5, 9.0, 2.0],
        largest_attention_logit=[None] * 3,
    )
    assert stability(measured) == {
        "gradient_spikes": pytest.approx(5 / 3, abs=1e-4),
        "loss_spikes": 1.0,
        "largest_gradient_norm": 9.0,
        "largest_attention_logit": None,
        "diverged_at": {"1": 15},
    }


def test_results_from_before_stability_was_measured_have_none() -> None:
    row = table_of(MEASURED)["depth=4"]["stability"]
    assert row == dict.fromkeys(STABILITY) | {"diverged_at": {}}
    assert findings(PLAN, table_of(MEASURED))["stability"] == "No run diverged; spikes were not measured"


def test_the_title_on_stability_says_what_was_seen() -> None:
    def title(spikes: dict[str, float | None], diverged: tuple[tuple[str, int], ...] = ()) -> str:
        table = table_of(MEASURED, diverged)
        for run, value in spikes.items():
            table[run]["stability"] |= {"gradient_spikes": value, "loss_spikes": value}
        return findings(PLAN, table)["stability"]

    none = dict.fromkeys(MEASURED, 0.0)
    assert title(none) == "No run diverged, none had a spike of gradient or loss"
    assert title(none | {"depth=4": 1.5}) == "No run diverged, depth 4 has the most spikes: 3.0 a training"
    partly = "No run diverged; of 3 that were measured, none had a spike of gradient or loss"
    assert title(none | {"resnet18": None}) == partly
    assert title(none, (("depth=4", 1),)) == "1 of 4 runs diverged: depth 4"
    many = tuple((run, 0) for run in MEASURED)
    assert title(none, many) == "4 of 4 runs diverged: baseline, depth 4 and 2 more"


def test_a_baseline_that_diverged_is_said_in_the_titles() -> None:
    found = findings(PLAN, table_of(MEASURED, tuple((BASELINE, seed) for seed in range(4))))
    assert found["convergence"] == "The baseline diverged, at step 5, 15, 25, 35"
    assert found["headline"] == "The baseline diverged: nothing compares with it"
    assert found["features"] == "No features: the models that were to give them diverged"


def test_a_run_that_always_diverged_says_so() -> None:
    table = table_of(MEASURED, diverged=tuple(("depth=4", seed) for seed in range(3)))
    assert table["depth=4"]["difference"] is None
    depth, width = axes_table(PLAN, expand(PLAN), table)
    assert depth["finding"] == "Depth 4 diverged"
    assert width["finding"].startswith("Width 96 matches the baseline") or "no clear change" in width["finding"]
    findings(PLAN, table)


def test_an_axis_says_what_its_largest_difference_allows() -> None:
    table = table_of(MEASURED)
    depth = axes_table(PLAN, expand(PLAN), table)[0]
    low, high = table["depth=4"]["difference"]["test_interval"]
    assert depth["finding"] == f"Depth 4 loses 2.0 points ({-high:.1f} to {-low:.1f})"
    assert depth["values"] == [{"value": "4", "run": "depth=4"}, {"value": "6", "run": BASELINE}]
    assert (depth["group"], depth["axis"], depth["label"]) == ("architecture", "depth", "Depth")
    assert "multiplications grow" in depth["confound"]


def test_findings_of_a_study_that_is_not_finished() -> None:
    for measured in ({}, {BASELINE: [80.0]}, {"depth=4": [78.0]}):
        table = table_of(measured)
        assert all(isinstance(text, str) and text for text in findings(PLAN, table).values())
        assert all(entry["finding"] for entry in axes_table(PLAN, expand(PLAN), table))
        assert is_descriptive(table)
    assert best_single(table_of({})) is None


def test_the_best_single_run_is_chosen_on_validation() -> None:
    assert best_single(table_of(MEASURED)) == {
        "run": "resnet18",
        "label": "ResNet-18",
        "n": 3,
        "validation": 91.0,
        "test": 90.0,
    }


def test_findings_name_numbers_and_references() -> None:
    found = findings(PLAN, table_of(MEASURED))
    assert "depth 4 loses 2.0 points" in found["headline"]  # the largest change but for other families
    assert "1 million to 4 million multiplications" in found["cost"]
    assert "80.0 ± 0.2 %" in found["convergence"] and "81.0 ± 0.2 %" in found["convergence"]
    assert found["references"].startswith("ResNet-18 gains 10.0 points (")
    assert found["best"] == "Best on validation: ResNet-18, 91.0 ± 0.2 %"


def test_under_three_seeds_the_sentence_is_descriptive() -> None:
    table = table_of({run: values[:2] for run, values in MEASURED.items()})
    assert axes_table(PLAN, expand(PLAN), table)[0]["finding"].endswith("(descriptive)")
    assert is_descriptive(table)


# ----------------------------------------------------------------------------------------- components


@pytest.mark.parametrize(("n", "width"), [(200, 30), (12, 30), (50, 4)])
def test_components_are_those_of_the_singular_value_decomposition(n: int, width: int) -> None:
    features = np.random.default_rng(0).normal(size=(n, width)) * np.arange(1, width + 1) + 7
    projected, shares = principal_components(features, 2)
    centred = features - features.mean(axis=0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    kept = min(SPECTRUM, n, width)
    assert len(shares) == kept
    assert shares == pytest.approx((s**2 / (s**2).sum())[:kept], rel=1e-4, abs=1e-9)
    expected = (u * s)[:, :2]
    signs = np.sign((projected * expected).sum(axis=0))  # a component's sign is free
    np.testing.assert_allclose(projected * signs, expected, rtol=1e-6, atol=1e-6 * s[0])


def test_half_precision_is_not_added_up_in_half_precision() -> None:
    features = (np.random.default_rng(0).normal(size=(3000, 5)) * 50 + 100).astype(np.float16)
    reference = principal_components(features.astype(np.float64), 2)[0]
    np.testing.assert_array_equal(principal_components(features, 2)[0], reference)
    assert np.isfinite(reference).all()


def test_patch_maps_lie_where_their_patches_do() -> None:
    generator = np.random.default_rng(0)
    images, side, width = 20, 4, 6
    brightness = generator.random((images, side, side))
    patch = brightness[..., None] * np.array([9.0, 0, 0, 0, 0, 0]) + 0.01 * generator.random(
        (images, side, side, width)
    )
    tokens = patch.reshape(images, side * side, width).astype(np.float16)  # [N, T, D]
    found = describe(tokens, tokens.mean(axis=1), np.array([3, 7]))
    assert (found["positions"], found["dimension"]) == (16, 6)
    maps = np.array(found["patch"]["maps"])
    assert maps.shape == (2, side, side, 3)
    assert maps.min() >= 0 and maps.max() <= 255 and maps.dtype.kind == "i"
    for shown, image in zip(maps, (3, 7), strict=True):
        assert abs(np.corrcoef(shown[..., 0].ravel(), brightness[image].ravel())[0, 1]) > 0.98
    assert np.shape(found["pooled"]["points"]) == (images, 2)
    assert found["patch"]["explained"][0] > 0.99
    json.dumps(found, allow_nan=False)


def test_features_without_any_variance_have_no_components() -> None:
    with np.errstate(invalid="ignore"):
        projected, shares = principal_components(np.ones((10, 4)), 2)
    np.testing.assert_array_equal(projected, 0)
    assert shares == [0.0] * 4
