"""`make bench`: prints medians and ratios, and writes results/benchmarks/<device>.json."""

from __future__ import annotations

import argparse
import importlib.metadata
import sys
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import nn

from benchmarks import pipeline, step
from benchmarks.measure import RESULTS, compete, named_after
from vitflow.machine.device import device_name, select_device
from vitflow.machine.files import write_json
from vitflow.models.linear import Linear
from vitflow.results.code import TRAINING
from vitflow.results.provenance import provenance


def main() -> int:
    """Measure and publish; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="counted rounds of each comparison (default: 7)")
    parser.add_argument("--steps", type=int, default=8, help="updates a contestant does in a round (default: 8)")
    options = parser.parse_args()

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    peers = {}
    for package in ("timm", "vit-pytorch", "torchvision"):
        try:
            peers[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            say(f"benchmarks: {package} is not installed; pip install '.[bench]'")
            return 2
    device = select_device()
    comparisons: dict[str, dict[str, Any]] = {}
    say("training")
    contestants = {"vitflow": step.ours(device, options.steps), **step.peers(device, options.steps)}
    comparisons["training"] = compete(contestants, options.rounds, say)
    for trivial, name in ((False, "crop and flip"), (True, "crop, flip, TrivialAugment")):
        say(name)
        steps = 8 * options.steps
        contestants = {
            "vitflow": pipeline.ours(device, steps, trivial=trivial),
            "torchvision v2": pipeline.torchvision_v2(steps, trivial=trivial),
        }
        comparisons[name] = compete(contestants, options.rounds, say)
    trained, fed = (comparisons[name]["vitflow"]["images_per_second"] for name in ("training", "crop and flip"))
    shares, rates = {"input of a step": round(trained / fed, 4)}, {}
    if device.type == "cpu":
        for owner, kind in (("torch's", nn.Linear), ("our", Linear)):
            rates[owner] = step.products(kind)
            shares[f"training of {owner} matrix products"] = round(step.share_of_products(trained, rates[owner]), 3)

    name = device_name(device.type)
    threads = torch.get_num_threads() if device.type == "cpu" else None
    out = RESULTS / named_after(name)
    record = {
        "rounds": options.rounds,
        "steps": options.steps,
        "peers": peers,
        "comparisons": comparisons,
        "shares": shares,
        "products_gflops": {owner: round(2 * rate / 1e9) for owner, rate in rates.items()},
        "provenance": provenance(*TRAINING, device=device.type, threads=threads),
    }
    write_json(out, record)

    table = Table(box=None, pad_edge=False, title=f"{name}, {threads or 1} threads", title_justify="left")
    for heading in ("", "images/s", "ours is", "times (smallest to largest)"):
        table.add_column(heading, justify="left" if not heading else "right")
    for comparison, found in comparisons.items():
        table.add_row(comparison)
        for contestant, row in found.items():
            low, high = row["ratios"]
            table.add_row(
                f"  {contestant}", f"{row['images_per_second']:,.0f}", f"{row['ratio']:.2f}", f"{low:.2f} to {high:.2f}"
            )
    Console(width=100).print(table)
    for share, value in shares.items():
        print(f"{share}: {100 * value:.1f} %")
    for owner, rate in rates.items():
        print(f"{owner} matrix products: {2 * rate / 1e9:.0f} GFLOP/s")
    print(out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
