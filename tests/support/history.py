"""The history of a hundred updates, and the stored ones in tests/golden/ that it is held to.

`PYTHONPATH=tests python -m support.history`, where vitflow is, stores this machine's: for another machine, and after a
change that is meant to change the bits.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save
from torch import nn

from support.results import ROOT
from support.trainings import CPU
from vitflow.data.prepare import load
from vitflow.models.linear import Linear
from vitflow.study.dataset import Dataset
from vitflow.study.models import ViT
from vitflow.study.run import RunConfig
from vitflow.study.training import Training
from vitflow.training import loop

#: history and weights of one machine: {"machine", "weights", "history"}
History = dict[str, Any]

#: a hundred updates of the default model and, but for its length, the default recipe
HUNDRED = RunConfig(
    dataset=Dataset(name="digits", train_images=40, validation_fraction=0.02),
    model=ViT(),
    training=Training(epochs=50, batch_size=20, crop_padding=1, precision="fp32"),
)
#: who computes the products of tokens and weights (vitflow/models/linear.py), and whether it looks at the processor's
#: model beside its maker and instruction set
LIBRARIES = {"mkl": False, "onednn": True}

#: (relative, absolute): what other kernels may make of a number. Between AVX512, AVX2 and no vector instructions, with
#: either library, losses were at most 0.00042 of themselves apart, norms 0.0019, and no accuracy; three to four times
#: that is allowed, and one image of thirty. Real changes are further off. The smallest that were tried, losses and
#: norms: clipping at 2 instead of 1, 0.0026 and 0.011; decay of biases and norms too, 0.0029 and 0.013; weight decay
#: 0.1 instead of 0.05, 0.0044 and 0.017 (0.06 would pass). The larger: a warm-up that is a step ahead, 0.10 and 0.32;
#: other initial weights, 0.17 and 0.66; no flips, 0.44 and 0.59
LOSS, NORM, IMAGE = (1.5e-3, 0.0), (7e-3, 0.0), (0.0, 3.4)
#: by column, named one by one, since a column that history gets later changes nothing here
TOLERANCE = {
    "epoch": (0.0, 0.0),
    "step": (0.0, 0.0),
    "learning_rate": (1e-12, 0.0),
    "train_loss": LOSS,
    "train_accuracy": IMAGE,
    "validation_loss": LOSS,
    "validation_accuracy": IMAGE,
    "gradient_norm": NORM,
    "largest_gradient_norm": NORM,
}


def machine(library: str) -> dict[str, str]:
    """What decides which kernels compute, and so the last bits."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        known = dict(reversed([[part.strip() for part in line.split(":", 1)] for line in lines if ":" in line]))
        model = f" family {known['cpu family']} model {known['model']}" if LIBRARIES[library] else ""
        processor = known["vendor_id"] + model
    except (OSError, KeyError):
        processor = "unknown"
    return {
        "torch": torch.__version__,
        "capability": torch.backends.cpu.get_cpu_capability(),
        "processor": processor,
    }


def hundred_updates(folder: Path, library: str) -> History:
    """History and digest of the weights, here. In ``folder`` the images are prepared."""
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        if library == "mkl":
            patch.setattr(Linear, "forward", nn.Linear.forward)
        patch.chdir(folder)
        outcome = loop.train(HUNDRED, 0, load(HUNDRED.dataset), folder / "state", device=CPU)
    assert outcome.steps == 100
    weights = hashlib.sha256(save(dict(outcome.model.state_dict()))).hexdigest()
    history = [[row[name] for name in TOLERANCE] for row in outcome.history]
    return {"machine": machine(library), "weights": weights, "history": history}


def place(library: str) -> Path:
    return ROOT / "tests" / "golden" / f"history-digits-{library}.json"


def stored(library: str) -> list[History]:
    """One of each machine that has been met."""
    found: list[History] = json.loads(place(library).read_text())
    return found


def apart(ours: History, theirs: History) -> list[str]:
    """A line for each number that is further from theirs than other kernels make it."""
    return [
        f"epoch {epoch}: {name} {one}, stored {other}"
        for epoch, rows in enumerate(zip(ours["history"], theirs["history"], strict=True), start=1)
        for (name, (relative, absolute)), one, other in zip(TOLERANCE.items(), *rows, strict=True)
        if abs(one - other) > absolute + relative * abs(other)
    ]


def store(library: str, found: History) -> None:
    """Keep it in place of this machine's. Those of others go where they are known to be of other code."""
    others = [history for history in stored(library) if history["machine"] != found["machine"]]
    changed = any(h["machine"] == found["machine"] and h != found for h in stored(library))
    kept = [] if changed else [history for history in others if not apart(found, history)]
    place(library).write_text("[" + ",\n".join(map(_spelt, [*kept, found])) + "]\n")


def _spelt(history: History) -> str:
    """JSON with a line for each epoch."""
    rows = ",\n  ".join(json.dumps(row) for row in history["history"])
    head = f'"machine": {json.dumps(history["machine"])},\n "weights": "{history["weights"]}"'
    return f'{{\n {head},\n "history": [\n  {rows}\n ]\n}}'


if __name__ == "__main__":
    for library in LIBRARIES:
        with tempfile.TemporaryDirectory() as folder:
            store(library, hundred_updates(Path(folder), library))
