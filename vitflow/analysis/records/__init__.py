"""What ``results/<study>/analysis/`` says, as typed records: written and read here and nowhere else.

A figure or a slide that asks for something that is not there fails in the type checker. Accuracies, differences and
calibration errors are in percent or percentage points, losses in nats, shares of variance in 0..1.
"""

from vitflow.analysis.records.components import Absent, Components, Example, PatchComponents, Pca, PooledComponents
from vitflow.analysis.records.pooled import Bins, Calibration, Cell, Confusion
from vitflow.analysis.records.record import Interval, Record, Setting
from vitflow.analysis.records.summary import (
    Axis,
    BestSingle,
    Difference,
    Findings,
    Group,
    Images,
    Kind,
    Place,
    Run,
    Stability,
    Statistics,
    Summary,
)
from vitflow.analysis.records.winner import Choice, Confirmed, Contrast, Finalist, Selection, Winners

__all__ = [
    "Absent",
    "Axis",
    "BestSingle",
    "Bins",
    "Calibration",
    "Cell",
    "Choice",
    "Components",
    "Confirmed",
    "Confusion",
    "Contrast",
    "Difference",
    "Example",
    "Finalist",
    "Findings",
    "Group",
    "Images",
    "Interval",
    "Kind",
    "PatchComponents",
    "Pca",
    "Place",
    "PooledComponents",
    "Record",
    "Run",
    "Selection",
    "Setting",
    "Stability",
    "Statistics",
    "Summary",
    "Winners",
]
