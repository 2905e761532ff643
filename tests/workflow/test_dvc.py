"""Results under DVC: the tiny study recorded, pushed, cloned, restored, changed and compared, with real git and DVC."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import shutil
import stat
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.checkouts import (
    CODE,
    ROOT,
    STUDY,
    VERSIONS,
    call,
    copy_code,
    edit,
    git,
    jobs_in,
    planned,
    shell,
    snakemake,
)

pytestmark = pytest.mark.xdist_group("workflow")  # one worker: the finished study is made once

HOME = Path("results/tiny")
SEEDS = ("baseline/seed0", "baseline/seed1", "width=8/seed0", "heads=1/seed0", "resnet18-width=4/seed0")
WINNER = "best_architecture/seed100"
WEIGHTS = {seed: HOME / "checkpoints" / f"{seed}.safetensors" for seed in (*SEEDS, WINNER)}
ARRAYS = [HOME / "features" / f"{run}.safetensors" for run in ("baseline", "resnet18-width=4")]
KEPT = [Path("data/digits.safetensors"), *WEIGHTS.values(), *ARRAYS]
RUNS = ("baseline", "width=8", "heads=1", "resnet18-width=4", "best_architecture")


def vitflow(where: Path, *words: str | Path, expect: int = 0) -> str:
    return call(where, "vitflow", *words, expect=expect)


def dvc(where: Path, *words: str | Path, expect: int = 0) -> str:
    return call(where, "dvc", *words, expect=expect)


def runs_nothing(told: str) -> bool:
    """Whether `dvc repro`, which said so, found nothing to run in both stages of a study."""
    return len(re.findall(r"^Stage '.*(?:compute|present)' didn't change", told, re.MULTILINE)) == 2 and (
        "Data and pipelines are up to date" in told and "Running" not in told
    )


def to_do(where: Path, *targets: str) -> dict[str, list[str]]:
    return planned(where, *(targets or ("all", "pca", "features", "data")), study=None)


def repository(finished: Path, where: Path, config: str = STUDY) -> Path:
    """The finished study with git and DVC, its code committed, its results not; ``config`` is its config.yaml."""
    copy_code(Path(shutil.copytree(finished, where)), VERSIONS)
    if config != "config.yaml":
        shutil.copy(where / config, where / "config.yaml")
    git(where, "init", "--quiet")
    git(where, "add", "--all", "--", ".", ":!results", ":!data")
    git(where, "commit", "--quiet", "--message", "the code")
    return where


def record_and_push(where: Path, remote: Path, *options: str) -> None:
    """What the README tells to type, with the words that `vitflow record` itself gives for git."""
    dvc(where, "remote", "add", "--quiet", "--default", "store", remote)
    told = vitflow(where, "record", *options)
    git(where, "commit", "--quiet", "--message", "a remote", ".dvc/config")
    named = re.search(r"now: git add (.+), git commit, dvc push", told)
    assert named and "the study is recorded as reproduced" in told
    git(where, "add", *named[1].split())
    git(where, "commit", "--quiet", "--message", "the results")
    assert git(where, "status", "--porcelain") == "", "what it names is all there is"
    dvc(where, "push")


def cloned(source: Path, to: Path) -> Path:
    git(source, "clone", "--quiet", source, to)
    return to


def everything(where: Path) -> dict[str, str]:
    """{file: digest}, DVC's cache and lock included; without git's own files, logs, locks and memories."""
    passing = {".git", ".snakemake", "__pycache__", "logs", "state", "tmp"}
    return {
        str(path.relative_to(where)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in where.rglob("*")
        if path.is_file() and not passing & set(path.relative_to(where).parts)
    }


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


@pytest.fixture(scope="module")
def recorded(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study where it ran: recorded, committed, pushed to a folder."""
    home = tmp_path_factory.mktemp("recorded")
    record_and_push(repository(finished, home / "study"), home / "remote")
    return home / "study"


@pytest.fixture(scope="module")
def restored(recorded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of it elsewhere, with all that the remote keeps."""
    where = cloned(recorded, tmp_path_factory.mktemp("restored") / "study")
    assert "9 files restored, 9 verified" in vitflow(where, "restore")
    return where


@pytest.fixture
def here(restored: Path, tmp_path: Path) -> Path:
    """A restored clone to change at will."""
    return Path(shutil.copytree(restored, tmp_path / "here"))


@pytest.fixture
def bare(recorded: Path, tmp_path: Path) -> Path:
    """A clone that knows of no remote: no weights, arrays or images."""
    where = cloned(recorded, tmp_path / "bare")
    dvc(where, "remote", "remove", "store")
    git(where, "commit", "--quiet", "--all", "--message", "no remote")
    return where


# ------------------------------------------------------------------------------- recorded, cloned, restored


def test_what_the_readme_tells_to_type_records_a_study_and_gets_it_back(finished: Path, tmp_path: Path) -> None:
    section = (ROOT / "README.md").read_text().split("## Results under DVC")[1].split("\n## ")[0]
    record, restore = re.findall(r"```\n(.*?)```", section, re.DOTALL)
    study = repository(finished, tmp_path / "study")
    shell(study, record)
    assert git(study, "status", "--porcelain") == ""
    told = shell(cloned(study, tmp_path / "clone"), restore)
    assert "9 files restored, 9 verified" in told
    assert "Nothing to be done" in told
    assert all(f"{HOME}/metrics/{run}.json" in told for run in RUNS)
    assert "Data and pipelines are up to date" in told


def test_a_study_recorded_pushed_cloned_and_restored_is_finished_there(here: Path, finished: Path) -> None:
    assert to_do(here) == {}
    assert git(here, "status", "--porcelain") == ""
    assert "Data and pipelines are up to date" in dvc(here, "status")
    for path in KEPT:
        assert (here / path).read_bytes() == (finished / path).read_bytes(), path


@pytest.mark.parametrize("kind", ["bare", pytest.param("here", marks=pytest.mark.slow)])
def test_figures_and_deck_deleted_in_a_clone_are_made_again_to_the_same_bytes(
    kind: str, finished: Path, request: pytest.FixtureRequest
) -> None:
    clone: Path = request.getfixturevalue(kind)
    for folder in ("figures", "slides"):
        shutil.rmtree(clone / HOME / folder)
    ran = jobs_in(snakemake(clone, "figures", "slides", study=None))
    assert set(ran) == {"draw", "render_slides"}
    for folder in ("figures", "slides"):
        for old in sorted((finished / HOME / folder).iterdir()):
            new = clone / HOME / folder / old.name
            if old.suffix == ".pptx":
                assert members(new) == members(old)
            else:
                assert new.read_bytes() == old.read_bytes(), new
    assert (clone / WEIGHTS["width=8/seed0"]).exists() == (kind == "here"), "weights were neither fetched nor lost"


def test_without_a_remote_restore_says_what_is_elsewhere_and_is_content(bare: Path) -> None:
    told = vitflow(bare, "restore")
    assert "no DVC remote is set" in told
    assert "9 are elsewhere; figures and slides need none of them" in told
    assert str(WEIGHTS["baseline/seed0"]) in told
    assert git(bare, "status", "--porcelain") == ""


def test_a_step_that_needs_missing_weights_says_so_in_one_line(bare: Path) -> None:
    (bare / HOME / "runs/width=8/seed0/metrics.json").unlink()
    told = snakemake(bare, "all", study=None, expect=2)
    line = next(line for line in told.splitlines() if line.startswith("vitflow: "))
    assert str(WEIGHTS["width=8/seed0"]) in line and "weights are missing" in line
    assert "Traceback" not in told
    assert (bare / HOME / "runs/width=8/seed0/train.json").exists(), "nothing is lost"


# ------------------------------------------------------------------- what an edit plans in the restored clone


def test_an_axis_value_plans_that_run_and_its_dependants(here: Path) -> None:
    edit(here / "config.yaml", "width: [8, 16]", "width: [12, 16]")
    plan = to_do(here)
    # whether there is another winner is known only after the selection, so the plan counts it in
    assert plan["train_run"] == [f"{HOME}/checkpoints/width=12/seed0.safetensors", str(WEIGHTS[WINNER])]
    assert plan["evaluate_run"] == [f"{HOME}/runs/width=12/seed0/metrics.json", f"{HOME}/runs/{WINNER}/metrics.json"]
    assert {"summarise", "select", "draw", "render_slides"} <= set(plan)
    assert not {"prepare", "extract_features", "principal_components"} & set(plan)


def test_a_learning_rate_plans_all_runs(here: Path) -> None:
    edit(here / "config.yaml", "learning_rate: 0.003", "learning_rate: 0.002")
    plan = to_do(here)
    assert sorted(plan["train_run"]) == sorted(map(str, WEIGHTS.values()))
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
    (here / HOME / "runs" / WINNER / "train.json").unlink()  # Snakemake deletes outputs of a failed job, not scores
    plan = to_do(here)
    assert plan["train_run"] == [str(WEIGHTS[WINNER])]
    assert plan["evaluate_run"] == [f"{HOME}/runs/{WINNER}/metrics.json"]


# ------------------------------------------------------------------------------------ a second set of results


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
    plan = to_do(where, "evaluate", "best", "pca", f"{HOME}/summary.csv")
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
    assert set(ran) | set(jobs_in(story.resumed)) == {*story.plan, "draw", "render_slides"}
    assert runs_nothing(story.again)


def test_a_failure_in_the_middle_of_repro_leaves_finished_runs_and_only_the_rest_is_run(story: Story) -> None:
    assert "cannot be written (File exists)" in story.failed and "Traceback" not in story.failed
    assert "failed to reproduce 'compute'" in story.failed
    assert not story.changed
    ran = jobs_in(story.resumed)
    assert ran["train_run"] == [str(WEIGHTS[LAST])]
    assert not {"extract_features", "principal_components"} & set(ran), "not again"
    assert "8 files handed to DVC, 1 there already" in story.resumed, "only now, when all were finished"


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
    assert "9 verified" in vitflow(later, "restore")
    assert to_do(later) == {}
    assert all((later / path).read_bytes() == (finished / path).read_bytes() for path in KEPT)


def test_an_earlier_commit_checked_out_with_git_alone_is_not_blessed_and_restore_heals_it(
    later: Path, finished: Path
) -> None:
    git(later, "checkout", "--quiet", "HEAD~1")
    before = everything(later)
    told = vitflow(later, "record", expect=2)
    assert "nothing is recorded" in told and "Traceback" not in told
    for path in (*WEIGHTS.values(), *ARRAYS):
        assert f"{path}: not the bytes that" in told
    assert everything(later) == before
    assert git(later, "status", "--porcelain") == ""
    status = vitflow(later, "status")
    assert "`vitflow record` would refuse" in status and f"{WEIGHTS['width=8/seed0']}: not the bytes that" in status

    assert "8 files restored, 9 verified" in vitflow(later, "restore")
    assert all((later / path).read_bytes() == (finished / path).read_bytes() for path in KEPT)
    assert git(later, "status", "--porcelain") == ""
    assert to_do(later) == {}


def test_a_look_at_an_earlier_commit_and_back_plans_nothing(later: Path) -> None:
    for memory in (".snakemake", HOME / "state"):  # as in a clone, where only the file times that git sets speak
        shutil.rmtree(later / memory)
    git(later, "checkout", "--quiet", "HEAD~1")
    git(later, "checkout", "--quiet", "-")
    assert to_do(later) == {}


# ----------------------------------------------------------------------------------- several studies


def test_pull_and_repro_work_beside_a_study_that_never_ran(here: Path) -> None:
    other = here / "workflow/studies/other.yaml"
    shutil.copy(here / STUDY, other)
    edit(other, "study: tiny", "study: other")
    told = vitflow(here, "record", "--config", "workflow/studies/other.yaml")
    assert "results/other/dvc.yaml: written" in told and "5 runs are not finished" in told
    (here / WEIGHTS["heads=1/seed0"]).unlink()
    dvc(here, "pull")
    assert (here / WEIGHTS["heads=1/seed0"]).exists()
    assert runs_nothing(dvc(here, "repro"))
    assert not (here / "results/other/runs").exists()


def test_a_study_beside_config_yaml_is_recorded_pulled_and_reproduced_though_that_one_never_ran(
    finished: Path, tmp_path: Path
) -> None:
    where = repository(finished, tmp_path / "study", config="config.yaml")
    record_and_push(where, tmp_path / "remote", "--config", STUDY)
    clone = cloned(where, tmp_path / "clone")
    dvc(clone, "pull")
    assert "0 files restored, 9 verified" in vitflow(clone, "restore", "--config", STUDY)
    assert planned(clone) == {}
    assert runs_nothing(dvc(clone, "repro", "results/tiny/dvc.yaml"))

    with (clone / "vitflow/figures/style.py").open("a") as file:
        file.write("# another word\n")
    told = dvc(clone, "repro", "results/tiny/dvc.yaml")
    assert "Running stage 'results/tiny/dvc.yaml:present'" in told, "DVC takes it for new code"
    assert jobs_in(told) == {} and "Nothing to be done" in told, "Snakemake knows better"
    assert runs_nothing(dvc(clone, "repro", "results/tiny/dvc.yaml"))
    assert not (clone / "results/cifar10").exists()


# -------------------------------------------------------------------------------------- damaged copies


def content_of(where: Path, path: Path) -> str:
    """Where DVC keeps the bytes of a file, inside its cache and its remotes."""
    digest = re.search(r"^- md5: (\w+)", (where / f"{path}.dvc").read_text(), re.MULTILINE)
    assert digest
    return f"files/md5/{digest[1][:2]}/{digest[1][2:]}"


def damage(path: Path) -> None:
    path.chmod(path.stat().st_mode | stat.S_IWUSR)
    content = bytearray(path.read_bytes())
    content[-5] ^= 255
    path.write_bytes(content)
    path.chmod(path.stat().st_mode & ~stat.S_IWUSR)


def test_a_copy_damaged_in_the_cache_is_named_and_not_left_in_the_workspace(here: Path, finished: Path) -> None:
    hurt, good = WEIGHTS["width=8/seed0"], WEIGHTS["heads=1/seed0"]
    damage(here / ".dvc/cache" / content_of(here, hurt))
    damage(here / ".dvc/cache" / content_of(here, WEIGHTS["baseline/seed1"]))
    (here / hurt).unlink()
    (here / good).unlink()
    untouched = (here / WEIGHTS["baseline/seed1"]).stat()
    told = vitflow(here, "restore", expect=2)
    assert f"{hurt}: DVC's copy is damaged" in told and "Traceback" not in told
    assert not (here / hurt).exists()
    for path in KEPT:
        if path != hurt:
            assert (here / path).read_bytes() == (finished / path).read_bytes(), path
    now = (here / WEIGHTS["baseline/seed1"]).stat()
    assert (now.st_ino, now.st_mtime_ns) == (untouched.st_ino, untouched.st_mtime_ns), "good where it stands"
    assert git(here, "status", "--porcelain") == ""

    (here / ".dvc/cache" / content_of(here, hurt)).unlink()  # what the message says
    assert "1 files restored, 9 verified" in vitflow(here, "restore")
    assert (here / hurt).read_bytes() == (finished / hurt).read_bytes()


def test_a_copy_damaged_in_the_remote_is_named_and_all_others_are_restored(
    recorded: Path, finished: Path, tmp_path: Path
) -> None:
    hurt = WEIGHTS["width=8/seed0"]
    remote = Path(shutil.copytree(recorded.parent / "remote", tmp_path / "remote"))
    damage(remote / content_of(recorded, hurt))
    where = cloned(recorded, tmp_path / "clone")
    edit(where / ".dvc/config", str(recorded.parent / "remote"), str(remote))
    told = vitflow(where, "restore", expect=2)
    assert f"{hurt}: DVC's copy is damaged" in told and "8 files restored, 8 verified" in told
    assert not (where / hurt).exists()
    for path in KEPT:
        if path != hurt:
            assert (where / path).read_bytes() == (finished / path).read_bytes(), path


def test_damaged_weights_here_are_named_and_neither_lost_nor_in_the_way_of_others(here: Path, finished: Path) -> None:
    hurt, missing = WEIGHTS["width=8/seed0"], WEIGHTS["heads=1/seed0"]
    damage(here / hurt)
    (here / missing).unlink()
    kept = (here / hurt).read_bytes()
    told = vitflow(here, "restore", expect=2)
    assert str(hurt) in told and "Traceback" not in told
    assert (here / hurt).read_bytes() == kept, "perhaps somebody's only copy"
    assert (here / missing).read_bytes() == (finished / missing).read_bytes()

    (here / hurt).unlink()
    assert "1 files restored, 9 verified" in vitflow(here, "restore")
    assert (here / hurt).read_bytes() == (finished / hurt).read_bytes()


# ------------------------------------------------------------------------------ what record refuses and accepts


def rewrite(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


def better_score(where: Path) -> None:
    rewrite(where / HOME / "runs/heads=1/seed0/metrics.json", lambda value: value["test"].update(accuracy=99.9))


def better_metric(where: Path) -> None:
    rewrite(where / HOME / "metrics/heads=1.json", lambda value: value.update(test=99.9))


def better_table(where: Path) -> None:
    edit(where / HOME / "summary.csv", "heads=1,1,0,", "heads=1,1,0,9")


def better_curve(where: Path) -> None:
    edit(where / HOME / "runs/heads=1/seed0/history.csv", "1,4,", "1,5,")


def other_images(where: Path) -> None:
    rewrite(where / "data/digits.json", lambda value: value["digests"].update(test="0" * 64))


def other_prepared_images(where: Path) -> None:
    damage(where / "data/digits.safetensors")


def other_learning_rate(where: Path) -> None:
    edit(where / "config.yaml", "learning_rate: 0.003", "learning_rate: 0.002")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (better_score, f"{HOME}/runs/heads=1/seed0/metrics.json: edited by hand"),
        (better_metric, f"{HOME}/metrics/heads=1.json: edited by hand"),
        (better_table, f"{HOME}/summary.csv: edited by hand"),
        (better_curve, f"{HOME}/runs/heads=1/seed0/history.csv: not what"),
        (other_images, f"{HOME}/runs/heads=1/seed0/train.json: trained on other images than data/digits.json"),
        (other_prepared_images, "data/digits.safetensors: not the bytes that data/digits.json names"),
        (other_learning_rate, f"{HOME}/runs/heads=1/seed0/train.json: result of another configuration"),
    ],
)
def test_record_refuses_what_is_not_the_configurations_result(
    change: Callable[[Path], None], named: str, here: Path
) -> None:
    change(here)
    before = everything(here)
    told = vitflow(here, "record", expect=2)
    assert "nothing is recorded" in told and named in told, told
    assert "Traceback" not in told
    assert everything(here) == before


def test_results_of_older_code_are_named_and_need_an_explicit_word(here: Path) -> None:
    edit(
        here / "vitflow/models/vit.py",
        "from __future__ import annotations\n",
        "from __future__ import annotations\n\nN = 1\n",
    )
    before = everything(here)
    told = vitflow(here, "record", expect=2)
    assert f"{HOME}/runs/heads=1/seed0/train.json: made by older code" in told and "--accept-older-code" in told
    assert everything(here) == before
    told = vitflow(here, "record", "--accept-older-code")
    assert "older code" in told and "the study is recorded as reproduced" in told


def test_half_a_study_is_recorded_without_calling_it_reproduced(here: Path) -> None:
    for seed in ("heads=1/seed0", WINNER):
        shutil.rmtree((here / HOME / "runs" / seed).parent)
        shutil.rmtree((here / WEIGHTS[seed]).parent)
    for pointer in [*(here / HOME).rglob("*.dvc"), here / "data/digits.safetensors.dvc"]:
        pointer.unlink()
    lock = (here / "dvc.lock").read_bytes()
    assert "`vitflow record` would hand 7 of 7 verified files to DVC" in vitflow(here, "status")
    told = vitflow(here, "record")
    assert "7 files handed to DVC, 0 there already" in told and "the study is not complete" in told
    assert "heads=1 seed 0" in told
    assert (here / "dvc.lock").read_bytes() == lock
    assert (here / f"{WEIGHTS['baseline/seed1']}.dvc").exists()


def test_a_study_whose_weights_are_elsewhere_is_recorded_as_reproduced(bare: Path) -> None:
    (bare / "dvc.lock").unlink()
    told = vitflow(bare, "record")
    assert "0 files handed to DVC" in told and "the study is recorded as reproduced" in told
    assert git(bare, "status", "--porcelain") == "", "the lock is the same"


def test_status_shows_stale_and_orphaned_runs_and_what_record_would_say(here: Path) -> None:
    assert "DVC keeps all 9 files that are here" in vitflow(here, "status")
    edit(here / "config.yaml", "width: [8, 16]", "width: [12, 16]")
    edit(here / "config.yaml", "learning_rate: 0.003", "learning_rate: 0.002")
    told = vitflow(here, "status")
    assert re.search(r"^baseline +seed0 stale  seed1 stale$", told, re.MULTILINE)
    assert re.search(r"^width=12 +seed0 missing$", told, re.MULTILINE)
    assert f"{HOME}/runs/width=8/seed0: orphaned, no longer in the study" in told
    assert "`vitflow record` would refuse" in told
    assert f"{HOME}/runs/heads=1/seed0/train.json: result of another configuration" in told


@pytest.mark.parametrize(
    ("lacking", "message"),
    [
        ("git", "no git repository here"),
        ("dvc", "no DVC repository here"),
        ("room", "results/tiny: git ignores this folder"),
    ],
)
def test_record_needs_git_dvc_and_a_folder_that_git_does_not_ignore(lacking: str, message: str, tmp_path: Path) -> None:
    copy_code(tmp_path, (*CODE, *VERSIONS))
    if lacking != "git":
        git(tmp_path, "init", "--quiet")
    if lacking == "dvc":
        shutil.rmtree(tmp_path / ".dvc")
    if lacking == "room":
        with (tmp_path / ".gitignore").open("a") as file:
            file.write("/results/tiny/\n")
    told = vitflow(tmp_path, "record", "--config", STUDY, expect=2)
    assert told.startswith("vitflow: ") and message in told and told.count("\n") == 1
    assert not (tmp_path / "results").exists()


def test_the_stored_pipeline_of_the_small_study_is_true() -> None:
    """After a change of tables, figures or slides: make them again, `vitflow record` in a clone, commit dvc.lock."""
    assert "up to date" in dvc(ROOT, "status", "results/cifar10-small/dvc.yaml")
