"""Several studies in one repository, recorded and reproduced each by itself."""

from __future__ import annotations

import shutil
from pathlib import Path

from support.checkouts import STUDY, edit, jobs_in, planned
from support.dvc import WEIGHTS, cloned, dvc, record_and_push, repository, runs_nothing, vitflow


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
    assert "0 files restored, 10 verified" in vitflow(clone, "restore", "--config", STUDY)
    assert planned(clone) == {}
    assert runs_nothing(dvc(clone, "repro", "results/tiny/dvc.yaml"))

    with (clone / "vitflow/figures/style.py").open("a") as file:
        file.write("# another word\n")
    told = dvc(clone, "repro", "results/tiny/dvc.yaml")
    assert "Running stage 'results/tiny/dvc.yaml:present'" in told, "DVC takes it for new code"
    assert jobs_in(told) == {} and "Nothing to be done" in told, "Snakemake knows better"
    assert runs_nothing(dvc(clone, "repro", "results/tiny/dvc.yaml"))
    assert not (clone / "results/cifar10").exists()
