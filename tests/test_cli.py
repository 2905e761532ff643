"""The command line on a tiny study: what is said, which code is returned, and that stopping loses nothing."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from filelock import FileLock
from safetensors.torch import load_file

from vitflow import cli, steps
from vitflow.data import places
from vitflow.data.prepare import load
from vitflow.machine.files import read_json, sha256
from vitflow.measuring import cost, features
from vitflow.measuring import estimate as plan
from vitflow.results import audit, ledger, record
from vitflow.results.layout import Layout
from vitflow.results.ledger import Job
from vitflow.study.grid import expand
from vitflow.study.reading import read_study
from vitflow.study.schema import Study
from vitflow.training import checkpoint

ROOT = Path(__file__).parents[1]
TINY = (ROOT / "tests" / "workflow" / "tiny.yaml").read_text()
HOME = Layout("tiny")
BASELINE = HOME.seed("baseline", 0)

#: two runs of one seed: what `--pending` works through
TWO_RUNS = """
study: tiny
dataset: {name: digits, train_images: 200, validation_fraction: 0.2}
training: {epochs: 2, batch_size: 50, learning_rate: 0.003, warmup_epochs: 1, augmentation: none}
baseline: {family: vit, patch_size: 4, width: 16, depth: 2, heads: 2}
seeds: 1
ablations: {architecture: {width: [8, 16]}}
"""


def edited(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def trained(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with the baseline's first seed trained and scored."""
    where = tmp_path_factory.mktemp("trained") / "here"
    shutil.copytree(prepared, where)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(where)
        assert cli.main(["train", "--run", "baseline", "--threads", "1"]) == 0
        assert cli.main(["evaluate", "--run", "baseline"]) == 0
    return where


@pytest.fixture
def done(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


Mistake = Callable[..., str]


@pytest.fixture
def mistake(capsys: pytest.CaptureFixture[str]) -> Mistake:
    """The one line on stderr of a call that must fail with exit code 2."""

    def mistake(*words: str) -> str:
        capsys.readouterr()
        try:
            code = cli.main(list(words))
        except SystemExit as stop:
            code = int(stop.code or 0)
        said = capsys.readouterr()
        assert (code, said.out) == (2, "")
        lines = said.err.splitlines()
        assert len(lines) == 1 and lines[0].startswith("vitflow: "), said.err
        return lines[0]

    return mistake


# -------------------------------------------------------------------------------------- help and mistakes


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_help_shows_an_example_that_parses(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main([command, "--help"])
    assert stop.value.code == 0
    examples = capsys.readouterr().out.split("example:\n")[1].strip().splitlines()
    for example in examples:
        program, *words = re.split(r">|&&", example)[0].split()
        assert program == "vitflow" and words[0] == command
        cli._parser().parse_args(words)


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(["--help"])
    assert stop.value.code == 0
    shown = capsys.readouterr().out
    assert all(f"\n    {command} " in shown for command in cli.COMMANDS)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "required: COMMAND"),
        (["trian"], "no command 'trian'; did you mean 'train'?"),
        (["train"], "say --run NAME or --pending"),
        (["train", "--run", "widht=8"], "no run 'widht=8' in study 'tiny'; did you mean 'width=8'?"),
        (["train", "--run", "baseline", "--seed", "9"], "run 'baseline' has no seed 9; valid: 0, 1"),
        (["train", "--run", "baseline", "--seed", "one"], "invalid int value: 'one'"),
        (["train", "--run", "baseline", "--threads", "0"], "expected a positive whole number, got '0'"),
        (["train", "--pending", "--time-limit", "soon"], "expected a positive whole number, got 'soon'"),
        (["train", "--run", "best_architecture"], "is not selected yet; run `vitflow analyse`"),
        (["train", "--pendign"], "unrecognized arguments: --pendign"),
        (["status", "--config", "cofnig.yaml"], "cofnig.yaml: no such file; did you mean 'config.yaml'?"),
        (["evaluate", "--run", "baselin"], "did you mean 'baseline'?"),
        (["evaluate", "--run", "baseline"], "is missing; train it first: `vitflow train --run baseline --seed 0`"),
        (["measure", "--run", "basline"], "no run 'basline' in study 'tiny'; did you mean 'baseline'?"),
        (["measure", "--jobs-per-gpu", "0"], "expected a positive whole number, got '0'"),
        (["features", "--run", "basline"], "did you mean 'baseline'?"),
        (["features", "--run", "width=8"], "is missing; train it first: `vitflow train --run width=8 --seed 0`"),
        (["analyse"], "no results yet; run"),
        (["analyse", "sumary"], "no step 'sumary'; did you mean 'summary'?"),
        (["analyse", "select"], "baseline seed 0 is missing; winners are chosen when the grid is finished"),
        (["analyse", "best"], "no winner is selected yet"),
        (["analyse", "pca"], "run `vitflow features`"),
        (["prepare", "--config", "cifar.yaml", "--path", "nowhere"], "nowhere: "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_told_in_one_line(here: Path, mistake: Mistake, words: list[str], told: str) -> None:
    (here / "cifar.yaml").write_text("study: c\ndataset: {name: cifar10}\n")
    assert told in mistake(*words)
    assert not (here / "results").exists(), "nothing is half-written"


@pytest.mark.parametrize("command", [c for c in cli.COMMANDS if c != "schema"])
def test_every_command_tells_a_mistake_in_the_configuration(here: Path, mistake: Mistake, command: str) -> None:
    (here / "config.yaml").write_text(edited(TINY, ("epochs: 2", "epohcs: 2")))
    words = [command, "--run", "baseline"] if command == "train" else [command]
    assert mistake(*words) == "vitflow: config.yaml: training.epohcs: unknown key; did you mean 'epochs'?"


def test_results_that_cannot_be_written_are_told_before_training(here: Path, mistake: Mistake) -> None:
    (here / "results").write_text("a file in the way")
    told = mistake("train", "--run", "baseline", "--threads", "1")
    assert told.startswith(f"vitflow: {BASELINE.state}: cannot be written (")


def test_weights_that_cannot_be_written_are_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    HOME.root.mkdir(parents=True)
    (HOME.root / "checkpoints").write_text("a file in the way")
    assert cli.main(["train", "--run", "baseline", "--threads", "1"]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith(f"vitflow: {BASELINE.checkpoint}: cannot be written (")
    assert not BASELINE.train.exists(), "what says that it is done comes last"


def test_data_that_cannot_be_written_are_told(here: Path, mistake: Mistake) -> None:
    shutil.rmtree(here / "data")
    (here / "data").write_text("a file in the way")
    assert "data: cannot be written" in mistake("prepare")


def test_errors_that_are_not_ours_are_not_hidden(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr(steps, "prepare", broken)
    with pytest.raises(ValueError, match="a bug"):
        cli.main(["prepare"])


def test_the_schema_is_json_and_knows_the_study(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["schema"]) == 0
    assert {"study", "dataset", "training", "ablations"} <= json.loads(capsys.readouterr().out)["properties"].keys()


# ------------------------------------------------------------------------------------- train and evaluate


def test_a_training_leaves_what_the_layout_promises(done: Path) -> None:
    names = {path.name for path in BASELINE.folder.iterdir()}
    assert names == {"config.json", "history.csv", "train.json", "metrics.json", "predictions.npz"}
    assert [path.name for path in BASELINE.state.iterdir()] == ["lock"], "resume states are cleaned up"
    record, metrics, study = read_json(BASELINE.train), read_json(BASELINE.metrics), read_study("config.yaml")
    assert record["status"] == "finished" and record["steps"] == 8 and record["train_images"] == 200
    assert record["config_digest"] == metrics["config_digest"] == study.baseline_run.digest
    assert record["checkpoint_sha256"] == metrics["checkpoint_sha256"] == sha256(BASELINE.checkpoint)
    assert record["provenance"]["threads"] == 1
    assert len(BASELINE.history.read_text().splitlines()) == 1 + study.training.epochs
    assert read_json(BASELINE.config)["training"]["epochs"] == 2


def test_scores_are_those_of_the_stored_predictions(done: Path) -> None:
    metrics, arrays, data = (
        read_json(BASELINE.metrics),
        np.load(BASELINE.predictions),
        load(read_study("config.yaml").dataset),
    )
    for name, split in (("validation", data.validation), ("test", data.test)):
        assert np.array_equal(arrays[f"{name}_label"], split.labels.numpy())
        right = arrays[f"{name}_predicted"] == arrays[f"{name}_label"]
        assert metrics[name]["accuracy"] == pytest.approx(100 * right.mean())
        truth = arrays[f"{name}_true_probability"]
        assert np.array_equal(truth[right], arrays[f"{name}_confidence"][right])
    last = BASELINE.history.read_text().splitlines()[-1].split(",")
    assert metrics["validation"]["accuracy"] == pytest.approx(float(last[6])), "as the last epoch's validation"


def test_a_finished_run_answers_without_importing_torch(done: Path) -> None:
    (done / "torch.py").write_text("raise ImportError('torch is imported to say that nothing is to do')")
    words = [sys.executable, "-m", "vitflow", "train", "--run", "baseline"]
    answer = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=60)
    assert (answer.returncode, answer.stdout) == (0, "baseline seed 0: already trained\n"), answer.stderr


def test_training_again_gives_the_same_bytes(done: Path) -> None:
    before = {path: path.read_bytes() for path in (BASELINE.checkpoint, BASELINE.history, BASELINE.config)}
    shutil.rmtree(BASELINE.folder)
    assert cli.main(["train", "--run", "baseline", "--threads", "1"]) == 0
    assert {path: path.read_bytes() for path in before} == before


def test_missing_weights_are_told_and_come_back_by_training(done: Path, mistake: Mistake) -> None:
    before = sha256(BASELINE.checkpoint)
    BASELINE.checkpoint.unlink()
    BASELINE.metrics.unlink()
    for command in ("evaluate", "features"):
        told = mistake(command, "--run", "baseline")
        assert f"{BASELINE.checkpoint}: no such weights" in told and "vitflow restore" in told
    assert cli.main(["train", "--run", "baseline", "--threads", "1"]) == 0
    assert sha256(BASELINE.checkpoint) == before


def test_other_weights_than_recorded_are_refused(done: Path, mistake: Mistake) -> None:
    content = bytearray(BASELINE.checkpoint.read_bytes())
    content[-1] ^= 1
    BASELINE.checkpoint.write_bytes(content)
    assert f"{BASELINE.checkpoint}: not the weights that" in mistake("evaluate", "--run", "baseline")


def test_results_of_another_configuration_are_named_and_trained_anew(done: Path, mistake: Mistake) -> None:
    (done / "config.yaml").write_text(edited(TINY, ("epochs: 2", "epochs: 3")))
    assert "baseline seed 0 is stale; train it first" in mistake("evaluate", "--run", "baseline")
    assert f"{BASELINE.train}: result of another configuration" in mistake("analyse", "summary")
    assert cli.main(["train", "--run", "baseline", "--threads", "1"]) == 0
    assert read_json(BASELINE.train)["steps"] == 12


def test_features_that_half_precision_cannot_hold_are_absent(done: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def overflowing(*arguments: Any) -> features.Features:
        taken = extract(*arguments)
        return dataclasses.replace(taken, pooled=taken.pooled * math.inf)

    extract = features.extract
    monkeypatch.setattr(features, "extract", overflowing)
    assert cli.main(["features", "--run", "baseline"]) == 0
    assert read_json(HOME.features / "baseline.json")["absent"] == "larger than half precision holds"
    assert load_file(HOME.features / "baseline.safetensors") == {}


def test_features_of_a_trained_run(done: Path) -> None:
    assert cli.main(["features", "--run", "baseline"]) == 0
    manifest = read_json(HOME.features / "baseline.json")
    assert (manifest["layer"], manifest["patch"], manifest["pooled"]) == ("block1", [50, 4, 16], [50, 16])
    assert manifest["checkpoint_sha256"] == read_json(BASELINE.train)["checkpoint_sha256"]


def test_status_tells_every_seed_and_orphans(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(BASELINE.folder, HOME.seed("width=99", 0).folder)
    assert cli.main(["status"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["baseline", "seed0", "done", "seed1", "missing"]
    assert lines[-4:] == [
        f"{HOME.seed('width=99', 0).folder}: orphaned, no longer in the study",
        "tiny: 4 missing, 1 done, of 5; about 1 min left, one after another",
        "`vitflow record` would hand 2 of 2 verified files to DVC",
        "4 runs are not finished (baseline seed 1, ...)",
    ]


# ----------------------------------------------------------------------------- status, record and restore


def lines_after(capsys: pytest.CaptureFixture[str], number: int) -> list[str]:
    """What `vitflow status` says below the line that counts, ``number`` of them."""
    capsys.readouterr()
    assert cli.main(["status"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-number - 1].startswith("tiny: ")
    return lines[-number:]


def rewrite(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(read_json(path) | changes))


def keep(path: Path, digest: str) -> None:
    """The .dvc file of ``path``, as if DVC kept the version of that sha256."""
    pointer = {"outs": [{"md5": "0" * 32, "path": path.name}], "meta": {"sha256": digest}}
    path.with_name(f"{path.name}.dvc").write_text(json.dumps(pointer))  # JSON is YAML


WAITING = "4 runs are not finished (baseline seed 1, ...)"


def test_status_says_what_record_would_refuse(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rewrite(BASELINE.metrics, test={"accuracy": 99.0})
    BASELINE.checkpoint.write_bytes(b"of another run")
    said = lines_after(capsys, 4)
    assert said[0] == "`vitflow record` would refuse: not what the configuration says:"
    assert said[1].startswith(f"  {BASELINE.checkpoint}: not the bytes that {BASELINE.train} names")
    assert said[2].startswith(f"  {BASELINE.metrics}: edited by hand after it was made; delete it")
    assert said[3] == WAITING


def test_status_names_results_of_older_code_and_what_is_elsewhere(
    done: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit, "source_digest", lambda *rooms: "of newer code")
    BASELINE.checkpoint.unlink()
    assert lines_after(capsys, 5) == [
        "1 results are of older code:",
        f"  {BASELINE.train}: made by older code",
        "`vitflow record` would hand 1 of 1 verified files to DVC",
        "1 files are elsewhere (`vitflow restore` gets what DVC keeps)",
        WAITING,
    ]


def test_status_knows_what_dvc_keeps_without_dvc(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = places.prepared("digits")
    keep(images, sha256(images))
    keep(BASELINE.checkpoint, "of other weights")
    assert lines_after(capsys, 2)[0] == "`vitflow record` would hand 1 of 2 verified files to DVC"
    keep(BASELINE.checkpoint, sha256(BASELINE.checkpoint))
    assert lines_after(capsys, 2) == ["DVC keeps all 2 files that are here", WAITING]


def test_many_wrong_results_are_counted(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for job in ledger.all_jobs(read_study("config.yaml")):
        if job.paths != BASELINE:
            shutil.copytree(BASELINE.folder, job.paths.folder)
        for path in (job.paths.train, job.paths.metrics):
            rewrite(path, seed=99, config_digest=job.config.digest)
    said = lines_after(capsys, 11)
    assert said[0] == "`vitflow record` would refuse: not what the configuration says:"
    assert all(line.startswith("  results/tiny/runs/") for line in said[1:9])
    assert said[9].startswith("  and ") and said[9].endswith(" more")


@pytest.fixture
def repository(done: Path) -> Path:
    """The trained study in a git repository that DVC has, too; nothing here calls DVC itself."""
    subprocess.run(["git", "init", "--quiet"], check=True)
    (done / ".dvc").mkdir()
    (done / ".dvc" / "config").write_text("")
    shutil.copytree(ROOT / "workflow", done / "workflow")
    return done


@pytest.fixture
def no_dvc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "DVC", ("false",))


@pytest.mark.parametrize("command", ["record", "restore"])
def test_results_cannot_be_recorded_where_there_is_no_repository(done: Path, mistake: Mistake, command: str) -> None:
    assert "no DVC repository here: run `dvc init` (and `git init` before it)" in mistake(command)
    (done / ".dvc").mkdir()
    (done / ".dvc" / "config").write_text("")
    assert "no git repository here: run `git init` in the project's folder" in mistake(command)
    subprocess.run(["git", "init", "--quiet"], check=True)
    (done / ".gitignore").write_text("/results/tiny/\n")
    told = mistake(command)
    assert (
        told
        == "vitflow: results/tiny: git ignores this folder, so its results cannot be kept; take it out of .gitignore"
    )


def refusal(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    """Lines on stderr of a call that must fail with exit code 2."""
    capsys.readouterr()
    assert cli.main(list(words)) == 2
    said = capsys.readouterr()
    return said.err.splitlines()


@pytest.mark.usefixtures("no_dvc")
def test_record_refuses_what_the_configuration_does_not_say(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rewrite(BASELINE.train, seed=7)
    before = {path for path in repository.rglob("*") if ".git" not in path.parts}
    for options in ([], ["--weights"], ["--accept-older-code"]):
        said = refusal(capsys, "record", *options)
        assert said[0] == "vitflow: nothing is recorded: not what the configuration says:"
        assert len(said) == 2 and said[1].startswith(f"  {BASELINE.train}: edited by hand after it was made")
    assert {path for path in repository.rglob("*") if ".git" not in path.parts} == before, "nothing is changed"


@pytest.mark.usefixtures("no_dvc")
def test_record_wants_a_word_for_results_of_older_code(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit, "source_digest", lambda *rooms: "of newer code")
    for path in (BASELINE.checkpoint, places.prepared("digits")):
        path.unlink()  # so that there is nothing to hand to DVC
    assert refusal(capsys, "record") == [
        "vitflow: nothing is recorded: results of older code; train them again, or say --accept-older-code:",
        f"  {BASELINE.train}: made by older code",
    ]
    for options in (["--weights"], ["--accept-older-code"]):
        assert cli.main(["record", *options]) == 0
        said = capsys.readouterr().out.splitlines()
        assert said[:2] == ["1 results are of older code:", f"  {BASELINE.train}: made by older code"]


@pytest.mark.usefixtures("no_dvc")
def test_record_of_a_study_that_is_not_complete_leaves_its_lock_alone(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (BASELINE.checkpoint, places.prepared("digits")):
        keep(path, sha256(path))
    assert cli.main(["record", "--weights"]) == 0
    kept = ["0 files handed to DVC, 2 there already", WAITING]
    assert capsys.readouterr().out.splitlines() == kept
    assert not Path("dvc.yaml").exists()
    assert cli.main(["record"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[:4] == [*kept, "dvc.yaml: written", "dvc.lock: left as it is, the study is not complete"]
    assert "config.yaml:study" in Path("dvc.yaml").read_text()
    words = said[4].removeprefix("now: ").split(", ")
    assert words[0].startswith("git add ") and words[1:] == ["git commit", "dvc push"]
    subprocess.run(words[0].split(), check=True)  # every path that it names is there
    staged = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True).stdout.splitlines()
    assert {"dvc.yaml", str(BASELINE.train), f"{BASELINE.checkpoint}.dvc", "data/digits.safetensors.dvc"} <= set(staged)
    Path("dvc.yaml").write_text("edited: true\n")
    assert cli.main(["record"]) == 0
    assert Path("dvc.yaml").read_text() == "edited: true\n", "it is the user's, once it is there"


@pytest.mark.usefixtures("no_dvc")
def test_record_of_another_study_writes_its_pipeline_beside_its_results(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "config.yaml").rename("mine.yaml")
    for path in (BASELINE.checkpoint, places.prepared("digits")):
        keep(path, sha256(path))
    assert cli.main(["record", "--config", "mine.yaml"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "now: git add data results/tiny, git commit, dvc push"
    assert not Path("dvc.yaml").exists()
    text = (HOME.root / "dvc.yaml").read_text()
    assert "wdir: ../../" in text and "snakemake --cores all --configfile mine.yaml -- figures slides" in text


@pytest.mark.usefixtures("no_dvc")
def test_restore_without_anything_kept_says_what_is_elsewhere(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    BASELINE.checkpoint.unlink()
    assert cli.main(["restore"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "0 files restored, 1 verified",
        "1 are elsewhere; figures and slides need none of them:",
        f"  {BASELINE.checkpoint}",
        WAITING,
    ]


@pytest.mark.usefixtures("no_dvc")
def test_restore_does_not_fetch_what_belongs_to_another_result(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    BASELINE.checkpoint.unlink()
    keep(BASELINE.checkpoint, "of other weights")
    said = refusal(capsys, "restore")
    assert said[0] == "vitflow: not everything is what the configuration says:"
    assert said[1:] == [
        f"  {BASELINE.checkpoint}.dvc: keeps other bytes than this result; run `vitflow record` where they are"
    ]


@pytest.mark.parametrize("content", ["<<<<<<< HEAD\n", "outs: []", "outs: [{path: x}]", "[]", ""])
def test_a_damaged_dvc_file_is_told_with_the_way_back(repository: Path, mistake: Mistake, content: str) -> None:
    pointer = BASELINE.checkpoint.with_name(f"{BASELINE.checkpoint.name}.dvc")
    pointer.write_text(content)
    assert f"{pointer}: damaged; get it back with `git checkout -- {pointer}`" in mistake("record")


# ---------------------------------------------------------------------------------------------- pending


def test_pending_trains_and_scores_whatever_is_missing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "config.yaml").write_text(TWO_RUNS)
    assert cli.main(["train", "--run", "width=8", "--threads", "1"]) == 0
    assert cli.main(["train", "--pending", "--threads", "1"]) == 0
    assert capsys.readouterr().out == "tiny: every training is done\n"
    assert [job.status for job in ledger.all_jobs(read_study("config.yaml"))] == ["done", "done"]


def test_pending_leaves_a_run_to_the_process_that_holds_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "config.yaml").write_text(TWO_RUNS)
    BASELINE.state.mkdir(parents=True)
    with FileLock(BASELINE.state / "lock"):
        assert cli.main(["train", "--pending", "--threads", "1"]) == 75
    said = capsys.readouterr().err
    assert f"{BASELINE.state}: another process is at work on baseline seed 0" in said
    assert said.splitlines()[-1] == "tiny: 1 trainings left; the same command goes on"
    assert [job.status for job in ledger.all_jobs(read_study("config.yaml"))] == ["missing", "done"]


def test_pending_does_not_count_what_others_have_finished_meanwhile(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "config.yaml").write_text(TWO_RUNS)
    train = steps.train

    def while_another_one_works(study: Study, job: Job, machine: steps.Machine) -> bool:
        if job.run != "baseline":
            return train(study, job, machine)
        train(study, job, machine)
        steps.evaluate(study, job, machine)
        raise steps.Busy("another process has it, and ends before this one does")

    monkeypatch.setattr(steps, "train", while_another_one_works)
    assert cli.main(["train", "--pending", "--threads", "1"]) == 0


# --------------------------------------------------------------------------------------------------- cost


def test_costs_are_measured_once_each_beside_the_baseline(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "config.yaml").write_text(TWO_RUNS)
    assert cli.main(["measure", "--run", "width=8", "--threads", "1"]) == 0
    first = read_json(HOME.cost("width=8"))
    assert first["time_ratios"][0] <= first["time_ratio"] <= first["time_ratios"][1]
    assert first["provenance"]["threads"] == 1
    assert cli.main(["measure", "--threads", "1"]) == 0
    said = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in said] == ["[1/1] width=8", "[1/1] baseline"]
    assert read_json(HOME.cost("width=8")) == first
    assert read_json(HOME.cost("baseline"))["peak_bytes"] > first["peak_bytes"]
    study = read_study("config.yaml")
    assert all(ledger.measured_cost(study, run.name, run.config) for run in expand(study).runs.values())


def test_another_baseline_has_everything_measured_again(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "config.yaml").write_text(TWO_RUNS)
    assert cli.main(["measure", "--threads", "1"]) == 0
    (here / "config.yaml").write_text(edited(TWO_RUNS, ("depth: 2", "depth: 1")))
    assert cli.main(["measure", "--threads", "1"]) == 0
    assert len(capsys.readouterr().err.splitlines()) == 4


def test_a_measurement_that_memory_does_not_suffice_for_is_told(
    here: Path, mistake: Mistake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(cost, "measured", full)
    assert "baseline: out of memory on cpu with batch_size 50" in mistake("measure", "--run", "baseline")


# ------------------------------------------------------------------------------------------------ time limit


def test_no_evaluation_begins_that_would_outlast_the_time_limit(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "config.yaml").write_text(TWO_RUNS)
    words = ["train", "--pending", "--threads", "1", "--time-limit", "100"]

    def found() -> list[str]:
        return [job.status for job in ledger.all_jobs(read_study("config.yaml"))]

    monkeypatch.setattr(steps, "_scoring_seconds", lambda study, job: 100.0)
    assert cli.main(words) == 75 and found() == ["trained", "missing"]
    assert cli.main(words) == 75 and found() == ["done", "trained"], "the next sitting begins with it"
    assert cli.main(words) == 0 and found() == ["done", "done"]


def test_the_time_that_scoring_is_allowed_follows_from_the_speed_of_training(done: Path) -> None:
    study = read_study("config.yaml")
    speed = read_json(BASELINE.train)["cost"]["images_per_second"]
    images = sum(read_json(BASELINE.metrics)[split]["images"] for split in ("validation", "test", "train"))
    assert steps._scoring_seconds(study, ledger.all_jobs(study)[0]) >= images / speed > 0


@pytest.mark.parametrize(("words", "code"), [(["--run", "baseline"], 0), (["--pending"], 75)], ids=str)
def test_asked_to_stop_while_it_publishes_it_ends_that_and_begins_nothing_else(
    here: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], code: int
) -> None:
    (here / "config.yaml").write_text(TWO_RUNS)
    save = checkpoint.save_weights

    def asked(*arguments: Any) -> None:
        signal.raise_signal(signal.SIGTERM)
        save(*arguments)

    monkeypatch.setattr(checkpoint, "save_weights", asked)
    assert cli.main(["train", *words, "--threads", "1"]) == code
    assert [job.status for job in ledger.all_jobs(read_study("config.yaml"))] == ["trained", "missing"]


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


def test_an_infinite_gradient_norm_does_not_lose_the_result(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    norms = iter([1.0, 2.0] + 50 * [math.inf])
    clip = torch.nn.utils.clip_grad_norm_

    def exploding(*arguments: Any) -> torch.Tensor:
        return clip(*arguments) * 0 + next(norms)

    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", exploding)
    assert cli.main(["train", "--run", "baseline", "--threads", "1"]) == 0
    largest = read_json(BASELINE.train)["stability"]["largest_gradient_norm"]
    assert largest == 2, "JSON has no infinity; history.csv has"
    assert "inf" in BASELINE.history.read_text().splitlines()[-1]


def test_a_study_without_validation_images_trains_and_is_scored(here: Path, mistake: Mistake) -> None:
    (here / "config.yaml").write_text(edited(TINY, ("validation_fraction: 0.2", "validation_fraction: 0")))
    assert cli.main(["train", "--run", "baseline", "--threads", "1"]) == 0
    assert cli.main(["evaluate", "--run", "baseline"]) == 0
    metrics = read_json(BASELINE.metrics)
    assert metrics["validation"] is None and metrics["test"]["images"] == 359 and metrics["train"]["images"] == 200
    assert "validation_fraction is 0" in mistake("features", "--run", "baseline")


# --------------------------------------------------------------------------------------- stop and go on


def published(where: Path) -> dict[str, bytes]:
    """What must be the same bytes however often a run was stopped."""
    return {p.name: (where / p).read_bytes() for p in (BASELINE.checkpoint, BASELINE.history, BASELINE.config)}


def test_a_time_limit_stops_before_it_is_over_and_the_same_command_goes_on(
    done: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = published(done)
    shutil.rmtree(HOME.root)
    ticks = itertools.count()
    with monkeypatch.context() as patch:
        patch.setattr(time, "monotonic", lambda: next(ticks) * 0.1)  # every look at the clock takes 0.1 s
        assert cli.main(["train", "--run", "baseline", "--threads", "1", "--time-limit", "3"]) == 75
        assert next(ticks) * 0.1 < 3
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("baseline seed 0: stopped at step ") and told.endswith("the same command continues there")
    assert ledger.all_jobs(read_study("config.yaml"))[0].status == "interrupted"
    assert not BASELINE.folder.exists(), "no result before the end"
    assert cli.main(["train", "--run", "baseline", "--threads", "1"]) == 0
    assert read_json(BASELINE.train)["resumed_from"] == [int(told.split("step ")[1].split()[0])]
    assert published(done) == whole


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT], ids=lambda n: n.name)
def test_signals_stop_with_the_state_saved(done: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals) -> None:
    whole, handler = published(done), signal.getsignal(number)
    shutil.rmtree(HOME.root)

    def signalling(line: str) -> None:
        if line.startswith("epoch   1"):
            signal.raise_signal(number)

    with monkeypatch.context() as patch:
        patch.setattr(steps, "say", signalling)
        assert cli.main(["train", "--run", "baseline", "--threads", "1"]) == 75
    assert signal.getsignal(number) is handler
    assert cli.main(["train", "--run", "baseline", "--threads", "1"]) == 0
    assert read_json(BASELINE.train)["resumed_from"] == [4]
    assert published(done) == whole


@dataclass
class Killed:
    """What happened to a real process that was sent SIGTERM in mid-training."""

    code: int
    seconds: float
    said: str
    second_code: int  #: of another process at the same run, meanwhile
    second_said: str
    states: list[str]
    published: dict[str, bytes]
    whole: dict[str, bytes]
    resumed_from: list[int]


def wait_for(process: subprocess.Popen[bytes], word: bytes, seconds: float = 60) -> bytes:
    assert process.stderr is not None
    said, deadline = b"", time.monotonic() + seconds
    while word not in said:
        ready, _, _ = select.select([process.stderr], [], [], max(0, deadline - time.monotonic()))
        part = os.read(process.stderr.fileno(), 65536) if ready else b""
        assert part, f"'{word.decode()}' was never said: {said.decode()}"
        said += part
    return said


@pytest.fixture(scope="module")
def killed(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Killed:
    where = shutil.copytree(prepared, tmp_path_factory.mktemp("killed"), dirs_exist_ok=True)
    (where / "config.yaml").write_text(edited(TINY, ("epochs: 2", "epochs: 60"), ("none}", "crop_flip}")))
    alone = shutil.copytree(where, tmp_path_factory.mktemp("alone"), dirs_exist_ok=True)
    words = ["train", "--run", "baseline", "--threads", "1"]
    command = [sys.executable, "-m", "vitflow", *words]
    process = subprocess.Popen(command, cwd=where, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        said = wait_for(process, b"epoch   2/60")
        process.send_signal(signal.SIGSTOP)  # it cannot finish while the second one looks
        second = subprocess.run(command, cwd=where, env=environment(), capture_output=True, text=True, timeout=60)
        process.send_signal(signal.SIGTERM)
        started = time.monotonic()
        process.send_signal(signal.SIGCONT)
        _, rest = process.communicate(timeout=30)
        seconds = time.monotonic() - started
    finally:
        process.kill()
    states = sorted(path.name for path in (where / BASELINE.state).glob("step-*"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(where)
        assert cli.main(words) == 0
        resumed_from = read_json(BASELINE.train)["resumed_from"]
        patch.chdir(alone)
        assert cli.main(words) == 0
        assert read_json(BASELINE.train)["resumed_from"] == []
    return Killed(
        code=process.returncode,
        seconds=seconds,
        said=(said + rest).decode(),
        second_code=second.returncode,
        second_said=second.stderr,
        states=states,
        published=published(where),
        whole=published(alone),
        resumed_from=resumed_from,
    )


def test_sigterm_saves_the_state_and_exits_within_seconds(killed: Killed) -> None:
    assert killed.code == 75, killed.said
    assert killed.seconds < 5
    assert len(killed.states) in (1, 2)
    last = killed.said.splitlines()[-1]
    assert last.startswith("baseline seed 0: stopped at step ") and "Traceback" not in killed.said


def test_after_sigterm_the_same_command_ends_with_the_bytes_of_an_uninterrupted_run(killed: Killed) -> None:
    assert killed.resumed_from == [int(killed.states[-1].split("-")[1])]
    assert 8 <= killed.resumed_from[0] < 240
    assert killed.published == killed.whole


def test_a_second_process_on_the_same_run_is_told_so(killed: Killed) -> None:
    assert killed.second_code == 2
    assert killed.second_said == f"vitflow: {BASELINE.state}: another process is at work on baseline seed 0\n"


# ------------------------------------------------------------------------------------------------- plan


def test_plan_lists_every_run_and_counts_what_is_left(
    done: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cost, "SECONDS", 0.01)
    assert cli.main(["plan"]) == 0
    shown = capsys.readouterr().out
    for run in ("baseline", "width=8", "heads=1", "resnet18-width=4"):
        assert f"\n{run} " in shown
    assert "tiny: 5 trainings, 4 still to do: about " in shown
    assert cli.main(["plan", "--brief"]) == 0
    assert capsys.readouterr().out.startswith("tiny: 5 trainings, 4 still to do: about ")


def test_hours_grow_with_epochs_and_images(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "SECONDS", 0.01)
    text = edited(TWO_RUNS, ("width: [8, 16]", "train_images: [100], epochs: [20]"))
    (here / "config.yaml").write_text(text)
    hours = plan.estimate(read_study("config.yaml")).hours_per_run
    assert hours["train_images=100"] == pytest.approx(hours["baseline"] / 2)
    assert hours["epochs=20"] == pytest.approx(hours["baseline"] * 10)


def test_the_number_of_training_images_needs_no_data(here: Path) -> None:
    study = read_study("config.yaml")
    assert plan.training_images(study) == 200
    everything = study.model_copy(update={"dataset": study.dataset.model_copy(update={"train_images": None})})
    assert plan.training_images(everything) == pytest.approx(len(load(everything.dataset).train.labels), rel=0.01)


@pytest.mark.parametrize(
    ("hours", "spelled"),
    [
        (0.001, "1 min"),
        (0.5, "30 min"),
        (1.0, "1 h 00 min"),
        (3.34, "3 h 20 min"),
        (47.99, "47 h 59 min"),
        (72, "3 days"),
    ],
)
def test_hours_are_spelled_for_people(hours: float, spelled: str) -> None:
    assert plan.spell_hours(hours) == spelled
