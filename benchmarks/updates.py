"""Milliseconds of an update, by model, precision and optimizer: `python -m benchmarks.updates`.

Kept in results/benchmarks/updates/<device>.json beside those of earlier commits, to see what a change of the trainer
gains. Nothing else should use the device.
"""

from __future__ import annotations

from statistics import median

from benchmarks.measure import RESULTS, named_after
from vitflow.machine.device import device_name, select_device
from vitflow.machine.files import read_json, write_json
from vitflow.measuring.cost import ROUNDS, Turns
from vitflow.results.code import TRAINING
from vitflow.results.provenance import provenance
from vitflow.study.dataset import Dataset
from vitflow.study.models import Model, ResNet, ViT
from vitflow.study.run import RunConfig
from vitflow.study.training import Training

MODELS: dict[str, Model] = {
    "ViT, width 96, depth 4": ViT(width=96, depth=4, heads=3),
    "ViT, width 192, depth 6": ViT(width=192, depth=6, heads=8),
    "ResNet-18": ResNet(depth=18, width=64),
}
CASES = (
    ("ViT, width 96, depth 4", "auto", "adamw"),
    ("ViT, width 96, depth 4", "auto", "muon"),
    ("ViT, width 96, depth 4", "fp32", "muon"),
    ("ViT, width 96, depth 4", "bf16", "adamw"),
    ("ViT, width 192, depth 6", "auto", "adamw"),
    ("ViT, width 192, depth 6", "bf16", "adamw"),
    ("ResNet-18", "auto", "adamw"),
)


def main() -> None:
    """Measure, print and keep."""
    device = select_device()
    made = provenance(*TRAINING, device=device.type)
    rows = []
    for model, precision, optimizer in CASES:
        recipe = Training.model_validate({"precision": precision, "optimizer": optimizer})
        turns = Turns(RunConfig(dataset=Dataset(name="cifar10"), model=MODELS[model], training=recipe), device)
        times = [round(1e3 * recipe.batch_size * turns.take(), 3) for _ in range(ROUNDS)]
        rows.append({"model": model, "precision": precision, "optimizer": optimizer, "milliseconds": times})
        print(f"{model}, {precision}, {optimizer}: {median(times):.2f} ms an update", flush=True)
    path = RESULTS / "updates" / named_after(device_name(device.type))
    known = read_json(path) if path.exists() else {}
    write_json(path, known | {made["git"] or "unknown": {"rows": rows, "provenance": made}})
    print(path)


if __name__ == "__main__":
    main()
