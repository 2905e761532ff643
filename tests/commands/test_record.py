"""`vitflow record`: what it refuses, and what it leaves alone; DVC itself is in tests/workflow."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from support.commands import WAITING, Mistake, keep, refusal
from support.files import edit
from support.results import BASELINE, HOME

from vitflow import cli
from vitflow.data import places
from vitflow.machine.files import sha256
from vitflow.results import code


@pytest.mark.parametrize("command", ["record", "restore"])
def test_results_cannot_be_recorded_where_there_is_no_repository(
    done: Path, mistake: Mistake, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "no DVC repository here: run `dvc init` (and `git init` before it)" in mistake(command)
    (done / ".dvc").mkdir()
    (done / ".dvc" / "config").write_text("")
    told = mistake(command)
    assert "git refuses results/tiny: not a git repository" in told and "; run `git init` in the project's" in told
    subprocess.run(["git", "init", "--quiet"], check=True)
    (done / ".dvc" / "config").write_text("[core")
    assert mistake(command).startswith("vitflow: .dvc/config: config file error: Invalid line")
    assert cli.main(["status"]) == 0
    assert "`vitflow record` would refuse: .dvc/config: " in capsys.readouterr().out
    (done / ".dvc" / "config").write_text("")
    (done / ".gitignore").write_text("/results/tiny/\n")
    told = mistake(command)
    assert (
        told
        == "vitflow: results/tiny: git ignores this folder, so its results cannot be kept; take it out of .gitignore"
    )


@pytest.mark.usefixtures("no_dvc")
def test_record_refuses_what_the_configuration_does_not_say(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(BASELINE.train, seed=7)
    before = {path for path in repository.rglob("*") if ".git" not in path.parts}
    for options in ([], ["--weights"], ["--accept-older-code"]):
        said = refusal(capsys, "record", *options)
        assert said[0] == "vitflow: nothing is recorded: not what the configuration says:"
        assert len(said) == 2 and said[1].startswith(f"  {BASELINE.train}: edited by hand after it was made")
    assert {path for path in repository.rglob("*") if ".git" not in path.parts} == before, "nothing is changed"


@pytest.mark.usefixtures("no_dvc")
def test_record_wants_a_word_for_results_of_older_code(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(code, "source_digest", lambda *rooms: "of newer code")
    for path in (BASELINE.checkpoint, places.prepared("digits")):
        path.unlink()  # so that there is nothing to hand to DVC
    assert refusal(capsys, "record") == [
        "vitflow: nothing is recorded: results of older code; train them again, or say --accept-older-code:",
        f"  {BASELINE.train}: made by older code",
    ]
    for options in (["--weights"], ["--accept-older-code"]):
        assert cli.main(["record", *options]) == 0
        said = capsys.readouterr().out.splitlines()
        assert said[:2] == ["1 result of older code:", f"  {BASELINE.train}: made by older code"]


@pytest.mark.usefixtures("no_dvc")
def test_record_of_a_study_that_is_not_complete_leaves_its_lock_alone(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (BASELINE.checkpoint, places.prepared("digits")):
        keep(path, sha256(path))
    assert cli.main(["record", "--weights"]) == 0
    kept = ["0 files handed to DVC, 2 there already", WAITING]
    assert capsys.readouterr().out.splitlines() == kept
    assert not Path("dvc.yaml").exists()
    assert cli.main(["record"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[:4] == [*kept, "dvc.yaml: written", "dvc.lock: left as it is, the study is not complete"]
    assert "config.yaml:study" in Path("dvc.yaml").read_text()
    words = said[4].removeprefix("now: ").split(", ")
    assert words[0].startswith("git add ") and words[1:] == ["git commit", "dvc push"]
    subprocess.run(words[0].split(), check=True)  # every path that it names is there
    staged = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True).stdout.splitlines()
    assert {"dvc.yaml", str(BASELINE.train), f"{BASELINE.checkpoint}.dvc", "data/digits.safetensors.dvc"} <= set(staged)
    Path("dvc.yaml").write_text("edited: true\n")
    assert cli.main(["record"]) == 0
    assert Path("dvc.yaml").read_text() == "edited: true\n", "it is the user's, once it is there"


@pytest.mark.usefixtures("no_dvc")
def test_record_of_another_study_writes_its_pipeline_beside_its_results(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "config.yaml").rename("mine.yaml")
    for path in (BASELINE.checkpoint, places.prepared("digits")):
        keep(path, sha256(path))
    assert cli.main(["record", "--config", "mine.yaml"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "now: git add data results/tiny, git commit, dvc push"
    assert not Path("dvc.yaml").exists()
    text = (HOME.root / "dvc.yaml").read_text()
    assert "wdir: ../../" in text and "snakemake --cores all --configfile mine.yaml -- figures slides" in text


@pytest.mark.parametrize("content", ["<<<<<<< HEAD\n", "outs: []", "outs: [{path: x}]", "[]", ""])
def test_a_damaged_dvc_file_is_told_with_the_way_back(repository: Path, mistake: Mistake, content: str) -> None:
    pointer = BASELINE.checkpoint.with_name(f"{BASELINE.checkpoint.name}.dvc")
    pointer.write_text(content)
    assert f"{pointer}: damaged; get it back with `git checkout -- {pointer}`" in mistake("record")
