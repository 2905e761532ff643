"""`vitflow slides`: rendered from the talk, the analysis and the figures, and sealed; the talk is in tests/slides."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from support.commands import Mistake
from support.files import append
from support.results import HOME, TINY

from vitflow import cli
from vitflow.analysis.techniques import read_techniques
from vitflow.commands import slides as command
from vitflow.results.stages import TEMPLATE, stages
from vitflow.study.reading import read_study
from vitflow.study.schema import Study


@pytest.mark.parametrize("asked", [False, True], ids=["as it is", "with a pretrained model"])
def test_the_talk_is_rendered_and_sealed(complete: Study, monkeypatch: pytest.MonkeyPatch, asked: bool) -> None:
    append(TEMPLATE)
    assert stages(complete)["slides"].state == "outdated"
    rendered: list[Any] = []
    monkeypatch.setattr(command, "render", lambda *given, **told: rendered.append((*given, told)))
    shutil.copy(TINY, "config.yaml")
    if asked:
        append(Path("config.yaml"), "\npretrained: {}\n")
    assert cli.main(["slides"]) == 0
    told = {"pretrained": asked}
    assert rendered == [(TEMPLATE, HOME.analysis, HOME.figures, read_techniques("tiny"), HOME.slides, told)]
    assert stages(read_study("config.yaml"))["slides"].state == "current"


@pytest.mark.usefixtures("in_an_empty_folder")
def test_whether_the_pdf_can_be_made_is_asked_without_a_study(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["slides", "--check"]) == 0
    assert capsys.readouterr().out.startswith("the PDF can be made here, by ")


def test_without_figures_there_is_no_talk(done: Path, mistake: Mistake) -> None:
    assert mistake("slides").startswith(f"vitflow: {HOME.figures / 'captions.json'}: no such file")
    assert not HOME.slides.exists()


def test_numbers_that_somebody_changed_are_not_shown(complete: Study, mistake: Mistake) -> None:
    shutil.copy(TINY, "config.yaml")
    append(HOME.analysis / "summary.json", "\n")
    assert f"{HOME.analysis / 'summary.json'}: edited or damaged after it was made" in mistake("slides")
