"""`vitflow train`: one run and seed to its end, or whatever is missing; resumed where it was stopped."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from vitflow.commands.options import add_run, add_seed, machine_of, positive, study_of
from vitflow.machine import signals
from vitflow.machine.limits import Machine
from vitflow.machine.log import remaining, say
from vitflow.machine.signals import STOPPED
from vitflow.results import ledger
from vitflow.results.ledger import Job, find_job
from vitflow.study.names import ConfigError, counted
from vitflow.study.schema import Study

if TYPE_CHECKING:
    from vitflow.training.loop import Outcome

EXAMPLE = "vitflow train --run patch_size=2 --seed 0\n  vitflow train --pending --time-limit 540"
DETAILS = """

Resuming: the state is saved every minute, at ends of epochs, before the time limit, and on SIGTERM, SIGUSR1 and
Ctrl-C (exit code 75). The same command goes on there, and the end is the same to the last bit as without the stop.
After SIGKILL or a power cut it goes on from the last state saved; if that is damaged, from the one before.

Time limit: with --time-limit the state is saved early enough to exit before that many seconds have passed since
the start; so a job of ten minutes can be trained in sittings: repeat the command while the exit code is 75.

Precision: training.precision in the configuration. auto is fp32 on a CPU, and bf16 autocast with torch.compile on a
GPU; fp32 and bf16 do not compile. See docs/training.md for what is exact where."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_run(parser)
    add_seed(parser)
    parser.add_argument("--pending", action="store_true", help="train and evaluate whatever is missing")
    parser.add_argument(
        "--time-limit",
        type=positive,
        metavar="SECONDS",
        help="save the state and stop cleanly before this time is over (exit code 75)",
    )


def run(options: argparse.Namespace) -> int:
    """Train what was asked for; 0, or 75 where something is left."""
    study, machine = study_of(options), machine_of(options)
    if options.pending:
        if options.run_name or options.seed:
            raise ConfigError("--pending trains whatever is missing; leave out --run and --seed, or --pending")
        return _run_pending(study, machine)
    if not options.run_name:
        raise ConfigError("say --run NAME or --pending; `vitflow status` lists the names")
    job = find_job(study, options.run_name, options.seed)
    if job.is_over:
        print(f"{job.run} seed {job.seed}: already trained")
        return 0
    from vitflow.machine.gpu import AllTaken
    from vitflow.results.lock import Busy
    from vitflow.training.loop import Interrupted

    try:
        train(study, job, machine, patient=True)
    except (Interrupted, AllTaken, Busy) as stop:
        say(f"{job.run} seed {job.seed}: {stop}")
        return STOPPED
    return 0


def _run_pending(study: Study, machine: Machine) -> int:
    left = train_pending(study, machine)
    if not left and study.best is not None and ledger.selection(study) is None:
        from vitflow.commands.analyse import select

        select(study)
        left = train_pending(study, machine)
    if left:
        say(f"{study.study}: {counted(left, 'training')} left; the same command goes on")
        return STOPPED
    print(f"{study.study}: every training is done")
    return 0


def train_pending(study: Study, machine: Machine) -> int:
    """Train and evaluate whatever is missing, here, one after another; returns the number of jobs left.

    The last state is saved before the machine's deadline. Several processes may work on one study: a job that another
    one holds is left to it.
    """
    pending = [job for job in ledger.all_jobs(study) if not job.is_over]
    if not pending:
        return 0
    from vitflow.commands.evaluate import evaluate
    from vitflow.machine.gpu import AllTaken
    from vitflow.results.lock import Busy
    from vitflow.results.progress import scoring_seconds
    from vitflow.training.loop import Interrupted

    total, done, started = len(pending), 0, time.monotonic()
    for number, job in enumerate(pending, start=1):
        # what others hold is passed over: the time it took says nothing of the rest
        left = remaining(started, done, total - (number - 1 - done))
        say(f"[{number}/{total}] {job.run} seed {job.seed}{left}")
        if machine.is_over():
            break
        if elsewhere := ledger.weights_needed(study, job, job.paths.metrics):
            raise ledger.LedgerError(elsewhere)  # who wants them trained again names the run
        waiting = job.status == "trained"  # since an earlier sitting: scored first, or a short limit never gets there
        try:
            asked = train(study, job, machine)
            if job.status == "trained":
                if asked or (machine.is_over(scoring_seconds(study, job)) and not waiting):
                    break
                evaluate(study, job, machine)
        except (Interrupted, AllTaken) as stop:
            say(f"{job.run} seed {job.seed}: {stop}")
            break
        except Busy as busy:
            say(str(busy))
            continue
        if asked:
            break
        done += 1
    return sum(not job.is_over for job in pending)


def train(study: Study, job: Job, machine: Machine, *, patient: bool = False) -> bool:
    """Train one job to its end, or go on with it, and publish weights, history, configuration and train.json.

    Does nothing if it is finished. Where another process is at work on it, waits for that one if ``patient``, and else
    raises Busy. Raises Interrupted on SIGTERM, SIGUSR1, Ctrl-C or before the machine's deadline,
    with the state saved. Returns whether a signal came when the training was over and being published: then nothing
    else should begin.
    """
    from vitflow.machine.device import device_name
    from vitflow.machine.memory import told_if_memory_ends
    from vitflow.results.lock import here, locked, note, spell, sweep_results
    from vitflow.results.weights import images_of
    from vitflow.training import checkpoint, loop

    data, who = images_of(study, job), f"{job.run} seed {job.seed}"
    with (
        locked(job, until=machine.last if patient else 0.0, say=say),
        machine.device() as device,
        signals.noted() as requested,
        told_if_memory_ends(who, job.config.training.batch_size, device.type),
    ):
        if job.is_over or (job.status == "trained" and job.paths.checkpoint.exists()):
            say(f"{who}: already trained")
            checkpoint.clear_states(job.paths.state)  # of one that was killed when all was published
            return requested()
        sweep_results(job)
        checkpoint.sweep_states(job.paths.state)

        def should_stop(margin: float) -> bool:
            return requested() or machine.is_over(margin)

        def report(line: str) -> None:
            say(line)
            note(job, line)

        say(f"{who}: training on {device_name(device.type)} ({spell(here())})")
        if (size := job.config.training.batch_size) > (count := len(data.train.labels)):
            say(f"{who}: batch_size {size} is more than the {count} training images; a step takes all of them")
        outcome = loop.train(
            job.config,
            job.seed,
            data,
            job.paths.state,
            device=device,
            should_stop=should_stop,
            hurry=requested,
            report=report,
        )
        _publish(job, outcome, train_images=len(data.train.labels), data_digest=data.digest, device=device.type)
        checkpoint.clear_states(job.paths.state)
        return requested()


def _publish(job: Job, outcome: Outcome, *, train_images: int, data_digest: str, device: str) -> None:
    """Weights, history and configuration, then train.json, which names them."""
    import torch

    from vitflow.machine.files import sha256, write_csv, write_json
    from vitflow.results.code import TRAINING
    from vitflow.results.provenance import provenance, write_sealed
    from vitflow.training.checkpoint import save_weights
    from vitflow.training.loop import HISTORY

    paths = job.paths
    save_weights(paths.checkpoint, outcome.model)
    write_csv(paths.history, HISTORY, outcome.history)
    write_json(paths.config, job.config.normalised().model_dump())
    write_sealed(
        paths.train,
        {
            "run": job.run,
            "seed": job.seed,
            "status": outcome.status,
            "diverged_step": outcome.diverged_step,
            "steps": outcome.steps,
            "train_images": train_images,
            "config_digest": job.config.digest,
            "data_digest": data_digest,
            "checkpoint_sha256": sha256(paths.checkpoint),
            "history_sha256": sha256(paths.history),
            "cost": {
                "seconds": round(outcome.seconds, 3),
                "images_per_second": round(outcome.images_per_second, 2),
            },
            "stability": outcome.stability,
            "resumed_from": outcome.resumed_from,
            "provenance": provenance(*TRAINING, device=device, threads=torch.get_num_threads()),
        },
    )
