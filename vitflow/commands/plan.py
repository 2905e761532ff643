"""`vitflow plan`: before anything runs, what a study consists of and how long it takes here."""

from __future__ import annotations

import argparse
import sys

from vitflow.commands.options import add_study, study_of
from vitflow.data.manifest import check_prepared, notes
from vitflow.study.names import counted

EXAMPLE = "vitflow plan --config config.yaml"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_study(parser)
    parser.add_argument("--brief", action="store_true", help="one line: trainings left and time")
    parser.add_argument(
        "--requests", action="store_true", help="leave what each run needs, memory too, for jobs on a cluster"
    )


def run(options: argparse.Namespace) -> int:
    """Print a table of runs and the time of what is left, or the last alone."""
    import torch
    from rich.console import Console
    from rich.table import Table

    from vitflow.machine.device import device_name, select_device, spell_device
    from vitflow.machine.limits import THREADS
    from vitflow.measuring.cost import exact
    from vitflow.measuring.estimate import ASSUMED, counted_memory, hours_a_seed, is_uncounted
    from vitflow.measuring.pretrained import seconds_an_image
    from vitflow.results.ledger import all_jobs, most_finalists
    from vitflow.results.progress import hours_left, spell_hours
    from vitflow.results.requests import keep_needs
    from vitflow.results.stages import stages
    from vitflow.study.grid import expand

    torch.set_num_threads(THREADS)
    study, device = study_of(options), select_device()
    grid, jobs = expand(study), all_jobs(study)
    check_prepared(grid.datasets)
    runs = {job.run: job.config for job in jobs}
    hours, waiting = hours_a_seed(runs, device), [job for job in jobs if not job.is_over]
    if options.requests:
        keep_needs(study, {run: (hours[run], counted_memory(config)) for run, config in runs.items()}, jobs)
    here = device_name(device.type)
    if device.type == "cpu":
        here = spell_device(here, torch.get_num_threads())
    total = f"{study.study}: {counted(len(jobs), 'training')}, {len(waiting)} still to do"
    if waiting:
        left = spell_hours(hours_left(waiting, hours))
        total += f": about {left} one after another on this device ({here}, measured now)"
    if is_uncounted(study.dataset):
        total += f"; for {ASSUMED:,} training images, since nobody has counted them: `vitflow prepare` does"
    if most := most_finalists(study):
        total += f"; then up to {most} of finalists on fresh seeds, which are chosen from these"
    if study.pretrained and stages(study)["pretrained"].state in ("missing", "outdated"):
        most = 3 * study.pretrained.images
        needed = spell_hours(most * seconds_an_image(device) / 3600)
        total += f"; up to {most:,} images through a pretrained ResNet-50, at most about {needed}"
    if options.brief:
        print(total)
        return 0
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
            spell_hours(hours[name] * len(run.seeds)),
        )
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(table)
    console.print(f"\n{total}")
    for line in notes(study.dataset):
        console.print(line, markup=False)
    return 0
