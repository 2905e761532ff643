"""The ledger: what counts as done, which studies are the same to the tables, which weights are needed."""

from __future__ import annotations

from typing import Any

import pytest
from support.ledger import publish_features, publish_scores, publish_training
from support.results import HOME, a_selection, with_epochs

from vitflow.data import places
from vitflow.data.manifest import data_digest
from vitflow.machine.files import FileProblem, read_json, write_json, write_text
from vitflow.results import ledger, times
from vitflow.results.ledger import Job
from vitflow.study.reading import parse_study
from vitflow.study.schema import Study
from vitflow.study.training import Training

pytestmark = pytest.mark.usefixtures("in_an_empty_folder")


def status(job: Job) -> str:
    """Asked anew each time, though mypy takes a property for a constant."""
    return job.status


# ------------------------------------------------------------------------------------------- the jobs


def test_what_was_trained_on_other_images_is_stale_wherever_one_looks(study: Study, job: Job) -> None:
    images = places.manifest(study.dataset.key)
    publish_training(job, data_digest="of other images")
    publish_scores(job)
    assert status(job) == "done", "nobody can tell before the images are prepared"
    write_json(images, {"digests": {"train": "a", "test": "b"}})
    assert status(job) == "stale" and not job.is_over
    assert ledger.weights_needed(study, job, job.paths.metrics) is None, "it is trained anew"
    times.settle_job(study, job)
    wanted = HOME.wanted(job.run, job.seed)
    assert wanted.stat().st_mtime_ns > job.paths.train.stat().st_mtime_ns, "Snakemake plans the training"
    publish_training(job, data_digest=data_digest(study.dataset.key))
    assert status(job) == "done"


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
    fresh = ledger.FRESH_SEED
    for run, seed in [
        ("width=999", 0),
        ("baseline", 7),
        ("best_architecture", fresh),
        ("best_architecture", 3),
        ("best", fresh),
    ]:
        write_json(HOME.seed(run, seed).train, {})

    def orphaned(study: Study) -> list[str]:
        return [str(path.relative_to(HOME.root / "runs")) for path in ledger.orphans(study)]

    # before anything is selected, nobody knows which finalists are wanted
    assert orphaned(study) == ["baseline/seed7", "best_architecture/seed3", "width=999/seed0"]
    a_selection(ledger.scores_digest(study)).write(HOME.selection)
    assert orphaned(study) == ["baseline/seed7", f"best/seed{fresh}", "best_architecture/seed3", "width=999/seed0"]
    assert f"best_architecture/seed{fresh}" in orphaned(study.model_copy(update={"best": None}))


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
