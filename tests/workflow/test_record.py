"""What `vitflow record` refuses and accepts."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.checkouts import CODE, ROOT, STUDY, VERSIONS, copy_code, edit, git
from support.dvc import FRESH, HOME, WEIGHTS, damage, dvc, everything, vitflow


def rewrite(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


def better_score(where: Path) -> None:
    rewrite(where / HOME / "runs/heads=1/seed0/metrics.json", lambda value: value["test"].update(accuracy=99.9))


def better_metric(where: Path) -> None:
    rewrite(where / HOME / "metrics/heads=1.json", lambda value: value.update(test=99.9))


def better_table(where: Path) -> None:
    edit(where / HOME / "summary.csv", "heads=1,change,1,0,", "heads=1,change,1,0,9")


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
    for seed in ("heads=1/seed0", *FRESH):
        shutil.rmtree(here / HOME / "runs" / seed)
        (here / WEIGHTS[seed]).unlink()
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
    assert "DVC keeps what is here (10 files)" in vitflow(here, "status")
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
        ("git", "git refuses results/tiny: not a git repository"),
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


@pytest.mark.parametrize("pipeline", sorted((ROOT / "results").glob("*/dvc.lock")), ids=lambda path: path.parent.name)
def test_the_stored_pipeline_of_a_study_is_true(pipeline: Path) -> None:
    """After a change of tables, figures or slides: make them again, `vitflow record` in a clone, commit dvc.lock."""
    assert "up to date" in dvc(ROOT, "status", str(pipeline.with_suffix(".yaml").relative_to(ROOT)))
