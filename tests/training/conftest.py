"""Trainings of two hundred digits in this process, and of whole studies in folders and in processes to be killed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import killing, trainings
from support.shared import once, work_in
from support.trainings import IMAGES, Ended, Sit, Whole

from vitflow.data.prepare import load
from vitflow.data.splits import Data
from vitflow.study.dataset import Dataset
from vitflow.study.run import RunConfig


@pytest.fixture(scope="module", autouse=True)
def on_one_thread(one_thread: None) -> None:
    """The same bits on every machine of one kind."""


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Data:
    """Two hundred training digits and the validation images of the default split."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("digits"))
        return load(Dataset(name="digits", train_images=IMAGES))


@pytest.fixture
def sit(digits: Data, tmp_path: Path) -> Sit:
    """One sitting at a run, in ``tmp_path / "state"`` unless told otherwise."""
    return functools.partial(trainings.sit, data=digits, folder=tmp_path / "state")


@pytest.fixture(scope="session")
def whole(digits: Data, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """What an undisturbed training comes to: made once for all tests, which do not change it."""
    made: dict[tuple[str, int], Ended] = {}

    def whole(config: RunConfig, seed: int = 0) -> Ended:
        key = config.model_dump_json(), seed
        if key not in made:
            made[key] = trainings.sit(config, seed, data=digits, folder=tmp_path_factory.mktemp("whole"))
        return made[key]

    return whole


@pytest.fixture
def trained(tiny_baseline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the tiny study with its baseline trained and not scored, to work in."""
    return work_in(tiny_baseline, tmp_path, monkeypatch)


@pytest.fixture(scope="session")
def parent() -> Iterator[killing.Parent]:
    """The process whose children train and may be killed."""
    with killing.forking() as parent:
        yield parent


@pytest.fixture(scope="session")
def killed_study(prepare: Callable[[str], Path]) -> Path:
    """A folder with the study that is killed, and its images."""
    return prepare(killing.STUDY)


@pytest.fixture(scope="session")
def uninterrupted(
    killed_study: Path, parent: killing.Parent, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, killing.Ended]:
    """What its runs come to when nobody kills them."""

    def train(where: Path) -> None:
        for run in killing.RUNS:
            folder = killing.fresh(killed_study, where / run)
            parent.start(folder, "train", "--run", run, checkpoint_seconds=1e9)
            assert parent.end() == 0, (folder / "log").read_text()

    where = once(tmp_path_factory, "uninterrupted", train)
    found = {run: killing.Ended.read(where / run, run) for run in killing.RUNS}
    assert all(ended.resumed_from == [] for ended in found.values())
    return found
