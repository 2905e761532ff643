"""Every kind of file, cut and with one bit changed, anywhere: it is noticed and named; nothing starts over unasked."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.results import BASELINE
from support.trainings import made_up_state

from vitflow.commands.evaluate import evaluate
from vitflow.data import places
from vitflow.data.prepare import load
from vitflow.data.raw import DataError
from vitflow.machine.files import FileProblem
from vitflow.machine.limits import Machine
from vitflow.results.audit import audit
from vitflow.results.ledger import find_job
from vitflow.study.reading import read_study
from vitflow.study.schema import Study
from vitflow.training.checkpoint import CheckpointError, load_state, save_state

PLACES = 200


def flipped(content: bytes, chance: random.Random) -> bytes:
    """One bit of it, anywhere."""
    place = chance.randrange(len(content))
    return content[:place] + bytes([content[place] ^ 1 << chance.randrange(8)]) + content[place + 1 :]


def cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


DAMAGE = pytest.mark.parametrize("damage", [flipped, cut])
Damage = Callable[[bytes, random.Random], bytes]


@DAMAGE
def test_a_damaged_state_is_noticed_wherever_it_is_and_the_one_before_is_used(tmp_path: Path, damage: Damage) -> None:
    save_state(tmp_path, made_up_state(4))
    newest = save_state(tmp_path, made_up_state(8))
    content, chance = newest.read_bytes(), random.Random(0)
    for _ in range(PLACES):
        newest.write_bytes(damage(content, chance))
        found, said = load_state(tmp_path, "ours", "images")
        assert found is not None and found["step"] == 4
        assert said == [f"{newest}: damaged"]
    newest.write_bytes(content)
    found, said = load_state(tmp_path, "ours", "images")
    assert found is not None and found["step"] == 8 and said == []


@DAMAGE
def test_where_both_states_are_damaged_nothing_is_started_over_unasked(tmp_path: Path, damage: Damage) -> None:
    old, new = save_state(tmp_path, made_up_state(4)), save_state(tmp_path, made_up_state(8))
    contents, chance = [old.read_bytes(), new.read_bytes()], random.Random(1)
    for _ in range(PLACES):
        for path, content in zip((old, new), contents, strict=True):
            path.write_bytes(damage(content, chance))
        with pytest.raises(CheckpointError) as caught:
            load_state(tmp_path, "ours", "images")
        told = str(caught.value)
        assert told.startswith(f"{new}: damaged") and f"delete {tmp_path} to start over" in told and "\n" not in told


@DAMAGE
def test_damaged_weights_are_noticed_wherever_it_is(trained: Path, damage: Damage) -> None:
    study = read_study("config.yaml")
    job, chance = find_job(study, "baseline", 0), random.Random(2)
    content = BASELINE.checkpoint.read_bytes()
    for _ in range(PLACES):
        BASELINE.checkpoint.write_bytes(damage(content, chance))
        with pytest.raises(FileProblem) as caught:
            evaluate(study, job, Machine(threads=1))
        told = str(caught.value)
        assert told.startswith(f"{BASELINE.checkpoint}: not the weights that {BASELINE.train} names; delete it")
    assert not BASELINE.metrics.exists()


@DAMAGE
def test_damaged_images_are_noticed_wherever_it_is(here: Path, damage: Damage) -> None:
    dataset, chance = read_study("config.yaml").dataset, random.Random(3)
    path = places.prepared(dataset.key)
    content = path.read_bytes()
    for _ in range(PLACES):
        path.write_bytes(damage(content, chance))
        with pytest.raises(DataError, match=f"^{path}: sha256 is .*; delete it, and it is made again$"):
            load(dataset)
    path.unlink()
    load(dataset)
    assert path.read_bytes() == content


@DAMAGE
@pytest.mark.parametrize("name", ["train", "metrics", "history", "config", "predictions"])
def test_a_damaged_result_is_named_wherever_it_is(complete: Study, damage: Damage, name: str) -> None:
    path, chance = getattr(BASELINE, name), random.Random(4)
    content = path.read_bytes()
    for _ in range(PLACES // 4):
        path.write_bytes(damage(content, chance))
        if parsed(path, path.read_bytes()) == parsed(path, content):
            continue  # spelt otherwise, and the same
        found = audit(complete)
        named = [*found.problems, *found.older, *(str(job.paths.train) for job in found.waiting)]
        assert any(str(BASELINE.folder) in line for line in named), path.read_bytes()


def parsed(path: Path, content: bytes) -> Any:
    try:
        return json.loads(content) if path.suffix == ".json" else content
    except ValueError:
        return content
