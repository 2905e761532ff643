"""The slide of a pretrained model: one in backup, and nothing of it anywhere else."""

from __future__ import annotations

import json
import re

import pytest
from support.pretrained import a_probe
from support.talk import Talk, visible, words_of

from vitflow.analysis.records import Pretrained
from vitflow.slides.deck import Slide, SlidesError, Table
from vitflow.slides.template import fill


def shown(talk: Talk, probe: Pretrained) -> tuple[Slide, str]:
    """Its slide, and the words of it."""
    probe.write(talk.root / "analysis" / "pretrained.json")
    (slide,) = [slide for slide in talk.deck().slides if slide.kicker == "Not trained from scratch"]
    words = [words_of(cell) for block in slide.blocks if isinstance(block, Table) for row in block.rows for cell in row]
    words += [words_of(block.text) for block in slide.blocks if hasattr(block, "text")]
    return slide, "\n".join(words)


def test_a_slide_in_backup_says_its_numbers_and_that_it_is_not_comparable(talk: Talk) -> None:
    slide, words = shown(talk, a_probe())
    assert (slide.part, slide.label) == ("backup", "Backup · Not trained from scratch")
    assert words_of(slide.heading) == a_probe().title
    for part in (
        "Not comparable with the models of this study",
        "torchvision's IMAGENET1K_V1, sha256 0676ba61",
        "from 32 to 224 pixels",
        "23.5 M parameters, frozen; 4.09 G multiplications",
        "2,048 features of 5,000 training images, C = 0.001 chosen on 2,500 of them",
        "88.2 % of 4,980 images",
        "87.6 % of 4,990 images",
    ):
        assert part in words, words
    assert "1.28 million photographs" in slide.notes


def test_of_other_weights_it_is_not_said_what_they_have_seen(talk: Talk) -> None:
    slide, words = shown(talk, a_probe(published=None, title="A ResNet-50 of other weights"))
    assert "not torchvision's, sha256 0676ba61" in words
    assert "ImageNet" not in f"{slide.title}{words}{slide.notes}" and "photographs" not in slide.notes


def test_nothing_else_of_the_talk_knows_of_it(talk: Talk) -> None:
    before = [(slide.title, slide.blocks, slide.notes) for slide in talk.deck().slides]
    slide, _ = shown(talk, a_probe())
    after = [(slide.title, slide.blocks, slide.notes) for slide in talk.deck().slides]
    after.remove((slide.title, slide.blocks, slide.notes))
    assert after == before


def test_it_finds_room_in_all_forms_of_the_deck(talk: Talk) -> None:
    a_probe(title=a_probe().title.replace("that has seen ImageNet", "of other weights than torchvision's")).write(
        talk.root / "analysis" / "pretrained.json"
    )
    talk.render()  # refuses what runs over
    assert "other weights than torchvision's gets 87.6" in visible((talk.root / "slides" / "deck.html").read_text())


def test_a_record_that_is_not_asked_for_is_not_shown_and_one_that_is_must_be_there(talk: Talk) -> None:
    from support.analysis import TECHNIQUES

    from vitflow.results.stages import TEMPLATE

    analysis = talk.root / "analysis"
    captions = json.loads((talk.root / "figures" / "captions.json").read_text())
    with pytest.raises(SlidesError, match=re.escape(f"{analysis / 'pretrained.json'}: no such file")):
        fill(TEMPLATE, analysis, captions, TECHNIQUES, "figures", pretrained=True)
    a_probe().write(analysis / "pretrained.json")
    assert "Not trained from scratch" not in fill(TEMPLATE, analysis, captions, TECHNIQUES, "figures")
