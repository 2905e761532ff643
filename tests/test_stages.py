"""Stages: what is made from all runs is current while digests hold, and file times say exactly that."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.results import as_it_was

from vitflow.machine.files import FileProblem, read_json, sha256_text, write_text
from vitflow.results import ledger, stages
from vitflow.results.code import source_digest
from vitflow.results.layout import Layout
from vitflow.results.provenance import write_sealed
from vitflow.results.stages import Stage
from vitflow.results.times import settle
from vitflow.study.grid import expand, feature_runs
from vitflow.study.reading import read_study
from vitflow.study.schema import Study

ROOT = Path(__file__).parents[1]
TINY = ROOT / "tests" / "workflow" / "tiny.yaml"
HOME = Layout("tiny")
pytestmark = pytest.mark.usefixtures("in_an_empty_folder")
NAMES = ("summary", "pca", "select", "best", "figures", "slides")


@pytest.fixture
def study() -> Study:
    return read_study(TINY)


@pytest.fixture
def made(
    study: Study, finished: Path, in_an_empty_folder: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, Stage]]:
    """Every stage of the tiny study, current; its files are here."""
    monkeypatch.chdir(finished)
    with as_it_was():
        yield stages.stages(study)


def states(found: dict[str, Stage]) -> dict[str, str]:
    return {name: stage.state for name, stage in found.items()}


def all_but(**different: str) -> dict[str, str]:
    return {name: different.get(name, "current") for name in NAMES}


def state(stage: Stage) -> str:
    """Asked anew each time, though mypy takes a property for a constant."""
    return stage.state


def append(path: Path, text: str = "\nand more") -> None:
    path.write_text(path.read_text() + text)


def set_time(path: Path, seconds: float) -> None:
    os.utime(path, (seconds, seconds))


def newer(one: Path, other: Path) -> bool:
    return one.stat().st_mtime_ns > other.stat().st_mtime_ns


# ----------------------------------------------------------------------------------- what reads what


@pytest.mark.parametrize("config", ["config.yaml", "tests/workflow/tiny.yaml", "workflow/studies/cifar10-small.yaml"])
def test_no_file_is_made_by_two_stages_and_none_is_read_before_it_is_made(config: str) -> None:
    study = read_study(ROOT / config)
    home = Layout(study.study)
    # what single runs leave, and what the user writes
    there: set[Path] = set(stages.talk()) | {home.features / f"{run}.json" for run in feature_runs(study)}
    for job in ledger.jobs(study):
        there |= {job.paths.train, job.paths.metrics, job.paths.history, home.cost(job.run)}
    made: list[Path] = []
    for stage in stages.stages(study).values():
        if study.best and stage.name == "best":  # between selecting and confirming, the winner is trained
            there |= {home.seed(ledger.BEST, seed).metrics for seed in ledger.fresh_seeds(study.best)}
        assert set(stage.inputs) <= there | set(made), stage.name
        made += [*stage.outputs, stage.record]
        assert stage.outputs, stage.name
    assert len(made) == len(set(made))
    assert not there & set(made)


def test_every_run_is_read_by_the_summary_and_has_its_metrics(study: Study) -> None:
    summary = stages.stages(study)["summary"]
    for job in ledger.jobs(study):
        assert {job.paths.train, job.paths.metrics, job.paths.history, HOME.cost(job.run)} <= set(summary.inputs)
    metrics = {path.stem for path in summary.outputs if path.parent == HOME.metrics}
    assert metrics == set(expand(study).runs)


def test_a_study_that_chooses_no_winner_has_no_such_stages(study: Study) -> None:
    found = stages.stages(study.model_copy(update={"best": None}))
    assert list(found) == ["summary", "pca", "figures", "slides"]
    assert HOME.analysis / "best.json" not in found["slides"].inputs


def test_every_room_that_a_stage_names_exists(study: Study) -> None:
    rooms = {room for stage in stages.stages(study).values() for room in stage.rooms}
    assert rooms == {"analysis", "tables", "figures", "slides"}
    assert all(source_digest(room) != source_digest("no such room") for room in rooms)


def test_judging_stages_imports_neither_torch_nor_matplotlib(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from vitflow import audit, stages; from vitflow.study import read_study\n"
        "study = read_study(Path(sys.argv[1])); found = stages.stages(study)\n"
        "times.settle_stages(found.values()); found['summary'].seal(); audit.audit(study)\n"
        "print(sorted({'torch', 'torchvision', 'matplotlib', 'sklearn', 'scipy', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(TINY)], capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n", done.stderr


# ------------------------------------------------------------------------------------- current, or not


def test_a_study_without_results_misses_every_stage(study: Study) -> None:
    assert states(stages.stages(study)) == dict.fromkeys(NAMES, "missing")


def test_what_was_just_made_is_current(made: dict[str, Stage]) -> None:
    assert states(made) == all_but()
    assert all(stage.edited() == [] for stage in made.values())


def test_file_times_do_not_count(made: dict[str, Stage]) -> None:
    for number, path in enumerate(sorted(Path("results").rglob("*.*"))):
        set_time(path, 1_700_000_000 + 7919 * number % 1000)
    assert states(made) == all_but()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("position", [0, -1])
def test_a_changed_input_makes_a_stage_outdated(made: dict[str, Stage], name: str, position: int) -> None:
    append(made[name].inputs[position])
    assert state(made[name]) == "outdated"


@pytest.mark.parametrize("name", NAMES)
def test_an_input_that_went_away_makes_a_stage_outdated(made: dict[str, Stage], name: str) -> None:
    made[name].inputs[0].unlink()
    assert state(made[name]) == "outdated"


def test_two_inputs_that_changed_places_are_noticed(made: dict[str, Stage]) -> None:
    one, other = made["summary"].inputs[:2]
    texts = one.read_text(), other.read_text()
    other.write_text(texts[0])
    one.write_text(texts[1])
    assert state(made["summary"]) == "outdated"
    one.unlink()
    made["summary"].seal()
    other.rename(one)
    assert state(made["summary"]) == "outdated", "of two files, one is there: now the other"


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_output_makes_a_stage_outdated_and_none_at_all_missing(made: dict[str, Stage], name: str) -> None:
    made[name].outputs[-1].unlink()
    assert state(made[name]) == ("outdated" if len(made[name].outputs) > 1 else "missing")
    for path in made[name].outputs:
        path.unlink(missing_ok=True)
    assert state(made[name]) == "missing"


@pytest.mark.parametrize("name", NAMES)
def test_without_a_record_nothing_is_believed(made: dict[str, Stage], name: str) -> None:
    made[name].record.unlink()
    assert states(made) == all_but(**{name: "outdated"})
    assert made[name].edited() == []


@pytest.mark.parametrize(
    ("room", "outdated"),
    [
        ("analysis", {"summary", "best"}),
        ("tables", {"summary", "best"}),
        ("figures", {"figures"}),
        ("slides", {"slides"}),
        # the first would want other weights, the second another training
        *((room, set[str]()) for room in ("models", "training", "evaluation", "features")),
    ],
)
def test_changed_code_makes_outdated_what_it_made(
    made: dict[str, Stage], monkeypatch: pytest.MonkeyPatch, room: str, outdated: set[str]
) -> None:
    def changed(*rooms: str) -> str:
        return sha256_text("edited") if room in rooms else source_digest(*rooms)

    monkeypatch.setattr(stages, "source_digest", changed)
    assert states(made) == all_but(**dict.fromkeys(outdated, "outdated"))


def test_another_title_makes_outdated_what_copies_it(study: Study, made: dict[str, Stage]) -> None:
    found = stages.stages(study.model_copy(update={"title": "Another"}))
    assert states(found) == all_but(summary="outdated", best="outdated")


def test_where_the_data_lie_makes_nothing_outdated(study: Study, made: dict[str, Stage]) -> None:
    elsewhere = study.model_copy(update={"dataset": study.dataset.model_copy(update={"path": "/elsewhere"})})
    assert states(stages.stages(elsewhere)) == all_but()


def test_another_axis_wants_another_figure(study: Study, made: dict[str, Stage]) -> None:
    axes = {"architecture": {**study.ablations["architecture"], "depth": [1, 2]}}
    found = stages.stages(study.model_copy(update={"ablations": axes}))
    # the selection is until the new run has scores, the talk until the new figure is drawn
    assert states(found) == all_but(summary="outdated", best="outdated", figures="outdated")
    for path in (HOME.seed("depth=1", 0).metrics, HOME.figures / "axis-architecture-depth.png"):
        write_text(path, "new")
    assert states(found) == all_but(**dict.fromkeys(set(NAMES) - {"pca"}, "outdated"))


def test_an_axis_less_makes_outdated_what_was_made_with_it(study: Study, made: dict[str, Stage]) -> None:
    axes = {"architecture": {"width": study.ablations["architecture"]["width"]}}
    found = stages.stages(study.model_copy(update={"ablations": axes}))
    # the figures will be when they read another summary
    assert states(found) == all_but(**dict.fromkeys(set(NAMES) - {"pca", "figures"}, "outdated"))


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
        (HOME.analysis / "summary.json", "summary", {"figures", "slides"}),
        *((HOME.analysis / name, "summary", {"figures"}) for name in ("curves.csv", "confusion.json")),
        (HOME.analysis / "calibration.json", "summary", {"figures"}),
        *((path, "summary", set[str]()) for path in (HOME.grid, HOME.summary, HOME.metrics / "baseline.json")),
        (HOME.analysis / "pca.json", "pca", {"figures"}),
        (HOME.selection, "select", {"best"}),
        (HOME.analysis / "best.json", "best", {"slides"}),
        (HOME.figures / "curves.svg", "figures", {"slides"}),
        (HOME.figures / "captions.json", "figures", {"slides"}),
        (HOME.slides / "deck.md", "slides", set[str]()),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_an_edited_output_outdates_what_reads_it(
    made: dict[str, Stage], path: Path, made_by: str, read_by: set[str]
) -> None:
    append(path)
    assert states(made) == all_but(**{made_by: "edited"}, **dict.fromkeys(read_by, "outdated"))


@pytest.mark.parametrize("path", stages.talk(), ids=lambda path: path.name)
def test_an_edited_talk_outdates_the_slides_alone(made: dict[str, Stage], path: Path) -> None:
    append(path)
    assert states(made) == all_but(slides="outdated")


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
    write_text(made["pca"].record, damage)
    for ask in (lambda stage: stage.state, Stage.edited):
        with pytest.raises(FileProblem, match=r"provenance/pca\.json: damaged .*delete it") as error:
            ask(made["pca"])
        assert "\n" not in str(error.value)


# ----------------------------------------------------------------------------------------- file times


def shuffle(seed: str) -> None:
    """Times as git, DVC, archives and clocks may set them: some equal, some in the future."""
    draw = random.Random(seed)
    for path in (*Path("results").rglob("*"), *Path("workflow").rglob("*")):
        set_time(path, draw.choice([1_000_000_000, 1_700_000_000, 4_000_000_000]) + draw.randrange(5))


def times() -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in Path().rglob("*") if path.is_file()}


def contents() -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}


def edit_record(stage: Stage, **changes: object) -> None:
    stage.record.write_text(json.dumps(read_json(stage.record) | changes))


#: what may have happened to a stage
HAPPENINGS: dict[str, Callable[[Stage], object]] = {
    "nothing": lambda stage: None,
    "an output edited": lambda stage: append(stage.outputs[0]),
    "an output lost": lambda stage: stage.outputs[-1].unlink(),
    "an input changed": lambda stage: append(stage.inputs[0]),
    "the record lost": lambda stage: stage.record.unlink(),
    "the record edited": lambda stage: edit_record(stage, digest="0" * 64),
    "made by other code": lambda stage: write_sealed(stage.record, {**read_json(stage.record), "code": "other"}),
}


@pytest.mark.parametrize("happening", HAPPENINGS)
@pytest.mark.parametrize("name", NAMES)
def test_settling_makes_what_is_current_newer_and_what_is_outdated_older(
    made: dict[str, Stage], name: str, happening: str
) -> None:
    HAPPENINGS[happening](made[name])
    shuffle(f"{happening} to {name}")
    before, said, old = states(made), contents(), times()
    settle(made.values())
    assert states(made) == before and contents() == said, "only times are set"
    again = {path for stage in made.values() if stage.state == "outdated" for path in stage.outputs}
    for stage in made.values():
        inputs = [path for path in stage.inputs if path.exists()]
        outputs = [path for path in stage.outputs if path.exists()]
        if before[stage.name] in ("current", "edited"):  # what somebody edited is not to be made again
            assert all(newer(output, path) for output in outputs for path in inputs), stage.name
        if before[stage.name] == "outdated":
            # of two stages in a row that are outdated, Snakemake makes the second again because of the first
            assert all(newer(path, output) for output in outputs for path in inputs if path not in again), stage.name
            assert not any(newer(output, path) for output in outputs for path in inputs), stage.name
    moved = {path for path, time in times().items() if time != old[path]}
    assert moved <= {path for stage in made.values() for path in stage.outputs}, "inputs and records keep theirs"
    settled = times()
    settle(made.values())
    assert times() == settled, "settling twice moves nothing"


def test_what_is_outdated_is_older_than_inputs_of_any_age(made: dict[str, Stage]) -> None:
    append(made["pca"].inputs[0])
    for path in made["pca"].inputs:
        set_time(path, 0)  # as in reproducible archives and images
    settle(made.values())
    assert not any(newer(output, path) for output in made["pca"].outputs for path in made["pca"].inputs)


def test_settling_a_study_without_results_does_nothing(study: Study, tmp_path: Path) -> None:
    settle(stages.stages(study).values())
    assert list(tmp_path.iterdir()) == []


def test_tables_of_another_study_become_old(study: Study, made: dict[str, Stage]) -> None:
    summary = HOME.analysis / "summary.json"
    settle(made.values())
    scores = HOME.seed("baseline", 0).metrics
    assert newer(summary, scores)
    settle(stages.stages(study.model_copy(update={"title": "Another"})).values())
    assert newer(scores, summary)
    settle(made.values())
    assert newer(summary, scores), "and back again"


def test_principal_components_follow_the_features_they_were_made_from(made: dict[str, Stage]) -> None:
    manifests = [HOME.features / "baseline.json", HOME.features / "resnet18-width=4.json"]
    assert set(made["pca"].inputs) == set(manifests)
    (pca,) = made["pca"].outputs
    set_time(pca, 1_700_000_000)
    settle(made.values())
    assert all(newer(pca, manifest) for manifest in manifests)
    append(manifests[1])
    settle(made.values())
    assert all(newer(manifest, pca) for manifest in manifests)


def test_a_selection_follows_the_scores_it_was_made_from(study: Study, made: dict[str, Stage]) -> None:
    scores = [job.paths.metrics for job in ledger.jobs(study)]
    set_time(HOME.selection, 1_000)
    settle(made.values())
    assert all(newer(HOME.selection, path) for path in scores)
    append(scores[-1])
    settle(made.values())
    assert all(newer(path, HOME.selection) for path in scores)
