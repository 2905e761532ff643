"""Fixtures that several rooms share: folders with the tiny study, from its images alone to finished."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.shared import once, work_in

if TYPE_CHECKING:
    from vitflow.study.schema import Study

#: makes a folder with a study of that text as config.yaml, and its images
Prepare = Callable[[str], Path]
TINY = Path(__file__).parent / "workflow" / "tiny.yaml"


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """One CPU thread for a module's tests: the same bits on every machine."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def prepare(tmp_path_factory: pytest.TempPathFactory) -> Prepare:
    def prepare(study: str) -> Path:
        from support.results import bring_techniques

        from vitflow import cli

        where = tmp_path_factory.mktemp("prepared")
        (where / "config.yaml").write_text(study)
        bring_techniques(where)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(where)
            assert cli.main(["prepare"]) == 0
        return where

    return prepare


@pytest.fixture(scope="session")
def prepared(prepare: Prepare) -> Path:
    """A folder with the tiny study and its images, to be copied."""
    return prepare(TINY.read_text())


@pytest.fixture
def here(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, to work in."""
    return work_in(prepared, tmp_path, monkeypatch)


@pytest.fixture(scope="session")
def tiny_baseline(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tiny study, its baseline's first seed trained and not scored; to be copied."""

    def train(where: Path) -> None:
        import torch

        from vitflow import cli

        threads = torch.get_num_threads()
        with pytest.MonkeyPatch.context() as patch:
            work_in(prepared, where, patch)
            assert cli.main(["train", "--run", "baseline", "--threads", "1"]) == 0
        torch.set_num_threads(threads)

    return once(tmp_path_factory, "tiny-baseline", train)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tiny study, finished, in files that are made up (tests/support/results.py)."""
    from support.results import finish

    from vitflow.study.reading import read_study

    where = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(where)
        finish(read_study(TINY))
    return where


@pytest.fixture
def complete(finished: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Study]:
    """The tiny study, finished, here; what a test does to its files is undone."""
    from support.results import as_it_was

    from vitflow.study.reading import read_study

    monkeypatch.chdir(finished)
    with as_it_was():
        yield read_study(TINY)
