"""What Snakemake's report (`snakemake --report`) has in which chapter, and the captions of its figures.

Snakemake sorts chapters by name and reads a caption from a file of reStructuredText, which is a Jinja template; so the
figures' own captions are put into such files, below ``state/``.
"""

from __future__ import annotations

import re
from pathlib import Path

from vitflow.figures.draw import FIGURES
from vitflow.machine.files import read_json, write_text
from vitflow.results.layout import Layout

DATA, TRAINING, COMPARISON, FEATURES, TALK = (
    f"{number}. {name}" for number, name in enumerate(("Data", "Training", "Comparison", "Features", "Talk"), start=1)
)
#: by the file of vitflow/figures/ that draws them; `axis` draws those that are not in FIGURES
CHAPTERS = {
    "attention": FEATURES,
    "axis": COMPARISON,
    "calibration": TRAINING,
    "classes": FEATURES,
    "confusion": TRAINING,
    "cost": COMPARISON,
    "curves": TRAINING,
    "differences": COMPARISON,
    "fit": TRAINING,
    "gallery": FEATURES,
    "images": DATA,
    "layers": FEATURES,
    "model": DATA,
    "pca": FEATURES,
    "shifts": FEATURES,
    "similarity": FEATURES,
    "subsets": COMPARISON,
    "winners": COMPARISON,
}


def chapter(stem: str) -> str:
    """The chapter of a figure."""
    return CHAPTERS[FIGURES.get(stem, "axis.draw").partition(".")[0]]


def caption(home: Layout, stem: str) -> Path:
    """The file that has the caption of a figure, once :func:`write_captions` has put it there."""
    return (home.state / "report" / f"{stem}.rst").absolute()


def write_captions(home: Layout) -> None:
    """The captions of all figures that are drawn, each with its description in words, for Snakemake to read.

    Raises FileProblem where ``captions.json`` is damaged.
    """
    said = home.figures / "captions.json"
    for stem, texts in read_json(said).items() if said.exists() else ():
        path, text = caption(home, stem), f"{as_rst(texts['caption'])}\n\n{as_rst(texts['alt'])}\n"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            write_text(path, text)


def as_rst(text: str) -> str:
    """``text`` as one paragraph in which neither reStructuredText nor Jinja finds anything of theirs."""
    return re.sub(r"([^\w\s]|_)", r"\\\1", " ".join(text.split()))
