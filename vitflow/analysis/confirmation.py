"""The finalists on their fresh seeds: against the baseline, against each other, and ``best`` taken apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vitflow.analysis.claims import Evidence, sentence
from vitflow.analysis.claims.wording import counted, with_sd
from vitflow.analysis.intervals import simultaneous_intervals, welch_interval
from vitflow.analysis.records import Choice, Confirmed, Contrast, Selection, Winners
from vitflow.analysis.techniques import Techniques
from vitflow.study.fields import spoken
from vitflow.study.grid import BASELINE

#: changes of a combination that a title names
NAMED = 2


def confirm(selection: Selection, runs: Mapping[str, Confirmed], techniques: Techniques, margin: float) -> Winners:
    """What fresh seeds say of a selection. ``runs`` has every finalist by its name."""
    others = {name: run for name, run in runs.items() if name != BASELINE and name != selection.all_images}
    against_baseline = _contrasts(runs[BASELINE], others)
    parts = {axis: runs[name] for axis, name in selection.without.items()}
    same = selection.best == selection.best_architecture
    step = None if same else _contrasts(runs[selection.best_architecture], {"": runs[selection.best]}).get("")
    return Winners(
        selection=selection,
        runs=dict(runs),
        against_baseline=against_baseline,
        against_best=_contrasts(runs[selection.best], parts) if parts else {},
        against_architecture=step,
        architecture_finding=_architecture(selection, runs, against_baseline, techniques, margin),
        best_finding=_best(selection, runs, step, techniques, margin),
    )


def evidence(contrast: Contrast, seeds: int) -> Evidence:
    """A contrast as claims read it."""
    return Evidence(contrast.points, contrast.interval, contrast.welch, contrast.n, contrast.diverged, seeds)


def _contrasts(control: Confirmed, others: Mapping[str, Confirmed]) -> dict[str, Contrast]:
    """Each of several runs minus one of them, simultaneous; without those of which no seed finished."""
    base = control.test.values
    intervals = simultaneous_intervals(base, {name: run.test.values for name, run in others.items()})
    found = {}
    for name, run in others.items():
        if run.test.mean is not None and control.test.mean is not None:
            found[name] = Contrast(
                n=min(run.n, control.n),
                diverged=run.diverged,
                points=round(run.test.mean - control.test.mean, 4),
                interval=intervals[name],
                welch=welch_interval(base, run.test.values),
            )
    return found


def _architecture(
    selection: Selection,
    runs: Mapping[str, Confirmed],
    against_baseline: Mapping[str, Contrast],
    techniques: Techniques,
    margin: float,
) -> str:
    name = selection.best_architecture
    if name == BASELINE:
        return "No change of the architecture is adopted: none has a sure gain within the budget"
    run = runs[name]
    subject = f"The best architecture ({_adopted(selection.architecture, techniques)})"
    if name not in against_baseline:
        return f"{subject} diverged on every fresh seed"
    return sentence(
        f"On fresh seeds, {subject[0].lower()}{subject[1:]}", evidence(against_baseline[name], len(run.seeds)), margin
    )


def _best(
    selection: Selection, runs: Mapping[str, Confirmed], step: Contrast | None, techniques: Techniques, margin: float
) -> str:
    run = runs[selection.best]
    if not run.n:
        return "The best combination diverged on every fresh seed"
    if selection.best == selection.best_architecture:
        reached = f"{with_sd(run.test)} % on {counted(run.n, 'fresh seed')}"
        return f"No technique is adopted: the best combination is the best architecture, {reached}"
    added = _adopted(selection.techniques, techniques)
    if step is None:
        return f"With {added}, the best combination has no finished seed to compare"
    said = sentence(f"with {added}, the best combination", evidence(step, len(run.seeds)), margin)
    return f"{with_sd(run.test)} % on {counted(run.n, 'fresh seed')}: {said} against the best architecture".replace(
        "matches the baseline within", "matches it within"
    )


def _adopted(choices: Sequence[Choice], techniques: Techniques) -> str:
    """``patch size 2, depth 8``; ``3 changes`` of more than a title can name."""
    named = [f"{techniques.label(choice.axis)} {spoken(choice.value)}" for choice in choices if choice.value]
    return ", ".join(named) if len(named) <= NAMED else counted(len(named), "change")
