"""The final weights of a run: which are believed. Models are loaded in tests/commands."""

from __future__ import annotations

import pytest
from support.files import append
from support.results import BASELINE, with_epochs

from vitflow.machine.files import FileProblem, read_json, write_text
from vitflow.results import ledger
from vitflow.results.ledger import Job, LedgerError
from vitflow.results.weights import trained
from vitflow.study.schema import Study


def test_of_a_finished_training_the_record_is_given(complete: Study) -> None:
    job = ledger.jobs(complete)[0]
    assert trained(job) == read_json(BASELINE.train)
    BASELINE.metrics.unlink()
    assert trained(job) == read_json(BASELINE.train), "scored or not"
    BASELINE.checkpoint.unlink()
    assert trained(job) == read_json(BASELINE.train), "its weights may be elsewhere"


def test_other_weights_than_it_names_are_refused(complete: Study) -> None:
    append(BASELINE.checkpoint)
    with pytest.raises(
        FileProblem, match=f"^{BASELINE.checkpoint}: not the weights that {BASELINE.train} names; delete"
    ):
        trained(ledger.jobs(complete)[0])


@pytest.mark.usefixtures("in_an_empty_folder")
def test_what_is_not_trained_is_told_with_the_command_that_does_it(job: Job) -> None:
    with pytest.raises(
        LedgerError, match=r"^baseline seed 0 is missing; train it first: `vitflow train --run baseline"
    ):
        trained(job)
    write_text(job.paths.state / "step-000000003-abc.pt", "")
    with pytest.raises(LedgerError, match=r"^baseline seed 0 is interrupted; train it first"):
        trained(job)


def test_results_of_another_configuration_are_not_taken_for_those_of_this_one(complete: Study) -> None:
    with pytest.raises(LedgerError, match=r"^baseline seed 1 is stale; train it first: .*--run baseline --seed 1`$"):
        trained(ledger.jobs(with_epochs(complete, 3))[1])
