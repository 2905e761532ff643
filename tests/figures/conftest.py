"""Studies with their analysis and figures, and the figures of one of them as files."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.analysis import write_analysis
from support.figures import CASES, Case
from support.shared import once

from vitflow.figures.draw import draw


@pytest.fixture(scope="session")
def cases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    """All studies, by name. Not to be changed."""

    def write(root: Path) -> None:
        for number, (study, diverged) in enumerate(CASES.values()):
            write_analysis(root / str(number), study, diverged)

    root = once(tmp_path_factory, "figure-cases", write)
    return {name: Case(study, root / str(number)) for number, (name, (study, _)) in enumerate(CASES.items())}


@pytest.fixture
def diverged(cases: dict[str, Case]) -> Case:
    """The study with diverged runs."""
    return cases["diverged"]


@pytest.fixture(scope="session")
def drawn(cases: dict[str, Case], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its figures, drawn as files. Not to be changed."""
    return once(tmp_path_factory, "figure-files", lambda out: draw(cases["diverged"].folder, out))
