"""The command line: help, mistakes and exit codes of all commands, and that help imports nothing heavy."""

from __future__ import annotations

import argparse
import errno
import io
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from support.checkouts import environment
from support.commands import TINY, Mistake, edited
from support.results import HOME, ROOT

from vitflow import __version__, cli, commands
from vitflow.commands import COMMANDS, prepare, schema
from vitflow.commands.options import spelled
from vitflow.machine.files import FileProblem
from vitflow.results.ledger import LedgerError
from vitflow.results.lock import Busy
from vitflow.study.names import ConfigError

# ------------------------------------------------------------------------------------------- the commands


def test_every_command_is_a_module_and_every_module_a_command() -> None:
    modules = {path.stem for path in Path(commands.__file__).parent.glob("*.py")}
    assert modules - {"__init__", "options"} == COMMANDS.keys()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_says_what_it_is_and_has_what_the_command_line_calls(command: str) -> None:
    module = import_module(f"vitflow.commands.{command}")
    assert module.__doc__ and module.__doc__.startswith(f"`vitflow {command}`: ")
    assert all(line.strip().startswith(f"vitflow {command}") for line in module.EXAMPLE.splitlines())
    assert getattr(module, "DETAILS", "\n\n").startswith("\n\n"), "a paragraph of its own"
    assert module.arguments.__doc__ and module.run.__doc__
    module.arguments(argparse.ArgumentParser())


# ------------------------------------------------------------------------------------------------- help


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example_that_parses(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main([command, "--help"])
    assert stop.value.code == 0
    examples = capsys.readouterr().out.split("example:\n")[1].strip().splitlines()
    for example in examples:
        program, *words = re.split(r">|&&", example)[0].split()
        assert program == "vitflow" and words[0] == command
        cli.parser(command).parse_args(words)


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(["--help"])
    assert stop.value.code == 0
    shown = capsys.readouterr().out
    assert all(f"\n    {command} " in shown for command in COMMANDS)


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(["--version"])
    assert (stop.value.code, capsys.readouterr().out) == (0, f"{__version__}\n")


#: in this order in one process: its imports add up
LIGHT = ("", "status", "schema", "record", "restore", "plan", "measure", "evaluate", "train")


def test_help_imports_no_command_and_that_of_most_commands_no_torch() -> None:
    code = (
        "import contextlib, sys; from vitflow import cli\n"
        "for word in sys.argv[1].split(','):\n"
        "    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(None):\n"
        "        cli.main([*([word] if word else []), '--help'])\n"
        "    commands = sorted(name for name in sys.modules if name.startswith('vitflow.commands.'))\n"
        "    print(word, commands if not word else '', 'torch' in sys.modules)\n"
    )
    words = [sys.executable, "-c", code, ",".join(LIGHT)]
    done = subprocess.run(words, env=environment(ROOT), capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == [" [] False", *(f"{command}  False" for command in LIGHT[1:])], done.stderr


# -------------------------------------------------------------------------------- mistakes and exit codes


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
        (["train", "--run", "baseline", "--threads", "100000"], "expected at most 1024, got 100000"),
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
        (["analyse", "features"], "run `vitflow features`"),
        (["cluster", "--profile", "profiles/slrm"], "slrm: no profile, which has a file config.v8+.yaml"),
        (["prepare", "--config", "cifar.yaml", "--path", "nowhere"], "nowhere: "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_told_in_one_line(here: Path, mistake: Mistake, words: list[str], told: str) -> None:
    (here / "cifar.yaml").write_text("study: c\ndataset: {name: cifar10}\n")
    assert told in mistake(*words)
    assert not (here / "results").exists(), "nothing is half-written"


@pytest.mark.parametrize(
    ("config", "spelled_out"),
    [
        ("config.yaml", "`vitflow restore`, or `snakemake --cores all figures`; `git checkout -- x`"),
        (
            "my study.yaml",
            "`vitflow restore --config 'my study.yaml'`, or "
            "`snakemake --cores all figures --configfile 'my study.yaml'`; `git checkout -- x`",
        ),
        (str(HOME.effective_config), "`vitflow restore`, or `snakemake --cores all figures`; `git checkout -- x`"),
    ],
)
def test_advised_commands_are_of_this_study(config: str, spelled_out: str) -> None:
    assert spelled("`vitflow restore`, or `snakemake figures`; `git checkout -- x`", config) == spelled_out


def test_a_mistake_in_another_study_advises_commands_for_that_one(here: Path, mistake: Mistake) -> None:
    (here / "other.yaml").write_text(TINY)
    (here / "config.yaml").unlink()
    advice = "`vitflow train --run width=8 --seed 0 --config other.yaml`"
    assert advice in mistake("evaluate", "--run", "width=8", "--config", "other.yaml")


@pytest.mark.parametrize("command", [c for c in COMMANDS if c != "schema"])
def test_every_command_tells_a_mistake_in_the_configuration(here: Path, mistake: Mistake, command: str) -> None:
    (here / "config.yaml").write_text(edited(TINY, ("epochs: 2", "epohcs: 2")))
    words = [command, "--run", "baseline"] if command == "train" else [command]
    assert mistake(*words) == "vitflow: config.yaml: training.epohcs: unknown key; did you mean 'epochs'?"


def test_errors_that_are_not_ours_are_not_hidden(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr(prepare, "is_prepared", broken)
    with pytest.raises(ValueError, match="a bug"):
        cli.main(["prepare"])


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (ConfigError("not that"), 2, "vitflow: not that\n"),
        (LedgerError("not that"), 2, "vitflow: not that\n"),
        (FileProblem("not that"), 2, "vitflow: not that\n"),
        (Busy("not now"), 2, "vitflow: not now\n"),
        (KeyboardInterrupt(), 130, "vitflow: stopped\n"),
        (BrokenPipeError(), 141, ""),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_what_ends_a_command_is_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, code: int, told: str
) -> None:
    def ending(options: argparse.Namespace) -> int:
        raise error

    monkeypatch.setattr(schema, "run", ending)
    assert cli.main(["schema"]) == code
    assert capsys.readouterr() == ("", told)


class Full(io.StringIO):
    """The log of a full disk."""

    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_mistake_that_cannot_be_told_is_still_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def ending(options: argparse.Namespace) -> int:
        raise ConfigError("not that")

    monkeypatch.setattr(schema, "run", ending)
    monkeypatch.setattr(sys, "stderr", Full())
    assert cli.main(["schema"]) == 2
