"""The ledger: what counts as done, and file times that make Snakemake believe exactly that. No training here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from support.results import with_epochs

from vitflow.machine.files import FileProblem, read_json, write_json, write_text
from vitflow.results import ledger, times
from vitflow.results.layout import Layout
from vitflow.results.ledger import Job, LedgerError
from vitflow.study.grid import expand
from vitflow.study.reading import parse_study, read_study
from vitflow.study.schema import Study
from vitflow.study.training import Training

TINY = Path(__file__).parent / "workflow" / "tiny.yaml"
HOME = Layout("tiny")
pytestmark = pytest.mark.usefixtures("in_an_empty_folder")


@pytest.fixture
def study() -> Study:
    return read_study(TINY)


@pytest.fixture
def job(study: Study) -> Job:
    return ledger.jobs(study)[0]


def publish_training(job: Job, weights: str = "w1", **changes: Any) -> None:
    record = {"status": "finished", "config_digest": job.config.digest, "checkpoint_sha256": weights}
    write_json(job.paths.train, record | changes)
    write_text(job.paths.checkpoint, weights)


def publish_scores(job: Job, weights: str = "w1") -> None:
    write_json(job.paths.metrics, {"checkpoint_sha256": weights})
    write_text(job.paths.predictions, "")


def publish_features(run: str, weights: str = "w1", features: str = "f1") -> Path:
    path = HOME.features / f"{run}.json"
    write_json(path, {"checkpoint_sha256": weights, "features_sha256": features})
    return path


def status(job: Job) -> str:
    """Asked anew each time, though mypy takes a property for a constant."""
    return job.status


def set_time(path: Path, seconds: int) -> None:
    os.utime(path, (seconds, seconds))


def newer(one: Path, other: Path) -> bool:
    return one.stat().st_mtime_ns > other.stat().st_mtime_ns


# ------------------------------------------------------------------------------------------- the jobs


def test_jobs_are_the_grid_once_per_seed(study: Study) -> None:
    assert [(job.run, job.seed) for job in ledger.jobs(study)] == [
        ("baseline", 0),
        ("baseline", 1),
        ("width=8", 0),
        ("heads=1", 0),
        ("resnet18-width=4", 0),
    ]


def test_nothing_is_missing(job: Job) -> None:
    assert status(job) == "missing"


def test_a_state_without_results_is_interrupted(job: Job) -> None:
    write_text(job.paths.state / "lock", "")
    assert status(job) == "missing", "a lock alone is no state"
    write_text(job.paths.state / "step-000000003-abc.pt", "")
    assert status(job) == "interrupted"


def test_results_without_scores_are_trained(job: Job) -> None:
    publish_training(job)
    assert status(job) == "trained"
    write_text(job.paths.predictions, "")
    assert status(job) == "trained"


def test_results_with_their_scores_are_done(job: Job) -> None:
    publish_training(job)
    publish_scores(job)
    assert status(job) == "done"
    job.paths.checkpoint.unlink()
    assert status(job) == "done", "weights may be elsewhere"
    job.paths.predictions.unlink()
    assert status(job) == "trained"


def test_scores_of_other_weights_do_not_count(job: Job) -> None:
    publish_training(job, "w2")
    publish_scores(job, "w1")
    assert status(job) == "trained"


def test_a_divergence_is_a_result(job: Job) -> None:
    publish_training(job, status="diverged")
    assert status(job) == "trained"
    publish_scores(job)
    assert status(job) == "diverged"


def test_results_of_another_configuration_are_stale(study: Study, job: Job) -> None:
    publish_training(job)
    publish_scores(job)
    write_text(job.paths.state / "step-000000003-abc.pt", "")
    assert status(ledger.jobs(with_epochs(study, 3))[0]) == "stale"
    assert status(job) == "done"


def test_a_damaged_record_is_named(job: Job) -> None:
    write_text(job.paths.train, "<<<<<<< HEAD\n")
    with pytest.raises(FileProblem, match=str(job.paths.train)) as error:
        _ = job.status
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("key", ["config_digest", "checkpoint_sha256", "status"])
def test_a_record_without_a_key_is_named(job: Job, key: str) -> None:
    publish_training(job)
    publish_scores(job)
    write_json(job.paths.train, {name: value for name, value in read_json(job.paths.train).items() if name != key})
    with pytest.raises(FileProblem, match=rf"{job.paths.train}: damaged \(no '{key}'\)"):
        _ = job.status


def test_orphans_are_folders_that_the_study_does_not_have(study: Study, job: Job) -> None:
    publish_training(job)
    for run, seed in [
        ("width=999", 0),
        ("baseline", 7),
        ("best_architecture", ledger.FRESH_SEED),
        ("best_architecture", 3),
    ]:
        write_json(HOME.seed(run, seed).train, {})
    orphaned = [str(path.relative_to(HOME.root / "runs")) for path in ledger.orphans(study)]
    assert orphaned == ["baseline/seed7", "best_architecture/seed3", "width=999/seed0"]
    without = study.model_copy(update={"best": None})
    assert HOME.seed("best_architecture", ledger.FRESH_SEED).folder in ledger.orphans(without)


def test_the_winner_is_a_run_on_fresh_seeds_once_it_is_selected(study: Study) -> None:
    assert ledger.best_run(study) is None
    write_json(HOME.selection, {"changes": {"width": 8}, "inputs": ledger.scores_digest(study)})
    best = ledger.best_run(study)
    assert best is not None
    assert (best.name, best.seeds) == ("best_architecture", (100,))
    assert best.config.digest == expand(study).runs["width=8"].config.digest
    assert ledger.best_run(study.model_copy(update={"best": None})) is None
    write_json(HOME.selection, {"changes": {"width": 8}, "inputs": "of other scores"})
    assert ledger.best_run(study) is None


def test_a_selection_that_the_study_cannot_hold_is_named(study: Study) -> None:
    write_json(HOME.selection, {"changes": {"width": 7}, "inputs": ledger.scores_digest(study)})
    with pytest.raises(LedgerError, match=r"best_architecture\.json: .*width 7.*delete it") as error:
        ledger.best_run(study)
    assert "\n" not in str(error.value)


# ------------------------------------------------------------------------------------ what may be believed


def settled(study: Study, job: Job) -> Path:
    """The wanted configuration's file, after settling."""
    times.settle_job(study, job)
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


def publish_cost(study: Study, run: str, seconds: float, **other: str) -> Path:
    """Measured for the study as it is, but for ``other``; last changed so long after the first of January 2001."""
    path = HOME.cost(run)
    wanted = {"config_digest": expand(study).runs[run].config.digest, "baseline_digest": study.baseline_run.digest}
    write_json(path, wanted | other)
    set_time(path, 978_307_200 + seconds)
    return path


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


# ---------------------------------------------------------------------------------- digest of a study


def spelled(**parts: Any) -> Study:
    """A small study, with ``parts`` added as somebody may write them."""
    return parse_study({"study": "small", "dataset": {"name": "digits"}} | parts, "test")


def test_where_the_data_lie_does_not_matter_to_tables(study: Study) -> None:
    elsewhere = study.model_copy(update={"dataset": study.dataset.model_copy(update={"path": "/elsewhere"})})
    assert ledger.study_digest(elsewhere) == ledger.study_digest(study)


@pytest.mark.parametrize(
    "default",
    [
        {"seeds": 3},
        {"title": ""},
        {"schema_version": 1},
        {"cross": {}},
        {"equivalence_margin": 0.5},
        {"features": {"runs": ["baseline"]}},
        {"training": {}},
        {"training": {"epochs": 100, "warmup_epochs": 5.0, "learning_rate": "1e-3"}},
        {"dataset": {"name": "digits", "validation_fraction": 0.1, "train_images": None}},
        {"baseline": {"family": "vit"}},
        {"baseline": {"width": 192, "mlp_ratio": 4}},
    ],
    ids=str,
)
def test_a_default_that_is_written_down_makes_no_other_study(default: dict[str, Any]) -> None:
    assert ledger.study_digest(spelled(**default)) == ledger.study_digest(spelled())


def test_a_default_of_the_winner_makes_no_other_study_but_wanting_one_does() -> None:
    assert ledger.study_digest(spelled(best={"seeds": 3})) == ledger.study_digest(spelled(best={}))
    assert ledger.study_digest(spelled(best={})) != ledger.study_digest(spelled())


def test_a_field_that_the_schema_gets_later_makes_no_other_study(study: Study) -> None:
    class LaterTraining(Training):
        of_tomorrow: float = 0.5

    class LaterStudy(Study):
        training: LaterTraining = LaterTraining()
        also_new: int = 3

    written = study.model_dump()
    assert ledger.study_digest(LaterStudy.model_validate(written)) == ledger.study_digest(study)
    used = LaterStudy.model_validate(written | {"training": written["training"] | {"of_tomorrow": 0.6}})
    assert ledger.study_digest(used) != ledger.study_digest(study)


@pytest.mark.parametrize("width", [64, 192, 96])  # the default of one family, of the other, of none
def test_a_transformer_and_a_resnet_are_two_studies(width: int) -> None:
    digests = {ledger.study_digest(spelled(baseline={"family": f, "width": width})) for f in ("vit", "resnet")}
    assert len(digests) == 2


@pytest.mark.parametrize(
    "other",
    [
        {"title": "Another"},
        {"author": "Somebody"},
        {"seeds": 4},
        {"equivalence_margin": 1},
        {"training": {"epochs": 99}},
        {"dataset": {"name": "digits", "train_images": 100}},
        {"baseline": {"pool": "mean"}},
        {"ablations": {"architecture": {"depth": [6, 4]}}},
        {"references": {"small": {"family": "resnet"}}},
    ],
    ids=str,
)
def test_what_tables_and_slides_show_makes_another_study(other: dict[str, Any]) -> None:
    assert ledger.study_digest(spelled(**other)) != ledger.study_digest(spelled())


# -------------------------------------------------------------------------------------- weights needed


def test_weights_are_needed_only_where_a_step_would_read_them(study: Study, job: Job) -> None:
    metrics = job.paths.metrics
    assert ledger.weights_needed(study, job, metrics) is None, "it is trained anyway"
    publish_training(job)
    assert ledger.weights_needed(study, job, metrics) is None, "they are there"
    job.paths.checkpoint.unlink()
    problem = ledger.weights_needed(study, job, metrics)
    assert problem is not None and "\n" not in problem
    assert problem.startswith(f"{job.paths.checkpoint}: weights are missing") and "vitflow restore" in problem
    publish_scores(job, "w0")
    assert ledger.weights_needed(study, job, metrics) is not None, "scores of other weights"
    publish_scores(job)
    assert ledger.weights_needed(study, job, metrics) is None, "the scores are there"
    features = publish_features("baseline")
    assert ledger.weights_needed(study, job, features) is None, "so are the features"
    more = study.model_copy(update={"features": study.features.model_copy(update={"images": 60})})
    write_json(features, read_json(features) | {"requested": study.features.images})
    assert ledger.weights_needed(study, job, features) is None
    assert ledger.weights_needed(more, job, features) is not None, "of more images"
    stale = ledger.jobs(with_epochs(study, 3))[0]
    metrics.unlink()
    assert ledger.weights_needed(study, stale, metrics) is None, "it is trained anew anyway"
