"""`vitflow train --pending`: whatever is missing, beside other processes and within a time limit."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock
from support.commands import TWO_RUNS, edited, statuses
from support.results import BASELINE

from vitflow import cli
from vitflow.commands import evaluate as evaluating
from vitflow.commands import train as command
from vitflow.machine.files import read_json
from vitflow.machine.limits import Machine
from vitflow.results import ledger, progress
from vitflow.results.ledger import Job
from vitflow.results.lock import Busy
from vitflow.study.reading import read_study
from vitflow.study.schema import Study


def test_pending_trains_and_scores_whatever_is_missing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "config.yaml").write_text(TWO_RUNS)
    assert cli.main(["train", "--run", "width=8", "--threads", "1"]) == 0
    assert cli.main(["train", "--pending", "--threads", "1"]) == 0
    assert capsys.readouterr().out == "tiny: every training is done\n"
    assert statuses() == ["done", "done"]


def test_pending_leaves_a_run_to_the_process_that_holds_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "config.yaml").write_text(TWO_RUNS)
    BASELINE.state.mkdir(parents=True)
    with FileLock(BASELINE.state / "lock"):
        assert cli.main(["train", "--pending", "--threads", "1"]) == 75
    said = capsys.readouterr().err
    assert f"{BASELINE.state}: another process is at work on baseline seed 0" in said
    assert said.splitlines()[-1] == "tiny: 1 training left; the same command goes on"
    assert statuses() == ["missing", "done"]


def test_pending_does_not_count_what_others_have_finished_meanwhile(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "config.yaml").write_text(TWO_RUNS)
    train = command.train

    def while_another_one_works(study: Study, job: Job, machine: Machine) -> bool:
        if job.run != "baseline":
            return train(study, job, machine)
        train(study, job, machine)
        evaluating.evaluate(study, job, machine)
        raise Busy("another process has it, and ends before this one does")

    monkeypatch.setattr(command, "train", while_another_one_works)
    assert cli.main(["train", "--pending", "--threads", "1"]) == 0


def test_a_divergence_is_a_result_and_the_study_goes_on(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = edited(TWO_RUNS, ("width: [8, 16]", "learning_rate: [1.0e+30]"))
    (here / "config.yaml").write_text(config)
    assert cli.main(["train", "--pending", "--threads", "1"]) == 0
    study = read_study("config.yaml")
    assert [job.status for job in ledger.all_jobs(study)] == ["done", "diverged"]
    job = ledger.all_jobs(study)[1]
    record, metrics = read_json(job.paths.train), read_json(job.paths.metrics)
    assert record["status"] == metrics["status"] == "diverged"
    assert 0 < record["diverged_step"] < record["steps"] == 4
    assert metrics["validation"] is metrics["test"] is metrics["train"] is None
    assert cli.main(["train", "--run", job.run]) == 0, "it is not trained again"


def test_no_evaluation_begins_that_would_outlast_the_time_limit(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "config.yaml").write_text(TWO_RUNS)
    words = ["train", "--pending", "--threads", "1", "--time-limit", "100"]

    def found() -> list[str]:
        return statuses()

    monkeypatch.setattr(progress, "scoring_seconds", lambda study, job: 100.0)
    assert cli.main(words) == 75 and found() == ["trained", "missing"]
    assert cli.main(words) == 75 and found() == ["done", "trained"], "the next sitting begins with it"
    assert cli.main(words) == 0 and found() == ["done", "done"]


def test_the_time_that_scoring_is_allowed_follows_from_the_speed_of_training(done: Path) -> None:
    study = read_study("config.yaml")
    speed = read_json(BASELINE.train)["cost"]["images_per_second"]
    images = sum(read_json(BASELINE.metrics)[split]["images"] for split in ("validation", "test", "train"))
    assert progress.scoring_seconds(study, ledger.all_jobs(study)[0]) >= images / speed > 0


@pytest.mark.parametrize("more", [["--run", "baseline"], ["--seed", "1"]])
def test_pending_is_not_asked_for_together_with_one_run(
    here: Path, capsys: pytest.CaptureFixture[str], more: list[str]
) -> None:
    assert cli.main(["train", "--pending", *more]) == 2
    assert "leave out --run and --seed, or --pending" in capsys.readouterr().err


def test_what_is_trained_is_not_trained_again_where_its_weights_are_elsewhere(
    done: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    BASELINE.checkpoint.unlink()
    BASELINE.metrics.unlink()
    assert cli.main(["train", "--pending"]) == 2
    told = capsys.readouterr().err
    assert f"{BASELINE.checkpoint}: weights are missing" in told and "vitflow restore" in told
    assert not BASELINE.checkpoint.exists()
