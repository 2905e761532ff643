"""Locks of a Snakemake that was killed are removed; those of one that lives are not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.checkouts import environment
from support.results import ROOT

from vitflow.results.restart import remove_dead_locks

HOLD = (
    "import sys; from pathlib import Path; from vitflow.results.restart import hold_locks\n"
    "hold_locks(Path('locks')); print('held', flush=True); sys.stdin.read()\n"
)


def test_locks_end_with_the_process_that_made_them_however_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path("locks")
    remove_dead_locks(folder)  # no Snakemake has been here
    folder.mkdir()
    names = [folder / "0.input.lock", folder / "0.output.lock"]
    for name in names:
        name.write_text("results/x\n")
    words = [sys.executable, "-c", HOLD]
    with subprocess.Popen(words, env=environment(ROOT), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"held\n"
        (folder / "1.input.lock").write_text("of one that is gone\n")
        remove_dead_locks(folder)
        assert sorted(folder.iterdir()) == names
        assert [name.read_text() for name in names] == ["results/x\n"] * 2
        process.kill()
        process.wait()
    remove_dead_locks(folder)
    assert list(folder.iterdir()) == []
