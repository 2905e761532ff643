"""`vitflow status`: every run, and what `vitflow record` would do or refuse."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.checkouts import environment
from support.commands import WAITING, Mistake, keep
from support.files import edit
from support.results import BASELINE, HOME, ROOT

from vitflow import cli
from vitflow.data import places
from vitflow.machine.files import sha256
from vitflow.results import audit, ledger
from vitflow.study.reading import read_study


def lines_after(capsys: pytest.CaptureFixture[str], number: int) -> list[str]:
    """What `vitflow status` says below the line that counts, ``number`` of them."""
    capsys.readouterr()
    assert cli.main(["status"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-number - 1].startswith("tiny: ")
    return lines[-number:]


def test_status_tells_every_seed_and_orphans(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(BASELINE.folder, HOME.seed("width=99", 0).folder)
    assert cli.main(["status"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["baseline", "seed0", "done", "seed1", "missing"]
    assert lines[-4:] == [
        f"{HOME.seed('width=99', 0).folder}: orphaned, no longer in the study",
        "tiny: 4 missing, 1 done, of 5; about 1 min left, one after another",
        "`vitflow record` would hand 2 of 2 verified files to DVC",
        "4 runs are not finished (baseline seed 1, ...)",
    ]


def test_status_says_what_record_would_refuse(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(BASELINE.metrics, test={"accuracy": 99.0})
    BASELINE.checkpoint.write_bytes(b"of another run")
    said = lines_after(capsys, 4)
    assert said[0] == "`vitflow record` would refuse: not what the configuration says:"
    assert said[1].startswith(f"  {BASELINE.checkpoint}: not the bytes that {BASELINE.train} names")
    assert said[2].startswith(f"  {BASELINE.metrics}: edited by hand after it was made; delete it")
    assert said[3] == WAITING


def test_status_names_results_of_older_code_and_what_is_elsewhere(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit, "source_digest", lambda *rooms: "of newer code")
    BASELINE.checkpoint.unlink()
    assert lines_after(capsys, 5) == [
        "1 results are of older code, for which `vitflow record` wants --accept-older-code:",
        f"  {BASELINE.train}: made by older code",
        "`vitflow record` would hand 1 of 1 verified files to DVC",
        "1 files are elsewhere (`vitflow restore` gets what DVC keeps)",
        WAITING,
    ]


def test_status_knows_what_dvc_keeps_without_dvc(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = places.prepared("digits")
    keep(images, sha256(images))
    keep(BASELINE.checkpoint, "of other weights")
    assert lines_after(capsys, 2)[0] == "`vitflow record` would hand 1 of 2 verified files to DVC"
    keep(BASELINE.checkpoint, sha256(BASELINE.checkpoint))
    assert lines_after(capsys, 2) == ["DVC keeps all 2 files that are here", WAITING]


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
