"""The real Snakefile on a tiny real study: what is planned, when, and what the results look like."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest
from support.checkouts import ROOT, STUDY, call, copy_code, edit, environment, jobs_in, planned, snakemake


@pytest.fixture
def checkout(finished: Path, tmp_path: Path) -> Path:
    """The finished study with Snakemake's own memory: the folder in which it ran."""
    return Path(shutil.copytree(finished, tmp_path / "here", symlinks=True))


@pytest.fixture
def clone(finished: Path, tmp_path: Path) -> Path:
    """As git would bring it: small results only, no weights, arrays, images or memory, and shuffled file times."""
    where = copy_code(tmp_path / "clone")
    kept = [p for p in (finished / "results").rglob("*") if p.is_file()]
    kept = [
        p
        for p in kept
        if not {"checkpoints", "state"} & set(p.parts)
        and not (p.parent.name == "features" and p.suffix == ".safetensors")
    ]
    for number, path in enumerate([*kept, finished / "data" / "digits.json"]):
        target = where / path.relative_to(finished)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
        jitter = int(hashlib.sha256(str(number).encode()).hexdigest()[:4], 16)
        os.utime(target, (1_700_000_000 + jitter, 1_700_000_000 + jitter))
    return where


def test_a_finished_study_has_all_that_design_promises(finished: Path) -> None:
    home = finished / "results" / "tiny"
    for run, seed in [("baseline", 0), ("baseline", 1), ("width=8", 0), ("best-on-all-images", 100)]:
        files = {path.name for path in (home / "runs" / run / f"seed{seed}").iterdir()}
        assert files == {"config.json", "history.csv", "train.json", "metrics.json", "predictions.npz"}
        assert (home / "checkpoints" / run / f"seed{seed}.safetensors").stat().st_size > 0
    assert not list(home.rglob("step-*.pt")), "resume states are cleaned up"
    measured = {path.stem: json.loads(path.read_text()) for path in (home / "cost").iterdir()}
    assert set(measured) == {"baseline", "width=8", "heads=1", "resnet18-width=4"}
    assert all(found["images_per_second"] > 0 and found["peak_bytes"] > 0 for found in measured.values())
    assert measured["width=8"]["peak_bytes"] < measured["baseline"]["peak_bytes"]
    for name in ("deck.html", "deck.pdf", "deck.pptx", "explore.html"):
        assert (home / "slides" / name).stat().st_size > 10_000
    summary = json.loads((home / "analysis" / "summary.json").read_text())
    assert (summary["done"], summary["total"]) == (5, 5)
    scores = [
        json.loads((home / f"runs/baseline/seed{k}/metrics.json").read_text())["test"]["accuracy"] for k in (0, 1)
    ]
    assert summary["runs"]["baseline"]["test"]["mean"] == pytest.approx(sum(scores) / 2, abs=1e-4)


def test_a_finished_study_leaves_nothing_to_do(checkout: Path) -> None:
    assert planned(checkout) == {}
    assert planned(checkout, "all_ablations") == {}


def test_an_edited_axis_plans_that_run_and_its_dependants(checkout: Path) -> None:
    edit(checkout / STUDY, "width: [8, 16]", "width: [12, 16]")
    plan = planned(checkout, "all_ablations")
    assert plan["train_run"] == ["results/tiny/checkpoints/width=12/seed0.safetensors"]
    assert plan["evaluate_run"] == ["results/tiny/runs/width=12/seed0/metrics.json"]
    assert plan["measure_cost"] == ["results/tiny/cost/width=12.json"]
    assert {"summarise", "draw"} <= set(plan)
    assert "extract_features" not in plan


def test_a_new_selection_of_the_same_winner_does_not_train_it_again(checkout: Path) -> None:
    edit(checkout / STUDY, "width: [8, 16]", "width: [12, 16]")
    winner = checkout / "results/tiny/runs/best-on-all-images/seed100/train.json"
    before = winner.stat().st_mtime_ns
    output = snakemake(checkout, "best")
    assert "checkpoint select" in output
    assert winner.stat().st_mtime_ns == before
    assert set(planned(checkout)) == {
        "measure_cost",
        "collect_mistakes",
        "summarise",
        "draw",
        "render_slides",
        "make_page",
    }, "what was not asked for"


def test_a_learning_rate_plans_all_runs(clone: Path) -> None:
    edit(clone / STUDY, "learning_rate: 0.003", "learning_rate: 0.002")
    plan = planned(clone, "all_ablations")
    assert (len(plan["train_run"]), len(plan["measure_cost"])) == (5, 4)


def test_an_edit_of_the_presentation_trains_nothing(clone: Path) -> None:
    edit(clone / STUDY, "A tiny study", "Another title")
    plan = planned(clone)
    assert set(plan) <= {"summarise", "draw", "render_slides", "make_page", "confirm_best"}
    assert "summarise" in plan


def test_code_and_comments_of_the_models_plan_nothing(checkout: Path) -> None:
    edit(checkout / "vitflow/models/norm.py", '"""', '"""Another word. ')
    edit(checkout / "vitflow/training/loop.py", "CHECKPOINT_SECONDS = 60.0", "CHECKPOINT_SECONDS = 61.0")
    assert planned(checkout) == {}


def test_code_of_the_page_plans_the_page(checkout: Path) -> None:
    with (checkout / "vitflow/explore/view.py").open("a") as file:
        file.write("\nNEW = 1\n")
    assert set(planned(checkout)) == {"make_page"}


def test_code_of_figures_plans_figures_and_slides(checkout: Path) -> None:
    with (checkout / "vitflow/figures/style.py").open("a") as file:
        file.write("\nNEW = 1\n")
    assert set(planned(checkout)) == {"draw", "render_slides"}


def test_half_of_the_runs_deleted_in_a_clone_plans_that_half(clone: Path) -> None:
    shutil.rmtree(clone / "results/tiny/runs/heads=1")
    shutil.rmtree(clone / "results/tiny/runs/baseline/seed1")
    plan = planned(clone, "all_ablations")
    assert sorted(plan["train_run"]) == [
        "results/tiny/checkpoints/baseline/seed1.safetensors",
        "results/tiny/checkpoints/heads=1/seed0.safetensors",
    ]
    assert len(plan["evaluate_run"]) == 2
    assert "measure_cost" not in plan, "it needs no weights"


def test_costs_are_measured_again_where_they_are_missing_and_nowhere_else(clone: Path) -> None:
    (clone / "results/tiny/cost/heads=1.json").unlink()
    output = snakemake(clone, "-n", "all_ablations")
    plan = jobs_in(output)
    assert plan["measure_cost"] == ["results/tiny/cost/heads=1.json"]
    assert "train_run" not in plan and "summarise" in plan
    (measuring,) = re.findall(r"rule measure_cost:\n(?:    .*\n)*", output)
    assert "threads: 2" in measuring, "all cores, so that nothing runs beside it"


def test_missing_weights_that_a_step_needs_stop_the_plan(clone: Path) -> None:
    metrics = clone / "results/tiny/runs/width=8/seed0/metrics.json"
    metrics.unlink()
    output = snakemake(clone, "-n", "all_ablations", expect=2)
    assert "weights are missing" in output and "Traceback" not in output
    snakemake(clone, "all_ablations", expect=2)
    assert (clone / "results/tiny/runs/width=8/seed0/train.json").exists(), "nothing is lost"


def test_an_override_reaches_the_jobs_or_is_refused(checkout: Path) -> None:
    assert len(planned(checkout, "--config", "training={epochs: 3}", "--")["train_run"]) >= 5
    wanted = json.loads((checkout / "results/tiny/state/wanted/baseline/seed0.json").read_text())
    assert wanted["config"]["training"]["epochs"] == 3
    refused = snakemake(checkout, "-n", "--config", "epochs=3", "--", "all", expect=1)
    assert "epochs: unknown key" in refused and "Traceback" not in refused


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("epochs: 2", "epohcs: 2", "training.epohcs: unknown key; did you mean 'epochs'?"),
        ("heads: [1, 2]", "heads: [3, 2]", "width 16 is not divisible by heads 3"),
        ("width: [8, 16]", "widht: [8, 16]", "did you mean 'width'?"),
        ("study: tiny", "study: ../../etc", "cannot name a study"),
        ("patch_size: 4", "patch_size: 3", "does not divide the image side 8"),
    ],
)
def test_a_mistake_in_the_configuration_is_told_before_the_first_job(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    where = copy_code(tmp_path)
    edit(where / STUDY, old, new)
    output = snakemake(where, expect=1)
    assert message in output
    assert "Traceback" not in output
    assert not (where / "results").exists(), "nothing is half-written"


def test_in_a_folder_that_is_no_project_the_way_is_told_and_nothing_left(tmp_path: Path) -> None:
    where = copy_code(tmp_path / "project")
    (other := tmp_path / "other").mkdir()
    told = call(where, "snakemake", "--cores", "1", "--directory", other, expect=1)
    assert f"this is not the project's folder: `cd {where}` first" in told and "Traceback" not in told
    assert not list(other.iterdir()), "not even Snakemake's log"
    (log := other / ".snakemake/log/of_theirs").parent.mkdir(parents=True)
    log.write_text("another workflow's")
    call(where, "snakemake", "--cores", "1", "--directory", other, expect=1)
    assert log.read_text() == "another workflow's"


def test_the_plan_of_config_yaml_lists_every_run_once_per_seed_without_torch(tmp_path: Path) -> None:
    from vitflow.study.grid import expand
    from vitflow.study.reading import read_study

    where = copy_code(tmp_path)
    (where / "torch.py").write_text("raise RuntimeError('torch is imported for a plan')")
    plan = planned(where, "all_ablations", study="config.yaml")
    runs = expand(read_study(ROOT / "config.yaml")).runs.values()
    wanted = [f"results/cifar10/checkpoints/{run.name}/seed{seed}.safetensors" for run in runs for seed in run.seeds]
    assert sorted(plan["train_run"]) == sorted(wanted)


def test_pending_training_in_short_sittings_finishes_the_study(tmp_path: Path, finished: Path) -> None:
    where = copy_code(tmp_path)
    for _ in range(40):
        done = subprocess.run(
            [sys.executable, "-m", "vitflow", "train", "--pending", "--time-limit", "15", "--config", STUDY],
            cwd=where,
            env=environment(where),
            capture_output=True,
            text=True,
        )
        assert done.returncode in (0, 75), done.stderr
        if done.returncode == 0:
            break
    assert done.returncode == 0
    assert not set(planned(where)) & {"prepare", "train_run", "evaluate_run", "select"}
    for run in ("baseline/seed0", "heads=1/seed0", "resnet18-width=4/seed0", "best-on-all-images/seed100"):
        name = f"results/tiny/runs/{run}/history.csv"
        assert (where / name).read_bytes() == (finished / name).read_bytes()


def test_the_report_has_the_chapters_of_the_talk_and_a_caption_everywhere(checkout: Path) -> None:
    snakemake(checkout, "--report", "report.html")
    page = (checkout / "report.html").read_text()
    chapters, results = (
        # the page's libraries have variables of these names, too, but none that begins as JSON
        json.JSONDecoder().raw_decode(page, page.index(f'var {name} = {{"') + len(f"var {name} = "))[0]
        for name in ("categories", "results")
    )
    assert sorted(chapters) == ["1. Data", "2. Training", "3. Comparison", "4. Features", "5. Talk"]
    found = {chapter: {Path(path).name for path in parts["Other"]} for chapter, parts in chapters.items()}
    assert found["1. Data"] == {"digits.json", "images.svg", "model.svg"}
    assert found["5. Talk"] == {"deck.html", "deck.pdf", "explore.html"}
    assert "summary.csv" in found["3. Comparison"]
    drawn = {path.name for path in (checkout / "results/tiny/figures").glob("*.svg")}
    assert drawn <= set().union(*found.values())
    assert all(re.search(r"<p>\w", result["caption"]) for result in results.values())
    captions = json.loads((checkout / "results/tiny/figures/captions.json").read_text())
    assert captions["curves"]["caption"] in unescape(results["results/tiny/figures/curves.svg"]["caption"])
