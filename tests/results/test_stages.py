"""Stages: what each reads and makes, and that it is current while the digests hold."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.files import append, set_time
from support.results import HOME, ROOT, TINY
from support.stages import NAMES, all_but, state, states

from vitflow.machine.files import sha256_text
from vitflow.results import ledger, stages
from vitflow.results.code import source_digest
from vitflow.results.layout import Layout
from vitflow.results.stages import Stage
from vitflow.study.grid import expand, feature_runs
from vitflow.study.reading import read_study
from vitflow.study.schema import Study

pytestmark = pytest.mark.usefixtures("in_a_checkout")


# ----------------------------------------------------------------------------------- what reads what


@pytest.mark.parametrize("config", ["config.yaml", "tests/workflow/tiny.yaml", "workflow/studies/cifar10-cpu.yaml"])
def test_no_file_is_made_by_two_stages_and_none_is_read_before_it_is_made(
    config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    study = read_study(config)
    home = Layout(study.study)
    # what single runs leave, and what the user writes
    there: set[Path] = set(stages.talk(study.study)) | {home.features / f"{run}.json" for run in feature_runs(study)}
    for job in ledger.jobs(study):
        there |= {job.paths.train, job.paths.metrics, job.paths.history, home.cost(job.run)}
    made: list[Path] = []
    for stage in stages.stages(study).values():
        if study.best and stage.name == "best":  # between selecting and confirming, the winner is trained
            there |= {job.paths.metrics for job in ledger.fresh_jobs(study)}
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
    assert list(found) == ["summary", "features", "mistakes", "figures", "slides", "explore"]
    assert HOME.analysis / "best.json" not in found["slides"].inputs


def test_every_room_that_a_stage_names_exists(study: Study) -> None:
    rooms = {room for stage in stages.stages(study).values() for room in stage.rooms}
    tables, talk = {"analysis", "commands/analyse"}, {"slides", "analysis/claims", "analysis/techniques"}
    assert rooms == tables | {"figures", "analysis/confirmation"} | talk | {"explore", "slides/filters"}
    assert all(source_digest(room) != source_digest("no such room") for room in rooms)


def test_judging_stages_imports_neither_torch_nor_matplotlib() -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from vitflow.results import audit, stages, times; from vitflow.study.reading import read_study\n"
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
        *((room, {"summary", "best"}) for room in stages.TABLES),
        ("figures", {"figures"}),
        *((room, {"explore"}) for room in ("explore", "slides/filters")),
        *((room, {"slides"}) for room in ("slides", "analysis/techniques")),
        ("analysis/claims", {"figures", "slides"}),
        ("analysis/confirmation", {"figures"}),
        # the first would want other weights, the second another training
        *((room, set[str]()) for room in ("models", "training", "measuring/scores", "measuring/features")),
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
    assert states(found) == all_but(**dict.fromkeys(set(NAMES) - {"features"}, "outdated"))


def test_features_of_another_run_are_asked_for(study: Study, made: dict[str, Stage]) -> None:
    wanted = study.features.model_copy(update={"runs": [*study.features.runs, "heads=1"]})
    assert states(stages.stages(study.model_copy(update={"features": wanted}))) == all_but(
        features="outdated", summary="outdated", best="outdated"
    )


def test_an_axis_less_makes_outdated_what_was_made_with_it(study: Study, made: dict[str, Stage]) -> None:
    axes = {"architecture": {"width": study.ablations["architecture"]["width"]}}
    found = stages.stages(study.model_copy(update={"ablations": axes}))
    # the figures will be when they read another summary
    assert states(found) == all_but(**dict.fromkeys(set(NAMES) - {"features", "figures"}, "outdated"))
