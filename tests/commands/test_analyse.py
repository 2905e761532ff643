"""`vitflow analyse`: tables of whatever is finished, and what each step refuses; the numbers are in tests/analysis."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.commands import TINY, Mistake, edited
from support.files import append
from support.results import BASELINE, HOME

from vitflow import cli
from vitflow.commands import analyse as command
from vitflow.machine.files import read_json, sha256, write_json, write_text
from vitflow.results.stages import stages
from vitflow.study.reading import read_study

FEATURES = HOME.features / "baseline.safetensors"
#: the tiny study with features of the winner too
OF_BEST = ("runs: [baseline, ", "runs: [best, baseline, ")


def test_tables_are_of_whatever_is_finished_and_say_how_much_that_is(done: Path) -> None:
    assert cli.main(["analyse", "summary"]) == 0
    runs = read_json(HOME.analysis / "summary.json")["runs"]
    finished = {"baseline": 1, "width=8": 0, "heads=1": 0, "resnet18-width=4": 0}
    assert {name: run["n"] for name, run in runs.items()} == finished
    assert stages(read_study("config.yaml"))["summary"].state == "current"
    assert [line.split(",")[0] for line in HOME.summary.read_text().splitlines()[1:]] == list(finished)
    assert {path.stem for path in HOME.metrics.iterdir()} == finished.keys()


def test_no_table_is_made_from_results_that_were_edited_or_damaged(done: Path, mistake: Mistake) -> None:
    scores = read_json(BASELINE.metrics)
    write_json(BASELINE.metrics, scores | {"test": scores["test"] | {"accuracy": 99.5}})
    assert f"{BASELINE.metrics}: edited by hand" in mistake("analyse", "summary")
    write_json(BASELINE.metrics, scores | {"test": scores["test"] | {"accuracy": "high"}})
    assert f"{BASELINE.metrics}: edited by hand" in mistake("analyse", "summary")
    write_json(BASELINE.metrics, scores)
    BASELINE.history.write_bytes(b"\x89\xff, cut")
    assert f"{BASELINE.history}: not what {BASELINE.train} says; get it back" in mistake("analyse", "summary")
    assert not HOME.summary.exists()


def test_tables_of_runs_that_the_study_no_longer_has_are_taken_away(done: Path) -> None:
    gone, winner = HOME.metrics / "width=99.json", HOME.metrics / "best.json"
    confirmed = HOME.analysis / "best.json"
    for path in (gone, winner, confirmed):
        write_text(path, "{}")
    assert cli.main(["analyse", "summary"]) == 0
    assert not gone.exists() and winner.exists() and confirmed.exists()
    (done / "config.yaml").write_text(edited(TINY, ("best: {seeds: 1, singles: 0}", "")))
    assert cli.main(["analyse", "summary"]) == 0
    assert not winner.exists() and not confirmed.exists(), "nor a winner that nobody wants"


def test_components_are_of_features_that_are_there_and_whole(done: Path, mistake: Mistake) -> None:
    assert cli.main(["features", "--run", "baseline"]) == 0
    missing = HOME.features / "resnet18-width=4.safetensors"
    assert f"{missing}: no such features; run `vitflow features`" in mistake("analyse", "features")
    FEATURES.write_bytes(FEATURES.read_bytes() + b"more")
    told = mistake("analyse", "features")
    assert f"{FEATURES}: not what {FEATURES.with_suffix('.json')} says; delete both" in told
    assert not (HOME.analysis / "features.json").exists()


def test_features_of_a_winner_wait_for_its_selection(done: Path, mistake: Mistake) -> None:
    (done / "config.yaml").write_text(edited(TINY, OF_BEST))
    assert "'best' is not selected yet; run `vitflow analyse select` first" in mistake("analyse", "features")


def test_features_of_an_older_version_are_to_be_made_again(done: Path, mistake: Mistake) -> None:
    write_text(FEATURES, "as they were")
    write_json(FEATURES.with_suffix(".json"), {"layer": "block1", "features_sha256": sha256(FEATURES)})
    assert f"{FEATURES}: of an older version; delete it and its .json" in mistake("analyse", "features")


def test_without_a_named_step_all_are_done_but_the_winner(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    did: list[str] = []
    for name in command.STEPS:
        monkeypatch.setitem(command.STEPS, name, lambda study, name=name: did.append(name))
    assert cli.main(["analyse"]) == 0 and did == ["summary", "features", "select"]
    did.clear()
    (here / "config.yaml").write_text(edited(TINY, OF_BEST))
    assert cli.main(["analyse"]) == 0 and did == ["summary", "select"], "features of the winner come after it"
    did.clear()
    assert cli.main(["analyse", "best", "summary"]) == 0 and did == ["best", "summary"]
    did.clear()
    (here / "config.yaml").write_text(edited(TINY, ("best: {seeds: 1, singles: 0}", "")))
    assert cli.main(["analyse"]) == 0 and did == ["summary", "features"], "a study may choose no winner"


def test_a_mistake_in_what_is_known_of_the_axes_is_told(done: Path, mistake: Mistake) -> None:
    append(done / "workflow" / "slides" / "techniques.yaml", "\nwidth: twice\n")
    assert mistake("analyse", "summary").startswith("vitflow: workflow/slides/techniques.yaml: ")
