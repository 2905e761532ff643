"""Several studies in one repository, recorded and reproduced each by itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.checkouts import STUDY, copy_code, edit, jobs_in, planned, snakemake
from support.dvc import WEIGHTS, cloned, dvc, record_and_push, repository, runs_nothing, vitflow


def test_pull_and_repro_work_beside_a_study_that_never_ran(here: Path) -> None:
    other = here / "workflow/studies/other.yaml"
    shutil.copy(here / STUDY, other)
    edit(other, "study: tiny", "study: other")
    told = vitflow(here, "record", "--config", "workflow/studies/other.yaml")
    assert "results/other/dvc.yaml: written" in told and "not finished: 5 trainings" in told
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


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        (
            "study.yaml",
            "title: M\xfcnchen".encode("latin-1"),
            "study.yaml: not UTF-8 text (invalid start byte at byte 8)",
        ),
        ("study.yaml", "study: mine".encode("utf-16"), "study.yaml: not UTF-8 text but UTF-16; save it as UTF-8"),
        ("study.yaml", b"study: [", "study.yaml: not valid YAML"),
        ("study.yaml", b"since: 2024-02-30", "study.yaml: line 1: 2024-02-30 would be read as a date"),
        ("study.yaml", b"seeds: 2", "study.yaml: study: missing; it names the study and its results"),
        ("workflow/studies/digit.yaml", None, ": no such file; did you mean 'workflow/studies/digits.yaml'?"),
        ("figures", None, "; targets stand before --configfile, or after `--`"),
    ],
)
def test_snakemake_says_in_one_line_what_is_no_study(
    tmp_path: Path, name: str, content: bytes | None, told: str
) -> None:
    where = copy_code(tmp_path)
    if content:
        (where / name).write_bytes(content)
    said, *more = snakemake(where, "-n", study=name, expect=1).splitlines()[::-1]
    assert said.startswith(name) and told in said
    assert len(more) == 1 and "profiles/default" in more[0], "Snakemake's greeting is all else"


def test_a_study_given_in_words_alone_is_told_what_it_lacks(tmp_path: Path) -> None:
    said = snakemake(copy_code(tmp_path), "-n", "--config", "study=mine", study=None, expect=1)
    assert "--config: dataset: missing" in said and "IndexError" not in said
