"""Which configurations are confirmed on fresh seeds: validation images choose, by gains that are significant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from vitflow.analysis.intervals import ENOUGH_SEEDS, simultaneous_intervals
from vitflow.analysis.records import Choice, Finalist, Interval, Selection
from vitflow.study.fields import Scalar, spoken
from vitflow.study.grid import BASELINE, expand, point
from vitflow.study.names import ConfigError
from vitflow.study.run import RunConfig
from vitflow.study.schema import Study

#: the group of axes that makes ``best_architecture``
ARCHITECTURE = "architecture"
#: more epochs or images, or another family, are no part of a model
NO_PART = {"epochs", "train_images", "family"}


def select(
    study: Study,
    validation: Mapping[str, Sequence[float]],
    multiplications: Callable[[RunConfig], int],
    inputs: str = "",
) -> Selection:
    """Choose what is trained on fresh seeds.

    Per axis, the value with the largest significant gain is adopted (by intervals simultaneous within the group), of
    which no seed diverged and which costs no more than the budget; an axis that stands in
    several groups is one axis, and told of once, where it is adopted or else where it stands first.
    ``best_architecture`` combines what the group ``architecture`` adopts, ``best`` adds what all others do: largest
    gains first, leaving out what does not go with those before it.

    Args:
        study: with ``best`` set.
        validation: validation accuracies in percent per run, one value per seed that did not diverge.
        multiplications: multiplications per image of a configuration.
        inputs: digest of what is chosen from.
    """
    assert study.best is not None
    chooser = _Chooser(study, validation, multiplications)
    architecture = chooser.combine([ARCHITECTURE], {})
    techniques = chooser.combine([g for g in study.ablations if g != ARCHITECTURE], architecture)
    adopted = architecture | techniques
    best = _together(adopted.values())
    ours = [axis for axis in study.ablations.get(ARCHITECTURE, {}) if axis not in techniques]

    finalists = _Finalists(study)
    finalists.add({}, BASELINE)
    singles = tuple(finalists.add(changes, run) for run, changes in chooser.singles(study.best.singles))
    best_architecture = finalists.add(_together(architecture.values()), "best_architecture")
    of_best = finalists.add(best, "best")
    without: dict[str, str] = {}
    if study.best.take_apart:
        for axis, part in adopted.items():
            rest = {name: value for name, value in best.items() if name not in part.changes}
            try:
                without[axis] = finalists.add(rest, f"best-without-{axis}")
            except ConfigError:
                continue  # what is left needs it: heads 96 that only a new width allows, for example
    return Selection(
        inputs=inputs,
        architecture=tuple(chooser.choice(axis, adopted.get(axis)) for axis in ours),
        techniques=tuple(chooser.choice(axis, adopted.get(axis)) for axis in chooser.reasons if axis not in ours),
        singles=singles,
        best_architecture=best_architecture,
        best=of_best,
        without=without,
        all_images=finalists.add(best, "best-on-all-images", all_images=True) if study.best.all_images else None,
        finalists=tuple(finalists.found),
    )


@dataclass(frozen=True)
class _Candidate:
    axis: str
    value: str
    gain: float
    changes: dict[str, Scalar]


def _together(parts: Iterable[_Candidate]) -> dict[str, Scalar]:
    return {name: value for part in parts for name, value in part.changes.items()}


class _Chooser:
    """The grid's validation results, and what may be chosen from them."""

    def __init__(
        self, study: Study, validation: Mapping[str, Sequence[float]], multiplications: Callable[[RunConfig], int]
    ) -> None:
        assert study.best is not None
        self.study, self.validation, self.multiplications = study, validation, multiplications
        self.grid = expand(study)
        self.ratio = study.best.max_flops_ratio
        self.budget = self.ratio * multiplications(study.baseline_run)
        self.reasons: dict[str, list[str]] = defaultdict(list)  # by axis, against values with a gain; of every axis
        changed = (values for run, values in validation.items() if run != BASELINE)
        most = max(map(len, changed), default=0)
        self.enough = min(len(validation.get(BASELINE, [])), most) >= ENOUGH_SEEDS

    def combine(self, groups: Sequence[str], given: Mapping[str, _Candidate]) -> dict[str, _Candidate]:
        """By axis of ``groups``, what is adopted beside what is ``given``, one value each."""
        found: dict[str, _Candidate] = {}
        candidates = []
        for group in groups:
            intervals = self._intervals(group)
            for axis in self.study.ablations.get(group, {}):
                best = self._of_axis(group, axis, intervals)
                candidates += [best] if best and axis not in given else []
        waiting = sorted(candidates, key=lambda candidate: -candidate.gain)
        while waiting:
            parts = [*given.values(), *found.values()]
            judged = [(c, self._conflict(c, parts)) for c in waiting]
            fitting = next((c for c, conflict in judged if not conflict), None)
            if fitting is None:
                for c, conflict in judged:
                    self.reasons[c.axis].append(f"{c.value} gains {c.gain:.2f} points, but {conflict}")
                break
            found[fitting.axis] = fitting
            waiting = [c for c in waiting if c.axis != fitting.axis]
        return found

    def choice(self, axis: str, adopted: _Candidate | None) -> Choice:
        """What is told of an axis."""
        if adopted:
            return Choice(
                axis=axis, value=adopted.value, gain=round(adopted.gain, 4), why="significant on validation images"
            )
        few = "no value whose gain is significant" if self.enough else "under three seeds, so nothing is significant"
        return Choice(axis=axis, value="", gain=None, why="; ".join(dict.fromkeys(self.reasons[axis])) or few)

    def singles(self, most: int) -> list[tuple[str, dict[str, Scalar]]]:
        """(run, changes) of the best single changes of the architecture by mean validation accuracy, in the budget."""
        ranked = []
        for axis, values in self.study.ablations.get(ARCHITECTURE, {}).items():
            for value in values:
                label, changes = point(axis, value)
                run = self._run(ARCHITECTURE, axis, label)
                if run != BASELINE and not self._lost(run) and not self._obstacle(run, changes):
                    ranked.append((self._mean(run), run, changes))
        ranked.sort(key=lambda found: -found[0])
        return [(run, changes) for _, run, changes in ranked[:most]]

    def _intervals(self, group: str) -> dict[str, Interval | None]:
        """By run of a group, the simultaneous interval of its gain."""
        members = sorted({p.run for p in self.grid.points if p.group == group and p.run != BASELINE})
        return simultaneous_intervals(
            self.validation.get(BASELINE, []), {run: self.validation.get(run, []) for run in members}
        )

    def _of_axis(self, group: str, axis: str, intervals: Mapping[str, Interval | None]) -> _Candidate | None:
        """The value of an axis that would be adopted, if any, and else the reasons; ``intervals`` are its group's."""
        base, lost = self.validation.get(BASELINE, []), self._lost(BASELINE)
        significant: list[_Candidate] = []
        reasons = self.reasons[axis]
        for value in self.study.ablations[group][axis]:
            label, changes = point(axis, value)
            run = self._run(group, axis, label)
            values = self.validation.get(run, [])
            if run == BASELINE or not values or not base:
                continue
            gain = self._mean(run) - self._mean(BASELINE)
            interval = intervals.get(run)
            if not interval or interval[0] <= 0:
                continue
            if lost:
                reasons.append(f"the gain of {label} is not significant: {lost} of the baseline's seeds diverged")
            elif obstacle := self._obstacle(run, changes):
                reasons.append(f"{label} gains {gain:.2f} points, but {obstacle}")
            else:
                significant.append(_Candidate(axis, label, gain, changes))
        return max(significant, key=lambda candidate: candidate.gain, default=None)

    def _obstacle(self, run: str, changes: Mapping[str, Scalar]) -> str:
        """Why a value cannot be part of a combination, however much it gains; '' if it can."""
        if NO_PART & changes.keys():
            return "more epochs or images are no part of a model"
        if lost := self._lost(run):
            return f"{lost} of its seeds diverged"
        return self._too_dear(self.grid.runs[run].config)

    def _conflict(self, candidate: _Candidate, parts: Sequence[_Candidate]) -> str:
        """Why a value does not go with the parts that are adopted already; '' if it does."""
        beside = _together(parts)
        for name, value in candidate.changes.items():
            if name in beside and beside[name] != value:
                return f"what is adopted already sets {name} to {beside[name]}"
        try:
            whole = self.study.resolve(_together([*parts, candidate]))
        except ConfigError as error:
            return f"does not go with what is adopted already ({error})"
        if self.study.resolve(beside).digest == whole.digest:
            return "it changes nothing beside what is adopted already"
        for part in parts:
            if self._is_idle(part, [*parts, candidate], whole):
                return f"beside it {spoken(part.axis)} {spoken(part.value)}, adopted already, changes nothing"
        dear = self._too_dear(whole)
        return f"with what is adopted already it {dear}" if dear else ""

    def _is_idle(self, part: _Candidate, parts: Sequence[_Candidate], whole: RunConfig) -> bool:
        try:
            return self.study.resolve(_together([p for p in parts if p is not part])).digest == whole.digest
        except ConfigError:
            return False  # the others need it

    def _too_dear(self, config: RunConfig) -> str:
        cost = self.multiplications(config)
        times = cost / self.multiplications(self.study.baseline_run)
        return f"costs {times:.2f} times the baseline, over the limit of {self.ratio:g}" if cost > self.budget else ""

    def _lost(self, run: str) -> int:
        """Seeds of a run that diverged, the grid being finished."""
        return len(self.grid.runs[run].seeds) - len(self.validation.get(run, []))

    def _mean(self, run: str) -> float:
        values = self.validation[run]
        return sum(values) / len(values)

    def _run(self, group: str, axis: str, label: str) -> str:
        return next(p.run for p in self.grid.points if (p.group, p.axis, p.value) == (group, axis, label))


class _Finalists:
    """Configurations by name, each once: one that stands already keeps its name, whatever else it is."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.found: list[Finalist] = []
        self.names = {run.config.digest: name for name, run in expand(study).runs.items()}

    def add(self, changes: Mapping[str, Scalar], name: str, *, all_images: bool = False) -> str:
        """The name under which that configuration is trained: ``name``, unless it has one."""
        known = self.names.setdefault(self.study.resolve(changes, all_images=all_images).digest, name)
        if known not in [one.run for one in self.found]:
            self.found.append(Finalist(run=known, changes=dict(changes), all_images=all_images))
        return known
