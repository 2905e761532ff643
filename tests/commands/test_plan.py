"""`vitflow plan`: every run with its cost, and what is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from vitflow import cli
from vitflow.measuring import cost


def test_plan_lists_every_run_and_counts_what_is_left(
    done: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cost, "SECONDS", 0.01)
    assert cli.main(["plan"]) == 0
    shown = capsys.readouterr().out
    for run in ("baseline", "width=8", "heads=1", "resnet18-width=4"):
        assert f"\n{run} " in shown
    assert "tiny: 5 trainings, 4 still to do: about " in shown
    assert cli.main(["plan", "--brief"]) == 0
    assert capsys.readouterr().out.startswith("tiny: 5 trainings, 4 still to do: about ")
