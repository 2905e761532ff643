"""Tables over seeds: mean, standard deviation, n and difference for every run, and the findings they allow."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

from vitflow.analysis.claims import ENOUGH_SEEDS, Interval, sentence, simultaneous_intervals
from vitflow.config import ResNet, RunConfig, Study, spell
from vitflow.grid import BASELINE, Grid, feature_runs

LABELS = {
    "mlp_ratio": "MLP ratio",
    "pool": "pooling",
    "cls_position": "position of [CLS]",
    "qk_norm": "QK-norm",
    "ema": "averaged weights (EMA)",
}

#: what else changes along an axis; named in its figure
CONFOUNDS = {
    "patch_size": "smaller patches mean more tokens and more multiplications",
    "width": "at fixed heads the head size grows with the width",
    "depth": "parameters and multiplications grow with the depth",
    "heads": "more heads are narrower heads; multiplications hardly change",
    "mlp_ratio": "parameters and multiplications grow with the ratio",
    "pool": "mean pooling has no [CLS] token: one token fewer",
    "patch_embed": "tokens are the same in number; the embedding's own cost grows",
    "position": "learned positions are parameters, the others are not",
    "position_base": "two positions, each compared with learned ones at the baseline",
    "cls_position": "learned: the same functions, folded; sinusoids: the position changes too",
    "registers": "registers lengthen the sequence",
    "norm": "RMSNorm has no bias; its time depends on the kernel at hand",
    "norm_placement": "post-norm has no final norm; its best learning rate may be lower",
    "qk_norm": "l2 starts with sharper attention; it may bear higher learning rates",
    "attention": "the learned temperature and the mask come together",
    "feedforward": "gated networks have three matrices of 2/3 of the width: parameters within 1 %",
    "layer_scale": "small initial scales also slow the start",
    "drop_path": "regularises; may want more epochs",
    "augmentation": "training images only; cost is unchanged",
    "mixing": "targets are soft; training accuracy counts the dominant label",
    "random_erasing": "training images only; cost is unchanged",
    "ema": "averaged weights are what is scored",
    "optimizer": "each has a learning rate and a decay of its own",
    "learning_rate": "one recipe for all: a variant may prefer another rate",
    "epochs": "twice the epochs are twice the cost, and a slower cosine",
}


@dataclass(frozen=True)
class Record:
    """The stored results of one run and seed: contents of train.json and metrics.json."""

    run: str
    seed: int
    train: dict[str, Any]
    metrics: dict[str, Any]

    @property
    def finished(self) -> bool:
        return bool(self.train["status"] == "finished")


def spread(values: list[float]) -> dict[str, Any]:
    """mean, sample standard deviation (None below two values) and the values; mean None if there are none."""
    return {
        "mean": round(statistics.fmean(values), 4) if values else None,
        "sd": round(statistics.stdev(values), 4) if len(values) > 1 else None,
        "values": [round(value, 4) for value in values],
    }


def run_label(name: str, config: RunConfig, baseline: RunConfig) -> str:
    """A run as people say it: ``patch size 2``, ``ResNet-18, half width``."""
    parts = []
    changed = config.changes_from(baseline)
    if isinstance(config.model, ResNet) and config.model.family != baseline.model.family:
        parts.append(f"ResNet-{config.model.depth}")
        if config.model.width != 64:
            parts.append("half width" if config.model.width == 32 else f"width {config.model.width}")
        changed = {k: v for k, v in changed.items() if k not in type(config.model).model_fields}
    parts += [
        f"{axis_label(k).lower() if k != 'mlp_ratio' else 'MLP ratio'} {spell(v).replace('_', '+')}"
        for k, v in sorted(changed.items())
    ]
    return ", ".join(parts) or name


def axis_label(axis: str) -> str:
    """``patch_size`` as ``Patch size``."""
    words = LABELS.get(axis, axis.replace("_", " "))
    return words[0].upper() + words[1:]


def runs_table(
    study: Study, grid: Grid, records: list[Record], costs: dict[str, dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Everything known of each run, over its seeds; accuracies and calibration errors in percent.

    Differences are mean(run) - mean(baseline) on the same images, in percentage points; intervals are simultaneous
    within the first ablation group that holds the run, and None below three seeds. Diverged seeds are counted, not
    averaged.
    """
    table: dict[str, dict[str, Any]] = {}
    for name, run in grid.runs.items():
        mine = [r for r in records if r.run == name]
        good = [r for r in mine if r.finished]

        def over_seeds(split: str, key: str, good: list[Record] = good) -> dict[str, Any]:
            return spread([r.metrics[split][key] for r in good if r.metrics[split] is not None])

        table[name] = {
            "label": run_label(name, run.config, study.baseline_run),
            "family": run.config.model.family,
            "reference": any(p.run == name and p.group == "references" for p in grid.points),
            "seeds": [r.seed for r in mine],
            "n": len(good),
            "diverged": len(mine) - len(good),
            "validation": over_seeds("validation", "accuracy"),
            "test": over_seeds("test", "accuracy"),
            "clean_train": over_seeds("train", "accuracy"),
            "test_loss": over_seeds("test", "loss"),
            "test_ece": over_seeds("test", "ece"),
            "stability": stability(mine),
            "model": run.config.model.model_dump(),
            "difference": None,
            **costs[name],
        }
    intervals = _intervals(study, grid, table)
    base = table[BASELINE]
    for name, row in table.items():
        if name == BASELINE or not row["n"] or not base["n"]:
            continue
        row["difference"] = {"n": min(row["n"], base["n"])}
        for split in ("validation", "test"):
            if row[split]["mean"] is None or base[split]["mean"] is None:
                row["difference"][split] = None
                continue
            row["difference"][split] = round(row[split]["mean"] - base[split]["mean"], 4)
            row["difference"][f"{split}_interval"] = intervals[split].get(name)
    return table


#: what is known of the cost of a run beside the exact counts, as `vitflow/cost.py` measures it
MEASURED = ("images_per_second", "time_ratio", "time_ratios", "peak_bytes")

#: what is known of the stability of a run, as `vitflow/training/stability.py` measures it
STABILITY = ("gradient_spikes", "loss_spikes", "largest_gradient_norm", "largest_attention_logit")


def stability(records: list[Record]) -> dict[str, Any]:
    """Stability of a run over its seeds, diverged ones included: mean spikes a training, largest norm and logit.

    None where nothing was measured: results of older versions, trainings too short for spikes, models without
    attention. ``diverged_at`` are the steps of the diverged seeds.
    """

    def measured(key: str) -> list[float]:
        values = [r.train.get("stability", {}).get(key) for r in records]
        return [value for value in values if value is not None]

    found: dict[str, Any] = {}
    for key in STABILITY:
        merged = statistics.fmean if key.endswith("spikes") else max
        found[key] = round(merged(measured(key)), 4) if measured(key) else None
    return found | {"diverged_at": {str(r.seed): r.train["diverged_step"] for r in records if not r.finished}}


def axes_table(study: Study, grid: Grid, table: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """One entry per axis of every ablation group: its values, their runs, and the finding its figure shows."""
    entries = []
    for group, axes in study.ablations.items():
        for axis in axes:
            points = [p for p in grid.points if (p.group, p.axis) == (group, axis)]
            entries.append(
                {
                    "group": group,
                    "axis": axis,
                    "label": axis_label(axis),
                    "confound": CONFOUNDS.get(axis, "nothing else, by construction"),
                    "values": [{"value": p.value, "run": p.run} for p in points],
                    "finding": _axis_finding(axis, points, table, study.equivalence_margin),
                }
            )
    return entries


def findings(study: Study, table: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Title sentences that are not about one axis."""
    base = table[BASELINE]
    done = {name: row for name, row in table.items() if row["n"] and row["test"]["mean"] is not None}
    best = best_single(table)
    changed = [row for row in done.values() if row["difference"] and not row["reference"]]
    largest = max(changed, key=lambda row: abs(row["difference"]["test"]), default=None)
    multiplications = [row["multiplications"] for row in table.values()]
    lost = base["diverged"] and not base["n"]  # with every seed
    shown = [run for run in feature_runs(study) if "0" not in table[run]["stability"]["diverged_at"]]
    nothing = "The baseline diverged: nothing compares with it" if lost else "Nothing to compare with the baseline yet"
    result = {
        "headline": nothing if largest is None else f"Largest change: {_claim(largest, study)}",
        "convergence": f"The baseline diverged, at step {_steps(base)}"
        if lost
        else f"After {study.training.epochs} epochs the baseline has {_with_sd(base['clean_train'])} % "
        f"of its training images right, {_with_sd(base['validation'])} % of validation images",
        "stability": _stability_finding(table),
        "cost": f"Cost spans a factor of {max(multiplications) / min(multiplications):.1f}: "
        f"{_count(min(multiplications))} to {_count(max(multiplications))} multiplications an image",
        "best": f"Best on validation: {best['label']}, {_with_sd(table[best['run']]['validation'])} %"
        if best
        else "No run has a validation accuracy yet",
        "features": "First components of what each model has learned"
        if shown
        else "No features: the models that were to give them diverged",
    }
    references = [name for name, row in done.items() if row["reference"] and row["difference"]]
    if references:
        result["references"] = f"{_claim(done[references[0]], study)} against the baseline ViT"
    else:
        result["references"] = "No model of another family in this study"
    return result


def best_single(table: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
    """The run with the highest mean validation accuracy, its label and accuracies; None before any has finished."""
    ranked = [(row["validation"]["mean"], name) for name, row in table.items() if row["validation"]["mean"] is not None]
    if not ranked:
        return None
    name = max(ranked)[1]
    row = table[name]
    return {
        "run": name,
        "label": row["label"],
        "n": row["n"],
        "validation": row["validation"]["mean"],
        "test": row["test"]["mean"],
    }


def _intervals(study: Study, grid: Grid, table: dict[str, dict[str, Any]]) -> dict[str, dict[str, Interval | None]]:
    """{split: {run: interval}}, simultaneous within each group."""
    result: dict[str, dict[str, Interval | None]] = {"validation": {}, "test": {}}
    for group in [*study.ablations, *study.cross, "references"]:
        members = [p.run for p in grid.points if p.group == group and p.run != BASELINE]
        for split, found in result.items():
            values = {run: table[run][split]["values"] for run in members}
            for run, interval in simultaneous_intervals(table[BASELINE][split]["values"], values).items():
                found.setdefault(run, interval)
    return result


def _axis_finding(axis: str, points: list[Any], table: dict[str, dict[str, Any]], margin: float) -> str:
    label = axis_label(axis)
    diverged = [p.value for p in points if table[p.run]["diverged"] and not table[p.run]["n"]]
    if diverged:
        return f"{label} {', '.join(diverged)} diverged"
    compared = [(p, table[p.run]["difference"]) for p in points if table[p.run]["difference"]]
    if not compared:
        return f"{label}: not finished yet"
    place, difference = max(compared, key=lambda c: abs(c[1]["test"]))
    return sentence(
        f"{label} {place.value.replace('_', '+')}", difference["test"], difference.get("test_interval"), margin
    )


def _stability_finding(table: dict[str, dict[str, Any]]) -> str:
    rows = [row for row in table.values() if row["seeds"]]
    lost = [row["label"] for row in rows if row["diverged"]]
    if lost:
        more = f" and {len(lost) - 2} more" if len(lost) > 2 else ""
        return f"{len(lost)} of {len(rows)} runs diverged: {', '.join(lost[:2])}{more}"
    judged = [row for row in rows if row["stability"]["gradient_spikes"] is not None]
    if not judged:
        return "No run diverged; spikes were not measured"
    of = "No run diverged" if len(judged) == len(rows) else f"No run diverged; of {len(judged)} that were measured"
    worst = max(judged, key=_spikes)
    if not _spikes(worst):
        return f"{of}, none had a spike of gradient or loss"
    return f"{of}, {worst['label']} has the most spikes: {_spikes(worst):.1f} a training"


def _spikes(row: dict[str, Any]) -> float:
    return float(row["stability"]["gradient_spikes"] + row["stability"]["loss_spikes"])


def _steps(row: dict[str, Any]) -> str:
    return ", ".join(str(step) for step in sorted(set(row["stability"]["diverged_at"].values())))


def _with_sd(values: dict[str, Any]) -> str:
    if values["mean"] is None:
        return "-"
    return f"{values['mean']:.1f}" + (f" ± {values['sd']:.1f}" if values["sd"] is not None else "")


def _claim(row: dict[str, Any], study: Study) -> str:
    difference = row["difference"]
    return sentence(row["label"], difference["test"], difference.get("test_interval"), study.equivalence_margin)


def _count(number: int) -> str:
    """``8.0 million``: three figures at most."""
    for unit, size in (("billion", 1e9), ("million", 1e6), ("thousand", 1e3)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return str(number)


def is_descriptive(table: dict[str, dict[str, Any]]) -> bool:
    """Whether some comparison rests on fewer than three finished seeds."""
    return any(row["n"] < ENOUGH_SEEDS for row in table.values())
