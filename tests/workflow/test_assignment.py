"""Every slide, figure, file and command of docs/assignment.md exists, in the study that stands beside it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import NamedTuple

import pytest
from support.analysis import TECHNIQUES
from support.analysis.sizes import SIZES
from support.checkouts import ROOT
from support.talk import Talk, talk_of

from vitflow.analysis.techniques import read_techniques
from vitflow.cli import parser
from vitflow.slides.deck import Deck, plain
from vitflow.study.grid import expand
from vitflow.study.reading import read_study

FULL = SIZES[90]
#: the study whose results git keeps whole
KEPT = "cifar10-cpu"


class Row(NamedTuple):
    """One requirement and its answers."""

    asked: str
    slides: list[str]
    figures: list[str]
    files: list[str]
    command: str
    studies: list[str]


def rows() -> list[Row]:
    """All rows of the page's tables."""
    lines = (ROOT / "docs/assignment.md").read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    found = [row for row in cells if row[0] != "asked" and not set(row[0]) <= set("-")]
    return [
        Row(asked, *(_several(part) for part in parts), command.strip("`"), _several(studies))
        for asked, *parts, command, studies in found
    ]


def _several(cell: str) -> list[str]:
    return [] if cell == "–" else [part.strip("` ") for part in cell.split(";")]


@pytest.fixture(scope="module")
def decks(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Deck]:
    """The slides of the tiny study, which has what the demo has, those of config.yaml from made-up results, and those
    of the study whose results git keeps.
    """
    home = finished / "results/tiny"
    return {
        "demo": Talk.read(home).deck(techniques=TECHNIQUES),
        "config.yaml": talk_of(tmp_path_factory.mktemp("full"), FULL).deck(),
        KEPT: Talk.read(ROOT / "results" / KEPT).deck(techniques=read_techniques(KEPT)),
    }


def test_the_page_has_the_tasks_and_studies_that_exist() -> None:
    assert len(rows()) > 45
    for row in rows():
        for study in row.studies:
            assert study in ("demo", "config.yaml", KEPT) or read_study(ROOT / "workflow/studies" / study)


def test_every_slide_exists_and_one_of_them_shows_each_figure(decks: dict[str, Deck]) -> None:
    for row, study in ((one, study) for one in rows() for study in one.studies if study in decks):
        slides = decks[study].slides
        named = {name: [s for s in slides if name in (s.label, plain(s.heading))] for name in row.slides}
        assert all(named.values()), (row.asked, study, named)
        shown = {s.figure.svg.stem for found in named.values() for s in found if s.figure}
        others = {s.figure.svg.stem for s in slides if s.figure} - shown
        for figure in row.figures:
            where = "on another slide" if figure in others else "on no slide"
            assert figure in shown, (row.asked, study, figure, where)


def test_every_file_exists_after_the_demo_and_in_the_study_that_names_it(finished: Path) -> None:
    for row in rows():
        for file in row.files:
            assert (finished / "results/tiny" / file).is_file(), (row.asked, file)
            assert KEPT not in row.studies or (ROOT / "results" / KEPT / file).is_file(), (row.asked, file)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.asked)
def test_every_command_can_be_typed(row: Row) -> None:
    program, *words = shlex.split(row.command)
    if program == "make":
        assert re.search(rf"^{words[0]}:", (ROOT / "Makefile").read_text(), re.M)
    elif program == "snakemake":
        target, study = (words[-1], "config.yaml") if "--configfile" not in words else ("all", words[-1])
        assert f"\nrule {target}:" in (ROOT / "Snakefile").read_text() and (ROOT / study).is_file()
    else:
        options = parser(words[0]).parse_args(words)
        run = getattr(options, "run_name", None)
        assert run is None or run in expand(FULL).runs
