"""Same seed, device and threads: the same bits. Against a stored history, in two processes, and after any stop."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import save
from torch import nn

from vitflow.data.prepare import load
from vitflow.data.splits import Data
from vitflow.models.linear import Linear
from vitflow.study.dataset import Dataset
from vitflow.study.models import ResNet, ViT
from vitflow.study.run import RunConfig
from vitflow.study.training import Training
from vitflow.training import loop, predict
from vitflow.training.trainer import Trainer

TESTS = Path(__file__).parent
GOLDEN = TESTS / "golden"
IMAGES, BATCH, EPOCHS = 120, 30, 3
PER_EPOCH = IMAGES // BATCH
pytestmark = pytest.mark.usefixtures("one_thread")


def digits(**changes: Any) -> Dataset:
    return Dataset.model_validate({"name": "digits", "train_images": IMAGES, "validation_fraction": 0.02} | changes)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("digits"))
        return load(digits())


# ------------------------------------------------------------------------------------- golden history

#: a hundred updates of the default model and, but for its length, the default recipe
HUNDRED = RunConfig(
    dataset=digits(train_images=40),
    model=ViT(),
    training=Training(epochs=50, batch_size=20, crop_padding=1, precision="fp32"),
)


#: who computes the products of tokens and weights (vitflow/models/linear.py), and whether it looks at the processor's
#: model beside its maker and instruction set
LIBRARIES = {"mkl": False, "onednn": True}


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


def hundred_updates(folder: Path, library: str) -> dict[str, Any]:
    """History and digest of the weights. In ``folder`` the images are prepared."""
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        if library == "mkl":
            patch.setattr(Linear, "forward", nn.Linear.forward)
        patch.chdir(folder)
        outcome = loop.train(HUNDRED, 0, load(HUNDRED.dataset), folder / "state", device=torch.device("cpu"))
    assert outcome.steps == 100
    weights = hashlib.sha256(save(dict(outcome.model.state_dict()))).hexdigest()
    return {"history": [[row[name] for name in COLUMNS] for row in outcome.history], "weights": weights}


#: named one by one, since a column that history gets later changes nothing here
COLUMNS = (
    "epoch",
    "step",
    "learning_rate",
    "train_loss",
    "train_accuracy",
    "validation_loss",
    "validation_accuracy",
    "gradient_norm",
    "largest_gradient_norm",
)


@pytest.fixture(scope="module")
def hundred(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    return {library: hundred_updates(tmp_path_factory.mktemp(library), library) for library in LIBRARIES}


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_first_hundred_updates_are_those_of_the_stored_history(
    hundred: dict[str, dict[str, Any]], library: str
) -> None:
    golden = json.loads((GOLDEN / f"history-digits-{library}.json").read_text())
    here = machine(library)
    differ = [
        f"{key} {golden['machine'][key]}, here {here[key]}" for key in here if here[key] != golden["machine"][key]
    ]
    if differ:
        pytest.skip(f"other kernels, other last bits: the stored history is of {'; '.join(differ)}")
    for ours, stored in zip(hundred[library]["history"], golden["history"], strict=True):
        assert ours == stored
    assert hundred[library]["weights"] == golden["weights"]


def test_another_process_comes_to_the_same_bits(hundred: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    places = f"{TESTS.parent}{os.pathsep}{TESTS}"
    environment = os.environ | {"PYTHONPATH": places, "PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "1"}
    code = "import json, pathlib, test_exact as t; print(json.dumps(t.hundred_updates(pathlib.Path.cwd(), 'onednn')))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == hundred["onednn"]


# ------------------------------------------------------------------------------ a stop at any step


def trained(config: RunConfig, data: Data, folder: Path, stop: int | None = None, **options: Any) -> dict[str, Any]:
    """All that a sitting comes to; ``stop`` is the step at which it is asked to end."""
    made: list[Trainer] = []

    def keep(*arguments: Any) -> Trainer:
        made.append(Trainer(*arguments))
        return made[-1]

    step = max((int(path.name.split("-")[1]) for path in folder.glob("step-*.pt")), default=0) - 1

    def should_stop(seconds: float) -> bool:
        nonlocal step
        step += 1
        return step == stop

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "Trainer", keep)
        outcome = loop.train(config, 3, data, folder, device=torch.device("cpu"), should_stop=should_stop, **options)
    return {
        "counted": outcome.model.state_dict(),
        "latest": made[0].model.state_dict(),
        "optimizer": made[0].optimizer.state_dict(),
        "history": outcome.history,
        "end": (outcome.status, outcome.steps, outcome.diverged_step),
        "resumed_from": outcome.resumed_from,
    }


def assert_same(ours: Any, theirs: Any, where: str = "") -> None:
    """Equal at atol = rtol = 0, dtypes and structure included."""
    if isinstance(theirs, torch.Tensor):
        assert ours.dtype == theirs.dtype and torch.equal(ours, theirs), where
    elif isinstance(theirs, dict):
        assert ours.keys() == theirs.keys(), where
        for key in theirs:
            if key != "resumed_from":
                assert_same(ours[key], theirs[key], f"{where}.{key}")
    elif isinstance(theirs, list | tuple):
        assert len(ours) == len(theirs), where
        for number, pair in enumerate(zip(ours, theirs, strict=True)):
            assert_same(*pair, f"{where}[{number}]")
    else:
        assert ours == theirs, where


def choices(model: Any, *fields: str) -> dict[str, tuple[Any, ...]]:
    return {field: get_args(model.model_fields[field].annotation) for field in fields}


VIT_CHOICES: dict[str, tuple[Any, ...]] = {
    **choices(ViT, "pool", "patch_embed", "position", "norm", "norm_placement", "qk_norm", "attention", "feedforward"),
    "cls_position": (True, False),
    "registers": (0, 2),
    "layer_scale": (None, 0.1),
    "drop_path": (0.0, 0.3),
    "patch_size": (2, 4),
}
RECIPE_CHOICES: dict[str, tuple[Any, ...]] = {
    **choices(Training, "optimizer", "augmentation", "mixing"),
    "random_erasing": (0.0, 0.5),
    "ema": (None, 0.9),
    "gradient_clip": (None, 1.0),
    "label_smoothing": (0.0, 0.1),
}


def variant(seed: int) -> RunConfig:
    """A run of any family with any techniques, as drawn; every fourth is a ResNet."""
    chance = random.Random(seed)
    while True:
        drawn = {field: chance.choice(values) for field, values in VIT_CHOICES.items()}
        recipe = {field: chance.choice(values) for field, values in RECIPE_CHOICES.items()}
        recipe |= {"epochs": EPOCHS, "batch_size": BATCH, "learning_rate": 3e-3, "warmup_epochs": 1, "crop_padding": 1}
        try:
            model = ResNet(width=4) if seed % 4 == 0 else ViT(width=16, depth=2, heads=2, **drawn)
            return RunConfig(dataset=digits(), model=model, training=Training(**recipe))
        except ValidationError:
            continue  # not every combination is one


VARIANTS = range(12, 28)  #: a sample in which every choice occurs


def test_the_sample_of_variants_has_every_choice_in_it() -> None:
    configs = [variant(seed) for seed in VARIANTS]
    for field, values in RECIPE_CHOICES.items():
        assert {getattr(config.training, field) for config in configs} == set(values), field
    models = [config.model for config in configs if isinstance(config.model, ViT)]
    for field, values in VIT_CHOICES.items():
        assert {getattr(model, field) for model in models} == set(values), field


@pytest.mark.parametrize("seed", VARIANTS)
def test_a_variant_stopped_anywhere_ends_with_the_same_bits(seed: int, data: Data, tmp_path: Path) -> None:
    config, chance = variant(seed), random.Random(100 + seed)
    whole = trained(config, data, tmp_path / "whole")
    mid_epoch = chance.randrange(EPOCHS) * PER_EPOCH + chance.randrange(1, PER_EPOCH - 1)
    before_the_last = chance.randrange(EPOCHS) * PER_EPOCH + PER_EPOCH - 1
    between_epochs = chance.randrange(1, EPOCHS) * PER_EPOCH
    stops = sorted([mid_epoch, before_the_last, between_epochs])
    for stop in stops:
        with pytest.raises(loop.Interrupted, match=f"stopped at step {stop} of"):
            trained(config, data, tmp_path / "state", stop)
    resumed = trained(config, data, tmp_path / "state")
    assert resumed["resumed_from"] == stops
    assert_same(resumed, whole)


EVERYTHING = {"ema": 0.9, "mixing": "cutmix", "random_erasing": 0.5, "augmentation": "trivial", "optimizer": "muon"}


def with_everything() -> RunConfig:
    recipe = {"epochs": EPOCHS, "batch_size": BATCH, "learning_rate": 3e-3, "warmup_epochs": 1, "crop_padding": 1}
    model = ViT(patch_size=4, width=16, depth=2, heads=2, drop_path=0.3)
    return RunConfig(dataset=digits(), model=model, training=Training.model_validate(recipe | EVERYTHING))


def test_a_stop_at_every_single_step_changes_nothing(data: Data, tmp_path: Path) -> None:
    config = with_everything()
    whole = trained(config, data, tmp_path / "whole")
    for stop in range(1, EPOCHS * PER_EPOCH):
        with pytest.raises(loop.Interrupted):
            trained(config, data, tmp_path / f"{stop}", stop)
        resumed = trained(config, data, tmp_path / f"{stop}")
        assert resumed["resumed_from"] == [stop]
        assert_same(resumed, whole)


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_a_stop_in_the_middle_of_scoring_changes_nothing(
    data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(predict, "BATCH", 10)
    assert len(data.validation.labels) > 20, "three batches"
    config = with_everything()
    whole = trained(config, data, tmp_path / "whole")
    asked = iter(range(1000))
    with pytest.raises(loop.Interrupted, match=f"stopped at step {2 * PER_EPOCH - 1} of"):
        trained(config, data, tmp_path / "state", hurry=lambda: next(asked) == 2 + batch)
    resumed = trained(config, data, tmp_path / "state")
    assert resumed["resumed_from"] == [2 * PER_EPOCH - 1]
    assert_same(resumed, whole)


def write_golden() -> None:
    """Run after a change that is meant to change the bits: `python -c "import test_exact as t; t.write_golden()"`."""
    import tempfile

    for library in LIBRARIES:
        with tempfile.TemporaryDirectory() as folder:
            found = hundred_updates(Path(folder), library)
        rows = ",\n  ".join(json.dumps(row) for row in found["history"])
        head = f'"machine": {json.dumps(machine(library))},\n "weights": "{found["weights"]}"'
        path = GOLDEN / f"history-digits-{library}.json"
        path.write_text(f'{{\n {head},\n "history": [\n  {rows}\n ]\n}}\n')
