"""What fewer training images cost each model: runs on nested subsets beside those on all images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from vitflow.analysis.claims.wording import several
from vitflow.analysis.records import Run
from vitflow.study.grid import BASELINE

#: fields that a run on a subset may set beside the model: fewer images may be seen more often, for equal steps
SIZE = ("train_images=", "epochs=")


class Series(NamedTuple):
    """One model on several numbers of training images."""

    label: str
    runs: tuple[Run, ...]  #: fewest images first; the last has all of them
    equal_steps: bool  #: whether the smaller ones were trained for more epochs


def by_images(runs: Mapping[str, Run]) -> list[Series]:
    """Every model that was trained on fewer images too and has results there and on all of them."""
    members: dict[str, list[str]] = {}
    for name, run in runs.items():
        if run.kind == "subset":
            whole = "+".join(part for part in name.split("+") if not part.startswith(SIZE)) or BASELINE
            members.setdefault(whole, []).append(name)
    found = []
    for whole, names in members.items():
        if whole in runs and runs[whole].test.mean is not None:
            finished = [runs[name] for name in names if runs[name].test.mean is not None and not runs[name].diverged]
            if finished:
                ordered = sorted([*finished, runs[whole]], key=lambda run: run.train_images)
                label = "ViT, baseline" if whole == BASELINE else runs[whole].label
                found.append(Series(label, tuple(ordered), any("epochs=" in name for name in names)))
    return found


def subsets_finding(runs: Mapping[str, Run]) -> str:
    """A title: how much each model loses from all images to the fewest."""
    series = by_images(runs)
    if not series:
        return "No model was trained on fewer images"
    first, last = series[0].runs[0].train_images, series[0].runs[-1].train_images
    losses = [f"{one.label} loses {_drop(one):.1f} points" for one in series if one.runs[0].train_images == first]
    how = "at equal steps" if series[0].equal_steps else "at equal epochs"
    return f"From {last:,} to {first:,} training images, {how}: {several(losses, 3)}"


def _drop(series: Series) -> float:
    return (series.runs[-1].test.mean or 0.0) - (series.runs[0].test.mean or 0.0)
