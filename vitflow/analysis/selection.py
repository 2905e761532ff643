"""The winning combination: per axis a value is adopted only where its gain is sure, on validation images."""

from __future__ import annotations

from collections.abc import Callable

from vitflow.analysis.intervals import simultaneous_intervals
from vitflow.analysis.records import Selection
from vitflow.study.fields import Scalar
from vitflow.study.grid import BASELINE, expand, point
from vitflow.study.names import ConfigError
from vitflow.study.run import RunConfig
from vitflow.study.schema import Study


def select_architecture(
    study: Study,
    validation: dict[str, list[float]],
    multiplications: Callable[[RunConfig], int],
    inputs: str = "",
    group: str = "architecture",
) -> Selection:
    """Choose the combination that is trained on fresh seeds.

    Args:
        study: with ``best`` set.
        validation: validation accuracies in percent per run, one value per seed that did not diverge.
        multiplications: multiplications per image of a configuration.
        inputs: digest of what is chosen from.
        group: the group of axes that is combined.

    Returns:
        The fields that differ from the baseline (none if nothing was adopted), and one line for each axis: what was
        adopted or why nothing was.
    """
    assert study.best is not None
    grid = expand(study)
    budget = study.best.max_flops_ratio * multiplications(study.baseline_run)
    adopted: dict[str, tuple[float, dict[str, Scalar]]] = {}
    reasons: list[str] = []
    members = {p.run for p in grid.points if p.group == group and p.run != BASELINE}
    intervals = simultaneous_intervals(validation[BASELINE], {run: validation.get(run, []) for run in sorted(members)})
    for axis, values in study.ablations.get(group, {}).items():
        gains: list[tuple[float, str, dict[str, Scalar]]] = []
        for value in values:
            label, changes = point(axis, value)
            run = next(p.run for p in grid.points if (p.group, p.axis, p.value) == (group, axis, label))
            interval = intervals.get(run)
            if interval and interval[0] > 0 and multiplications(grid.runs[run].config) <= budget:
                gains.append((_mean(validation[run]) - _mean(validation[BASELINE]), label, changes))
        if gains:
            gain, label, changes = max(gains, key=lambda g: g[0])
            adopted[axis] = (gain, changes)
            reasons.append(f"{axis}: {label} adopted, {gain:+.2f} points on validation")
        else:
            sure = any(intervals.get(p.run) for p in grid.points if (p.group, p.axis) == (group, axis))
            why = "no value whose gain is sure" if sure else "under three seeds, so nothing is sure"
            reasons.append(f"{axis}: baseline kept, {why}")

    while True:
        changes = {field: value for _, fields in adopted.values() for field, value in fields.items()}
        try:
            if multiplications(study.resolve(changes)) <= budget:
                break
            why = f"the combination costs more than {study.best.max_flops_ratio:g} times the baseline"
        except ConfigError as error:
            why = f"the combination is impossible ({error})"
        weakest = min(adopted, key=lambda axis: adopted[axis][0])
        del adopted[weakest]
        reasons.append(f"{weakest}: dropped again, {why}")
    return Selection(changes=changes, reasons=tuple(reasons), group=group, inputs=inputs)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
