"""What may be said: every title of figures and slides, and the verdict on each difference.

A claim follows from the interval of a test difference, simultaneous over all that the claim was picked from, and the
margin that was fixed beforehand. Below three seeds there is no interval: a difference is described then, and called
descriptive.
"""

from vitflow.analysis.claims.effects import Change, Effect, Evidence, changes, effect, judge, of_group, of_study
from vitflow.analysis.claims.findings import best_family, best_single, findings
from vitflow.analysis.claims.next_steps import next_steps
from vitflow.analysis.claims.predictions import outcomes, predictions, predictions_title
from vitflow.analysis.claims.rates import at_own_rates
from vitflow.analysis.claims.reasons import fits_beside, fits_of_moved, reason
from vitflow.analysis.claims.sentences import axis_finding, group_finding, sentence
from vitflow.analysis.claims.verdicts import counted_effects, verdict, verdicts_title
from vitflow.analysis.claims.wording import signed

__all__ = [
    "Change",
    "Effect",
    "Evidence",
    "at_own_rates",
    "axis_finding",
    "best_family",
    "best_single",
    "changes",
    "counted_effects",
    "effect",
    "findings",
    "fits_beside",
    "fits_of_moved",
    "group_finding",
    "judge",
    "next_steps",
    "of_group",
    "of_study",
    "outcomes",
    "predictions",
    "predictions_title",
    "reason",
    "sentence",
    "signed",
    "verdict",
    "verdicts_title",
]
