"""One talk, from template and stored results to ``deck.md``, ``deck.html``, ``deck.pdf`` and ``deck.pptx``."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from vitflow.analysis.techniques import Techniques
from vitflow.machine.files import FileProblem, publishing, read_json
from vitflow.slides.deck import Figure, SlidesError
from vitflow.slides.html import page
from vitflow.slides.markdown import read_deck, read_figure
from vitflow.slides.pages import paginate
from vitflow.slides.pdf import pdf
from vitflow.slides.pptx import pptx
from vitflow.slides.template import fill, without_line_numbers


def render(
    template: Path, analysis: Path, figures: Path, techniques: Techniques, out: Path, *, pretrained: bool = False
) -> None:
    """Write the deck in its four forms into ``out``; equal inputs give equal bytes.

    ``template`` is Markdown with Jinja2 placeholders, ``analysis`` the folder of ``summary.json``,
    ``figures`` that of ``captions.json`` and of an SVG and a PNG per stem, ``techniques`` what is
    written of each axis; ``pretrained``: whether ``pretrained.json`` has a slide. Nothing is written
    unless all four forms could be made.
    Raises SlidesError in one line: an unknown name, a missing figure, a slide that runs over, a missing
    system library; FileProblem where ``out`` cannot be written.
    """
    try:
        captions = read_json(figures / "captions.json")
    except FileProblem as error:
        raise SlidesError(f"{error}; draw the figures first (`vitflow figures`)") from None
    folder = PurePosixPath(os.path.relpath(figures, out).replace(os.sep, "/"))
    markdown = fill(template, analysis, captions, techniques, str(folder), pretrained=pretrained)

    def find(source: str, alt: str, caption: str) -> Figure:
        path = PurePosixPath(source)
        if path.parent != folder or path.stem not in captions:
            raise SlidesError(f"image '{source}': figures are shown with {{{{ figure('name') }}}}")
        return read_figure(figures / f"{path.stem}.svg", figures / f"{path.stem}.png", alt, caption)

    deck = paginate(read_deck(markdown, str(template), find))
    html = page(deck)
    forms = {
        "deck.md": without_line_numbers(markdown).encode(),
        "deck.html": html.encode(),
        "deck.pdf": pdf(html, deck),
        "deck.pptx": pptx(deck),
    }
    for name, data in forms.items():
        with publishing(out / name) as temporary:
            temporary.write_bytes(data)
