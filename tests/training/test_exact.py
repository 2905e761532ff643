"""Same seed, device and threads: the same bits, as in stored histories and in another process."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import history
from support.checkouts import environment
from support.history import LIBRARIES, TOLERANCE, History, apart, hundred_updates, machine, store, stored
from support.results import ROOT

EACH_LIBRARY = pytest.mark.parametrize("library", LIBRARIES)


@pytest.fixture(scope="module")
def hundred(tmp_path_factory: pytest.TempPathFactory) -> dict[str, History]:
    return {library: hundred_updates(tmp_path_factory.mktemp(library), library) for library in LIBRARIES}


@EACH_LIBRARY
def test_the_first_hundred_updates_are_those_of_the_stored_history(hundred: dict[str, History], library: str) -> None:
    """To the last bit on a machine that has one, and on every other as closely as other kernels allow."""
    ours, known = hundred[library], stored(library)
    assert known
    for theirs in known:
        if theirs["machine"] == machine(library):
            for row, expected in zip(ours["history"], theirs["history"], strict=True):
                assert row == expected
            assert ours["weights"] == theirs["weights"]
        assert not apart(ours, theirs), theirs["machine"]


def test_another_process_comes_to_the_same_bits(hundred: dict[str, History], tmp_path: Path) -> None:
    places = {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}", "PYTHONHASHSEED": "7"}
    code = (
        "import json, pathlib, support.history as h; print(json.dumps(h.hundred_updates(pathlib.Path.cwd(), 'onednn')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment(ROOT) | places, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == hundred["onednn"]


@EACH_LIBRARY
def test_stored_histories_are_of_different_machines_and_agree(library: str) -> None:
    machines = [found["machine"] for found in stored(library)]
    assert all(machines.count(one) == 1 for one in machines)
    for one in stored(library):
        for other in stored(library):
            assert not apart(one, other)


@pytest.mark.parametrize("column", TOLERANCE)
def test_a_number_of_any_column_that_is_further_apart_is_noticed(column: str) -> None:
    theirs, (relative, absolute) = stored("onednn")[0], TOLERANCE[column]
    place = list(TOLERANCE).index(column)
    for epoch in (1, 50):
        ours = copy.deepcopy(theirs)
        row = ours["history"][epoch - 1]
        row[place] += 1.01 * (absolute + relative * row[place]) + 1e-12
        assert [line.split()[:3] for line in apart(ours, theirs)] == [["epoch", f"{epoch}:", column]]


def test_a_machines_history_takes_the_place_of_its_own_and_of_those_of_other_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = stored("mkl")[0]
    here = first | {"machine": {"processor": "here"}}
    changed = here | {"weights": "others"}
    far = first | {"machine": {"processor": "far"}, "history": [[2 * number for number in first["history"][0]]] * 50}
    monkeypatch.setattr(history, "place", tmp_path.joinpath)
    (tmp_path / "mkl").write_text(json.dumps([first]))
    for found, expected in ((here, [first, here]), (here, [first, here]), (changed, [changed]), (far, [far])):
        store("mkl", found)
        assert stored("mkl") == expected
