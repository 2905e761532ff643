"""The command line: arguments in, exit codes out. The work is in :mod:`vitflow.steps`.

Exit codes: 0 done; 2 a mistake in the call, the configuration or the files, told in one line;
75 stopped before the end, by a signal or a time limit, with nothing lost: the same command goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from vitflow import __version__
from vitflow.config import ConfigError, Study, json_schema, nearest
from vitflow.stopping import STOPPED
from vitflow.study import read_study

if TYPE_CHECKING:
    from vitflow.ledger import Job
    from vitflow.steps import Machine

MISTAKE = 2


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(MISTAKE, f"vitflow: {message}; see `{self.prog} --help`\n")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    parser = _parser()
    words = sys.argv[1:] if arguments is None else arguments
    if words and not words[0].startswith("-") and words[0] not in COMMANDS:
        print(f"vitflow: no command '{words[0]}'{nearest(words[0], list(COMMANDS))}", file=sys.stderr)
        return MISTAKE
    options = parser.parse_args(words)
    try:
        return int(options.run(options) or 0)
    except KeyboardInterrupt:
        print("vitflow: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 141
    except (ValueError, RuntimeError, OSError) as error:
        if not _is_told(error):
            raise
        with suppress(OSError):  # the log may be on the disk that is full
            print(f"vitflow: {error}", file=sys.stderr, flush=True)
        return MISTAKE


def _is_told(error: Exception) -> bool:
    """Whether this is one of our own errors, whose message is meant for the user."""
    return type(error).__module__.startswith("vitflow.")


# ------------------------------------------------------------------------------------------- commands


def plan(options: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.table import Table

    from vitflow.cost import exact
    from vitflow.grid import expand
    from vitflow.plan import estimate, spell_hours

    study = _study(options)
    found = estimate(study)
    total = f"{found.jobs} trainings, {found.waiting} still to do"
    if found.waiting:
        total += f": about {spell_hours(found.hours)} one after another on this device ({found.device}, measured now)"
    if options.brief:
        print(f"{study.study}: {total}")
        return 0
    grid = expand(study)
    table = Table(box=None, pad_edge=False)
    for heading in ("run", "seeds", "parameters", "multiplications", "tokens", "time, all seeds"):
        table.add_column(heading, justify="left" if heading == "run" else "right", no_wrap=heading == "run")
    for name, run in grid.runs.items():
        cost = exact(run.config)
        table.add_row(
            name,
            str(len(run.seeds)),
            f"{cost['parameters'] / 1e6:.2f} M",
            f"{cost['multiplications'] / 1e6:.1f} M",
            str(cost["tokens"]),
            spell_hours(found.hours_per_run[name]),
        )
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(table)
    console.print(f"\n{study.study}: {total}")
    return 0


def status(options: argparse.Namespace) -> int:
    from collections import Counter

    from vitflow.audit import audit
    from vitflow.ledger import all_jobs, orphans
    from vitflow.plan import seconds_left, spell_hours
    from vitflow.record import forecast

    study = _study(options)
    jobs = all_jobs(study)
    states = {job: "running" if job.busy else job.status for job in jobs}
    by_run: dict[str, list[Job]] = {}
    for job in jobs:
        by_run.setdefault(job.run, []).append(job)
    width = max(len(name) for name in by_run)
    for name, mine in by_run.items():
        print(f"{name:<{width}}  " + "  ".join(f"seed{job.seed} {states[job]}" for job in mine))
    for folder in orphans(study):
        print(f"{folder}: orphaned, no longer in the study")
    counts = ", ".join(f"{number} {state}" for state, number in Counter(states.values()).most_common())
    left = seconds_left(jobs)
    eta = f"; about {spell_hours(left / 3600)} left, one after another" if left else ""
    print(f"{study.study}: {counts}, of {len(jobs)}{eta}")
    for line in forecast(audit(study)):
        print(line)
    return 0


def prepare(options: argparse.Namespace) -> int:
    from vitflow import layout, steps

    study = _study(options)
    if options.path:
        if not Path(options.path).exists():
            raise ConfigError(f"--path {options.path}: no such file or folder")
        study = study.model_copy(update={"dataset": study.dataset.model_copy(update={"path": options.path})})
    manifest = steps.prepare(study)
    counts = ", ".join(f"{sum(n.values())} {split}" for split, n in manifest["counts"].items())
    print(f"{layout.prepared(study.dataset.key)}: {counts} images, {len(manifest['classes'])} classes")
    return 0


def train(options: argparse.Namespace) -> int:
    from vitflow import ledger, steps

    study = _study(options)
    machine = _machine(options)
    if options.pending:
        left = steps.train_pending(study, machine)
        if not left and study.best is not None and ledger.best_run(study) is None:
            from vitflow import tables

            tables.select(study)
            left = steps.train_pending(study, machine)
        if left:
            steps.say(f"{study.study}: {left} trainings left; the same command goes on")
            return STOPPED
        print(f"{study.study}: every training is done")
        return 0
    if not options.run_name:
        raise ConfigError("say --run NAME or --pending; `vitflow status` lists the names")
    job = steps.find_job(study, options.run_name, options.seed)
    if job.is_over:
        print(f"{job.run} seed {job.seed}: already trained")
        return 0
    from vitflow.gpu import AllTaken
    from vitflow.training.loop import Interrupted

    try:
        steps.train(study, job, machine)
    except (Interrupted, AllTaken) as stop:
        steps.say(f"{job.run} seed {job.seed}: {stop}")
        return STOPPED
    return 0


def measure(options: argparse.Namespace) -> int:
    from vitflow import steps
    from vitflow.grid import expand

    study = _study(options)
    steps.measure(study, [options.run_name] if options.run_name else list(expand(study).runs), _machine(options))
    return 0


def evaluate(options: argparse.Namespace) -> int:
    from vitflow import ledger, steps

    study = _study(options)
    if options.run_name:
        steps.evaluate(study, steps.find_job(study, options.run_name, options.seed), _machine(options))
        return 0
    for job in ledger.all_jobs(study):
        if job.status == "trained":
            steps.evaluate(study, job, _machine(options))
    return 0


def features(options: argparse.Namespace) -> int:
    from vitflow import steps
    from vitflow.grid import feature_runs

    study = _study(options)
    for run in [options.run_name] if options.run_name else feature_runs(study):
        steps.features(study, run, _machine(options))
    return 0


def analyse(options: argparse.Namespace) -> int:
    from vitflow import tables

    study = _study(options)
    for step in options.step:
        if step not in ANALYSES:
            raise ConfigError(f"no step '{step}'{nearest(step, list(ANALYSES))}")
    chosen = options.step or ["summary", "pca", *(["select"] if study.best else [])]
    for step in chosen:
        getattr(tables, ANALYSES[step])(study)
    return 0


def figures(options: argparse.Namespace) -> int:
    from vitflow import steps

    steps.figures(_study(options))
    return 0


def slides(options: argparse.Namespace) -> int:
    from vitflow import steps

    if options.check:
        from vitflow.slides.pdf import find_renderer

        print(f"the PDF can be made here, by {type(find_renderer()).__name__}")
        return 0
    steps.slides(_study(options))
    return 0


def record(options: argparse.Namespace) -> int:
    from vitflow.record import record as hand_over

    hand_over(
        _study(options),
        Path(options.config),
        print,
        accept_older=options.accept_older_code,
        weights_only=options.weights,
    )
    return 0


def restore(options: argparse.Namespace) -> int:
    from vitflow.record import restore as get_back

    get_back(_study(options), print)
    return 0


def schema(options: argparse.Namespace) -> int:
    print(json.dumps(json_schema(), indent=2))
    return 0


ANALYSES = {"summary": "summarise", "pca": "pca", "select": "select", "best": "best"}

COMMANDS: dict[str, tuple[Any, str, str]] = {
    "plan": (plan, "what a study consists of and how long it takes here", "vitflow plan --config config.yaml"),
    "status": (status, "what is done, running, waiting, stale or orphaned", "vitflow status"),
    "prepare": (prepare, "prepare the dataset", "vitflow prepare --path ~/datasets/cifar10"),
    "train": (
        train,
        "train one run, or whatever is missing",
        "vitflow train --run patch_size=2 --seed 0\n  vitflow train --pending --time-limit 540",
    ),
    "measure": (
        measure,
        "measure speed and memory, alone on this machine",
        "vitflow measure\n  vitflow measure --run patch_size=2",
    ),
    "evaluate": (evaluate, "score final weights", "vitflow evaluate --run baseline --seed 0"),
    "features": (features, "store named intermediates of validation images", "vitflow features --run baseline"),
    "analyse": (analyse, "tables, principal components, selection", "vitflow analyse summary pca"),
    "figures": (figures, "draw figures from the analysis", "vitflow figures"),
    "slides": (slides, "render the talk as HTML, PDF and PPTX", "vitflow slides"),
    "record": (record, "verify results and hand them to DVC", "vitflow record && git add -A && git commit && dvc push"),
    "restore": (restore, "get weights, features and images back from DVC, and verify them", "vitflow restore"),
    "schema": (schema, "print the JSON schema of config.yaml", "vitflow schema > workflow/schemas/study.schema.json"),
}

DETAILS = {
    "train": """

Resuming: the state is saved every minute, at ends of epochs, before the time limit, and on SIGTERM, SIGUSR1 and
Ctrl-C (exit code 75). The same command goes on there, and the end is the same to the last bit as without the stop.
After SIGKILL or a power cut it goes on from the last state saved; if that is damaged, from the one before.

Time limit: with --time-limit the state is saved early enough to exit before that many seconds have passed since
the start; so a job of ten minutes can be trained in sittings: repeat the command while the exit code is 75.

Precision: training.precision in the configuration. auto is fp32 on a CPU, and bf16 autocast with torch.compile on a
GPU; fp32 and bf16 do not compile. See docs/training.md for what is exact where.""",
    "measure": """

Each run takes turns with the baseline, so its time is a multiple of the baseline's in the same minute. Nothing else
should use this machine meanwhile; on a GPU, other jobs of vitflow's are waited for. What is measured already, of this
run and this baseline, is not measured again: delete results/<study>/cost/ for another device. See docs/speed.md.""",
}


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="vitflow", description="Small-dataset Vision Transformer studies, from config.yaml to a talk."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (function, help_, example) in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=help_,
            description=f"{help_[0].upper()}{help_[1:]}.{DETAILS.get(name, '')}",
            epilog=f"example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.set_defaults(run=function)
        if name == "schema":
            continue
        command.add_argument("--config", default="config.yaml", metavar="FILE", help="the study (default: config.yaml)")
        if name in ("train", "measure", "evaluate", "features"):
            command.add_argument(
                "--run", dest="run_name", metavar="NAME", help="name of a run, as `vitflow status` shows it"
            )
            command.add_argument("--threads", type=_positive, metavar="N", help="CPU threads (default: all)")
            command.add_argument(
                "--jobs-per-gpu", type=_positive, default=1, metavar="N", help="jobs that may share a GPU (default: 1)"
            )
        if name in ("train", "evaluate"):
            command.add_argument("--seed", type=int, default=0, metavar="K", help="seed of the run (default: 0)")
        if name == "train":
            command.add_argument("--pending", action="store_true", help="train and evaluate whatever is missing")
            command.add_argument(
                "--time-limit",
                type=_positive,
                metavar="SECONDS",
                help="save the state and stop cleanly before this time is over (exit code 75)",
            )
        if name == "record":
            command.add_argument(
                "--accept-older-code", action="store_true", help="record results whose code has changed since, too"
            )
            command.add_argument("--weights", action="store_true", help="leave dvc.lock alone: for use in dvc.yaml")
        if name == "slides":
            command.add_argument("--check", action="store_true", help="only say whether the PDF can be made here")
        if name == "plan":
            command.add_argument("--brief", action="store_true", help="one line: trainings left and time")
        if name == "prepare":
            command.add_argument("--path", metavar="PATH", help="local copy of the dataset, used before any download")
        if name == "analyse":
            command.add_argument(
                "step", nargs="*", metavar="STEP", help="summary, pca, select, best (default: all but best)"
            )
    return parser


def _positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a positive whole number, got '{text}'")
    return number


def _machine(options: argparse.Namespace) -> Machine:
    from vitflow.steps import Machine

    limit = getattr(options, "time_limit", None)
    return Machine(options.threads, options.jobs_per_gpu, None if limit is None else time.monotonic() + limit)


def _study(options: argparse.Namespace) -> Study:
    return read_study(Path(options.config))


if __name__ == "__main__":
    sys.exit(main())
