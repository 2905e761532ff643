"""`vitflow probe`: from a file of weights to the record and its slide; on digits, with random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from support.commands import TINY, Mistake
from support.pretrained import SMALL, random_weights
from support.results import HOME
from support.talk import make_talk, words_of

from vitflow import cli
from vitflow.analysis.records import Pretrained
from vitflow.data import prepare
from vitflow.data.splits import Data, Split
from vitflow.machine.files import sha256
from vitflow.measuring import cost, pretrained
from vitflow.results.stages import stages
from vitflow.slides.deck import plain
from vitflow.study.reading import read_study

ASKED = "\npretrained: {weights: w.pth, images: 100}\n"


@pytest.fixture
def asked(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny study, which asks for a model of random weights; images are small, so that it takes seconds."""
    monkeypatch.setattr(pretrained, "SIDE", SMALL)
    random_weights(here / "w.pth")
    Path("config.yaml").write_text(TINY + ASKED)
    return here


def probe() -> Pretrained:
    assert cli.main(["probe", "--threads", "1"]) == 0
    return Pretrained.read(HOME.pretrained)


def test_weights_become_a_record_and_a_slide(asked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = probe()
    assert (found.weights, found.weights_sha256, found.published) == ("w.pth", sha256(Path("w.pth")), None)
    assert (found.requested, found.learned_from, found.chosen_on, found.side) == (100, 100, 50, SMALL)
    assert found.validation.images == found.test.images == 100
    assert found.strength in found.strengths and found.width == 2048
    assert found.parameters == 25_557_032 - 2048 * 1000 - 1000, "torchvision's, without the head"
    assert round(found.multiplications / 1e6) == round(4087 * (SMALL / 224) ** 2)
    said = capsys.readouterr().err
    assert "pretrained ResNet-50: 300 of 300 images" in said
    assert f"test {found.test.accuracy:.2f} % of 100 images" in said
    assert stages(read_study("config.yaml"))["pretrained"].state == "current"

    talk = make_talk(tmp_path / "talk")
    found.write(talk.root / "analysis" / "pretrained.json")
    (slide,) = [slide for slide in talk.deck().slides if words_of(slide.heading) == found.title]
    assert slide.part == "backup" and "ResNet-50" in plain(slide.title)


def test_a_choice_does_not_see_the_labels_of_the_test(asked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, loaded = probe(), prepare.load

    def others(*given: Any) -> Data:
        data = loaded(*given)
        labels = (data.test.labels + 1) % 10
        return Data(**vars(data) | {"test": Split(data.test.images, labels)})

    monkeypatch.setattr(prepare, "load", others)
    after = probe()
    assert (after.strength, after.validation) == (before.strength, before.validation)
    assert after.test != before.test


def test_without_a_section_it_is_told_how_to_ask(here: Path, mistake: Mistake) -> None:
    said = mistake("probe")
    assert said == "vitflow: config.yaml: the study has no section 'pretrained'; `pretrained: {}` asks for it"


def test_weights_that_cannot_be_had_or_used_are_one_line_and_no_record(
    asked: Path, mistake: Mistake, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("w.pth").write_bytes(Path("w.pth").read_bytes()[:1_000_000])
    assert "w.pth: no weights that torch reads, or damaged (" in mistake("probe")
    random_weights(Path("w.pth"), "resnet18")
    assert "w.pth: not the weights of a ResNet-50" in mistake("probe")
    Path("w.pth").unlink()
    assert mistake("probe") == "vitflow: w.pth: no such file; correct pretrained.weights"

    def unreachable(*given: Any, **more: Any) -> None:
        raise OSError("no network")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: "no cache")
    monkeypatch.setattr(torch.hub, "download_url_to_file", unreachable)
    Path("config.yaml").write_text(TINY + "\npretrained: {}\n")
    assert "download failed (no network); get https://" in mistake("probe")
    assert not HOME.pretrained.exists()


def test_the_plan_says_how_long_it_takes(
    asked: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cost, "SECONDS", 0.01)
    assert cli.main(["plan", "--brief"]) == 0
    assert "; up to 300 images through a pretrained ResNet-50, at most about " in capsys.readouterr().out
    Path("config.yaml").write_text(TINY)
    assert cli.main(["plan", "--brief"]) == 0
    assert "pretrained" not in capsys.readouterr().out
