"""Stages that somebody edited: outputs, the talk, what is known of the axes, and the records themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from support.files import append
from support.results import HOME
from support.stages import NAMES, all_but, state, states

from vitflow.analysis.techniques import FIELDS, TECHNIQUES, notes_of
from vitflow.machine.files import FileProblem, read_json, sha256_text, write_text
from vitflow.results.stages import Stage, check_inputs, stages, talk
from vitflow.study.names import ConfigError
from vitflow.study.reading import read_yaml
from vitflow.study.schema import Study


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("position", [0, -1])
def test_an_output_changed_by_hand_is_named(made: dict[str, Stage], name: str, position: int) -> None:
    changed = made[name].outputs[position]
    before = changed.read_text()
    append(changed)
    assert state(made[name]) == "edited"
    assert made[name].edited() == [changed]
    changed.write_text(before)
    assert state(made[name]) == "current"


@pytest.mark.parametrize(
    ("path", "made_by", "read_by"),
    [
        (HOME.analysis / "summary.json", "summary", {"figures", "slides", "explore"}),
        (HOME.analysis / "curves.csv", "summary", {"figures", "explore"}),
        *((HOME.analysis / name, "summary", {"figures"}) for name in ("confusion.json", "calibration.json")),
        *((path, "summary", set[str]()) for path in (HOME.grid, HOME.summary, HOME.metrics / "baseline.json")),
        (HOME.analysis / "features.json", "features", {"figures", "slides", "explore"}),
        (HOME.analysis / "inspection.json", "summary", {"figures", "slides"}),
        (HOME.analysis / "mistakes.json", "mistakes", {"explore"}),
        (HOME.selection, "select", {"best"}),
        (HOME.analysis / "best.json", "best", {"figures", "slides"}),
        (HOME.figures / "curves.svg", "figures", {"slides"}),
        (HOME.figures / "captions.json", "figures", {"slides"}),
        *(
            (HOME.slides / name, stage, set[str]())
            for name, stage in (("deck.md", "slides"), ("explore.html", "explore"))
        ),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_an_edited_output_outdates_what_reads_it(
    made: dict[str, Stage], path: Path, made_by: str, read_by: set[str]
) -> None:
    append(path)
    assert states(made) == all_but(**{made_by: "edited"}, **dict.fromkeys(read_by, "outdated"))


@pytest.mark.parametrize("path", talk("tiny"), ids=lambda path: path.name)
def test_an_edited_talk_outdates_the_slides_alone(complete: Study, made: dict[str, Stage], path: Path) -> None:
    append(path, "\n# and more\n")
    assert states(made) == states(stages(complete)) == all_but(slides="outdated")


NOTES = notes_of("tiny")


def test_notes_outdate_the_slides_alone(complete: Study, made: dict[str, Stage]) -> None:
    for text in ("width: {explanation: Because.}\n", "width: {prediction: More is better.}\n"):
        write_text(NOTES, text)
        found = stages(complete)
        assert NOTES in found["slides"].inputs
        assert states(found) == all_but(slides="outdated")
        found["slides"].seal()
    NOTES.unlink()
    assert states(stages(complete)) == all_but(slides="outdated"), "and without them again"


def rewrite(axis: str, **changes: str) -> None:
    """As somebody rewrites what is known of an axis."""
    known = read_yaml(TECHNIQUES)
    known[axis] |= changes
    TECHNIQUES.write_text(yaml.safe_dump(known))


@pytest.mark.parametrize("field", ["label", "confound"])
def test_words_that_tables_copy_outdate_the_tables_of_whoever_has_that_axis(
    complete: Study, made: dict[str, Stage], field: str
) -> None:
    rewrite("width", **{field: "in other words"})
    assert states(stages(complete)) == all_but(**dict.fromkeys(("summary", "best", "slides"), "outdated"))


@pytest.mark.parametrize(
    ("axis", "field"),
    [
        ("patch_size", "label"),
        ("patch_size", "confound"),
        *(("width", name) for name in FIELDS[1:3]),
        ("width", "prediction"),
    ],
)
def test_words_that_no_table_copies_outdate_the_slides_alone(
    complete: Study, made: dict[str, Stage], axis: str, field: str
) -> None:
    rewrite(axis, **{field: "in other words"})
    assert states(stages(complete)) == all_but(slides="outdated")


def test_without_what_is_known_of_the_axes_no_stage_is_judged(complete: Study) -> None:
    TECHNIQUES.unlink()
    with pytest.raises(ConfigError, match=r"workflow/slides/techniques\.yaml: no such file") as error:
        stages(complete)
    assert "\n" not in str(error.value)


# ---------------------------------------------------------------------------------------------- records


def test_an_edit_is_known_of_what_is_outdated_too(made: dict[str, Stage]) -> None:
    append(HOME.analysis / "summary.json")
    append(HOME.seed("baseline", 0).metrics)
    assert state(made["summary"]) == "outdated", "made from something else is worse than edited"
    assert made["summary"].edited() == [HOME.analysis / "summary.json"], "and the edit is still known"


def test_a_record_changed_by_hand_is_named(made: dict[str, Stage]) -> None:
    stage = made["figures"]
    drawn = stage.outputs[0]
    append(drawn)
    record = read_json(stage.record)
    record["outputs"][str(drawn)] = sha256_text(drawn.read_text())
    stage.record.write_text(json.dumps(record))
    assert state(stage) == "edited"
    assert stage.edited() == [stage.record]


def test_a_record_in_another_layout_is_the_same_record(made: dict[str, Stage]) -> None:
    for stage in made.values():
        stage.record.write_text(json.dumps(dict(reversed(read_json(stage.record).items())), indent=5))
    assert states(made) == all_but()


def test_the_same_files_give_the_same_record(made: dict[str, Stage]) -> None:
    before = {name: stage.record.read_bytes() for name, stage in made.items()}
    for stage in made.values():
        stage.seal()
    assert {name: stage.record.read_bytes() for name, stage in made.items()} == before


@pytest.mark.parametrize("damage", ["<<<<<<< HEAD\n", "{}", "[]", '{"outputs": {}}'])
def test_a_damaged_record_is_named_in_one_line(made: dict[str, Stage], damage: str) -> None:
    write_text(made["features"].record, damage)
    for ask in (lambda stage: stage.state, Stage.edited):
        with pytest.raises(FileProblem, match=r"provenance/features\.json: damaged .*delete it") as error:
            ask(made["features"])
        assert "\n" not in str(error.value)


# --------------------------------------------------------------------------------- what is about to be read


@pytest.mark.parametrize(
    ("name", "path"),
    [
        *((name, HOME.analysis / "curves.csv") for name in ("figures", "explore")),
        *(("slides", path) for path in (HOME.analysis / "best.json", HOME.figures / "curves.svg")),
        ("best", HOME.selection),
    ],
    ids=str,
)
def test_what_was_edited_is_not_read(complete: Study, made: dict[str, Stage], name: str, path: Path) -> None:
    check_inputs(complete, name)
    append(path, "\n")
    with pytest.raises(FileProblem) as told:
        check_inputs(complete, name)
    assert str(told.value).startswith(f"{path}: edited or damaged after it was made; get it back (`git checkout -- ")
    assert str(told.value).endswith(f"(`snakemake {name}`)")


def test_what_a_changed_record_vouches_for_is_not_read(complete: Study, made: dict[str, Stage]) -> None:
    record = made["summary"].record
    record.write_text(record.read_text().replace('"code": "', '"code": "x'))
    with pytest.raises(FileProblem, match=f"^{record}: edited"):
        check_inputs(complete, "figures")


def test_what_nobody_here_reads_may_be_edited(complete: Study, made: dict[str, Stage]) -> None:
    append(HOME.analysis / "mistakes.json")
    check_inputs(complete, "figures")
