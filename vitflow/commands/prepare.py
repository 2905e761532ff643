"""`vitflow prepare`: the dataset in its canonical form, and the manifest that states it."""

from __future__ import annotations

import argparse

from vitflow.commands.options import add_study, study_of
from vitflow.data import places
from vitflow.data.manifest import data_digest, notes, read_manifest
from vitflow.data.origin import is_known
from vitflow.data.prepare import is_prepared, load, prepare
from vitflow.data.raw import SPLITS, OutOfReach, reach
from vitflow.results.images import trained_on
from vitflow.study.grid import expand
from vitflow.study.names import ConfigError

EXAMPLE = "vitflow prepare --path ~/datasets/cifar10"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_study(parser)
    parser.add_argument("--path", metavar="PATH", help="local copy of the dataset, used before any download")
    parser.add_argument(
        "--replace", action="store_true", help="take other images than the recorded ones, and leave their results stale"
    )


def run(options: argparse.Namespace) -> int:
    """Prepare the images, or verify that they are prepared; print the counts."""
    study = study_of(options)
    dataset = study.dataset
    if options.path:
        try:
            reach(options.path)
        except OutOfReach as problem:
            raise ConfigError(f"--path {problem}") from None
    if dataset.path is None and not options.path and is_prepared(dataset):  # published images, not downloaded again
        load(dataset)
        manifest = read_manifest(dataset)
    else:

        def may_replace(difference: str) -> bool:
            """What changed where it was read before is meant, unless results would be lost by it."""
            known = is_known(dataset, options.path or dataset.path)
            if allowed := options.replace or (known and not trained_on(data_digest(dataset.key))):
                print(f"{places.manifest(dataset.key)}: replaced, since there are other images or names: {difference}")
            return allowed

        manifest = prepare(dataset, options.path, studied=expand(study).datasets, may_replace=may_replace)
    counts = ", ".join(f"{sum(manifest['counts'][split].values())} {split}" for split in SPLITS)
    print(f"{places.prepared(dataset.key)}: {counts} images, {len(manifest['classes'])} classes")
    for line in notes(dataset):
        print(line)
    if not (names := "".join(manifest["classes"])).isascii():
        from vitflow.figures.alphabets import advice

        if told := advice(names):
            print(told)
    return 0
