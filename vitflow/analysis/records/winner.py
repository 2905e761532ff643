"""``selection/best_architecture.json`` and ``best.json``: the winning combination."""

from __future__ import annotations

from vitflow.analysis.records.record import Record, Setting
from vitflow.analysis.records.summary import Statistics


class Selection(Record):
    """The winning combination, and why."""

    changes: dict[str, Setting]
    reasons: tuple[str, ...]
    group: str
    inputs: str  #: digest of what it was chosen from


class Winner(Selection):
    """The winning combination on its fresh seeds."""

    run: str
    label: str
    seeds: tuple[int, ...]
    n: int
    validation: Statistics
    test: Statistics
