"""The audit: a finished study is verified file by file, and one wrong thing at a time is found and named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.results import as_it_was, finish, with_epochs

from vitflow.data import places
from vitflow.machine.files import FileProblem, read_json, sha256, write_json, write_text
from vitflow.results import audit as room
from vitflow.results import ledger
from vitflow.results.audit import Audit, audit
from vitflow.results.code import TRAINING_ROOMS, source_digest
from vitflow.results.layout import Layout
from vitflow.results.ledger import BEST, FRESH_SEED, Job, LedgerError
from vitflow.results.provenance import write_sealed
from vitflow.results.stages import stages
from vitflow.study.grid import feature_runs
from vitflow.study.reading import read_study
from vitflow.study.run import RunConfig
from vitflow.study.schema import Study

TESTS = Path(__file__).parent
TINY = TESTS / "workflow" / "tiny.yaml"
OLDER = TESTS / "golden" / "older_result"
HOME = Layout("tiny")
pytestmark = pytest.mark.usefixtures("in_an_empty_folder")
BASELINE = HOME.seed("baseline", 0)
WINNER = HOME.seed(BEST, FRESH_SEED)
FEATURES = HOME.features / "baseline.json"
MANIFEST = places.manifest("digits")
IMAGES = places.prepared("digits")


@pytest.fixture
def study(finished: Path, in_an_empty_folder: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Study]:
    """The tiny study, finished, here."""
    monkeypatch.chdir(finished)
    with as_it_was():
        yield read_study(TINY)


def edit(path: Path, **changes: Any) -> None:
    """As somebody with an editor does it: the record's own digest stays as it was."""
    path.write_text(json.dumps(read_json(path) | changes))


def seal_anew(path: Path, **changes: Any) -> None:
    """As vitflow itself would have written it, had it been so."""
    write_sealed(path, read_json(path) | changes)


def without(path: Path, key: str) -> None:
    path.write_text(json.dumps({name: value for name, value in read_json(path).items() if name != key}))


def append(path: Path) -> None:
    path.write_text(path.read_text() + "\nand more")


# ------------------------------------------------------------------------------------ nothing is wrong


def test_of_a_finished_study_every_file_is_verified(study: Study) -> None:
    every = [job.paths.checkpoint for job in ledger.all_jobs(study)]
    every += [HOME.features / f"{run}.safetensors" for run in feature_runs(study)] + [IMAGES]
    assert len(every) == 6 + 2 + 1
    found = audit(study)
    assert found == Audit(verified={path: sha256(path) for path in every})
    assert found.complete


def test_an_audit_changes_nothing(study: Study) -> None:
    edit(BASELINE.train, seed=7)
    append(IMAGES)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in Path().rglob("*") if path.is_file()}
    audit(study)
    assert {
        path: (path.read_bytes(), path.stat().st_mtime_ns) for path in Path().rglob("*") if path.is_file()
    } == before


def test_a_divergence_is_a_result_too(study: Study) -> None:
    seal_anew(HOME.seed("width=8", 0).train, status="diverged")
    stages(study)["summary"].seal()
    assert audit(study).complete


def test_of_a_study_that_never_ran_everything_is_waiting(in_an_empty_folder: None) -> None:
    study = read_study(TINY)
    found = audit(study)
    assert found == Audit(waiting=ledger.jobs(study), outdated=["measured cost of 4 of 4 runs", *stages(study)])
    assert not found.complete


def test_records_in_another_layout_are_the_same_records(study: Study) -> None:
    for path in [job.paths.train for job in ledger.all_jobs(study)] + [FEATURES]:
        before = read_json(path)
        path.write_text(json.dumps(dict(reversed(before.items())), indent=7))
    assert audit(study).problems == []


def test_a_study_of_a_folder_of_images_is_verified_too(study: Study) -> None:
    # its stored configuration has no path, which a folder cannot do without
    folder = {"name": "folder", "path": "pictures/flowers", "image_size": 8, "channels": 3, "classes": 5}
    own = Study.model_validate(study.model_dump() | {"study": "own", "dataset": folder})
    finish(own)
    assert audit(own).problems == []
    edit(Layout("own").seed("baseline", 0).config, training={"epochs": 9})
    assert [problem.split(":")[0] for problem in audit(own).problems] == ["results/own/runs/baseline/seed0/config.json"]


# ------------------------------------------------------------------------------------ something is wrong

HAND = "edited by hand after it was made"
CASES: dict[str, tuple[Path, str, Callable[[], object]]] = {
    "edited training": (BASELINE.train, HAND, partial(edit, BASELINE.train, cost={"seconds": 0.5})),
    "edited training of the winner": (WINNER.train, HAND, partial(edit, WINNER.train, seed=1)),
    "digest of a training": (BASELINE.train, HAND, partial(edit, BASELINE.train, digest="0" * 64)),
    "edited scores": (BASELINE.metrics, HAND, partial(edit, BASELINE.metrics, test={"accuracy": 99.0})),
    "scores without predictions": (BASELINE.metrics, HAND, partial(without, BASELINE.metrics, "predictions_sha256")),
    "edited history": (BASELINE.history, f"not what {BASELINE.train} says", partial(append, BASELINE.history)),
    "no history": (BASELINE.history, "missing; delete", BASELINE.history.unlink),
    "other predictions": (
        BASELINE.predictions,
        f"not what {BASELINE.metrics} says",
        partial(append, BASELINE.predictions),
    ),
    "other weights": (
        BASELINE.checkpoint,
        f"not the bytes that {BASELINE.train} names",
        partial(append, BASELINE.checkpoint),
    ),
    "weights of another seed": (
        BASELINE.checkpoint,
        "`vitflow restore` gets them",
        partial(shutil.copy, HOME.seed("baseline", 1).checkpoint, BASELINE.checkpoint),
    ),
    "another configuration beside": (
        BASELINE.config,
        f"not the configuration that {BASELINE.train} names",
        partial(shutil.copy, HOME.seed("width=8", 0).config, BASELINE.config),
    ),
    "configuration of another version": (
        BASELINE.config,
        "not a configuration that this version can read; update vitflow",
        partial(edit, BASELINE.config, of_tomorrow=1),
    ),
    "no configuration": (BASELINE.config, "missing; delete", BASELINE.config.unlink),
    "another run's result": (
        BASELINE.train,
        "result of another configuration than baseline has now",
        partial(shutil.copy, HOME.seed("width=8", 0).train, BASELINE.train),
    ),
    "trained on other images": (
        BASELINE.train,
        f"trained on other images than {MANIFEST} describes",
        partial(seal_anew, BASELINE.train, data_digest="of other images"),
    ),
    "other images": (IMAGES, f"not the bytes that {MANIFEST} names", partial(append, IMAGES)),
    "edited features": (FEATURES, HAND, partial(edit, FEATURES, images=3)),
    "other features": (
        FEATURES.with_suffix(".safetensors"),
        f"not the bytes that {FEATURES} names",
        partial(append, FEATURES.with_suffix(".safetensors")),
    ),
    **{
        f"damaged {path.name}": (path, "damaged", partial(path.write_text, "<<<<<<< HEAD\n"))
        for path in (BASELINE.train, BASELINE.metrics, BASELINE.config, FEATURES)
    },
    **{
        f"no {key} in {path.name}": (path, f"no '{key}'", partial(without, path, key))
        for path, keys in {
            BASELINE.train: ("config_digest", "data_digest", "checkpoint_sha256", "provenance"),
            BASELINE.metrics: ("provenance",),
            BASELINE.config: ("dataset",),
            FEATURES: ("checkpoint_sha256", "features_sha256"),
        }.items()
        for key in keys
    },
    **{
        f"edited {path.name}": (path, f"{HAND}; delete it, and Snakemake makes it again", partial(append, path))
        for path in (
            HOME.summary,
            HOME.metrics / "width=8.json",
            HOME.analysis / "pca.json",
            HOME.analysis / "best.json",
            HOME.figures / "curves.svg",
            HOME.slides / "deck.pptx",
        )
    },
    "edited record of a stage": (
        HOME.provenance / "figures.json",
        HAND,
        partial(edit, HOME.provenance / "figures.json", outputs={}),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_named_with_its_file_and_nothing_else_is(study: Study, case: str) -> None:
    path, told, damage = CASES[case]
    damage()
    found = audit(study)
    assert len(found.problems) == 1, found.problems
    (problem,) = found.problems
    assert problem.startswith(f"{path}: ") and told in problem and "\n" not in problem
    assert "delete" in problem or "train" in problem or "restore" in problem, "it says what to do"
    assert found.older == [] and found.elsewhere == {}
    assert not found.complete


@pytest.mark.parametrize("path", [IMAGES, BASELINE.checkpoint, FEATURES.with_suffix(".safetensors")])
def test_other_bytes_are_foreign_and_the_stated_digest_is_known(study: Study, path: Path) -> None:
    wanted = sha256(path)
    append(path)
    found = audit(study)
    assert found.foreign == {path: wanted}
    assert path not in found.verified


def test_two_wrong_things_are_both_named(study: Study) -> None:
    append(BASELINE.history)
    append(BASELINE.predictions)
    append(HOME.seed("width=8", 0).checkpoint)
    told = [problem.split(":")[0] for problem in audit(study).problems]
    assert told == [str(path) for path in (BASELINE.history, BASELINE.predictions, HOME.seed("width=8", 0).checkpoint)]


def test_after_a_change_of_the_configuration_every_run_is_named(study: Study) -> None:
    changed = with_epochs(study, 3)
    told = [problem.split(":")[0] for problem in audit(changed).problems]
    # the winner was chosen for another configuration, so there is none now
    assert told == [str(job.paths.train) for job in ledger.jobs(study)]
    assert audit(study).problems == [], "and back again"


def test_images_of_another_preparation_are_named_with_every_run_that_did_not_see_them(study: Study) -> None:
    digests = {"train": "of other images", "test": "of test images"}
    edit(MANIFEST, digests=digests)
    told = [problem.split(":")[0] for problem in audit(study).problems]
    assert told == [str(job.paths.train) for job in ledger.all_jobs(study)]


@pytest.mark.parametrize("path", [MANIFEST, HOME.provenance / "figures.json", HOME.selection])
def test_a_damaged_file_of_the_whole_study_is_told_in_one_line(study: Study, path: Path) -> None:
    path.write_text("<<<<<<< HEAD\n")
    with pytest.raises((FileProblem, LedgerError), match=str(path)) as error:
        audit(study)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("path", "key"),
    [(BASELINE.metrics, "checkpoint_sha256"), (HOME.selection, "inputs"), (HOME.selection, "changes")],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_key_that_the_ledger_misses_is_told_in_one_line(study: Study, path: Path, key: str) -> None:
    without(path, key)
    try:
        told = audit(study).problems
    except FileProblem as problem:
        told = [str(problem)]
    assert len(told) == 1 and told[0].startswith(f"{path}: damaged (no '{key}')")


# ------------------------------------------------------------------------ not wrong, but not all there is


@pytest.mark.parametrize("path", [IMAGES, BASELINE.checkpoint, WINNER.checkpoint, FEATURES.with_suffix(".safetensors")])
def test_bytes_that_are_not_here_are_elsewhere(study: Study, path: Path) -> None:
    wanted = sha256(path)
    path.unlink()
    found = audit(study)
    assert found.elsewhere == {path: wanted}
    assert found.problems == [] and path not in found.verified
    assert found.complete, "what is known by its digest need not be here"


@pytest.mark.parametrize(
    "change",
    [
        BASELINE.metrics.unlink,
        BASELINE.predictions.unlink,
        BASELINE.train.unlink,
        partial(shutil.rmtree, BASELINE.folder),
        partial(seal_anew, BASELINE.metrics, checkpoint_sha256="of other weights"),
    ],
    ids=["no scores", "no predictions", "no training", "nothing", "scores of other weights"],
)
def test_what_is_not_finished_is_waiting(study: Study, change: Callable[[], object]) -> None:
    change()
    found = audit(study)
    assert [job.paths for job in found.waiting] == [BASELINE]
    assert found.problems == found.older == []
    assert not found.complete


def test_a_winner_that_is_not_confirmed_is_waiting(study: Study) -> None:
    shutil.rmtree(WINNER.folder)
    found = audit(study)
    assert [job.paths for job in found.waiting] == [WINNER]
    assert found.outdated == ["best"]


def test_a_winner_that_is_not_chosen_is_to_be_made(study: Study) -> None:
    HOME.selection.unlink()
    found = audit(study)
    assert found.waiting == found.problems == []
    assert found.outdated[0] == "select" and found.outdated.count("select") == 1
    assert WINNER.checkpoint not in found.verified, "nobody knows whether it is the winner"


def test_features_of_other_weights_are_outdated(study: Study) -> None:
    seal_anew(FEATURES, checkpoint_sha256="of other weights")
    found = audit(study)
    assert found.outdated == ["features of baseline", "pca"]
    assert found.problems == []
    assert FEATURES.with_suffix(".safetensors") not in found.verified


@pytest.mark.parametrize("part", ["config_digest", "baseline_digest"])
def test_a_cost_measured_of_something_else_is_outdated(study: Study, part: str) -> None:
    seal_anew(HOME.cost("width=8"), **{part: "of something else"})
    found = audit(study)
    assert found.outdated[0] == "measured cost of 1 of 4 runs"
    assert found.problems == [] and not found.complete


def test_a_cost_that_was_edited_is_a_problem(study: Study) -> None:
    path = HOME.cost("width=8")
    path.write_text(path.read_text().replace('"time_ratio": 1.0', '"time_ratio": 0.5'))
    assert audit(study).problems == [f"{path}: edited by hand after it was made; delete it to have it measured again"]


def test_a_cost_that_is_damaged_is_a_problem(study: Study) -> None:
    HOME.cost("width=8").write_text("{")
    [problem] = audit(study).problems
    assert str(HOME.cost("width=8")) in problem


def test_tables_of_another_title_are_outdated(study: Study) -> None:
    found = audit(study.model_copy(update={"title": "Another"}))
    assert found.outdated == ["summary", "best"]
    assert found.problems == [] and not found.complete


# ------------------------------------------------------------------------------------------ older code


def test_results_of_older_code_are_named_once_a_run(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "source_digest", lambda *rooms: f"newer {rooms}")
    found = audit(study)
    assert found.older == [f"{job.paths.train}: made by older code" for job in ledger.all_jobs(study)]
    assert found.problems == [] and found.complete


def test_scores_of_older_code_are_named(study: Study) -> None:
    seal_anew(BASELINE.metrics, provenance={"sources": source_digest(*TRAINING_ROOMS)})
    found = audit(study)
    assert found.older == [f"{BASELINE.metrics}: computed by older code"]
    assert found.problems == []


@pytest.mark.parametrize(
    ("path", "told"), [(BASELINE.train, "made by older code"), (BASELINE.metrics, "computed by older code")]
)
def test_a_record_without_its_digest_is_none_of_today(study: Study, path: Path, told: str) -> None:
    without(path, "digest")
    found = audit(study)
    assert found.older == [f"{path}: {told}"]
    assert found.problems == []


# ---------------------------------------------------------------------------------- results of an older schema


@pytest.fixture
def older(in_an_empty_folder: None) -> Job:
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
    for field, default in read_json(TESTS / "golden" / "frozen_defaults.json")["defaults"][kind].items()
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
