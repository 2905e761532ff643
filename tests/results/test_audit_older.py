"""The audit of older results: of older code, and of an older schema."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.files import edit, seal_anew, without
from support.results import BASELINE
from support.studies import GOLDEN

from vitflow.data import places
from vitflow.machine.files import read_json, write_json, write_text
from vitflow.results import code, ledger
from vitflow.results.audit import audit
from vitflow.results.code import SCORING, TRAINING, source_digest
from vitflow.results.ledger import Job
from vitflow.study.reading import read_study
from vitflow.study.run import RunConfig
from vitflow.study.schema import Study

OLDER = Path(__file__).parent / "older_result"

# ------------------------------------------------------------------------------------------ older code


def test_results_of_older_code_are_named_once_a_run(complete: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code, "source_digest", lambda *rooms: f"newer {rooms}")
    found = audit(complete)
    assert found.older == [f"{job.paths.train}: made by older code" for job in ledger.all_jobs(complete)]
    assert found.problems == [] and found.complete


def test_scores_of_older_code_are_named(complete: Study) -> None:
    seal_anew(BASELINE.metrics, provenance={"sources": source_digest(*TRAINING)})
    found = audit(complete)
    assert found.older == [f"{BASELINE.metrics}: computed by older code"]
    assert found.problems == []


def test_results_of_code_that_comes_to_the_same_bits_are_not_older(
    complete: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = {"train": BASELINE.train, "metrics": BASELINE.metrics}
    for name, path in of.items():
        seal_anew(path, provenance={"sources": f"older {name}"})
    assert len(audit(complete).older) == 1
    as_good = {source_digest(*TRAINING): ("older train",), source_digest(*SCORING): ("older metrics",)}
    monkeypatch.setattr(code, "SAME_BITS", as_good)
    assert audit(complete).older == []
    seal_anew(BASELINE.train, provenance={"sources": "older metrics"})
    assert audit(complete).older == [f"{BASELINE.train}: made by older code"], "as good in another room"


def test_what_is_said_of_older_code_is_said_of_todays() -> None:
    """An entry is void once the code has changed again: prove it again, or take it out (CONTRIBUTING.md)."""
    assert set(code.SAME_BITS) <= {source_digest(*TRAINING), source_digest(*SCORING)}


@pytest.mark.parametrize(
    ("path", "told"), [(BASELINE.train, "made by older code"), (BASELINE.metrics, "computed by older code")]
)
def test_a_record_without_its_digest_is_none_of_today(complete: Study, path: Path, told: str) -> None:
    without(path, "digest")
    found = audit(complete)
    assert found.older == [f"{path}: {told}"]
    assert found.problems == []


# ---------------------------------------------------------------------------------- results of an older schema


@pytest.fixture
def older(in_a_checkout: None) -> Job:
    """A real result of real CIFAR-10, as it was stored before records were sealed (commit 31eeffb)."""
    job = ledger.jobs(read_study(OLDER / "study.yaml"))[0]
    write_text(places.manifest("cifar10"), (OLDER / "cifar10.json").read_text())
    for path in (job.paths.config, job.paths.train, job.paths.metrics):
        write_text(path, (OLDER / path.name).read_text())
    write_text(job.paths.predictions, "these are 50 KB, and not kept here")
    return job


def test_an_older_result_is_done(older: Job) -> None:
    assert older.status == "done"


def test_an_older_result_is_named_as_one_and_nothing_worse(older: Job) -> None:
    study = read_study(OLDER / "study.yaml")
    found = audit(study)
    assert found.older == [f"{older.paths.train}: made by older code"]
    assert found.problems == []
    assert found.waiting == ledger.jobs(study)[1:]
    assert found.elsewhere == {
        older.paths.checkpoint: read_json(OLDER / "train.json")["checkpoint_sha256"],
        places.prepared("cifar10"): read_json(OLDER / "cifar10.json")["sha256"],
    }


def test_an_older_result_that_was_edited_where_it_can_be_noticed_is_wrong(older: Job) -> None:
    edit(older.paths.config, training=read_json(older.paths.config)["training"] | {"epochs": 20})
    (problem,) = audit(read_study(OLDER / "study.yaml")).problems
    assert problem.startswith(f"{older.paths.config}: not the configuration that")


STORED = read_json(OLDER / "config.json")
DEFAULTS = [
    pytest.param(section, field, id=f"{section}.{field}")
    for section, kind in (("dataset", "Dataset"), ("model", "ViT"), ("training", "Training"))
    for field, default in GOLDEN["defaults"][kind].items()
    if STORED[section].get(field) == default
]


@pytest.mark.parametrize(("section", "field"), DEFAULTS)
def test_a_configuration_of_before_a_field_existed_has_the_same_digest(older: Job, section: str, field: str) -> None:
    earlier = STORED | {section: {name: value for name, value in STORED[section].items() if name != field}}
    write_json(older.paths.config, earlier)
    assert RunConfig.model_validate(earlier).digest == older.config.digest
    assert audit(read_study(OLDER / "study.yaml")).problems == []


def test_there_are_defaults_to_leave_out() -> None:
    assert {"training.crop_padding", "model.pool", "dataset.path"} <= {default.id for default in DEFAULTS}
