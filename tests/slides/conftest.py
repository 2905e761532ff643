"""Talks: a plain one with stand-in figures, and one with real figures in all its forms."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.analysis import example_study, write_analysis
from support.analysis.sizes import DIVERGED, SIZES
from support.shared import once
from support.talk import SMALL, Talk, make_talk, talk_of

from vitflow.figures.draw import draw
from vitflow.slides.deck import Deck


@pytest.fixture(scope="session")
def plain_talk(tmp_path_factory: pytest.TempPathFactory) -> Talk:
    """A small study's talk. Not to be changed."""
    return Talk.read(once(tmp_path_factory, "plain-talk", make_talk))


@pytest.fixture
def talk(plain_talk: Talk, tmp_path: Path) -> Talk:
    """A copy of it, to be changed."""
    return plain_talk.copy(tmp_path)


@pytest.fixture(scope="session")
def deck(plain_talk: Talk) -> Deck:
    """Its slides."""
    return plain_talk.deck()


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> Talk:
    """The talk of config.yaml, some ninety runs on 27 axes, from made-up results. Not to be changed."""
    return Talk.read(once(tmp_path_factory, "full-talk", lambda root: talk_of(root, SIZES[90], DIVERGED[90])))


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Talk:
    """A talk drawn by the real figures room and rendered. Not to be changed."""
    study = example_study(ablations=SMALL, references={"resnet18": {"family": "resnet"}}, features={"images": 100})

    def make(root: Path) -> None:
        summary = write_analysis(root / "analysis", study)
        draw(root / "analysis", root / "figures")
        Talk(root, summary).render()

    return Talk.read(once(tmp_path_factory, "real-talk", make))
