"""`vitflow measure`: speed and peak memory of runs, each by turns with the baseline."""

from __future__ import annotations

import argparse
import time

from vitflow.commands.options import add_run, machine_of, study_of
from vitflow.machine.log import remaining, say
from vitflow.results.ledger import measured_cost, unknown_run
from vitflow.study.grid import expand

EXAMPLE = "vitflow measure\n  vitflow measure --run patch_size=2"
DETAILS = """

Each run takes turns with the baseline, so its time is a multiple of the baseline's in the same minute. Nothing else
should use this machine meanwhile; on a GPU, other jobs of vitflow's are waited for. What is measured already, of this
run and this baseline, is not measured again: delete results/<study>/cost/ for another device. See docs/speed.md."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_run(parser)


def run(options: argparse.Namespace) -> int:
    """Measure what is not measured yet. On a CPU it is for the caller to see to it that nothing else runs."""
    study, machine = study_of(options), machine_of(options)
    grid = expand(study)
    if options.run_name and options.run_name not in grid.runs:
        raise unknown_run(study, options.run_name)
    runs = [options.run_name] if options.run_name else list(grid.runs)
    pending = [name for name in runs if not measured_cost(study, name, grid.runs[name].config)]
    if not pending:
        say(f"{study.study}: every cost is measured")
        return 0
    import torch

    from vitflow.machine.memory import told_if_memory_ends
    from vitflow.measuring import cost
    from vitflow.results.code import TRAINING
    from vitflow.results.layout import Layout
    from vitflow.results.provenance import provenance, write_sealed

    started = time.monotonic()
    for number, name in enumerate(pending, start=1):
        config = grid.runs[name].config
        with (
            machine.device(alone=True) as device,
            told_if_memory_ends(name, config.training.batch_size, device.type),
        ):
            found = cost.measured(config, study.baseline_run, device)
        write_sealed(
            Layout(study.study).cost(name),
            {
                "run": name,
                **found,
                "config_digest": config.digest,
                "baseline_digest": study.baseline_run.digest,
                "provenance": provenance(*TRAINING, device=device.type, threads=torch.get_num_threads()),
            },
        )
        say(
            f"[{number}/{len(pending)}] {name}: {found['images_per_second']:,.0f} images/s, "
            f"{found['time_ratio']:.2f} times the baseline's time, {found['peak_bytes'] / 2**20:,.0f} MiB"
            + remaining(started, number, len(pending))
        )
    return 0
