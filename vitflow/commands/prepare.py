"""`vitflow prepare`: the dataset in its canonical form, and the manifest that states it."""

from __future__ import annotations

import argparse
from pathlib import Path

from vitflow.commands.options import add_study, study_of
from vitflow.data import places
from vitflow.data.manifest import notes, read_manifest
from vitflow.data.prepare import is_prepared, load, prepare
from vitflow.data.raw import SPLITS
from vitflow.study.names import ConfigError

EXAMPLE = "vitflow prepare --path ~/datasets/cifar10"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_study(parser)
    parser.add_argument("--path", metavar="PATH", help="local copy of the dataset, used before any download")


def run(options: argparse.Namespace) -> int:
    """Prepare the images, or verify that they are prepared; print the counts."""
    dataset = study_of(options).dataset
    if options.path and not Path(options.path).expanduser().exists():
        raise ConfigError(f"--path {options.path}: no such file or folder")
    if dataset.path is None and not options.path and is_prepared(dataset):  # published images, not downloaded again
        load(dataset)
        manifest = read_manifest(dataset)
    else:
        manifest = prepare(dataset, options.path)
    counts = ", ".join(f"{sum(manifest['counts'][split].values())} {split}" for split in SPLITS)
    print(f"{places.prepared(dataset.key)}: {counts} images, {len(manifest['classes'])} classes")
    for line in notes(dataset):
        print(line)
    if not (names := "".join(manifest["classes"])).isascii():
        from vitflow.figures.alphabets import advice

        if told := advice(names):
            print(told)
    return 0
