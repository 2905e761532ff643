"""The finalists on their fresh seeds: against the baseline, against each other, and ``best`` taken apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from vitflow.analysis.claims import Evidence, sentence
from vitflow.analysis.claims.wording import with_sd
from vitflow.analysis.intervals import outer, simultaneous_intervals, turned
from vitflow.analysis.records import Choice, Confirmed, Contrast, Interval, Selection, Winners
from vitflow.analysis.techniques import Techniques
from vitflow.study.fields import spoken
from vitflow.study.grid import BASELINE
from vitflow.study.names import counted

#: changes of a combination that a title names
NAMED = 2


def confirm(selection: Selection, runs: Mapping[str, Confirmed], techniques: Techniques, margin: float) -> Winners:
    """What fresh seeds say of a selection. ``runs`` has every finalist by its name."""
    same = selection.best == selection.best_architecture
    against_baseline, against_best, against_architecture = _compared(
        runs,
        (BASELINE, {name: name for name in runs if name not in (BASELINE, selection.all_images)}),
        (selection.best, selection.without),
        (selection.best_architecture, {} if same else {selection.best: selection.best}),
    )
    step = against_architecture.get(selection.best)
    return Winners(
        selection=selection,
        runs=dict(runs),
        against_baseline=against_baseline,
        against_best=against_best,
        against_architecture=step,
        architecture_finding=_architecture(selection, runs, against_baseline, techniques, margin),
        best_finding=_best(selection, runs, step, techniques, margin),
    )


def evidence(contrast: Contrast, seeds: int) -> Evidence:
    """A contrast as claims read it."""
    return Evidence(contrast.points, contrast.interval, contrast.n, contrast.diverged, seeds, contrast.control_diverged)


def _compared(runs: Mapping[str, Confirmed], *families: tuple[str, Mapping[str, str]]) -> Iterator[dict[str, Contrast]]:
    """By family, a control and the runs beside it, their contrasts.

    Two runs may meet in several families, of which some have more contrasts or spread more. One slide shows them all,
    so each contrast of two runs has the outer ends of all their intervals: none is surer than another.
    """
    tables = [_contrasts(runs[control], {key: runs[name] for key, name in of.items()}) for control, of in families]
    found: dict[tuple[str, str], list[Interval | None]] = defaultdict(list)
    for (control, of), table in zip(families, tables, strict=True):
        for key, contrast in table.items():
            found[control, of[key]].append(contrast.interval)
            found[of[key], control].append(turned(contrast.interval))
    for (control, of), table in zip(families, tables, strict=True):
        yield {
            key: contrast.model_copy(update={"interval": outer(found[control, of[key]])})
            for key, contrast in table.items()
        }


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
                control_diverged=control.diverged,
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
        return "No change of the architecture is adopted: none can be (see what was chosen, and why)"
    run = runs[name]
    subject = f"The best architecture ({_adopted(selection.architecture, techniques)})"
    if not run.n:
        return f"{subject} diverged on every fresh seed"
    if name not in against_baseline:
        return f"{subject} has no baseline to compare with: that diverged on every fresh seed"
    return sentence(
        f"On fresh seeds, {subject[0].lower()}{subject[1:]}", evidence(against_baseline[name], len(run.seeds)), margin
    )


def _best(
    selection: Selection, runs: Mapping[str, Confirmed], step: Contrast | None, techniques: Techniques, margin: float
) -> str:
    run = runs[selection.best]
    if not run.n:
        return "The best combination diverged on every fresh seed"
    reached = f"{with_sd(run.test)} % on {counted(run.n, 'fresh seed')}"
    if selection.best == selection.best_architecture:
        return f"No technique is adopted: the best combination is the best architecture, {reached}"
    added = _adopted(selection.techniques, techniques)
    architecture = runs[selection.best_architecture]
    if step is None:
        return f"{reached} with {added}; the best architecture has no finished seed to compare with"
    if architecture.diverged:
        lost = f"{architecture.diverged} of {len(architecture.seeds)} seeds"
        return f"{reached} with {added}; the best architecture diverged with {lost}"
    known = evidence(step, len(run.seeds))
    return f"{reached}: {sentence(f'with {added}, the best combination', known, margin, 'the best architecture')}"


def _adopted(choices: Sequence[Choice], techniques: Techniques) -> str:
    """``patch size 2, depth 8``; ``3 changes`` of more than a title can name."""
    named = [f"{techniques.label(choice.axis)} {spoken(choice.value)}" for choice in choices if choice.value]
    return ", ".join(named) if len(named) <= NAMED else counted(len(named), "change")
