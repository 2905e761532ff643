"""From a study to its unique, named runs: baseline and axes in, grid out.

Equal configurations are one run, whatever axis, order or spelled-out default they came from. A run is
named after its difference from the baseline, so the name says what was changed and survives reordering.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from vitflow.study.dataset import Dataset
from vitflow.study.fields import AxisValue, Scalar, spell
from vitflow.study.names import LONGEST, ConfigError, check_name, shortened
from vitflow.study.run import RunConfig
from vitflow.study.schema import Study

BASELINE = "baseline"
#: among runs that give features: the winner, whichever run that is
BEST = "best"


@dataclass(frozen=True)
class Run:
    """One configuration to be trained once per seed."""

    name: str
    config: RunConfig
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class Point:
    """One place of the study's plan, and the run that stands there (many points to one run)."""

    group: str
    axis: str
    value: str
    run: str


@dataclass(frozen=True)
class Grid:
    """All unique runs by name, in the order of the study, and the points they stand for."""

    runs: dict[str, Run]
    points: tuple[Point, ...]

    @property
    def datasets(self) -> list[Dataset]:
        """What the runs train on, each once: runs differ in their images only where an axis takes fewer."""
        return list(dict.fromkeys(run.config.dataset for run in self.runs.values()))

    def table(self) -> list[dict[str, str | int]]:
        """Rows of ``grid.csv``: group, axis, value, run, seeds, digest."""
        rows: list[dict[str, str | int]] = []
        for p in self.points:
            run = self.runs[p.run]
            rows.append(
                {
                    "group": p.group,
                    "axis": p.axis,
                    "value": p.value,
                    "run": p.run,
                    "seeds": len(run.seeds),
                    "digest": run.config.digest,
                }
            )
        return rows


def expand(study: Study) -> Grid:
    """The grid of a study: the baseline first, then ablations, crosses and references as written.

    The baseline's own value belongs to every axis, written down or not.
    Raises ConfigError naming the place of an unknown field, bad value or impossible combination.
    """
    said = study.model_dump_json()
    if said not in _expanded:
        _expanded.clear()
        _expanded[said] = _expand(study)
    return _expanded[said]


#: of the latest study, by what it says: it is asked for in many places, and takes long where there are a thousand runs
_expanded: dict[str, Grid] = {}


def _expand(study: Study) -> Grid:
    baseline = study.baseline_run
    seeds = tuple(range(study.seeds))
    runs = {BASELINE: Run(BASELINE, baseline, tuple(range(study.baseline_seeds or study.seeds)))}
    by_digest = {baseline.digest: BASELINE}
    points = {(BASELINE, BASELINE, BASELINE): Point(BASELINE, BASELINE, BASELINE, BASELINE)}

    def place(group: str, axis: str, value: str, changes: dict[str, Scalar], where: str) -> None:
        try:
            config = study.resolve(changes)
        except ConfigError as error:
            raise ConfigError(f"{where}: {error}") from None
        name = by_digest.setdefault(config.digest, run_name(baseline, config))
        if len(name) > 2 * LONGEST:
            raise ConfigError(f"{where}: '{shortened(name)}' changes too many fields to be a file's name; change fewer")
        runs.setdefault(name, Run(name, config, seeds))
        stands = points.setdefault((group, axis, value), Point(group, axis, value, name))
        if stands.run != name:
            raise ConfigError(f"{where}: '{value}' names two different points; give each its own name")

    for group, axes in study.ablations.items():
        for axis, values in axes.items():
            where = f"ablations.{group}.{axis}"
            placed = _points(axis, values, where)
            own = baseline.flat().get(axis)
            if axis in baseline.flat() and spell(own) not in [label for label, _ in placed]:
                placed.insert(0, (spell(own), {}))
            for label, changes in placed:
                place(group, axis, label, changes, where)

    for group, axes in study.cross.items():
        where = f"cross.{group}"
        if len(axes) < 2:
            raise ConfigError(f"{where}: a cross needs at least two axes")
        for combination in itertools.product(*(_points(axis, axes[axis], f"{where}.{axis}") for axis in axes)):
            labels = " x ".join(label for label, _ in combination)
            merged: dict[str, Scalar] = {}
            for _, changes in combination:
                for field in changes.keys() & merged.keys():
                    raise ConfigError(f"{where}: two axes set '{field}'; leave it to one of them")
                merged |= changes
            place(group, " x ".join(axes), labels, merged, where)

    for name, changes in study.references.items():
        place("references", "references", name, dict(changes), f"references.{name}")

    return Grid(runs, tuple(points.values()))


def feature_runs(study: Study) -> list[str]:
    """Names of the runs that give features: BEST, or runs of the grid, which keys of references are resolved to."""
    by_reference = {p.value: p.run for p in expand(study).points if p.group == "references"}
    return list(dict.fromkeys(by_reference.get(name, name) for name in study.features.runs))


def inspected_runs(study: Study) -> list[str]:
    """Names of the runs of the grid that are looked at beside features: those that give them, the baseline for BEST."""
    return list(dict.fromkeys(BASELINE if name == BEST else name for name in feature_runs(study)))


def point(axis: str, value: AxisValue) -> tuple[str, dict[str, Scalar]]:
    """(label, changes) of one value of an axis; a mapping is a named point that moves several fields."""
    if isinstance(value, dict):
        changes = dict(value)
        if not isinstance(name := changes.pop("name", None), str) or not changes:
            raise ConfigError(f"a point of axis '{axis}' with several fields needs a name and at least one field")
        return check_name(name, "a point"), changes
    return spell(value), {axis: value}


def run_name(baseline: RunConfig, config: RunConfig) -> str:
    """The difference from the baseline: ``patch_size=2``, ``resnet18+learning_rate=0.002``, ``baseline``."""
    changed = config.changes_from(baseline)
    parts = []
    if config.model.family != baseline.model.family:
        parts.append(config.model.label)
        for field in type(config.model).model_fields:
            changed.pop(field, None)
    parts += [f"{field}={spell(value)}" for field, value in sorted(changed.items())]
    return "+".join(parts) or BASELINE


def _points(axis: str, values: list[AxisValue], where: str) -> list[tuple[str, dict[str, Scalar]]]:
    if not values:
        raise ConfigError(f"{where}: an axis needs at least one value")
    try:
        return [point(axis, value) for value in values]
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None
