"""The audit of what is not wrong, but not all there is: elsewhere, waiting, or to be made again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from support.files import seal_anew
from support.results import BASELINE, FEATURES, HOME, IMAGES, WINNER

from vitflow.machine.files import sha256
from vitflow.results.audit import audit
from vitflow.study.schema import Study


@pytest.mark.parametrize("path", [IMAGES, BASELINE.checkpoint, WINNER.checkpoint, FEATURES.with_suffix(".safetensors")])
def test_bytes_that_are_not_here_are_elsewhere(complete: Study, path: Path) -> None:
    wanted = sha256(path)
    path.unlink()
    found = audit(complete)
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
def test_what_is_not_finished_is_waiting(complete: Study, change: Callable[[], object]) -> None:
    change()
    found = audit(complete)
    assert [job.paths for job in found.waiting] == [BASELINE]
    assert found.problems == found.older == []
    assert not found.complete


def test_a_winner_that_is_not_confirmed_is_waiting(complete: Study) -> None:
    shutil.rmtree(WINNER.folder)
    found = audit(complete)
    assert [job.paths for job in found.waiting] == [WINNER]
    assert found.outdated == ["best"]


def test_a_winner_that_is_not_chosen_is_to_be_made(complete: Study) -> None:
    HOME.selection.unlink()
    found = audit(complete)
    assert found.waiting == found.problems == []
    assert found.outdated[0] == "select" and found.outdated.count("select") == 1
    assert WINNER.checkpoint not in found.verified, "nobody knows whether it is the winner"


def test_features_of_other_weights_are_outdated(complete: Study) -> None:
    seal_anew(FEATURES, checkpoint_sha256="of other weights")
    found = audit(complete)
    assert found.outdated == ["features of baseline", "features"]
    assert found.problems == []
    assert FEATURES.with_suffix(".safetensors") not in found.verified


@pytest.mark.parametrize("part", ["config_digest", "baseline_digest"])
def test_a_cost_measured_of_something_else_is_outdated(complete: Study, part: str) -> None:
    seal_anew(HOME.cost("width=8"), **{part: "of something else"})
    found = audit(complete)
    assert found.outdated[0] == "measured cost of 1 of 4 runs"
    assert found.problems == [] and not found.complete


def test_a_cost_that_was_edited_is_a_problem(complete: Study) -> None:
    path = HOME.cost("width=8")
    path.write_text(path.read_text().replace('"time_ratio": 1.0', '"time_ratio": 0.5'))
    told = f"{path}: edited by hand after it was made; delete it to have it measured again"
    assert audit(complete).problems == [told]


def test_a_cost_that_is_damaged_is_a_problem(complete: Study) -> None:
    HOME.cost("width=8").write_text("{")
    [problem] = audit(complete).problems
    assert str(HOME.cost("width=8")) in problem


def test_tables_of_another_title_are_outdated(complete: Study) -> None:
    found = audit(complete.model_copy(update={"title": "Another"}))
    assert found.outdated == ["summary", "best"]
    assert found.problems == [] and not found.complete
