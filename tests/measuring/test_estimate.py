"""How long trainings take here, before any of them has run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from support.commands import TWO_RUNS, edited
from support.trainings import run_config

from vitflow.data import places
from vitflow.data.prepare import load
from vitflow.machine.files import write_json
from vitflow.measuring import cost
from vitflow.measuring.cost import peak_memory
from vitflow.measuring.estimate import ASSUMED, counted_memory, hours_a_seed, training_images
from vitflow.study.dataset import Dataset
from vitflow.study.grid import expand
from vitflow.study.models import ResNet, ViT
from vitflow.study.reading import read_study

pytestmark = pytest.mark.usefixtures("one_thread")


def test_hours_grow_with_epochs_and_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "SECONDS", 0.01)
    config = tmp_path / "config.yaml"
    config.write_text(edited(TWO_RUNS, ("width: [8, 16]", "train_images: [100], epochs: [20]")))
    runs = {name: run.config for name, run in expand(read_study(config)).runs.items()}
    hours = hours_a_seed(runs, torch.device("cpu"))
    assert hours["train_images=100"] == pytest.approx(hours["baseline"] / 2)
    assert hours["epochs=20"] == pytest.approx(hours["baseline"] * 10)


@pytest.mark.parametrize(
    "changes", [{}, {"width": 32}, {"depth": 4}, {"patch_size": 2}, {"family": "resnet", "width": 8}], ids=str
)
def test_counted_memory_is_what_the_allocator_holds(changes: dict[str, Any]) -> None:
    model = ResNet(width=8) if changes.get("family") else ViT(**({"width": 16, "depth": 2, "heads": 2} | changes))
    config = run_config(model)
    assert counted_memory(config) == pytest.approx(peak_memory(config, torch.device("cpu")), rel=0.2)


def test_the_number_of_training_images_needs_no_data(here: Path) -> None:
    dataset = read_study("config.yaml").dataset
    assert training_images(dataset) == 200
    everything = dataset.model_copy(update={"train_images": None})
    assert training_images(everything) == pytest.approx(len(load(everything).train.labels), rel=0.01)


def test_a_folders_images_are_counted_once_they_are_prepared(in_an_empty_folder: None) -> None:
    folder = Dataset(name="folder", path="pets", image_size=8, channels=3, classes=2, validation_fraction=0.2)
    assert training_images(folder) == 0.8 * ASSUMED
    write_json(places.manifest(folder.key), {"counts": {"train": {"cat": 30, "dog": 20}, "test": {"cat": 5, "dog": 5}}})
    assert training_images(folder) == 40
