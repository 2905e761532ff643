"""The stage of a pretrained model: there if asked for, judged by images, splits and weights, in a clone too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.files import append
from support.pretrained import a_probe
from support.results import HOME, MANIFEST
from support.stages import all_but, state, states

from vitflow.machine.files import sha256, write_text
from vitflow.results import ledger, times
from vitflow.results.stages import Stage, stages
from vitflow.study.pretrained import Pretrained
from vitflow.study.schema import Study

FILE = Path("weights.pth")


def asking(study: Study, **section: Any) -> Study:
    return study.model_copy(update={"pretrained": Pretrained(**{"weights": str(FILE), "images": 20} | section)})


def stage(study: Study) -> Stage:
    return stages(study)["pretrained"]


@pytest.fixture
def probed(complete: Study) -> Study:
    """The finished study with a pretrained model, of which the record is there and the talk is not yet made again."""
    write_text(FILE, "weights")
    a_probe(weights_sha256=sha256(FILE)).write(HOME.pretrained)
    study = asking(complete)
    stage(study).seal()
    return study


def test_only_who_asks_for_it_has_it(complete: Study, probed: Study) -> None:
    assert "pretrained" not in stages(complete)
    assert states(stages(complete)) == all_but(), "the talk of who does not ask does not read what was left there"
    assert states(stages(probed)) == all_but(slides="outdated") | {"pretrained": "current"}


def test_tables_do_not_know_of_it(complete: Study, probed: Study) -> None:
    assert ledger.study_digest(probed) == ledger.study_digest(complete)
    for name, found in stages(probed).items():
        assert (HOME.pretrained in found.inputs) == (name == "slides")


@pytest.mark.parametrize(
    "change", [{"images": 30}, {"weights": "others.pth"}, {"weights": None}], ids=["images", "weights", "published"]
)
def test_what_is_asked_otherwise_is_made_again(probed: Study, change: dict[str, Any]) -> None:
    write_text(Path("others.pth"), "others")
    assert state(stage(asking(probed, **change))) == "outdated"


def test_other_splits_other_images_and_other_bytes_make_it_again(probed: Study) -> None:
    dataset = probed.dataset.model_copy(update={"validation_fraction": 0.3})
    assert state(stage(probed.model_copy(update={"dataset": dataset}))) == "outdated"
    elsewhere = probed.dataset.model_copy(update={"path": "/elsewhere"})
    assert state(stage(probed.model_copy(update={"dataset": elsewhere}))) == "current"
    append(FILE)
    assert state(stage(probed)) == "outdated"
    write_text(FILE, "weights")
    assert state(stage(probed)) == "current"
    append(MANIFEST)
    assert state(stage(probed)) == "outdated"


def test_the_place_of_the_weights_does_not_count_nor_that_they_are_elsewhere(probed: Study) -> None:
    FILE.rename("moved.pth")
    assert state(stage(asking(probed, weights="moved.pth"))) == "current"
    Path("moved.pth").unlink()
    assert state(stage(probed)) == "current", "as in a clone"


def test_published_weights_are_the_same_by_download_and_by_path(probed: Study) -> None:
    a_probe().write(HOME.pretrained)
    FILE.unlink()
    stage(probed).seal()
    assert state(stage(asking(probed, weights=None))) == "current"


def test_an_edited_and_a_damaged_record_are_told(probed: Study) -> None:
    append(HOME.pretrained)
    assert state(stage(probed)) == "edited"
    FILE.unlink()
    assert state(stage(probed)) == "outdated", "nobody knows of which weights it was"


def test_snakemake_makes_again_what_is_outdated_and_nothing_else(probed: Study) -> None:
    def newer() -> bool:
        times.settle_stages([stage(probed)])
        return HOME.pretrained.stat().st_mtime_ns > MANIFEST.stat().st_mtime_ns

    assert newer()
    append(FILE)
    assert not newer()
    write_text(FILE, "weights")
    assert newer()
