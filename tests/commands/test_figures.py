"""`vitflow figures`: drawn from the analysis alone, and sealed; the drawings are in tests/figures."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.commands import Mistake
from support.files import append
from support.results import HOME, TINY

from vitflow import cli
from vitflow.commands import figures as command
from vitflow.results.stages import stages
from vitflow.study.schema import Study


def test_figures_are_drawn_from_the_analysis_and_sealed(complete: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    stages(complete)["figures"].record.unlink()
    assert stages(complete)["figures"].state == "outdated"
    drawn: list[tuple[Path, Path]] = []
    monkeypatch.setattr(command, "draw", lambda analysis, out: drawn.append((analysis, out)))
    shutil.copy(TINY, "config.yaml")
    assert cli.main(["figures"]) == 0
    assert drawn == [(HOME.analysis, HOME.figures)]
    assert stages(complete)["figures"].state == "current"


def test_without_an_analysis_there_is_nothing_to_draw(done: Path, mistake: Mistake) -> None:
    told = mistake("figures")
    assert told.startswith(f"vitflow: {HOME.analysis / 'summary.json'}: no such file; run the analysis")
    assert not HOME.figures.exists()


def test_numbers_that_somebody_changed_are_not_shown(complete: Study, mistake: Mistake) -> None:
    shutil.copy(TINY, "config.yaml")
    append(HOME.analysis / "curves.csv", "\n")
    assert f"{HOME.analysis / 'curves.csv'}: edited or damaged after it was made" in mistake("figures")
