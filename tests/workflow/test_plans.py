"""What an edit plans in a restored clone, where only digests speak."""

from __future__ import annotations

from pathlib import Path

from support.checkouts import edit
from support.dvc import FRESH, HOME, WEIGHTS, to_do


def test_an_axis_value_plans_that_run_and_its_dependants(here: Path) -> None:
    edit(here / "config.yaml", "width: [8, 16]", "width: [12, 16]")
    plan = to_do(here)
    # who the finalists are is known only after the selection
    assert plan["train_run"] == [f"{HOME}/checkpoints/width=12/seed0.safetensors"]
    assert plan["evaluate_run"] == [f"{HOME}/runs/width=12/seed0/metrics.json"]
    assert {"summarise", "collect_mistakes", "select", "draw", "render_slides", "make_page"} <= set(plan)
    assert not {"prepare", "extract_features", "look_inside"} & set(plan)


def test_a_learning_rate_plans_all_runs(here: Path) -> None:
    edit(here / "config.yaml", "learning_rate: 0.003", "learning_rate: 0.002")
    plan = to_do(here)
    assert sorted(plan["train_run"]) == sorted(str(path) for run, path in WEIGHTS.items() if run not in FRESH)
    assert "prepare" not in plan


def test_code_of_a_figure_plans_figures_and_slides_only(here: Path) -> None:
    with (here / "vitflow/figures/curves.py").open("a") as file:
        file.write("\nNEW = 1\n")
    assert set(to_do(here)) == {"draw", "render_slides"}


def test_a_comment_in_a_model_plans_nothing(here: Path) -> None:
    with (here / "vitflow/models/vit.py").open("a") as file:
        file.write("\n# another word\n")
    assert to_do(here) == {}


def test_scores_that_a_failed_training_left_behind_do_not_pass_for_the_run(here: Path) -> None:
    assert to_do(here) == {}
    for seed in FRESH:  # Snakemake deletes outputs of a failed job, not scores
        (here / HOME / "runs" / seed / "train.json").unlink()
    plan = to_do(here)
    assert sorted(plan["train_run"]) == sorted(str(WEIGHTS[seed]) for seed in FRESH)
    assert sorted(plan["evaluate_run"]) == sorted(f"{HOME}/runs/{seed}/metrics.json" for seed in FRESH)
