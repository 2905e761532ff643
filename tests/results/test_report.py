"""Snakemake's report: every figure has its chapter, and its caption says what the figure's own does."""

from __future__ import annotations

from pathlib import Path

import pytest
from docutils.core import publish_doctree
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment
from support.results import HOME, ROOT, TINY

from vitflow.figures.draw import FIGURES, names
from vitflow.machine.files import FileProblem, write_json
from vitflow.results.report import CHAPTERS, COMPARISON, FEATURES, TRAINING, as_rst, caption, chapter, write_captions
from vitflow.study.reading import read_study


def read_as_snakemake_does(text: str) -> str:
    """A caption through Jinja and docutils: its paragraphs, one a line."""
    document = publish_doctree(Environment(trim_blocks=True, lstrip_blocks=True).from_string(text).render())
    assert all(node.tagname == "paragraph" for node in document.children), document.pformat()
    return "\n".join(node.astext() for node in document.children)


def test_every_file_of_figures_has_a_chapter() -> None:
    assert {place.partition(".")[0] for place in FIGURES.values()} | {"axis"} == set(CHAPTERS)
    assert all((ROOT / "vitflow" / "figures" / f"{file}.py").exists() for file in CHAPTERS)


def test_figures_are_where_a_reader_looks_for_them() -> None:
    chapters = {stem: chapter(stem) for stem in names(read_study(TINY))}
    assert chapters["curves"] == TRAINING and chapters["pca"] == FEATURES
    assert chapters["accuracy-cost"] == chapters["axis-architecture-width"] == COMPARISON


@pytest.mark.parametrize(
    "text",
    [
        "n = 3 seeds; bands are ± 1 standard deviation",
        "*bold* `code` word_ |x| <b> [1]_ **",
        "1. not a list",
        "- nor this",
        ".. nor:: a directive",
        "{{ snakemake.config }} {% endraw %} {# c #}",
        "back\\slash, https://example.org and a_name_",
    ],
)
def test_a_caption_is_read_as_it_was_written(text: str) -> None:
    assert read_as_snakemake_does(as_rst(text)) == text


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1))
def test_any_letters_are_read_as_they_were_written(text: str) -> None:
    assert read_as_snakemake_does(as_rst(text)) == text


@pytest.mark.usefixtures("in_an_empty_folder")
def test_captions_are_put_where_snakemake_reads_them_and_follow_the_figures() -> None:
    said = {"curves": {"caption": "Learning curves_", "alt": "Of 3 runs"}}
    write_captions(HOME)
    assert not caption(HOME, "curves").exists(), "nothing is drawn yet"
    for text in ("Of 3 runs", "Of 4 runs"):
        said["curves"]["alt"] = text
        write_json(HOME.figures / "captions.json", said)
        write_captions(HOME)
        assert read_as_snakemake_does(caption(HOME, "curves").read_text()) == f"Learning curves_\n{text}"
    before = caption(HOME, "curves").stat().st_mtime_ns
    write_captions(HOME)
    assert caption(HOME, "curves").stat().st_mtime_ns == before


@pytest.mark.usefixtures("in_an_empty_folder")
def test_damaged_captions_are_told() -> None:
    path: Path = HOME.figures / "captions.json"
    path.parent.mkdir(parents=True)
    path.write_text("{")
    with pytest.raises(FileProblem, match="damaged"):
        write_captions(HOME)
