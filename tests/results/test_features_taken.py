"""Whose features are taken: runs of the grid, and the winner."""

from __future__ import annotations

import pytest
from support.results import HOME, a_selection

from vitflow.results import ledger
from vitflow.study.schema import Features, Study

pytestmark = pytest.mark.usefixtures("in_an_empty_folder")


def test_features_are_of_first_seeds_and_of_the_winner_once_it_is_selected(study: Study) -> None:
    study = study.model_copy(update={"features": Features(runs=["best", "baseline"], images=50)})
    first = ledger.jobs(study)[0]
    assert ledger.feature_jobs(study) == {"baseline": first}
    a_selection(ledger.scores_digest(study)).write(HOME.selection)
    winner = ledger.feature_jobs(study)["best"]
    assert (winner.run, winner.seed) == ("best_architecture", ledger.FRESH_SEED)
    assert list(ledger.feature_jobs(study)) == ["best", "baseline"], "in the order of the study"
