"""`vitflow status`: every run, and what `vitflow record` would do or refuse."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.checkouts import environment
from support.commands import TWO_RUNS, WAITING, Mistake, keep
from support.files import edit
from support.results import BASELINE, HOME, ROOT, bring_techniques

from vitflow import cli
from vitflow.commands import status
from vitflow.data import places
from vitflow.machine.files import sha256
from vitflow.results import code, ledger
from vitflow.results.lock import locked, note
from vitflow.study.reading import read_study


def lines_after(capsys: pytest.CaptureFixture[str], number: int) -> list[str]:
    """What `vitflow status` says below the line that counts, ``number`` of them."""
    capsys.readouterr()
    assert cli.main(["status"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-number - 1].startswith("tiny: ")
    return lines[-number:]


def test_status_of_a_study_that_never_ran_leaves_nothing_behind(in_an_empty_folder: None) -> None:
    Path("config.yaml").write_text(TWO_RUNS)
    bring_techniques()
    before = sorted(Path().rglob("*"))
    assert cli.main(["status"]) == 0
    assert sorted(Path().rglob("*")) == before


def test_status_tells_every_seed_and_orphans(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(BASELINE.folder, HOME.seed("width=99", 0).folder)
    assert cli.main(["status"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["baseline", "seed0", "done", "seed1", "missing"]
    assert lines[-4:] == [
        f"{HOME.seed('width=99', 0).folder}: orphaned, no longer in the study",
        "tiny: 4 missing, 1 done, of 5; about 1 min left, one after another",
        "`vitflow record` would hand 2 of 2 verified files to DVC",
        "not finished: 4 trainings (baseline seed 1, ...)",
    ]


def test_status_names_who_is_at_work_how_far_and_who_gave_up(
    repository: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    study = read_study("config.yaml")
    jobs = {(job.run, job.seed): job for job in ledger.jobs(study)}
    left = jobs["width=8", 0]
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), locked(left):
            raise ZeroDivisionError
    log = HOME.log("width=8", 0)
    log.parent.mkdir(parents=True)
    log.write_text("one\ntwo\nthree\nvitflow: out of memory; run fewer jobs side by side\n")
    with locked(jobs["baseline", 1]):
        note(jobs["baseline", 1], "epoch   3/100  loss 2.2  train 21.50 %  validation 39.02 %  left 12:30")
        assert cli.main(["status"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[3:] == ["seed1", "running"]
    (working,) = [line for line in lines if line.startswith("baseline seed 1: ")]
    assert "process " in working and working.endswith(", epoch 3/100, 12:30 left")
    number = next(
        i for i, line in enumerate(lines) if line.startswith("width=8 seed 0: left after 2 attempts, the last on")
    )
    assert lines[number].endswith("; the same command goes on, and its log ends:")
    assert lines[number + 1 : number + 4] == [f"    {line}" for line in log.read_text().splitlines()[1:]]


def test_status_names_a_difference_in_threads(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["train", "--run", "width=8", "--threads", "2"]) == 0
    assert cli.main(["status"]) == 0
    told = "trainings differ in their threads, and so in their last bits: 1 with 1, 1 with 2"
    assert told in capsys.readouterr().out.splitlines()


def test_status_watches_until_all_is_done(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(status, "RENEWED", 0.01)
    left = iter([2, 1, 0])
    monkeypatch.setattr(status, "show", lambda study, config: next(left))
    assert cli.main(["status", "--watch"]) == 0
    assert next(left, "all was asked for") == "all was asked for"


def test_status_says_what_record_would_refuse(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(BASELINE.metrics, test={"accuracy": 99.0})
    BASELINE.checkpoint.write_bytes(b"of another run")
    said = lines_after(capsys, 4)
    assert said[0] == "`vitflow record` would refuse: not what the configuration says:"
    assert said[1].startswith(f"  {BASELINE.checkpoint}: not the bytes that {BASELINE.train} names")
    assert said[2].startswith(f"  {BASELINE.metrics}: edited by hand after it was made; get it back (`git checkout -- ")
    assert said[3] == WAITING


def test_status_names_results_of_older_code_and_what_is_elsewhere(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(code, "source_digest", lambda *rooms: "of newer code")
    BASELINE.checkpoint.unlink()
    assert lines_after(capsys, 5) == [
        "1 result of older code, for which `vitflow record` wants --accept-older-code:",
        f"  {BASELINE.train}: made by older code",
        "`vitflow record` would hand 1 of 1 verified files to DVC",
        "1 file elsewhere (DVC keeps none of them)",
        WAITING,
    ]


def test_status_knows_what_dvc_keeps_without_dvc(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = places.prepared("digits")
    keep(images, sha256(images))
    keep(BASELINE.checkpoint, "of other weights")
    assert lines_after(capsys, 2)[0] == "`vitflow record` would hand 1 of 2 verified files to DVC"
    keep(BASELINE.checkpoint, sha256(BASELINE.checkpoint))
    assert lines_after(capsys, 2) == ["DVC keeps what is here (2 files)", WAITING]


def test_many_wrong_results_are_counted(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for job in ledger.all_jobs(read_study("config.yaml")):
        if job.paths != BASELINE:
            shutil.copytree(BASELINE.folder, job.paths.folder)
        for path in (job.paths.train, job.paths.metrics):
            edit(path, seed=99, config_digest=job.config.digest)
    said = lines_after(capsys, 11)
    assert said[0] == "`vitflow record` would refuse: not what the configuration says:"
    assert all(line.startswith("  results/tiny/runs/") for line in said[1:9])
    assert said[9].startswith("  and ") and said[9].endswith(" more")


def test_status_promises_nothing_that_record_would_refuse(
    done: Path, mistake: Mistake, capsys: pytest.CaptureFixture[str]
) -> None:
    for missing in ("no DVC repository here", "git refuses results/tiny: not a git repository"):
        told = lines_after(capsys, 2)
        assert told[0].startswith(f"`vitflow record` would refuse: {missing}") and told[1] == WAITING
        assert told[0].removeprefix("`vitflow record` would refuse: ") == mistake("record").removeprefix("vitflow: ")
        (done / ".dvc").mkdir(exist_ok=True)
        (done / ".dvc" / "config").write_text("")


def test_status_needs_no_torch(done: Path) -> None:
    (done / "torch.py").write_text("raise ImportError('torch is imported to say how things stand')")
    words = [sys.executable, "-m", "vitflow", "status"]
    answer = subprocess.run(words, env=environment(ROOT), capture_output=True, text=True, timeout=60)
    assert answer.returncode == 0 and answer.stdout.splitlines()[-1] == WAITING, answer.stderr


def test_status_counts_what_restore_would_get(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep(BASELINE.checkpoint, sha256(BASELINE.checkpoint))
    BASELINE.checkpoint.unlink()
    places.prepared("digits").unlink()
    assert "2 files elsewhere (`vitflow restore` gets 1, which DVC keeps)" in lines_after(capsys, 2)
