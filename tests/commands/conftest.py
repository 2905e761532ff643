"""The tiny study with one training, in a git repository or not, and calls that must fail; all on one CPU thread."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from support.commands import Mistake
from support.results import ROOT
from support.shared import once, work_in

from vitflow import cli
from vitflow.results import dvc, restore


@pytest.fixture(autouse=True)
def on_one_thread(one_thread: None) -> None:
    """Commands that are not told how many threads to use take this one."""


@pytest.fixture(scope="session")
def trained(tiny_baseline: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tiny study, its baseline's first seed trained and scored; to be copied."""

    def score(where: Path) -> None:
        import torch

        threads = torch.get_num_threads()
        with pytest.MonkeyPatch.context() as patch:
            work_in(tiny_baseline, where, patch)
            assert cli.main(["evaluate", "--run", "baseline", "--threads", "1"]) == 0
        torch.set_num_threads(threads)

    return once(tmp_path_factory, "trained", score)


@pytest.fixture
def done(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, to work in."""
    return work_in(trained, tmp_path, monkeypatch)


@pytest.fixture
def repository(done: Path) -> Path:
    """The same in a git repository that DVC has, too; nothing here calls DVC itself."""
    subprocess.run(["git", "init", "--quiet"], check=True)
    (done / ".dvc").mkdir()
    (done / ".dvc" / "config").write_text("")
    shutil.copytree(ROOT / "workflow", done / "workflow", dirs_exist_ok=True)
    return done


@pytest.fixture
def no_dvc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever calls DVC fails."""
    for module in (dvc, restore):
        monkeypatch.setattr(module, "DVC", ("false",))


@pytest.fixture
def mistake(capsys: pytest.CaptureFixture[str]) -> Mistake:
    """The one line on stderr of a call that must fail with exit code 2."""

    def mistake(*words: str) -> str:
        capsys.readouterr()
        try:
            code = cli.main(list(words))
        except SystemExit as stop:
            code = int(stop.code or 0)
        said = capsys.readouterr()
        assert (code, said.out) == (2, "")
        lines = said.err.splitlines()
        assert len(lines) == 1 and lines[0].startswith("vitflow: "), said.err
        return lines[0]

    return mistake
