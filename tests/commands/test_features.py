"""`vitflow features`: arrays of a trained run, and their absence."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file
from support.results import BASELINE, HOME
from torch import Tensor

from vitflow import cli
from vitflow.machine.files import read_json
from vitflow.measuring import features


def test_features_of_a_trained_run(done: Path) -> None:
    assert cli.main(["features", "--run", "baseline"]) == 0
    manifest = read_json(HOME.features / "baseline.json")
    layers = ["patch_embed", "block1", "block2"]
    assert manifest["layers"] == [{"name": name, "positions": 4, "width": 16} for name in layers], "in their order"
    assert manifest["checkpoint_sha256"] == read_json(BASELINE.train)["checkpoint_sha256"]
    arrays = load_file(HOME.features / "baseline.safetensors")
    assert arrays["block2/means"].shape == arrays["pooled"].shape == (50, 16)


def test_features_that_no_number_holds_are_absent(done: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def overflowing(*arguments: Any) -> dict[str, Tensor]:
        taken = extract(*arguments)
        return taken | {"pooled": taken["pooled"] * math.inf}

    extract = features.extract
    monkeypatch.setattr(features, "extract", overflowing)
    assert cli.main(["features", "--run", "baseline"]) == 0
    assert read_json(HOME.features / "baseline.json")["absent"] == "larger than single precision holds"
    assert load_file(HOME.features / "baseline.safetensors") == {}
