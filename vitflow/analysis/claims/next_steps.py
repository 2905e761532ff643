"""What a study leaves open, as advice."""

from __future__ import annotations

from collections.abc import Sequence

from vitflow.analysis.claims.effects import effect, judge, of_group, of_study
from vitflow.analysis.claims.findings import converged
from vitflow.analysis.claims.predictions import Prediction, worst_miss
from vitflow.analysis.records import Summary
from vitflow.study.grid import BASELINE
from vitflow.study.names import counted


def next_steps(summary: Summary, predicted: Sequence[Prediction] = ()) -> list[str]:
    """What the data ask for next: four sentences at most. ``predicted``: what was, over all axes."""
    runs, margin = summary.runs, summary.equivalence_margin
    steps = []
    longer = runs.get(f"epochs={2 * summary.epochs}")
    if longer is None or longer.difference is None:
        steps.append("Train the baseline twice as long: whether it has converged is unknown.")
    elif (found := converged(longer, margin)) is False:
        gain = of_group(longer).points
        steps.append(f"Train longer: twice the epochs gain {gain:.1f} points, and ranks may change.")
    elif found is None:
        steps.append("Train longer: twice the epochs may still gain, and ranks may change.")
    changes = [run for run in runs.values() if run.kind == "change" and run.difference and run.difference.test_interval]
    open_ones = [run for run in changes if effect(run, margin) == "unclear"]
    if open_ones:
        nearest = max(open_ones, key=lambda run: abs(of_study(run).points))
        steps.append(f"More seeds for {counted(len(open_ones), 'unclear change')}, {nearest.label} first.")
    if missed := worst_miss(predicted):
        steps.append(missed)
    if unstable := [runs[name].label for name in summary.diverged]:
        steps.append(f"A lower learning rate for what diverged: {unstable[0]}.")
    if not any(axis.axis == "train_images" for axis in summary.axes) and not any(
        run.kind == "subset" for run in runs.values()
    ):
        resnets = [run for run in runs.values() if (run.kind, run.family) == ("family", "resnet") and run.difference]
        leads = runs[BASELINE].family == "vit" and any(
            of_group(run).significant and judge(of_group(run), margin) == "gained" for run in resnets
        )
        asked = ": does the ResNet's lead shrink?" if leads else "."
        steps.append(f"Fewer images at equal steps{asked}")
    return steps[:4]
