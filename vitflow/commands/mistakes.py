"""`vitflow mistakes`: validation images that runs get wrong, and what each run says of them."""

from __future__ import annotations

import argparse
from collections import defaultdict
from typing import TYPE_CHECKING

from vitflow.analysis.mistakes import Said, mistakes
from vitflow.commands.options import add_study, study_of
from vitflow.machine.files import FileProblem
from vitflow.results.audit import check_unaltered
from vitflow.results.layout import Layout, SeedPaths
from vitflow.results.ledger import LedgerError, jobs
from vitflow.results.stages import stages
from vitflow.study.dataset import Dataset
from vitflow.study.names import counted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EXAMPLE = "vitflow mistakes"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_study(parser)


def run(options: argparse.Namespace) -> int:
    """Write analysis/mistakes.json from the prepared images and the predictions of all runs that are finished."""
    from vitflow.data.prepare import load

    study = study_of(options)
    over = [job for job in jobs(study) if job.is_over]
    if not over:
        raise LedgerError(
            f"study '{study.study}' has no results yet; run `snakemake evaluate` or `vitflow train --pending`"
        )
    finished: dict[str, list[SeedPaths]] = defaultdict(list)
    for job in over:
        check_unaltered(job)
        if job.status == "done" and _held_out(job.config.dataset) == _held_out(study.dataset):
            finished[job.run].append(job.paths)
    data = load(study.dataset)
    labels = data.validation.labels.numpy()
    said = {name: _said(seeds, labels) for name, seeds in finished.items()}
    found = mistakes(said, labels, data.validation.images.numpy(), data.classes)
    path = Layout(study.study).analysis / "mistakes.json"
    found.write(path)
    stages(study)["mistakes"].seal()
    print(f"{path}: {counted(len(found.pictures), 'image')}")
    return 0


def _held_out(dataset: Dataset) -> Dataset:
    """All that decides which images are held out: two runs that agree on it are asked about the same ones."""
    return dataset.model_copy(update={"path": None, "title": None, "train_images": None})


def _said(seeds: list[SeedPaths], labels: NDArray[np.int64]) -> Said:
    """Raises FileProblem naming predictions of other images."""
    import numpy as np

    predicted, confidence = [], []
    for paths in seeds:
        with np.load(paths.predictions) as arrays:
            if not np.array_equal(arrays["validation_label"], labels):
                raise FileProblem(
                    f"{paths.predictions}: of other validation images; delete {paths.metrics} to score anew"
                )
            predicted.append(arrays["validation_predicted"].astype(np.int64))
            confidence.append(arrays["validation_confidence"].astype(np.float64))
    return Said(np.stack(predicted), np.stack(confidence))
