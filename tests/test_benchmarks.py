"""`make bench`: its arithmetic, and one short real run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from support.checkouts import environment
from support.results import ROOT

from benchmarks.measure import compete


def contestant(rates: list[float], order: list[str], name: str) -> Callable[[], float]:
    left = iter(rates)

    def work() -> float:
        order.append(name)
        return next(left)

    return work


def test_ratios_are_medians_over_rounds_of_rates_in_the_same_round() -> None:
    order: list[str] = []
    ours, theirs = [9e9, 10.0, 20.0, 60.0], [1.0, 5.0, 5.0, 20.0]  # the first round does not count
    found = compete(
        {"ours": contestant(ours, order, "ours"), "theirs": contestant(theirs, order, "theirs")}, 3, lambda line: None
    )
    assert found["ours"] == {"images_per_second": 20, "slowest": 10, "fastest": 60, "ratio": 1, "ratios": [1, 1]}
    assert found["theirs"] == {"images_per_second": 5, "slowest": 5, "fastest": 20, "ratio": 3, "ratios": [2, 4]}
    assert order == ["ours", "theirs", "theirs", "ours"] * 2, "by turns"


@pytest.mark.skipif(find_spec("timm") is None or find_spec("vit_pytorch") is None, reason="pip install '.[bench]'")
def test_a_run_prints_its_table_and_keeps_it(tmp_path: Path) -> None:
    small = (
        "import runpy; from benchmarks import noise; noise.BATCH = 4; runpy.run_module('benchmarks', None, '__main__')"
    )
    command = [sys.executable, "-c", small, "--rounds", "1", "--steps", "1"]
    done = subprocess.run(command, cwd=tmp_path, env=environment(ROOT), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "results" / "benchmarks").iterdir()
    stored = json.loads(path.read_text())
    assert set(stored["peers"]) == {"timm", "vit-pytorch", "torchvision"}
    peers = {"vitflow", "timm", "vit-pytorch ViT", "vit-pytorch SimpleViT", "torchvision"}
    assert set(stored["comparisons"]["training"]) == peers
    for comparison in stored["comparisons"].values():
        assert comparison["vitflow"]["ratio"] == 1
        for name, row in comparison.items():
            assert name in done.stdout and f"{row['images_per_second']:,.0f}" in done.stdout
