"""What fewer training images cost each model: runs on nested subsets beside those on all images."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from vitflow.analysis.claims.wording import between, several
from vitflow.analysis.records import Run
from vitflow.study.grid import BASELINE

#: fields that a run on a subset may set beside the model: fewer images may be seen more often, for equal steps
SIZE = ("train_images=", "epochs=")


class Series(NamedTuple):
    """One model on several numbers of training images."""

    label: str
    runs: tuple[Run, ...]  #: fewest images first; the last has all of them
    equal: Literal["steps", "epochs", ""]  #: what all of them have in common; nothing is to be said where none is


def by_images(runs: Mapping[str, Run], epochs: int) -> list[Series]:
    """Every model that was trained on fewer images too and has results there and on all of them.

    ``epochs`` are the study's, of which a run whose name says no other has as many.
    """
    members: dict[str, list[str]] = {}
    for name, run in runs.items():
        if run.kind == "subset":
            whole = "+".join(part for part in name.split("+") if not part.startswith(SIZE)) or BASELINE
            members.setdefault(whole, []).append(name)
    found = []
    for whole, names in members.items():
        if whole in runs and runs[whole].test.mean is not None:
            finished = [name for name in names if runs[name].test.mean is not None and not runs[name].diverged]
            if finished:
                names = sorted([*finished, whole], key=lambda name: runs[name].train_images)
                label = "ViT, baseline" if whole == BASELINE else runs[whole].label
                found.append(Series(label, tuple(runs[name] for name in names), _equal(names, runs, epochs)))
    return found


def _equal(names: Sequence[str], runs: Mapping[str, Run], epochs: int) -> Literal["steps", "epochs", ""]:
    took = [int(said[1]) if (said := re.search(r"(?:^|\+)epochs=(\d+)", name)) else epochs for name in names]
    if len(set(took)) == 1:
        return "epochs"
    seen = [runs[name].train_images * times for name, times in zip(names, took, strict=True)]
    return "steps" if max(seen) <= 1.02 * min(seen) else ""  # an epoch's last batch is not whole


def subsets_finding(runs: Mapping[str, Run], epochs: int) -> str:
    """A title: how much each model loses from all images to the fewest."""
    series = by_images(runs, epochs)
    if not series:
        return "No model was trained on fewer images"
    first, last = series[0].runs[0].train_images, series[0].runs[-1].train_images
    alike = [one for one in series if one.runs[0].train_images == first and one.equal == series[0].equal]
    how = f", at equal {series[0].equal}" if series[0].equal else ""
    n = between([run.n for one in alike for run in (one.runs[0], one.runs[-1])])
    return f"From {last:,} to {first:,} training images{how} (n = {n}): {several([_change(one) for one in alike], 3)}"


def _change(series: Series) -> str:
    points = (series.runs[0].test.mean or 0.0) - (series.runs[-1].test.mean or 0.0)
    return f"{series.label} {'gains' if points > 0 else 'loses'} {abs(points):.1f} points"
