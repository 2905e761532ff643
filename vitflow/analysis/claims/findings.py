"""Titles that are not about one axis: what the study as a whole says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vitflow.analysis.claims.effects import of_group, of_study
from vitflow.analysis.claims.reasons import fit_finding
from vitflow.analysis.claims.sentences import sentence
from vitflow.analysis.claims.subsets import subsets_finding
from vitflow.analysis.claims.wording import count, several, with_sd
from vitflow.analysis.records import BestSingle, Findings, Run
from vitflow.analysis.titles import FAMILIES
from vitflow.study.grid import BASELINE
from vitflow.study.names import counted
from vitflow.study.schema import Study

#: logits so many times as large as the baseline's are worth a title
MUCH = 1.5


def findings(study: Study, table: Mapping[str, Run]) -> Findings:
    """Titles that the summary keeps."""
    base, margin, best = table[BASELINE], study.equivalence_margin, best_single(table)
    family = best_family(table)
    return Findings(
        headline=_headline(table, margin),
        convergence=_convergence(study, table),
        fit=fit_finding([run for run in table.values() if run.kind == "change"], base, margin),
        stability=_stability(table),
        cost=_cost([run.multiplications for run in table.values()]),
        best=f"Best {FAMILIES[base.family]} with at most one change, on validation: "
        f"{best.label}, {with_sd(table[best.run].validation)} %"
        if best
        else "No run has a validation accuracy yet",
        subsets=subsets_finding(table, study.training.epochs),
        references=_family(family, base, margin) if family else "No model of another family in this study",
    )


def best_single(table: Mapping[str, Run]) -> BestSingle | None:
    """The baseline or the change with the highest mean validation accuracy, none of whose seeds diverged."""
    ranked = [
        (run.validation.mean, name)
        for name, run in table.items()
        if run.validation.mean is not None and run.kind in ("baseline", "change") and not run.diverged
    ]
    if not ranked:
        return None
    accuracy, name = max(ranked)
    run = table[name]
    return BestSingle(run=name, label=run.label, n=run.n, validation=accuracy, test=run.test.mean)


def best_family(table: Mapping[str, Run]) -> Run | None:
    """The model of another family that stands for all in titles and beside them: the best by validation accuracy.

    What diverged, or is of the baseline's family, is taken only for want; None where none can be compared.
    """
    own, compared = table[BASELINE].family, [run for run in table.values() if run.kind == "family" and run.difference]
    return max(
        compared, key=lambda run: (run.family != own, not run.diverged, run.validation.mean or 0.0), default=None
    )


def _headline(table: Mapping[str, Run], margin: float) -> str:
    base = table[BASELINE]
    if base.diverged and not base.n:
        return "The baseline diverged: nothing compares with it"
    compared = [run for run in table.values() if run.kind == "change" and run.difference and not run.diverged]
    if not compared:
        return "Nothing to compare with the baseline yet"
    significant = [run for run in compared if of_study(run).significant]
    judged = sum(of_study(run).interval is not None for run in compared)
    if not significant and judged:
        of = "change differs" if judged == 1 else f"{judged} changes differs"
        return f"None of the {of} from the baseline significantly, all judged together"
    largest = max(significant or compared, key=lambda run: abs(of_study(run).points))
    return (
        f"Largest {'significant ' if significant else ''}change: {sentence(largest.label, of_study(largest), margin)}"
    )


def _cost(multiplications: Sequence[int]) -> str:
    least, most = min(multiplications), max(multiplications)
    if least == most:
        return f"{count(least)} multiplications per image{' in every run' if len(multiplications) > 1 else ''}"
    return f"Cost spans a factor of {most / least:.1f}: {count(least)} to {count(most)} multiplications per image"


def _convergence(study: Study, table: Mapping[str, Run]) -> str:
    base, epochs, margin = table[BASELINE], study.training.epochs, study.equivalence_margin
    if base.diverged and not base.n:
        return f"The baseline diverged, at step {_steps(base)}"
    has = (
        f"After {counted(epochs, 'epoch')} the baseline reaches {with_sd(base.validation)} % validation accuracy, "
        f"and {with_sd(base.clean_train)} % on its training images"
    )
    longer = table.get(f"epochs={2 * epochs}")
    if longer is None or longer.difference is None:
        return has
    said = {True: "Converged", False: "Not converged", None: "Convergence is open"}[converged(longer, margin)]
    return f"{said}: {sentence('training twice as long', of_group(longer), margin)}"


def converged(longer: Run, margin: float) -> bool | None:
    """Whether training twice as long surely gains less than the margin, surely more, or None: that is open."""
    evidence = of_group(longer)
    if evidence.interval is None or evidence.diverged or evidence.control:
        return None
    low, high = evidence.interval
    return True if high < margin else False if low > margin else None


def _family(run: Run, base: Run, margin: float) -> str:
    """A model of another family beside the baseline: never without what it costs."""
    parameters, multiplications = run.parameters / base.parameters, run.multiplications / base.multiplications
    cost = f"with {parameters:.2g} times the parameters and {multiplications:.2g} times the multiplications"
    return f"{sentence(run.label, of_group(run), margin, f'the baseline {FAMILIES[base.family]}')}, {cost}"


def _stability(table: Mapping[str, Run]) -> str:
    runs = [run for run in table.values() if run.seeds]
    lost = [run.label for run in runs if run.diverged]
    if lost:
        return f"{len(lost)} of {len(runs)} runs diverged: {several(lost)}"
    judged = [run for run in runs if run.stability.gradient_spikes is not None]
    if not judged:
        return "No run diverged; spikes were not measured"
    of = "No run diverged" if len(judged) == len(runs) else f"No run diverged; of {len(judged)} that were measured"
    spiky = max(judged, key=lambda run: run.stability.spikes)
    said = f"{of}, none had a spike of gradient or loss"
    if spiky.stability.spikes:
        said = f"{of}, {spiky.label} has the most spikes: {spiky.stability.spikes:.1f} per training"
    usual = table[BASELINE].stability.largest_attention_logit
    logits = [(run.stability.largest_attention_logit or 0, run.label) for run in judged]
    largest, label = max(logits)
    if usual and largest >= MUCH * usual:
        said = f"{of}; attention logits reach {largest:.0f} with {label}, {usual:.0f} in the baseline"
    return said


def _steps(run: Run) -> str:
    return ", ".join(str(step) for step in sorted(set(run.stability.diverged_at.values())))
