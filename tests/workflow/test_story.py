"""Two sets of results: dvc repro, experiments, metrics and plots, and the way back to the first."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.checkouts import edit, git, jobs_in
from support.dvc import ARRAYS, HOME, KEPT, RUNS, SEEDS, WEIGHTS, dvc, everything, runs_nothing, to_do, vitflow


@dataclass(frozen=True)
class Story:
    """Three epochs in place of two, on top of the recorded study: what was typed there, and what it said."""

    where: Path  #: in the end: recorded and committed, so that HEAD~1 has two epochs and HEAD three
    plan: dict[str, list[str]]  #: of Snakemake, with all runs trained but one
    failed: str  #: `dvc repro`, with something in the way of that one
    changed: set[Path]  #: scores of finished runs that the next command made again
    resumed: str  #: `dvc exp run -S`, with nothing in the way any more
    again: str  #: `dvc repro` after that
    experiments: str  #: `dvc exp show --csv`


LAST = "heads=1/seed0"  # of the story's runs


@pytest.fixture(scope="module")
def story(restored: Path, tmp_path_factory: pytest.TempPathFactory) -> Story:
    where = Path(shutil.copytree(restored, tmp_path_factory.mktemp("story") / "study"))
    edit(where / "config.yaml", "epochs: 2", "epochs: 3")
    vitflow(where, "train", "--pending")  # in one process, which is quicker than a job each
    (where / WEIGHTS[LAST]).unlink()
    shutil.rmtree(where / HOME / "runs" / LAST)
    shutil.rmtree(where / HOME / "state/runs" / LAST)
    obstacle = where / HOME / "state/runs" / LAST  # a file where a folder should be
    obstacle.touch()
    plan = to_do(where, "evaluate", "best", "features", f"{HOME}/summary.csv")
    failed = dvc(where, "repro", expect=255)
    done = [where / HOME / "runs" / seed / name for seed in WEIGHTS for name in ("train.json", "metrics.json")]
    before = {path: path.read_bytes() for path in done if path.exists()}

    obstacle.unlink()
    git(where, "checkout", "--quiet", "config.yaml")
    resumed = dvc(where, "exp", "run", "--set-param", "config.yaml:training.epochs=3")
    changed = {path for path, content in before.items() if path.read_bytes() != content}
    again = dvc(where, "repro")
    experiments = dvc(where, "exp", "show", "--csv")
    vitflow(where, "record")
    git(where, "add", "--all")
    git(where, "commit", "--quiet", "--message", "three epochs")
    assert len(before) == 2 * (len(WEIGHTS) - 1)
    return Story(where, plan, failed, changed, resumed, again, experiments)


@pytest.fixture
def later(story: Story, tmp_path: Path) -> Path:
    """The checkout with two sets of results, to change at will."""
    return Path(shutil.copytree(story.where, tmp_path / "later"))


def test_repro_of_a_finished_checkout_runs_nothing(here: Path) -> None:
    assert runs_nothing(dvc(here, "repro"))
    assert git(here, "status", "--porcelain") == ""


def test_repro_after_an_edit_runs_what_snakemake_would_and_then_nothing(story: Story) -> None:
    ran = jobs_in(story.failed)
    assert ran["train_run"] == [str(WEIGHTS[LAST])], "the others were trained before"
    assert sorted(ran["extract_features"]) == sorted(story.plan["extract_features"]) == sorted(map(str, ARRAYS))
    assert set(ran) | set(jobs_in(story.resumed)) == {
        *story.plan,
        "draw",
        "render_slides",
        "collect_mistakes",
        "make_page",
    }
    assert runs_nothing(story.again)


def test_a_failure_in_the_middle_of_repro_leaves_finished_runs_and_only_the_rest_is_run(story: Story) -> None:
    assert "cannot be written (File exists)" in story.failed and "Traceback" not in story.failed
    assert "failed to reproduce 'compute'" in story.failed
    assert not story.changed
    ran = jobs_in(story.resumed)
    assert ran["train_run"] == [str(WEIGHTS[LAST])]
    assert not {"extract_features", "look_inside"} & set(ran), "not again"
    assert "9 files handed to DVC, 1 there already" in story.resumed, "only now, when all were finished"


def test_an_experiment_compares_its_scores_with_the_baselines(story: Story) -> None:
    rows = list(csv.DictReader(io.StringIO(story.experiments)))
    before = next(row for row in rows if row["typ"] == "baseline" and row["rev"] != "workspace")
    after = next(row for row in rows if row["typ"].startswith("branch"))
    assert (before["training.epochs"], after["training.epochs"]) == ("2", "3")
    for run in RUNS:
        column = f"{HOME}/metrics/{run}.json:test"
        stored = json.loads((story.where / HOME / "metrics" / f"{run}.json").read_text())["test"]
        assert float(after[column]) == stored
        assert after[column] != before[column], run


def test_metrics_diff_has_a_line_per_run_and_metric_and_show_a_row_per_run(story: Story) -> None:
    told = dvc(story.where, "metrics", "diff", "HEAD~1")
    for run in RUNS:
        new = json.loads((story.where / HOME / "metrics" / f"{run}.json").read_text())
        old = json.loads(git(story.where, "show", f"HEAD~1:{HOME}/metrics/{run}.json"))
        for metric in ("test", "validation"):
            change = f"{round(new[metric] - old[metric], 4):g}"
            words = [rf"{HOME}/metrics/{run}.json", metric, f"{old[metric]:g}", f"{new[metric]:g}", change]
            assert re.search(r"\s+".join(map(re.escape, words)), told), (words, told)
    table = dvc(story.where, "metrics", "show").strip().splitlines()
    assert table[0].split()[0] == "Path" and {"test", "validation", "n"} <= set(table[0].split())
    assert sorted(line.split()[0] for line in table[1:]) == sorted(f"{HOME}/metrics/{run}.json" for run in RUNS)
    assert max(map(len, table)) < 160


def test_plots_diff_draws_curves_confusions_bars_and_images_of_both_commits(later: Path) -> None:
    told = dvc(later, "plots", "diff", "HEAD~1")
    assert not re.search(r"error|fail|warn", told, re.IGNORECASE), told
    page = (later / "dvc_plots/index.html").read_text()
    found = re.finditer(r'<div id = "([^"]+)">\s*<script type = "text/javascript">\s*var spec = ', page)
    plots = {plot[1]: json.JSONDecoder().raw_decode(page, plot.end())[0] for plot in found}
    curves, bars, cells = (plots[name]["data"]["values"] for name in ("curves", "test-accuracy", "confusion"))
    for revision, epochs, shown in (("HEAD~1", 2, "HEAD~1"), ("workspace", 3, "HEAD")):
        mine = [row for row in curves if row["rev"] == revision]
        assert {(row["run"], row["seed"]) for row in mine} == {tuple(seed.split("/seed")) for seed in SEEDS}
        assert {row["epoch"] for row in mine} == {str(epoch + 1) for epoch in range(epochs)}
        table = csv.DictReader(io.StringIO(git(later, "show", f"{shown}:{HOME}/summary.csv")))
        assert {row["run"]: row["test_mean"] for row in bars if row["rev"] == revision} == {
            row["run"]: row["test_mean"] for row in table
        }
        stored = json.loads(git(later, "show", f"{shown}:{HOME}/analysis/confusion.json"))["cells"]
        assert [cell["images"] for cell in cells if cell["rev"] == revision] == [cell["images"] for cell in stored]
        for figure in ("curves", "differences", "accuracy-cost", "pca"):
            name = f"static/{revision}_results_tiny_figures_{figure}.png"
            assert name in page
            assert (later / "dvc_plots" / name).read_bytes().startswith(b"\x89PNG")
    assert git(later, "status", "--porcelain") == ""


def test_an_earlier_commit_checked_out_with_dvc_has_nothing_to_do(later: Path, finished: Path) -> None:
    git(later, "checkout", "--quiet", "HEAD~1")
    dvc(later, "checkout")
    assert "10 verified" in vitflow(later, "restore")
    assert to_do(later) == {}
    assert all((later / path).read_bytes() == (finished / path).read_bytes() for path in KEPT)


def test_an_earlier_commit_checked_out_with_git_alone_is_not_blessed_and_restore_heals_it(
    later: Path, finished: Path
) -> None:
    git(later, "checkout", "--quiet", "HEAD~1")
    before = everything(later)
    told = vitflow(later, "record", expect=2)
    assert "nothing is recorded" in told and "Traceback" not in told
    for path in WEIGHTS.values():  # ten at most are named
        assert f"{path}: not the bytes that" in told
    assert everything(later) == before
    assert git(later, "status", "--porcelain") == ""
    status = vitflow(later, "status")
    assert "`vitflow record` would refuse" in status and f"{WEIGHTS['width=8/seed0']}: not the bytes that" in status

    assert "9 files restored, 10 verified" in vitflow(later, "restore")
    assert all((later / path).read_bytes() == (finished / path).read_bytes() for path in KEPT)
    assert git(later, "status", "--porcelain") == ""
    assert to_do(later) == {}


def test_a_look_at_an_earlier_commit_and_back_plans_nothing(later: Path) -> None:
    for memory in (".snakemake", HOME / "state"):  # as in a clone, where only the file times that git sets speak
        shutil.rmtree(later / memory)
    git(later, "checkout", "--quiet", "HEAD~1")
    git(later, "checkout", "--quiet", "-")
    assert to_do(later) == {}
