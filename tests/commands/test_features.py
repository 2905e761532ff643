"""`vitflow features`: arrays of a trained run, and their absence."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file
from support.results import BASELINE, HOME

from vitflow import cli
from vitflow.machine.files import read_json
from vitflow.measuring import features


def test_features_of_a_trained_run(done: Path) -> None:
    assert cli.main(["features", "--run", "baseline"]) == 0
    manifest = read_json(HOME.features / "baseline.json")
    assert (manifest["layer"], manifest["patch"], manifest["pooled"]) == ("block1", [50, 4, 16], [50, 16])
    assert manifest["checkpoint_sha256"] == read_json(BASELINE.train)["checkpoint_sha256"]


def test_features_that_half_precision_cannot_hold_are_absent(done: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def overflowing(*arguments: Any) -> features.Features:
        taken = extract(*arguments)
        return dataclasses.replace(taken, pooled=taken.pooled * math.inf)

    extract = features.extract
    monkeypatch.setattr(features, "extract", overflowing)
    assert cli.main(["features", "--run", "baseline"]) == 0
    assert read_json(HOME.features / "baseline.json")["absent"] == "larger than half precision holds"
    assert load_file(HOME.features / "baseline.safetensors") == {}
