"""Studies whose figures are drawn, each figure once for all tests that look at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.text import Text

from support.analysis import LONG, MANY, example_study
from support.analysis.sizes import DIVERGED, SIZES
from vitflow.figures import style
from vitflow.figures.draw import drawings
from vitflow.figures.read import Analysis, read
from vitflow.figures.style import Drawing
from vitflow.study.schema import Study

TWO = {"runs": ["baseline", "resnet18"]}
THREE = {"runs": ["baseline", "resnet18", "resnet18-half"]}
DIGITS: dict[str, Any] = {
    "dataset": {"name": "digits"},
    "baseline": {"patch_size": 2, "width": 32, "depth": 2, "heads": 4},
    "training": {"epochs": 3, "warmup_epochs": 1},
    "ablations": {"architecture": {"patch_size": [1, 2, 4]}},
    "references": {"resnet18": {"family": "resnet", "width": 8}},
}
POOL = {"architecture": {"pool": ["cls", "mean"]}}
#: studies, and how many seeds of which runs diverged
CASES: dict[str, tuple[Study, dict[str, int]]] = {
    "one seed": (example_study(1, features=TWO), {}),
    "diverged": (
        example_study(3, 6, features=THREE),
        {"patch_size=8": 1, "heads=96": 3, "resnet50": 1, "baseline": 1},
    ),
    "baseline diverged": (example_study(2, ablations=POOL, features=TWO), {"baseline": 2, "resnet18": 2}),
    "forty runs": (
        example_study(3, 6, ablations=LONG | MANY, features=THREE),
        {"learning_rate=0.004": 2, "batch_size=1024": 3},
    ),
    "long names": (example_study(2, ablations=LONG, features=TWO), {}),
    **{f"{runs} runs": (study, DIVERGED[runs]) for runs, study in SIZES.items()},
    "digits": (example_study(2, features=TWO, **DIGITS), {}),
    "baseline alone": (example_study(1, ablations={}, references={}), {}),
    "hundred classes": (example_study(2, dataset={"name": "cifar100"}, ablations=POOL, features=TWO), {}),
}


@dataclass
class Case:
    """One of them: what its figures are drawn from, and the figures."""

    study: Study
    folder: Path
    _drawn: dict[str, Drawing] = field(default_factory=dict)

    @cached_property
    def analysis(self) -> Analysis:
        return read(self.folder)

    @cached_property
    def makers(self) -> dict[str, Callable[[], Drawing]]:
        return drawings(self.analysis)

    def drawing(self, stem: str) -> Drawing:
        """A figure, not to be changed."""
        if stem not in self._drawn:
            with style.styled():
                self._drawn[stem] = self.makers[stem]()
        return self._drawn[stem]


@contextmanager
def recorded() -> Iterator[list[Text]]:
    """The texts that are really drawn: matplotlib keeps many more, such as labels of ticks out of view."""
    texts: list[Text] = []
    original = Text.draw

    def recording(self: Text, renderer: Any) -> None:
        if self.get_visible() and self.get_text():
            texts.append(self)
        original(self, renderer)

    Text.draw = recording  # type: ignore[method-assign]
    try:
        yield texts
    finally:
        Text.draw = original  # type: ignore[method-assign]


def texts_of(figure: Figure) -> list[Text]:
    """The texts that a reader sees of a figure."""
    matplotlib.backends.backend_agg.FigureCanvasAgg(figure)
    with style.styled(), recorded() as texts:
        figure.draw_without_rendering()
    return texts
