"""Learning curves: what is written is read again, by run and seed, and a damaged file is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vitflow.analysis.curves import read_curves, write_curves
from vitflow.machine.files import FileProblem

COLUMNS = ("epoch", "train_loss", "validation_loss")


def histories(folder: Path) -> list[tuple[str, int, Path]]:
    written = {("baseline", 0): "1,2.5,2.25\n2,1.5,1.25\n", ("baseline", 1): "1,2.0,\n", ("width=96", 0): "1,9.0,8.0\n"}
    found = []
    for (run, seed), rows in written.items():
        path = folder / f"{run}-{seed}.csv"
        path.write_text(",".join(COLUMNS) + "\n" + rows)
        found.append((run, seed, path))
    return found


def test_curves_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "analysis" / "curves.csv"
    write_curves(path, histories(tmp_path), COLUMNS)
    assert path.read_text().splitlines()[:2] == ["run,seed,epoch,train_loss,validation_loss", "baseline,0,1,2.5,2.25"]
    found = read_curves(path)
    assert {run: list(seeds) for run, seeds in found.items()} == {"baseline": [0, 1], "width=96": [0]}
    assert list(found["baseline"][0]) == list(COLUMNS)
    np.testing.assert_array_equal(found["baseline"][0]["train_loss"], [2.5, 1.5])
    np.testing.assert_array_equal(found["baseline"][0]["epoch"], [1, 2])
    np.testing.assert_array_equal(found["baseline"][1]["validation_loss"], [np.nan])  # without validation images
    np.testing.assert_array_equal(found["width=96"][0]["validation_loss"], [8.0])


def test_no_history_is_no_curve(tmp_path: Path) -> None:
    write_curves(tmp_path / "curves.csv", [], COLUMNS)
    assert read_curves(tmp_path / "curves.csv") == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "no such file"),
        ("run,seed,epoch\nbaseline,0,one\n", "damaged"),
        ("run,seed,epoch\nbaseline,zero,1\n", "damaged"),
        ("run,epoch\nbaseline,1\n", "damaged"),
        ("run,seed,epoch\nbaseline,0,1,2\n", "damaged"),
    ],
)
def test_missing_or_damaged_curves_are_one_line_naming_the_file(tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "curves.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(FileProblem) as caught:
        read_curves(path)
    assert str(caught.value).startswith(f"{path}: {said}") and "\n" not in str(caught.value)
    assert said != "damaged" or str(caught.value).endswith("); delete it to have it made again")
