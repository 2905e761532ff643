"""A study under DVC: recorded, pushed, cloned, restored, as the README tells."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from support.checkouts import ROOT, git, jobs_in, shell, snakemake
from support.dvc import HOME, KEPT, RUNS, WEIGHTS, cloned, dvc, members, repository, to_do, vitflow


def test_what_the_readme_tells_to_type_records_a_study_and_gets_it_back(finished: Path, tmp_path: Path) -> None:
    section = (ROOT / "README.md").read_text().split("## Results under DVC")[1].split("\n## ")[0]
    record, restore = re.findall(r"```\n(.*?)```", section, re.DOTALL)
    study = repository(finished, tmp_path / "study")
    shell(study, record)
    assert git(study, "status", "--porcelain") == ""
    told = shell(cloned(study, tmp_path / "clone"), restore)
    assert "10 files restored, 10 verified" in told
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
    ran = jobs_in(snakemake(clone, "figures", "slides", "explore", study=None))
    assert set(ran) == {"draw", "render_slides", "make_page"}
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
    assert "10 elsewhere; figures and slides need none of them" in told
    assert str(WEIGHTS["baseline/seed0"]) in told
    assert git(bare, "status", "--porcelain") == ""


def test_a_step_that_needs_missing_weights_says_so_in_one_line(bare: Path) -> None:
    (bare / HOME / "runs/width=8/seed0/metrics.json").unlink()
    told = snakemake(bare, "all", study=None, expect=2)
    line = next(line for line in told.splitlines() if line.startswith("vitflow: "))
    assert str(WEIGHTS["width=8/seed0"]) in line and "weights are missing" in line
    assert "Traceback" not in told
    assert (bare / HOME / "runs/width=8/seed0/train.json").exists(), "nothing is lost"
