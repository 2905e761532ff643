"""`vitflow explore`: the page from the analysis alone, sealed; the page itself is in tests/explore."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from support.commands import Mistake
from support.files import append
from support.results import HOME, TINY

from vitflow import cli
from vitflow.commands import explore as command
from vitflow.results.stages import stages
from vitflow.study.grid import expand
from vitflow.study.schema import Study


def test_the_page_is_made_and_sealed(complete: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    stages(complete)["explore"].record.unlink()
    assert stages(complete)["explore"].state == "outdated"
    made: list[Any] = []
    monkeypatch.setattr(command, "explore", lambda *given: made.append(given))
    shutil.copy(TINY, "config.yaml")
    assert cli.main(["explore"]) == 0
    assert made == [(HOME.analysis, expand(complete), HOME.slides / "explore.html")]
    assert stages(complete)["explore"].state == "current"


def test_without_an_analysis_there_is_no_page(done: Path, mistake: Mistake) -> None:
    told = mistake("explore")
    assert told.startswith(f"vitflow: {HOME.analysis / 'summary.json'}: no such file; run the analysis")
    assert not HOME.slides.exists()


def test_numbers_that_somebody_changed_are_not_shown(complete: Study, mistake: Mistake) -> None:
    shutil.copy(TINY, "config.yaml")
    append(HOME.analysis / "curves.csv", "\n")
    assert f"{HOME.analysis / 'curves.csv'}: edited or damaged after it was made" in mistake("explore")
