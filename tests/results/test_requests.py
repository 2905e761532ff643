"""What a run asks of a cluster: as much as it needs with a margin, more with each attempt, no more than is granted."""

from __future__ import annotations

import pytest
from support.ledger import publish_training

from vitflow.results import ledger
from vitflow.results.requests import CUDA_PROCESS, PROCESS, UNKNOWN, Requests, keep_needs
from vitflow.study.schema import Study

pytestmark = pytest.mark.usefixtures("in_an_empty_folder")
GIB = 2**30


@pytest.fixture
def planned(study: Study) -> list[ledger.Job]:
    jobs = ledger.jobs(study)
    hours = {"baseline": 1.0, "width=8": 0.125, "heads=1": 100.0}
    keep_needs(study, {job.run: (hours.get(job.run, 1.0), GIB) for job in jobs}, jobs)
    return jobs


def test_time_is_what_is_planned_with_a_margin_and_both_jobs_together_stay_within_the_limit(
    study: Study, planned: list[ledger.Job]
) -> None:
    requests = Requests.read(study, planned, gpus=0, minutes=240)
    one = {job.run: job for job in planned}
    assert requests.training(one["baseline"]) == 10 + 90
    assert requests.scoring(one["baseline"]) == 10 + 9
    assert requests.training(one["width=8"]) == 10 + 12 < requests.training(one["width=8"], attempt=2)
    for job in planned:
        for attempt in (1, 2, 3):
            assert 0 < requests.training(job, attempt) + requests.scoring(job) <= 240
    assert requests.training(one["heads=1"]) + requests.scoring(one["heads=1"]) == 240


def test_even_the_shortest_limit_leaves_both_a_minute(study: Study, planned: list[ledger.Job]) -> None:
    requests = Requests.read(study, planned, gpus=0, minutes=2)
    assert (requests.training(planned[0]), requests.scoring(planned[0])) == (1, 1)


def test_memory_is_counted_on_a_cpu_grows_and_is_cut_to_the_nodes(study: Study, planned: list[ledger.Job]) -> None:
    job = planned[0]
    requests = Requests.read(study, planned, gpus=0, minutes=240, megabytes=5000)
    assert requests.memory(job) == 3100 >= PROCESS + 1.5 * 1024
    assert requests.memory(job, attempt=2) == 5000
    assert Requests.read(study, planned, gpus=0, minutes=240).memory(job, attempt=2) == 6200
    assert Requests.read(study, planned, gpus=1, minutes=240).memory(job) == CUDA_PROCESS


def test_what_trainings_of_the_study_took_corrects_the_plan(study: Study, planned: list[ledger.Job]) -> None:
    before = Requests.read(study, planned, gpus=0, minutes=240).training(planned[0])
    publish_training(planned[0], cost={"seconds": 3 * 3600 / 10})
    after = Requests.read(study, planned, gpus=0, minutes=240)
    assert after.taken == pytest.approx(0.3)
    assert after.training(planned[0]) == 10 + 27 < before


def test_what_is_not_planned_yet_asks_for_all_that_is_granted(study: Study) -> None:
    (job, *rest) = ledger.jobs(study)
    requests = Requests.read(study, [job, *rest], gpus=0, minutes=240)
    assert not requests.knows(job)
    assert requests.training(job) + requests.scoring(job) == 240 and requests.memory(job) == UNKNOWN
