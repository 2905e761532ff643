"""The tiny study of the tests of results: its jobs where nothing is done yet, and its stages where all is."""

from __future__ import annotations

import pytest
from support.results import TINY, bring_techniques

from vitflow.results import ledger
from vitflow.results.ledger import Job
from vitflow.results.stages import Stage, stages
from vitflow.study.reading import read_study
from vitflow.study.schema import Study


@pytest.fixture
def study() -> Study:
    """The tiny study, of which nothing is here."""
    return read_study(TINY)


@pytest.fixture
def job(study: Study) -> Job:
    """Its first: the baseline's first seed."""
    return ledger.jobs(study)[0]


@pytest.fixture
def in_a_checkout(in_an_empty_folder: None) -> None:
    """A folder without results that has what is known of the axes."""
    bring_techniques()


@pytest.fixture
def made(complete: Study) -> dict[str, Stage]:
    """Every stage of the tiny study, current; its files are here."""
    return stages(complete)
