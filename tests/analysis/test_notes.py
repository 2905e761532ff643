"""What a study's own notes add: its predictions and the explanations, over what is said of every study."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from vitflow.analysis.techniques import NOTES, TECHNIQUES, Techniques, notes_of, read_techniques
from vitflow.study.names import ConfigError

ROOT = Path(__file__).parents[2]
AXES = {
    axis: {"label": axis, "how": "h", "reference": "r", "confound": "c", "prediction": f"the general one of {axis}"}
    for axis in ("width", "depth")
}


@pytest.fixture
def general(tmp_path: Path) -> Path:
    path = tmp_path / "techniques.yaml"
    path.write_text(yaml.safe_dump(AXES))
    return path


def with_notes(general: Path, text: str, study: str = "mine") -> Techniques:
    notes = general.parent / f"{study}.yaml"
    notes.write_text(text)
    return read_techniques(study, general, notes)


def test_a_studys_own_prediction_replaces_the_general_one_and_is_not_foreign(general: Path) -> None:
    found = with_notes(general, "width: {prediction: 'mine,\n  in two lines'}")
    assert (found.of("width").prediction, found.of("width").foreign) == ("mine, in two lines", False)
    assert (found.of("depth").prediction, found.of("depth").foreign) == ("the general one of depth", True)
    assert (found.of("width").how, found.of("width").label, found.of("width").confound) == ("h", "width", "c")


def test_ranges_are_kept_by_value_as_the_grid_spells_it(general: Path) -> None:
    found = with_notes(general, "width: {prediction: p, expected: {8: [-1, 2], false: [0.5, 1], 0.1: [10, 20]}}")
    assert found.of("width").expected == {"8": (-1, 2), "false": (0.5, 1), "0.1": (10, 20)}
    assert found.of("depth").expected == {}


def test_ranges_of_the_general_predictions_stand_in_the_notes_of_the_cifar10_study(general: Path) -> None:
    found = with_notes(general, "width: {expected: {8: [1, 2]}}", "cifar10")
    assert found.of("width").expected == {"8": (1, 2)} and found.of("width").prediction == "the general one of width"


def test_an_explanation_leaves_the_prediction_as_it_is(general: Path) -> None:
    found = with_notes(general, "depth: {explanation: More blocks see more.}").of("depth")
    assert (found.explanation, found.prediction, found.foreign) == (
        "More blocks see more.",
        "the general one of depth",
        True,
    )


@pytest.mark.parametrize("text", ["", "# nothing yet", "width: {prediction: ''}", "width: {}"])
def test_notes_that_say_nothing_leave_the_general_file(general: Path, text: str) -> None:
    found = with_notes(general, text)
    assert found.axes == read_techniques("mine", general).axes
    assert found.notes == general.parent / "mine.yaml"  # where explanations are to be written


@pytest.mark.parametrize(("study", "foreign"), [("cifar10", False), ("digits", True)])
def test_without_notes_the_general_predictions_are_those_of_the_cifar10_study(
    general: Path, study: str, foreign: bool
) -> None:
    found = read_techniques(study, general, general.parent / "none.yaml")
    assert found.notes is None
    for axis in AXES:
        technique = found.of(axis)
        assert (technique.prediction, technique.foreign) == (f"the general one of {axis}", foreign)
        assert technique.explanation == ""


def test_notes_lie_beside_the_talk_under_the_name_of_the_study(
    general: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    TECHNIQUES.parent.mkdir(parents=True)
    general.rename(TECHNIQUES)
    assert notes_of("mine") == NOTES / "mine.yaml"
    assert read_techniques("mine").notes is None
    NOTES.mkdir()
    (NOTES / "mine.yaml").write_text("width: {prediction: mine}")
    assert read_techniques("mine").of("width").prediction == "mine"
    assert read_techniques("mine").notes == NOTES / "mine.yaml"
    assert read_techniques("other").of("width").prediction == "the general one of width"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("widht: {explanation: a}", "no axis 'widht' in {general}; did you mean 'width'?"),
        ("width: {explanashun: a}", "width.explanashun: unknown key; did you mean 'explanation'?"),
        ("width: {label: a}", "width.label: unknown key; valid: prediction, explanation, expected"),
        ("width: {prediction: p, expected: 3}", "width.expected: expected {{value: [least, most]}}"),
        ("width: {prediction: p, expected: {8: 3}}", "width.expected.8: expected [least, most], two numbers"),
        ("width: {prediction: p, expected: {8: [1, 2, 3]}}", "width.expected.8: expected [least, most]"),
        ("width: {prediction: p, expected: {8: [2, 1]}}", "in that order, not [2, 1]"),
        ("width: {prediction: p, expected: {8: [a, b]}}", "width.expected.8: expected [least, most]"),
        ("width: {prediction: p, expected: {false: [true, 2]}}", "width.expected.false: expected [least, most]"),
        ("width: {expected: {8: [1, 2]}}", "width.expected: the numbers of a prediction; write that beside it"),
        ("width: {prediction: 3}", "width.prediction: expected text"),
        ("width: {explanation: [a, b]}", "width.explanation: expected text"),
        ("width: {explanation: }", "width.explanation: expected text"),
        ("width: because", "width: expected prediction, explanation"),
        ("- width", "expected a mapping of axes"),
        ("width: {explanation: a", "not valid YAML"),
    ],
)
def test_a_mistake_in_notes_is_one_line_naming_file_and_entry(general: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        with_notes(general, text)
    message = str(caught.value)
    assert message.startswith(f"{general.parent / 'mine.yaml'}: ") and "\n" not in message
    assert said.format(general=general) in message


@pytest.mark.parametrize("path", sorted((ROOT / NOTES).glob("*.yaml")), ids=lambda path: path.stem)
def test_the_notes_in_the_repository_can_be_read(path: Path) -> None:
    assert read_techniques(path.stem, ROOT / TECHNIQUES, path).notes == path
