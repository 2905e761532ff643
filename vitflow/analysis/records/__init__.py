"""What ``results/<study>/analysis/`` says, as typed records: written and read here and nowhere else.

A figure or a slide that asks for something that is not there fails in the type checker. Accuracies, differences and
calibration errors are in percent or percentage points, losses in nats, shares of variance in 0..1.
"""

from vitflow.analysis.records.features import (
    Absent,
    Attention,
    Features,
    FeatureTitles,
    Inside,
    Layer,
    Separation,
    Similarity,
    View,
)
from vitflow.analysis.records.inspection import (
    ClassAccuracy,
    Confused,
    Contrast,
    Inspected,
    InspectedLayer,
    Inspection,
    InspectionTitles,
)
from vitflow.analysis.records.packed import Packed
from vitflow.analysis.records.pooled import Bins, Calibration, Cell, Confusion
from vitflow.analysis.records.record import Interval, Record, Setting
from vitflow.analysis.records.summary import (
    Axis,
    BestSingle,
    Difference,
    Findings,
    Images,
    Place,
    Run,
    Stability,
    Statistics,
    Summary,
)
from vitflow.analysis.records.winner import Selection, Winner

__all__ = [
    "Absent",
    "Attention",
    "Axis",
    "BestSingle",
    "Bins",
    "Calibration",
    "Cell",
    "ClassAccuracy",
    "Confused",
    "Confusion",
    "Contrast",
    "Difference",
    "FeatureTitles",
    "Features",
    "Findings",
    "Images",
    "Inside",
    "Inspected",
    "InspectedLayer",
    "Inspection",
    "InspectionTitles",
    "Interval",
    "Layer",
    "Packed",
    "Place",
    "Record",
    "Run",
    "Selection",
    "Separation",
    "Setting",
    "Similarity",
    "Stability",
    "Statistics",
    "Summary",
    "View",
    "Winner",
]
