"""Whether a change was judged at a learning rate that suits it: the same change at other rates, if a study has it."""

from __future__ import annotations

from collections.abc import Mapping

from vitflow.analysis.claims.wording import signed
from vitflow.analysis.records import Run
from vitflow.study.grid import BASELINE

FIELD = "learning_rate="


def at_own_rates(name: str, runs: Mapping[str, Run]) -> str:
    """What is left of a run's difference when it and the baseline each have their best learning rate; '' if untried.

    A rate is best by mean validation accuracy; the baseline's is among those that the run was tried at as well. Runs
    are told apart by their names, which say what differs from the baseline.
    """
    run = runs[name]
    ours = _by_rate(frozenset(name.split("+")), name, runs)
    theirs = _by_rate(frozenset(), BASELINE, runs)
    theirs = {rate: found for rate, found in theirs.items() if rate in ours}
    if len(ours) < 2 or len(theirs) < 2 or run.difference is None or FIELD in name:
        return ""
    best, base = _best(ours), _best(theirs)
    mine, other = ours[best].test.mean, theirs[base].test.mean
    if mine is None or other is None:
        return ""
    said = f"{signed(run.difference.test)} points at the baseline's learning rate"
    if best == base == "":
        return f"Of {len(ours)} learning rates, the baseline's gives it the best mean validation accuracy."
    own, its = best or "the baseline's", base or "its own"
    return f"Each at its best rate tried ({own}, baseline {its}) it is {signed(mine - other)} points apart, {said}."


def _by_rate(changes: frozenset[str], name: str, runs: Mapping[str, Run]) -> dict[str, Run]:
    """By learning rate, '' for the baseline's: the runs that differ in it alone and have a finished seed."""
    found = {"": runs[name]}
    for other, run in runs.items():
        extra = frozenset(other.split("+")) - changes
        if (
            changes <= frozenset(other.split("+"))
            and len(extra) == 1
            and (field := next(iter(extra))).startswith(FIELD)
        ):
            found[field.removeprefix(FIELD)] = run
    return {rate: run for rate, run in found.items() if run.validation.mean is not None and not run.diverged}


def _best(runs: Mapping[str, Run]) -> str:
    return max(runs, key=lambda rate: runs[rate].validation.mean or 0.0)
