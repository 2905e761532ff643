"""`vitflow measure`: each run once, beside the baseline that the study has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from support.commands import TWO_RUNS, Mistake, edited
from support.results import HOME

from vitflow import cli
from vitflow.machine.files import read_json
from vitflow.measuring import cost
from vitflow.results import ledger
from vitflow.study.grid import expand
from vitflow.study.reading import read_study


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn is an update or two."""
    monkeypatch.setattr(cost, "SECONDS", 0.01)


@pytest.mark.usefixtures("quick")
def test_costs_are_measured_once_each_beside_the_baseline(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "config.yaml").write_text(TWO_RUNS)
    assert cli.main(["measure", "--run", "width=8", "--threads", "1"]) == 0
    first = read_json(HOME.cost("width=8"))
    assert first["time_ratios"][0] <= first["time_ratio"] <= first["time_ratios"][1]
    assert first["provenance"]["threads"] == 1
    assert cli.main(["measure", "--threads", "1"]) == 0
    said = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in said] == ["[1/1] width=8", "[1/1] baseline"]
    assert read_json(HOME.cost("width=8")) == first
    assert read_json(HOME.cost("baseline"))["peak_bytes"] > first["peak_bytes"]
    study = read_study("config.yaml")
    assert all(ledger.measured_cost(study, run.name, run.config) for run in expand(study).runs.values())


@pytest.mark.usefixtures("quick")
def test_another_baseline_has_everything_measured_again(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "config.yaml").write_text(TWO_RUNS)
    assert cli.main(["measure", "--threads", "1"]) == 0
    (here / "config.yaml").write_text(edited(TWO_RUNS, ("depth: 2", "depth: 1")))
    assert cli.main(["measure", "--threads", "1"]) == 0
    assert len(capsys.readouterr().err.splitlines()) == 4


def test_a_measurement_that_memory_does_not_suffice_for_is_told(
    here: Path, mistake: Mistake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(cost, "measured", full)
    assert "baseline: out of memory on cpu with batch_size 50" in mistake("measure", "--run", "baseline")
