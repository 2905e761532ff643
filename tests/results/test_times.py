"""File times of runs: what belongs to the configuration becomes newer than the wish, the rest older."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.files import newer, set_time
from support.ledger import publish_cost, publish_features, publish_scores, publish_training
from support.results import HOME, a_selection, with_epochs

from vitflow.machine.files import read_json, write_json
from vitflow.results import ledger
from vitflow.results.ledger import Job
from vitflow.results.times import settle_job
from vitflow.study.schema import Study

pytestmark = pytest.mark.usefixtures("in_an_empty_folder")


def settled(study: Study, job: Job) -> Path:
    """The wanted configuration's file, after settling."""
    settle_job(study, job)
    return HOME.wanted(job.run, job.seed)


def test_settle_writes_what_is_wanted_once(study: Study, job: Job) -> None:
    wanted = settled(study, job)
    assert read_json(wanted)["digest"] == job.config.digest
    file = wanted.stat().st_ino
    settled(study, job)
    assert wanted.stat().st_ino == file, "an unchanged wish is not written again"


def test_valid_results_become_newer_than_the_wish(study: Study, job: Job) -> None:
    publish_training(job)
    publish_scores(job)
    for path in (job.paths.train, job.paths.metrics, job.paths.predictions):
        set_time(path, 1_700_000_000)  # before the wish is written
    wanted = settled(study, job)
    assert all(newer(path, wanted) for path in (job.paths.train, job.paths.checkpoint, job.paths.metrics))


def test_a_stale_configuration_becomes_newer_than_its_results(study: Study, job: Job) -> None:
    publish_training(job)
    publish_scores(job)
    settled(study, job)
    other = with_epochs(study, 3)
    wanted = settled(other, ledger.jobs(other)[0])
    assert read_json(wanted)["config"]["training"]["epochs"] == 3
    assert newer(wanted, job.paths.train) and newer(wanted, job.paths.checkpoint)
    set_time(wanted, 1_000)  # as git might
    assert newer(settled(other, ledger.jobs(other)[0]), job.paths.train)
    assert newer(job.paths.train, settled(study, job)), "and back again"


def test_scores_become_newer_than_the_training_they_belong_to(study: Study, job: Job) -> None:
    publish_training(job)
    publish_scores(job)
    features = publish_features("baseline")
    order = [(job.paths.train, 50), (job.paths.metrics, 10), (job.paths.predictions, 30), (features, 20)]
    for path, seconds in order:
        set_time(path, 1_700_000_000 + seconds)
    settled(study, job)
    assert all(newer(path, job.paths.train) for path in (job.paths.metrics, job.paths.predictions, features))


def test_scores_of_other_weights_become_older_than_the_training(study: Study, job: Job) -> None:
    publish_training(job, "w2")
    publish_scores(job, "w1")
    features = publish_features("baseline", "w1")
    set_time(job.paths.train, 1_700_000_000)
    settled(study, job)
    assert newer(job.paths.train, job.paths.metrics)
    assert newer(job.paths.train, features)


def test_valid_results_of_any_age_are_newer_than_the_wish(study: Study, job: Job) -> None:
    publish_training(job)
    publish_scores(job)
    for path in (job.paths.train, job.paths.checkpoint, job.paths.metrics, job.paths.predictions):
        set_time(path, 0)  # as in reproducible archives and images
    wanted = settled(study, job)
    assert not newer(wanted, job.paths.train)


@pytest.mark.parametrize("stale", ["scores", "features"])
def test_what_is_stale_stays_older_when_something_valid_is_older_still(study: Study, job: Job, stale: str) -> None:
    publish_training(job)
    publish_scores(job, "w1" if stale == "features" else "w0")
    features = publish_features("baseline", "w1" if stale == "scores" else "w0")
    valid, other = (features, job.paths.metrics) if stale == "scores" else (job.paths.metrics, features)
    for path, seconds in [(job.paths.train, 50), (job.paths.predictions, 40), (other, 30), (valid, 10)]:
        set_time(path, 1_700_000_000 + seconds)
    settled(study, job)
    assert newer(valid, job.paths.train)
    assert newer(job.paths.train, other)


def test_settling_never_touches_what_results_say(study: Study, job: Job, tmp_path: Path) -> None:
    publish_training(job, "w2")
    publish_scores(job, "w1")
    publish_features("baseline", "w1")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    before = {path: path.read_bytes() for path in files}
    settled(study, job)
    settled(with_epochs(study, 3), ledger.jobs(with_epochs(study, 3))[0])
    assert {path: path.read_bytes() for path in files} == before


def test_settling_twice_moves_no_time(study: Study, job: Job) -> None:
    publish_training(job)
    publish_scores(job)
    features = publish_features("baseline")
    settled(study, job)
    paths = [HOME.wanted("baseline", 0), job.paths.train, job.paths.metrics, job.paths.predictions, features]
    before = [path.stat().st_mtime_ns for path in paths]
    settled(study, job)
    assert [path.stat().st_mtime_ns for path in paths] == before


def test_only_the_first_seed_has_features(study: Study) -> None:
    second = ledger.jobs(study)[1]
    publish_training(second, "of seed 1")
    features = publish_features("baseline", "of seed 0")
    set_time(features, 2_000_000_000)
    settled(study, second)
    assert features.stat().st_mtime == 2_000_000_000


def test_a_measured_cost_becomes_newer_than_the_wish_trained_or_not(study: Study, job: Job) -> None:
    path = publish_cost(study, "baseline", 0)
    assert newer(path, settled(study, job))
    publish_training(job)
    assert newer(path, settled(study, job))


def test_a_cost_of_another_configuration_or_baseline_becomes_older_than_the_wish(study: Study, job: Job) -> None:
    publish_training(job)
    wanted = settled(study, job)
    for part in ("config_digest", "baseline_digest"):
        path = publish_cost(study, "baseline", 3e9, **{part: "another"})
        assert newer(settled(study, job), path)
        assert newer(job.paths.train, wanted), "nothing is trained for that"


def test_a_measured_cost_leaves_the_times_of_trainings_alone(study: Study, job: Job) -> None:
    publish_training(job)
    settled(study, job)
    before = job.paths.train.stat().st_mtime_ns
    publish_cost(study, "baseline", 0)
    settled(study, job)
    assert job.paths.train.stat().st_mtime_ns == before


def test_features_of_the_winner_follow_its_first_fresh_seed_and_the_choice(study: Study) -> None:
    a_selection(ledger.scores_digest(study)).write(HOME.selection)
    winner = ledger.fresh_jobs(study)[0]
    publish_training(winner, "of the winner")
    features = publish_features("best", "of the winner")
    settled(study, winner)
    assert newer(features, winner.paths.train)
    publish_features("best", "of another winner")
    set_time(features, 2_000_000_000)
    settled(study, winner)
    assert newer(winner.paths.train, features), "they are made again"
    write_json(HOME.selection, read_json(HOME.selection) | {"best": "baseline"})
    set_time(features, 2_000_000_000)
    settled(study, winner)
    assert features.stat().st_mtime == 2_000_000_000, "nobody asks for features of this run"
