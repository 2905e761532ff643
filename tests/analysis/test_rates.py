"""Whether a change was judged at a learning rate that suits it."""

from __future__ import annotations

import pytest
from support.records import a_run, around, diverged

from vitflow.analysis.claims import at_own_rates
from vitflow.analysis.records import Run


def runs(**means: float) -> dict[str, Run]:
    """Runs of these mean accuracies, by names in which ``_at_`` stands for the learning rate."""
    found = {}
    for name, mean in means.items():
        what, _, rate = name.partition("_at_")
        parts = [f"learning_rate=0.00{rate}"] if rate else []
        parts += ["width=48"] if what == "narrow" else []
        differs = {"points": mean - means["base"], "validation": around(mean), "test": around(mean)}
        found["+".join(parts) or "baseline"] = a_run(**differs)  # type: ignore[arg-type]
    return found


def test_a_change_that_wants_another_rate_is_compared_with_the_baseline_at_its_best() -> None:
    table = runs(base=80.0, base_at_2=79.0, base_at_8=81.0, narrow=77.0, narrow_at_2=75.0, narrow_at_8=79.5)
    assert at_own_rates("width=48", table) == (
        "Each at its best rate tried (0.008, baseline 0.008) it is −1.5 points apart, "
        "−3.0 points at the baseline's learning rate."
    )
    table = runs(base=80.0, base_at_2=79.0, base_at_8=78.0, narrow=77.0, narrow_at_2=75.0, narrow_at_8=79.5)
    assert at_own_rates("width=48", table).startswith(
        "Each at its best rate tried (0.008, baseline its own) it is −0.5 points"
    )


def test_a_change_whose_rate_is_best_is_said_to_be_suited() -> None:
    table = runs(base=80.0, base_at_2=79.0, narrow=77.0, narrow_at_2=75.0)
    assert (
        at_own_rates("width=48", table)
        == "Of 2 learning rates, the baseline's gives it the best mean validation accuracy."
    )


@pytest.mark.parametrize("missing", ["learning_rate=0.002", "learning_rate=0.002+width=48"])
def test_without_both_at_another_rate_nothing_is_said(missing: str) -> None:
    table = runs(base=80.0, base_at_2=79.0, narrow=77.0, narrow_at_2=78.0)
    assert at_own_rates("width=48", table) != ""
    assert at_own_rates("width=48", {name: run for name, run in table.items() if name != missing}) == ""
    lost = table | {missing: diverged(3, points=1.0)}
    assert at_own_rates("width=48", lost) == ""


def test_a_rate_itself_has_no_rate_of_its_own() -> None:
    table = runs(base=80.0, base_at_2=79.0, base_at_8=78.0)
    assert at_own_rates("learning_rate=0.002", table) == ""
