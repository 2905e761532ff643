"""What is known of each run over its seeds, and its difference from the baseline."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vitflow.analysis.intervals import outer, simultaneous_intervals
from vitflow.analysis.records import Difference, Interval, Kind, Run, Stability, Statistics
from vitflow.analysis.techniques import Techniques
from vitflow.study.grid import BASELINE, Grid
from vitflow.study.run import RunConfig
from vitflow.study.schema import Study


@dataclass(frozen=True)
class Result:
    """The stored results of one run and seed: contents of train.json and metrics.json."""

    run: str
    seed: int
    train: dict[str, Any]
    metrics: dict[str, Any]

    @property
    def finished(self) -> bool:
        return bool(self.train["status"] == "finished")


@dataclass(frozen=True)
class Cost:
    """What a run costs: exact counts, and what was measured, None where nothing was."""

    parameters: int
    multiplications: int
    tokens: int
    images_per_second: float | None = None
    time_ratio: float | None = None
    time_ratios: Interval | None = None
    peak_bytes: int | None = None


def runs_table(
    study: Study, grid: Grid, results: Sequence[Result], costs: Mapping[str, Cost], techniques: Techniques
) -> dict[str, Run]:
    """Every run of the grid, over its seeds.

    Differences are mean(run) - mean(baseline) on the same images; intervals are simultaneous within the first ablation
    group that holds the run, and over all changes, and None below three seeds. Diverged seeds are counted, not
    averaged.
    """
    scores = {name: _scores([r for r in results if r.run == name and r.finished]) for name in grid.runs}
    lost = sum(r.run == BASELINE and not r.finished for r in results)
    compared = differences(study, grid, scores, lost)
    table = {}
    for name, run in grid.runs.items():
        mine = [r for r in results if r.run == name]
        good = [r for r in mine if r.finished]
        table[name] = Run(
            label=techniques.run_label(name, run.config, study.baseline_run),
            family=run.config.model.family,
            model=run.config.model.model_dump(),
            kind=kind_of(name, run.config, study, grid),
            train_images=mine[0].train["train_images"] if mine else 0,
            seeds=tuple(r.seed for r in mine),
            n=len(good),
            diverged=len(mine) - len(good),
            **scores[name],
            shifts=shifts(good),
            stability=stability(mine),
            difference=compared.get(name),
            **vars(costs[name]),
        )
    return table


def spread(values: Sequence[float]) -> Statistics:
    """Mean, sample standard deviation and the values, to four decimals."""
    return Statistics(
        mean=round(statistics.fmean(values), 4) if values else None,
        sd=round(statistics.stdev(values), 4) if len(values) > 1 else None,
        values=tuple(round(value, 4) for value in values),
    )


def stability(results: Sequence[Result]) -> Stability:
    """Stability of a run over its seeds: mean spikes a training, largest norm and logit.

    None where nothing was measured: results of older versions, trainings too short for spikes, models without
    attention.
    """

    def measured(key: str) -> list[float]:
        values = [r.train.get("stability", {}).get(key) for r in results]
        return [value for value in values if value is not None]

    def mean(key: str) -> float | None:
        return round(statistics.fmean(values), 4) if (values := measured(key)) else None

    def largest(key: str) -> float | None:
        return round(max(values), 4) if (values := measured(key)) else None

    return Stability(
        gradient_spikes=mean("gradient_spikes"),
        loss_spikes=mean("loss_spikes"),
        largest_gradient_norm=largest("largest_gradient_norm"),
        largest_attention_logit=largest("largest_attention_logit"),
        diverged_at={str(r.seed): r.train["diverged_step"] for r in results if not r.finished},
    )


def shifts(results: Sequence[Result]) -> dict[str, Statistics]:
    """Percent of images that keep their class, by pixels moved, over the finished seeds that were looked into."""
    found = [r.metrics["inspection"]["shift_consistency"] for r in results if r.metrics.get("inspection")]
    return {pixels: spread([kept[pixels] for kept in found]) for pixels in (found[0] if found else ())}


def _scores(finished: list[Result]) -> dict[str, Statistics]:
    def over_seeds(split: str, key: str) -> Statistics:
        return spread([r.metrics[split][key] for r in finished if r.metrics[split] is not None])

    inspected = [r.metrics["inspection"] for r in finished if r.metrics.get("inspection")]  # older results have none
    return {
        "validation": over_seeds("validation", "accuracy"),
        "test": over_seeds("test", "accuracy"),
        "clean_train": over_seeds("train", "accuracy"),
        "test_loss": over_seeds("test", "loss"),
        "test_ece": over_seeds("test", "ece"),
        "attention_distance": spread(
            # of all alike without the last block, whose patches nothing reads where [CLS] is
            [
                float(np.mean(i["attention_distance"][:-1] or i["attention_distance"]))
                for i in inspected
                if i["attention_distance"]
            ]
        ),
    }


def kind_of(name: str, config: RunConfig, study: Study, grid: Grid) -> Kind:
    """What a run is to the baseline."""
    if name == BASELINE:
        return "baseline"
    base, groups = study.baseline_run, {p.group for p in grid.points if p.run == name}
    changed = config.changes_from(base)
    if "train_images" in changed:
        return "subset"
    if config.model.family != base.model.family or groups == {"references"}:
        return "family"
    if "epochs" in changed:
        return "budget"
    return "change" if groups & study.ablations.keys() else "cross"


def differences(
    study: Study, grid: Grid, scores: Mapping[str, Mapping[str, Statistics]], control_diverged: int
) -> dict[str, Difference | None]:
    """By run but the baseline; None where it or the baseline has no finished seed.

    ``scores``: by run and split; ``control_diverged``: seeds of the baseline.
    """
    base = scores[BASELINE]
    within: dict[str, dict[str, Interval | None]] = {"validation": {}, "test": {}}
    for group in [*study.ablations, *study.cross, "references"]:
        members = [p.run for p in grid.points if p.group == group and p.run != BASELINE]
        for split, found in within.items():
            values = {run: scores[run][split].values for run in members}
            for run, interval in simultaneous_intervals(base[split].values, values).items():
                known = [one for one in (found.get(run), interval) if one]  # a group without spread has none
                found[run] = outer(known) if known else None
    changes = [name for name, run in grid.runs.items() if kind_of(name, run.config, study, grid) == "change"]
    overall = simultaneous_intervals(base["test"].values, {run: scores[run]["test"].values for run in changes})

    def difference(run: str) -> Difference | None:
        ours, points = scores[run], {}
        for split in within:
            one, other = ours[split].mean, base[split].mean
            points[split] = None if one is None or other is None else round(one - other, 4)
        if points["test"] is None:
            return None
        return Difference(
            n=min(len(ours["test"].values), len(base["test"].values)),
            test=points["test"],
            test_interval=within["test"].get(run),
            # nothing is surer among all changes than within its group, though other groups may spread less than its own
            test_interval_overall=outer([overall.get(run), within["test"].get(run)]),
            validation=points["validation"],
            validation_interval=None if points["validation"] is None else within["validation"].get(run),
            control_diverged=control_diverged,
        )

    return {run: difference(run) for run in grid.runs if run != BASELINE}
