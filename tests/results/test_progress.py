"""How much of a study is left, in time, and how that is spelled."""

from __future__ import annotations

import pytest
from support.ledger import publish_scores, publish_training

from vitflow.data import places
from vitflow.machine.files import write_json, write_text
from vitflow.results import ledger
from vitflow.results.ledger import Job
from vitflow.results.progress import hours_left, scoring_seconds, seconds_left, spell_hours
from vitflow.study.schema import Study

pytestmark = pytest.mark.usefixtures("in_an_empty_folder")


@pytest.mark.parametrize(
    ("hours", "spelled"),
    [
        (0.001, "1 min"),
        (0.5, "30 min"),
        (1.0, "1 h 00 min"),
        (3.34, "3 h 20 min"),
        (47.99, "47 h 59 min"),
        (72, "3 days"),
    ],
)
def test_hours_are_spelled_for_people(hours: float, spelled: str) -> None:
    assert spell_hours(hours) == spelled


def test_hours_left_are_those_of_what_waits_and_a_winner_counts_as_a_baseline(study: Study) -> None:
    jobs = ledger.jobs(study)
    winner = Job("best_architecture", 100, jobs[0].config, jobs[0].paths)
    hours = {"baseline": 1.0, "width=8": 0.25, "heads=1": 2.0, "resnet18-width=4": 4.0}
    assert hours_left([], hours) == 0
    assert hours_left(jobs, hours) == 1 + 1 + 0.25 + 2 + 4
    assert hours_left([*jobs[2:], winner], hours) == 0.25 + 2 + 4 + 1


def test_seconds_left_follow_from_the_trainings_that_are_done(study: Study) -> None:
    first, second, narrow, single_head, resnet = ledger.jobs(study)
    assert seconds_left(ledger.jobs(study)) is None, "nobody knows yet"
    publish_training(first, cost={"seconds": 30.0})
    assert seconds_left(ledger.jobs(study)) == 4 * 30
    publish_training(narrow, cost={"seconds": 10.0}, status="diverged")
    publish_scores(narrow)
    assert seconds_left(ledger.jobs(study)) == 30 + 20 + 20, "of the same run where there is one, else of all"
    write_text(single_head.paths.state / "step-000000003-abc.pt", "")
    assert seconds_left(ledger.jobs(study)) == 70, "a training that was stopped is not done"
    for job in (second, single_head, resnet):
        publish_training(job, cost={"seconds": 30.0})
    assert seconds_left(ledger.jobs(study)) == 0


@pytest.mark.parametrize(("fraction", "held_out", "inspected"), [(0.25, 25, 25), (0, 5000, 100)])
def test_scoring_is_allowed_as_long_as_training_takes_for_its_images(
    study: Study, job: Job, fraction: float, held_out: int, inspected: int
) -> None:
    write_json(places.manifest("digits"), {"counts": {"train": {"0": 60, "1": 40}, "test": {"0": 9, "1": 1}}})
    publish_training(job, cost={"images_per_second": 4.0})
    wanted = study.model_copy(update={"dataset": study.dataset.model_copy(update={"validation_fraction": fraction})})
    # test, validation and as many training images, or a fixed number of those where none are held out; then inspection
    assert scoring_seconds(wanted, job) == (10 + 2 * held_out + 15 * inspected) / 4
