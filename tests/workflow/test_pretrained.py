"""The rule of a pretrained model: planned where the study asks for it, and only there."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.checkouts import STUDY, copy_code, planned, snakemake
from support.pretrained import random_weights

RECORD = "results/tiny/analysis/pretrained.json"


@pytest.fixture
def where(tmp_path: Path) -> Path:
    copy_code(tmp_path)
    return tmp_path


def ask(where: Path, section: str) -> None:
    with (where / STUDY).open("a") as file:
        file.write(f"\npretrained: {section}\n")


def test_it_is_planned_for_who_asks_for_it_alone(where: Path) -> None:
    assert "probe_pretrained" not in planned(where)
    ask(where, "{images: 20}")
    assert planned(where, "features")["probe_pretrained"] == [RECORD]
    assert "probe_pretrained" not in planned(where, "all_ablations")


@pytest.mark.slow
def test_it_is_made_once_and_again_for_other_weights(where: Path) -> None:
    random_weights(where / "w.pth")
    ask(where, "{weights: w.pth, images: 20}")
    snakemake(where, RECORD)
    assert planned(where, RECORD) == {}
    with (where / "w.pth").open("ab") as file:
        file.write(b"others")
    assert planned(where, RECORD) == {"probe_pretrained": [RECORD]}
    (where / "w.pth").unlink()
    assert planned(where, RECORD) == {}, "as in a clone"
