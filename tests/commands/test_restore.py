"""`vitflow restore`: what is not fetched, and what is said of it; DVC itself is in tests/workflow."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.commands import WAITING, keep, refusal
from support.results import BASELINE

from vitflow import cli


@pytest.mark.usefixtures("no_dvc")
def test_restore_without_anything_kept_says_what_is_elsewhere(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    BASELINE.checkpoint.unlink()
    assert cli.main(["restore"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "0 files restored, 1 verified",
        "1 elsewhere; figures and slides need none of them:",
        f"  {BASELINE.checkpoint}",
        WAITING,
    ]


@pytest.mark.usefixtures("no_dvc")
def test_restore_does_not_fetch_what_belongs_to_another_result(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    BASELINE.checkpoint.unlink()
    keep(BASELINE.checkpoint, "of other weights")
    said = refusal(capsys, "restore")
    assert said[0] == "vitflow: not everything is what the configuration says:"
    assert said[1:] == [
        f"  {BASELINE.checkpoint}.dvc: keeps other bytes than this result; run `vitflow record` where they are"
    ]
