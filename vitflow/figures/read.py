"""What figures are drawn from: the files of ``results/<study>/analysis``, read once."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vitflow.files import FileProblem, read_json

#: by run, by seed, by column: one value an epoch
Curves = dict[str, dict[int, dict[str, NDArray[np.float64]]]]


class FigureError(RuntimeError):
    """What a figure is drawn from is missing or damaged; the message names the file and what to do."""


@dataclass(frozen=True)
class Analysis:
    """The numbers of a study, as the analysis left them."""

    summary: dict[str, Any]
    curves: Curves
    confusion: dict[str, Any]
    calibration: dict[str, Any]
    pca: dict[str, Any]


def read(folder: Path) -> Analysis:
    """Read an analysis folder. Raises FigureError naming the first missing or damaged file."""
    try:
        return Analysis(
            summary=read_json(folder / "summary.json"),
            curves=_read_curves(folder / "curves.csv"),
            confusion=read_json(folder / "confusion.json"),
            calibration=read_json(folder / "calibration.json"),
            pca=read_json(folder / "pca.json"),
        )
    except FileProblem as error:
        raise FigureError(f"{error}; run the analysis of this study first (snakemake --cores 1 figures)") from None


def _read_curves(path: Path) -> Curves:
    collected: dict[str, dict[int, dict[str, list[float]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                columns = collected[row.pop("run")][int(row.pop("seed"))]
                for column, value in row.items():
                    columns[column].append(float(value or "nan"))
    except FileNotFoundError:
        raise FileProblem(f"{path}: no such file") from None
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise FileProblem(f"{path}: damaged ({error}); delete it to have it made again") from None
    return {
        run: {seed: {name: np.array(v) for name, v in columns.items()} for seed, columns in seeds.items()}
        for run, seeds in collected.items()
    }
