"""Learning curves of all runs: ``analysis/curves.csv``, written and read here."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vitflow.machine.files import FileProblem, write_csv

#: of one run: by seed, by column, one value an epoch
Series = dict[int, dict[str, NDArray[np.float64]]]
#: by run
Curves = dict[str, Series]


def write_curves(path: Path, histories: Iterable[tuple[str, int, Path]], columns: Iterable[str]) -> None:
    """Publish the histories of (run, seed, file) as one table."""
    rows: list[Mapping[str, Any]] = []
    for run, seed, history in histories:
        with history.open(encoding="utf-8") as file:
            rows += [{"run": run, "seed": seed, **row} for row in csv.DictReader(file)]
    write_csv(path, ("run", "seed", *columns), rows)


def read_curves(path: Path) -> Curves:
    """What :func:`write_curves` wrote. Raises FileProblem naming a missing or damaged file."""
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
