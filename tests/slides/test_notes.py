"""What a study's notes do to its talk: explanations on the slides, predictions of its own, and whose they are."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from support.analysis import TECHNIQUES
from support.talk import TEMPLATE, Talk, make_talk, table_of

from vitflow.analysis.techniques import Techniques, read_techniques
from vitflow.slides.deck import Deck, plain

WRITTEN = TEMPLATE.parent / "techniques.yaml"
FOREIGN = "for the full CIFAR-10 study"
BACKUP = "Backup: Patch size, how it works"


def noted(folder: Path, study: str = "example", **notes: dict[str, str]) -> Techniques:
    """What is written for a study with these notes."""
    path = folder / f"{study}.yaml"
    path.write_text(yaml.safe_dump(notes))
    return read_techniques(study, WRITTEN, path)


def backup(deck: Deck) -> dict[str, str]:
    """The table of the backup slide on patch size."""
    return dict(table_of(deck, BACKUP))  # type: ignore[arg-type]


def test_an_explanation_is_asked_for_until_it_is_written(talk: Talk, deck: Deck) -> None:
    assert "Write your own explanation in notes/example.yaml" in repr(deck)
    axes = [axis.axis for axis in talk.summary.axes]
    assert all(TECHNIQUES.of(axis).explanation == "" for axis in axes)
    notes = noted(talk.root, **{axis: {"explanation": "More tokens see more."} for axis in axes})
    shown = repr(talk.deck(techniques=notes))
    assert "Your own explanation" not in shown and "More tokens see more." in shown


def test_an_explanation_stands_on_the_slide_of_the_axis_and_in_backup(talk: Talk) -> None:
    deck = talk.deck(techniques=noted(talk.root, patch_size={"explanation": "More *tokens* see more."}))
    assert backup(deck)["why"] == "More *tokens* see more."
    finding = talk.summary.axes[0].finding
    slide = next(slide for slide in deck.slides if plain(slide.title) == finding)
    assert "More *tokens* see more." in repr(slide.blocks)


def test_where_nothing_is_written_the_evidence_stands_in_place_of_an_explanation(deck: Deck) -> None:
    assert backup(deck)["why"].startswith(("Evidence, ", "Not explained"))


def test_without_notes_another_studys_predictions_are_said_to_be_meant_for_it(deck: Deck) -> None:
    general = TECHNIQUES.of("patch_size").prediction
    assert backup(deck)[f"predicted {FOREIGN}"] == general
    assert f"Predicted {FOREIGN}:" in repr(deck) and f"predicted before measuring {FOREIGN}" in repr(deck)


def test_without_notes_the_cifar10_study_shows_the_general_predictions_as_its_own(talk: Talk) -> None:
    own = read_techniques("cifar10", WRITTEN, talk.root / "none.yaml")
    deck = talk.deck(techniques=own)
    assert backup(deck)["predicted"] == TECHNIQUES.of("patch_size").prediction
    assert FOREIGN not in repr(deck)


def test_what_came_of_a_range_stands_beside_the_prediction_and_is_counted(talk: Talk) -> None:
    own = {"prediction": "8 loses 90 points.", "expected": {8: [-91, -89], 3: [0, 1]}}
    deck = talk.deck(techniques=noted(talk.root, patch_size=own))
    assert backup(deck)["predicted"] == "8 loses 90 points. Accuracy missed at 8; not run: 3."
    rows = {row[0]: row[3] for row in table_of(deck, "Backup: 0 of 1 prediction in range, 1 missed")}
    assert rows["Patch size"].endswith("; missed at 8; not run: 3")
    assert "Test why the prediction missed: patch size 8" in repr(deck)


def test_the_prediction_of_an_axis_in_two_groups_is_written_out_once(tmp_path: Path) -> None:
    talk = make_talk(tmp_path, ablations={"architecture": {"patch_size": [4, 8]}, "training": {"patch_size": [2, 4]}})
    deck = talk.deck(techniques=noted(tmp_path, patch_size={"prediction": "2 gains a point."}))
    rows = table_of(deck, "Backup: predicted and observed")
    assert [row[1] for row in rows if row[0] == "Patch size"] == ["2 gains a point.", "as above"]


def test_a_studys_own_prediction_is_shown_in_place_of_the_general_one_and_not_called_foreign(talk: Talk) -> None:
    deck = talk.deck(techniques=noted(talk.root, patch_size={"prediction": "2 gains a point."}))
    assert backup(deck)["predicted"] == "2 gains a point."
    assert TECHNIQUES.of("patch_size").prediction not in repr(deck)
    finding = talk.summary.axes[0].finding
    slide = next(slide for slide in deck.slides if plain(slide.title) == finding)
    assert "Predicted:" in repr(slide.blocks) and "2 gains a point." in repr(slide.blocks)
    # beside it in one table, the prediction of the other axis still says that it was meant for another study
    rows = {row[0]: row[1] for row in table_of(deck, "Backup: predicted and observed")}
    assert rows["Patch size"] == "2 gains a point."
    assert rows["Augmentation"] == f"{TECHNIQUES.of('augmentation').prediction} (meant {FOREIGN})"
    assert f"predicted before measuring {FOREIGN}" not in repr(deck)


@pytest.mark.parametrize("study", ["example", "cifar10"])
def test_predictions_of_its_own_for_every_axis_leave_nothing_foreign(talk: Talk, study: str) -> None:
    notes = noted(talk.root, study, **{axis.axis: {"prediction": "Mine."} for axis in talk.summary.axes})
    assert FOREIGN not in repr(talk.deck(techniques=notes))
