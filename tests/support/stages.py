"""The stages of the tiny study, and how they stand."""

from __future__ import annotations

from vitflow.results.stages import Stage

NAMES = ("summary", "features", "mistakes", "select", "best", "figures", "slides", "explore")


def states(found: dict[str, Stage]) -> dict[str, str]:
    return {name: stage.state for name, stage in found.items()}


def all_but(**different: str) -> dict[str, str]:
    return {name: different.get(name, "current") for name in NAMES}


def state(stage: Stage) -> str:
    """Asked anew each time, though mypy takes a property for a constant."""
    return stage.state
