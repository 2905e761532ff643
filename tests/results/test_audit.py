"""The audit: a finished study is verified file by file, and one wrong thing at a time is found and named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from support.files import append, edit, seal_anew, without
from support.results import BASELINE, FEATURES, HOME, IMAGES, MANIFEST, WINNER, finish, with_epochs

from vitflow.machine.files import FileProblem, read_json, sha256
from vitflow.results import ledger
from vitflow.results.audit import Audit, audit
from vitflow.results.layout import Layout
from vitflow.results.ledger import LedgerError
from vitflow.results.stages import stages
from vitflow.study.grid import feature_runs
from vitflow.study.schema import Study

# ------------------------------------------------------------------------------------ nothing is wrong


def test_of_a_finished_study_every_file_is_verified(complete: Study) -> None:
    every = [job.paths.checkpoint for job in ledger.all_jobs(complete)]
    every += [HOME.features / f"{run}.safetensors" for run in feature_runs(complete)] + [IMAGES]
    assert len(every) == 6 + 2 + 1
    found = audit(complete)
    assert found == Audit(verified={path: sha256(path) for path in every})
    assert found.complete


def test_an_audit_changes_nothing(complete: Study) -> None:
    edit(BASELINE.train, seed=7)
    append(IMAGES)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in Path().rglob("*") if path.is_file()}
    audit(complete)
    assert {
        path: (path.read_bytes(), path.stat().st_mtime_ns) for path in Path().rglob("*") if path.is_file()
    } == before


def test_a_divergence_is_a_result_too(complete: Study) -> None:
    seal_anew(HOME.seed("width=8", 0).train, status="diverged")
    stages(complete)["summary"].seal()
    assert audit(complete).complete


@pytest.mark.usefixtures("in_a_checkout")
def test_of_a_study_that_never_ran_everything_is_waiting(study: Study) -> None:
    found = audit(study)
    assert found == Audit(waiting=ledger.jobs(study), outdated=["measured cost of 4 of 4 runs", *stages(study)])
    assert not found.complete


def test_records_in_another_layout_are_the_same_records(complete: Study) -> None:
    for path in [job.paths.train for job in ledger.all_jobs(complete)] + [FEATURES]:
        before = read_json(path)
        path.write_text(json.dumps(dict(reversed(before.items())), indent=7))
    assert audit(complete).problems == []


def test_a_study_of_a_folder_of_images_is_verified_too(complete: Study) -> None:
    # its stored configuration has no path, which a folder cannot do without
    folder = {"name": "folder", "path": "pictures/flowers", "image_size": 8, "channels": 3, "classes": 5}
    own = Study.model_validate(complete.model_dump() | {"study": "own", "dataset": folder})
    finish(own)
    assert audit(own).problems == []
    edit(Layout("own").seed("baseline", 0).config, training={"epochs": 9})
    assert [problem.split(":")[0] for problem in audit(own).problems] == ["results/own/runs/baseline/seed0/config.json"]


# ------------------------------------------------------------------------------------ something is wrong

HAND = "edited by hand after it was made"
CASES: dict[str, tuple[Path, str, Callable[[], object]]] = {
    "edited training": (BASELINE.train, HAND, partial(edit, BASELINE.train, cost={"seconds": 0.5})),
    "edited training of the winner": (WINNER.train, HAND, partial(edit, WINNER.train, seed=1)),
    "digest of per training": (BASELINE.train, HAND, partial(edit, BASELINE.train, digest="0" * 64)),
    "edited scores": (BASELINE.metrics, HAND, partial(edit, BASELINE.metrics, test={"accuracy": 99.0})),
    "scores without predictions": (BASELINE.metrics, HAND, partial(without, BASELINE.metrics, "predictions_sha256")),
    "edited history": (BASELINE.history, f"not what {BASELINE.train} says", partial(append, BASELINE.history)),
    "no history": (BASELINE.history, "missing; get it back (`git checkout -- ", BASELINE.history.unlink),
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
    "no configuration": (BASELINE.config, "missing; get it back (`git checkout -- ", BASELINE.config.unlink),
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
            HOME.analysis / "features.json",
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
def test_what_is_wrong_is_named_with_its_file_and_nothing_else_is(complete: Study, case: str) -> None:
    path, told, damage = CASES[case]
    damage()
    found = audit(complete)
    assert len(found.problems) == 1, found.problems
    (problem,) = found.problems
    assert problem.startswith(f"{path}: ") and told in problem and "\n" not in problem
    assert "delete" in problem or "train" in problem or "restore" in problem, "it says what to do"
    assert found.older == [] and found.elsewhere == {}
    assert not found.complete


@pytest.mark.parametrize("path", [IMAGES, BASELINE.checkpoint, FEATURES.with_suffix(".safetensors")])
def test_other_bytes_are_foreign_and_the_stated_digest_is_known(complete: Study, path: Path) -> None:
    wanted = sha256(path)
    append(path)
    found = audit(complete)
    assert found.foreign == {path: wanted}
    assert path not in found.verified


def test_two_wrong_things_are_both_named(complete: Study) -> None:
    append(BASELINE.history)
    append(BASELINE.predictions)
    append(HOME.seed("width=8", 0).checkpoint)
    told = [problem.split(":")[0] for problem in audit(complete).problems]
    assert told == [str(path) for path in (BASELINE.history, BASELINE.predictions, HOME.seed("width=8", 0).checkpoint)]


def test_after_a_change_of_the_configuration_every_run_is_named(complete: Study) -> None:
    changed = with_epochs(complete, 3)
    told = [problem.split(":")[0] for problem in audit(changed).problems]
    # the winner was chosen for another configuration, so there is none now
    assert told == [str(job.paths.train) for job in ledger.jobs(complete)]
    assert audit(complete).problems == [], "and back again"


def test_images_of_another_preparation_are_named_with_every_run_that_did_not_see_them(complete: Study) -> None:
    digests = {"train": "of other images", "test": "of test images"}
    edit(MANIFEST, digests=digests)
    told = [problem.split(":")[0] for problem in audit(complete).problems]
    assert told == [str(job.paths.train) for job in ledger.all_jobs(complete)]


@pytest.mark.parametrize("path", [MANIFEST, HOME.provenance / "figures.json", HOME.selection])
def test_a_damaged_file_of_the_whole_study_is_told_in_one_line(complete: Study, path: Path) -> None:
    path.write_text("<<<<<<< HEAD\n")
    with pytest.raises((FileProblem, LedgerError), match=str(path)) as error:
        audit(complete)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("path", "key", "missing"),
    [
        (BASELINE.metrics, "checkpoint_sha256", "no 'checkpoint_sha256'"),
        (HOME.selection, "inputs", "inputs: Field required"),
        (HOME.selection, "finalists", "finalists: Field required"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_key_that_the_ledger_misses_is_told_in_one_line(complete: Study, path: Path, key: str, missing: str) -> None:
    without(path, key)
    try:
        told = audit(complete).problems
    except FileProblem as problem:
        told = [str(problem)]
    assert len(told) == 1 and told[0].startswith(f"{path}: damaged") and missing in told[0]
