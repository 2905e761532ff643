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
    ClassContrast,
    Confused,
    Inspected,
    InspectedLayer,
    Inspection,
    InspectionTitles,
)
from vitflow.analysis.records.mistakes import Answers, Mistakes, Picture
from vitflow.analysis.records.packed import Packed
from vitflow.analysis.records.pooled import Bins, Calibration, Cell, Confusion
from vitflow.analysis.records.pretrained import Pretrained, Probed
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
    "Answers",
    "Attention",
    "Axis",
    "BestSingle",
    "Bins",
    "Calibration",
    "Cell",
    "Choice",
    "ClassAccuracy",
    "ClassContrast",
    "Confirmed",
    "Confused",
    "Confusion",
    "Contrast",
    "Difference",
    "FeatureTitles",
    "Features",
    "Finalist",
    "Findings",
    "Group",
    "Images",
    "Inside",
    "Inspected",
    "InspectedLayer",
    "Inspection",
    "InspectionTitles",
    "Interval",
    "Kind",
    "Layer",
    "Mistakes",
    "Packed",
    "Picture",
    "Place",
    "Pretrained",
    "Probed",
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
    "Winners",
]
