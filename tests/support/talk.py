"""A study's folder that is ready to be rendered: a made-up analysis, and tiny pictures in place of the figures."""

from __future__ import annotations

import dataclasses
import re
import shutil
from html import unescape
from pathlib import Path
from typing import Any

from PIL import Image

from support.analysis import TECHNIQUES, example_study, write_analysis
from vitflow.analysis.records import Run, Summary
from vitflow.analysis.techniques import Techniques
from vitflow.figures.draw import names
from vitflow.machine.files import read_json, write_json
from vitflow.results.stages import TEMPLATE as WRITTEN
from vitflow.slides import template
from vitflow.slides.deck import Deck, Figure, Slide, Span, Table, Text, plain
from vitflow.slides.markdown import read_deck, read_figure
from vitflow.slides.pages import paginate
from vitflow.slides.render import render
from vitflow.study.schema import Study

TEMPLATE = Path(__file__).parents[2] / WRITTEN
FORMS = ("deck.md", "deck.html", "deck.pdf", "deck.pptx")
SMALL: dict[str, dict[str, list[Any]]] = {
    "architecture": {"patch_size": [2, 4, 8]},
    "training": {"augmentation": ["none", "crop", "crop_flip"]},
}
#: edits that make a slide run over: what to replace by what, and the part of the slide
RUNS_OVER = [
    ("# Which parts of a Vision Transformer", "# " + "far too long a title " * 12 + "of a Vision Transformer", "title"),
    ("}} validation images, reported", "}} " + "a bullet without an end " * 40 + "validation images choose", "text"),
]


@dataclasses.dataclass
class Talk:
    """A folder with analysis/ and figures/."""

    root: Path
    summary: Summary

    @classmethod
    def read(cls, root: Path) -> Talk:
        """The talk in a folder that :func:`make_talk` filled."""
        return cls(root, Summary.read(root / "analysis" / "summary.json"))

    def copy(self, root: Path) -> Talk:
        """The same talk, to be changed."""
        shutil.copytree(self.root, root, dirs_exist_ok=True)
        return Talk(root, self.summary)

    def render(self, source: Path = TEMPLATE, out: str = "slides") -> None:
        places = (self.root / folder for folder in ("analysis", "figures"))
        render(source, *places, TECHNIQUES, self.root / out, pretrained=self.pretrained)

    def deck(self, source: Path = TEMPLATE, techniques: Techniques = TECHNIQUES) -> Deck:
        """The slides as data, without drawing them."""
        folder = self.root / "figures"
        captions = read_json(folder / "captions.json")
        analysis = self.root / "analysis"
        markdown = template.fill(source, analysis, captions, techniques, "figures", pretrained=self.pretrained)

        def find(source: str, alt: str, caption: str) -> Figure:
            stem = Path(source).stem
            return read_figure(folder / f"{stem}.svg", folder / f"{stem}.png", alt, caption)

        return paginate(read_deck(markdown, str(source), find))

    @property
    def pretrained(self) -> bool:
        """Whether there is a record of a pretrained model: then the study is one that asked for it."""
        return (self.root / "analysis" / "pretrained.json").exists()

    def change(self, **values: Any) -> None:
        """Overwrite fields of the summary."""
        self.summary = self.summary.model_copy(update=values)
        self.summary.write(self.root / "analysis" / "summary.json")

    def change_runs(self, **values: Any) -> None:
        """Overwrite fields of every run."""
        runs: dict[str, Run] = {name: run.model_copy(update=values) for name, run in self.summary.runs.items()}
        self.change(runs=runs)

    def edited(self, old: str, new: str) -> Path:
        """A copy of the shipped template with a passage changed."""
        text = TEMPLATE.read_text(encoding="utf-8")
        assert old in text
        copy = self.root / "slides.md.j2"
        copy.write_text(text.replace(old, new, 1), encoding="utf-8")
        return copy


def make_talk(root: Path, diverged: dict[str, int] | None = None, **study: Any) -> Talk:
    """Fill a folder with all that a talk is made from."""
    return talk_of(root, example_study(**({"ablations": SMALL} | study)), diverged)


def talk_of(root: Path, study: Study, diverged: dict[str, int] | None = None) -> Talk:
    """The same for a study that is at hand."""
    summary = write_analysis(root / "analysis", study, diverged)
    stand_in_figures(root / "figures", study)
    return Talk(root, summary)


def stand_in_figures(folder: Path, study: Study) -> None:
    """Tiny pictures under the names that the figures room would use."""
    folder.mkdir(parents=True)
    captions = {}
    for stem in names(study):
        wide = not stem.startswith("axis-") and stem not in ("positions", "shifts")
        width, height = (871.2, 338.4) if wide else (547.2, 367.2)
        (folder / f"{stem}.svg").write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="{height}pt" viewBox="0 0 10 10"/>'
        )
        Image.new("RGB", (24, 10), "white").save(folder / f"{stem}.png")
        captions[stem] = {"caption": f"What {stem} shows", "alt": f"{stem}, n = 3 seeds"}
    write_json(folder / "captions.json", captions)


def shortened(deck: Deck, slides: int) -> Deck:
    """The first slides of a deck."""
    return dataclasses.replace(deck, slides=deck.slides[:slides])


def visible(html: str) -> str:
    """The words of a page."""
    return unescape(re.sub(r"<[^>]*>", "", re.sub(r"<(style|script)>.*?</\1>", "", html, flags=re.DOTALL)))


def texts(sheet: Any) -> list[str]:
    """Every text of a PPTX slide: shapes and cells."""
    found = [shape.text_frame.text for shape in sheet.shapes if shape.has_text_frame]
    for shape in sheet.shapes:
        if shape.has_table:
            found += [cell.text for row in shape.table.rows for cell in row.cells]
    return found


def words_of(text: Text) -> str:
    """What a slide says, whose lines may end at any space."""
    return plain(text).replace("\N{NO-BREAK SPACE}", " ")


def table_of(deck: Deck, title: str) -> list[list[str]]:
    """The rows of the first table on the slide of that title, as words."""
    slide = next(slide for slide in deck.slides if plain(slide.title) == title)
    table = next(block for block in slide.blocks if isinstance(block, Table))
    return [[plain(cell) for cell in row] for row in table.rows]


def cell(text: str) -> tuple[Span, ...]:
    """One cell of a table."""
    return (Span(text),)


def table_slide(rows: list[str]) -> Slide:
    """A slide that is one table, its rows numbered."""
    numbered = tuple((cell(str(k)), cell(row)) for k, row in enumerate(rows))
    table = Table((cell("run"), cell("what")), numbered, (True, False))
    return Slide(1, 1, "", "", cell("All runs"), (table,), None, "notes", 30, "backup")
