"""Training against validation accuracy: every run at its means, its seeds around it, extremes named."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from support.figures import Case, texts_of

from vitflow.figures import fit, style


@pytest.mark.parametrize("runs", [5, 30, 90, 300])
def test_every_run_stands_at_its_means_or_at_the_edge_of_the_scale(runs: int, cases: dict[str, Case]) -> None:
    case = cases[f"{runs} runs"]
    axes = case.drawing("fit").figure.axes[0]
    low, high = (axes.get_xlim()[0], axes.get_ylim()[0]), (axes.get_xlim()[1], axes.get_ylim()[1])
    marks = {(line.get_xdata()[0], line.get_ydata()[0]) for line in axes.get_lines() if len(line.get_xdata()) == 1}
    finished = [run for run in case.analysis.summary.runs.values() if run.n]
    at = [(run.clean_train.mean or 0.0, run.validation.mean or 0.0) for run in finished]
    assert {tuple(map(float, np.clip(point, low, high))) for point in at} == marks
    whole = [point for run, point in zip(finished, at, strict=True) if run.kind != "subset"]
    assert all(low[k] < point[k] < high[k] for point in whole for k in (0, 1))
    fewer = [point for run, point in zip(finished, at, strict=True) if run.kind == "subset"]
    assert bool(fewer) == any(point[1] < low[1] for point in fewer), "they do not set the scale"


def test_seeds_are_dots_and_the_diagonal_is_no_gap(diverged: Case) -> None:
    axes = diverged.drawing("fit").figure.axes[0]
    dots = sum(len(c.get_offsets()) for c in axes.collections if isinstance(c, PathCollection))
    assert dots == sum(run.n for run in diverged.analysis.summary.runs.values())
    lines = [line.get_xydata() for line in axes.get_lines() if len(line.get_xdata()) == 2]
    gaps = [float(np.asarray(line)[0, 0] - np.asarray(line)[0, 1]) for line in lines]
    assert gaps[0] == 0 and gaps == sorted(gaps)
    assert all(
        np.allclose(np.diff(np.asarray(line), axis=0)[0, 0], np.diff(np.asarray(line), axis=0)[0, 1]) for line in lines
    )


def test_the_least_fitted_and_the_furthest_from_its_training_images_are_named(cases: dict[str, Case]) -> None:
    runs = cases["30 runs"].analysis.summary.runs
    own = [run for run in runs.values() if run.kind == "change" and run.n]
    least = min(own, key=lambda run: run.clean_train.mean or 0.0)
    furthest = max(own, key=lambda run: (run.clean_train.mean or 0.0) - (run.validation.mean or 0.0))
    shown = [text.get_text().replace("\n", " ") for text in texts_of(cases["30 runs"].drawing("fit").figure)]
    assert {least.label, furthest.label, "baseline"} <= set(shown)


def test_without_validation_images_it_says_so(diverged: Case) -> None:
    summary = diverged.analysis.summary
    nothing = summary.runs["heads=96"].validation
    runs = {name: run.model_copy(update={"validation": nothing}) for name, run in summary.runs.items()}
    changed = dataclasses.replace(diverged.analysis, summary=summary.model_copy(update={"runs": runs}))
    with style.styled():
        assert fit.draw(changed).caption.startswith("No run has both a training and a validation accuracy")
