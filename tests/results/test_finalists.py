"""Finalists in the ledger: who they are, on which seeds, and what a selection is chosen from."""

from __future__ import annotations

import pytest
from support.ledger import publish_training
from support.results import HOME, a_selection

from vitflow.machine.files import write_json
from vitflow.results import ledger
from vitflow.results.ledger import Job, LedgerError
from vitflow.study.grid import expand
from vitflow.study.schema import Study

pytestmark = pytest.mark.usefixtures("in_an_empty_folder")


def test_finalists_are_runs_on_fresh_seeds_once_they_are_selected(study: Study) -> None:
    assert ledger.fresh_jobs(study) == []
    a_selection(ledger.scores_digest(study)).write(HOME.selection)
    (job,) = ledger.fresh_jobs(study)
    assert (job.run, job.seed) == ("best_architecture", 100)
    assert job.config.digest == expand(study).runs["width=8"].config.digest
    assert ledger.find_job(study, "best_architecture", 100) == job
    assert ledger.fresh_jobs(study.model_copy(update={"best": None})) == []
    a_selection("of other scores").write(HOME.selection)
    assert ledger.fresh_jobs(study) == []


def test_a_finalist_may_train_on_the_validation_images_too(study: Study) -> None:
    chosen = a_selection(ledger.scores_digest(study))
    everything = chosen.finalists[0].model_copy(update={"all_images": True})
    chosen.model_copy(update={"finalists": (everything,)}).write(HOME.selection)
    (job,) = ledger.fresh_jobs(study)
    assert job.config.dataset.validation_fraction == 0 != study.dataset.validation_fraction


def test_a_selection_is_of_validation_scores_alone(study: Study, job: Job) -> None:
    publish_training(job)
    scores = {"checkpoint_sha256": "w1", "validation": {"accuracy": 50.0}, "test": {"accuracy": 50.0}}
    write_json(job.paths.metrics, scores)
    before = ledger.scores_digest(study)
    write_json(job.paths.metrics, scores | {"test": {"accuracy": 99.0}})
    assert ledger.scores_digest(study) == before
    write_json(job.paths.metrics, scores | {"validation": {"accuracy": 51.0}})
    assert ledger.scores_digest(study) != before


def test_a_selection_that_the_study_cannot_hold_is_named(study: Study) -> None:
    a_selection(ledger.scores_digest(study), width=7).write(HOME.selection)
    with pytest.raises(LedgerError, match=r"selection\.json: .*width 7.*delete it") as error:
        ledger.fresh_jobs(study)
    assert "\n" not in str(error.value)
