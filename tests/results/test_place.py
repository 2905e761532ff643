"""Places in which a study cannot be worked on are told before anything is made there."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.results import ROOT

from vitflow.cli import main
from vitflow.machine.files import FileProblem
from vitflow.results.place import MARKS, check_folder, check_links, check_name
from vitflow.study.reading import read_study

STUDY = "study: s\ndataset: {name: digits}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "my project"
    for name in (*MARKS, "config.yaml"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(STUDY if name == "config.yaml" else "")
    return root


@pytest.mark.parametrize("where", ["results/s", "workflow", "../elsewhere"])
@pytest.mark.parametrize("command", [["plan"], ["train", "--pending"], ["prepare"], ["status"]])
def test_a_command_called_elsewhere_says_where_to_go_and_leaves_nothing(
    project: Path, where: str, command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = project / where
    folder.mkdir(parents=True, exist_ok=True)
    before = sorted(folder.iterdir())
    monkeypatch.chdir(folder)
    assert main([*command, "--config", str(project / "config.yaml")]) == 2
    assert capsys.readouterr().err == f"vitflow: this is not the project's folder: `cd {project}` first\n"
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("there", ["results/s/amd.json", "results/s"])
def test_a_study_called_like_something_else_among_the_results_is_told(
    project: Path, there: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    Path(there).parent.mkdir(parents=True)
    Path(there).write_text("no study's")
    assert main(["status"]) == 2
    told = "vitflow: config.yaml: study 's': results/s is there and is no study's; give it another name\n"
    assert capsys.readouterr().err == told


@pytest.mark.parametrize("kept", ["runs", "state", "analysis", "cost", ""])
def test_a_study_that_has_begun_is_its_own(project: Path, kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    (Path("results/s") / kept).mkdir(parents=True)
    check_name(Path("config.yaml"), "s")


def test_below_a_project_its_folder_is_named_even_without_a_configuration(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project / "workflow")
    with pytest.raises(FileProblem, match=r"cd .*my project` first"):
        check_folder(Path("config.yaml"))


@pytest.mark.parametrize("here", [".", "link"])
def test_in_the_projects_folder_nothing_is_said(project: Path, here: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "link").symlink_to(project)
    monkeypatch.chdir(project / here)
    check_folder(Path("config.yaml"))
    check_folder(Path("/somewhere/else.yaml"))


def test_where_there_is_no_project_at_all_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    check_folder(Path("config.yaml"))


def test_in_an_empty_folder_the_way_is_told(in_an_empty_folder: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan"]) == 2
    told = "vitflow: config.yaml: no such file; `cd` to the project's folder, which has the Snakefile\n"
    assert capsys.readouterr().err == told


@pytest.mark.parametrize("link", ["results", "data", "results/s", "results/s/checkpoints", "results/s/runs"])
def test_results_behind_a_link_are_refused_before_any_training(
    link: str, tmp_path: Path, in_an_empty_folder: None, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("config.yaml").write_text(STUDY)
    (tmp_path / "scratch").mkdir()
    Path(link).parent.mkdir(parents=True, exist_ok=True)
    Path(link).symlink_to(tmp_path / "scratch")
    assert main(["train", "--pending"]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"vitflow: {link}: a link to {tmp_path / 'scratch'}, and git and DVC keep nothing behind")
    assert "git clone . " in told and told.count("\n") == 1
    assert not list((tmp_path / "scratch").iterdir())


def test_states_may_lie_behind_a_link_since_nobody_keeps_them(tmp_path: Path, in_an_empty_folder: None) -> None:
    Path("results/s").mkdir(parents=True)
    Path("results/s/state").symlink_to(tmp_path)
    check_links("s")


def test_two_files_with_one_study_are_told_before_they_share_results(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    other = Path("workflow/studies/copy.yaml")
    other.parent.mkdir()
    other.write_text("# a copy\nstudy: 's'  # to be changed\ndataset: {name: digits}\n")
    for config, first in ((other, "config.yaml"), (Path("config.yaml"), other)):
        assert main(["status", "--config", str(config)]) == 2
        told = capsys.readouterr().err
        assert told.startswith(f"vitflow: {config}: study 's' is that of {first} already")
        assert "results/s; give one another name" in told
    other.write_text(STUDY.replace("study: s", "study: t"))
    assert main(["status", "--config", str(other)]) == 0


def test_a_study_that_snakemake_resolved_is_no_second_one(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    resolved = Path("results/s/state/study.json")
    resolved.parent.mkdir(parents=True)
    resolved.write_text('{"study": "s", "dataset": {"name": "digits"}}')
    assert main(["status", "--config", str(resolved)]) == 0


def test_shipped_studies_have_names_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for file in [Path("config.yaml"), *Path("workflow/studies").glob("*.yaml")]:
        check_name(file, read_study(file).study)
