"""What sections are made of: numbers however spelled, frozen fields, and values that no field can hold."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from pydantic import ValidationError
from support.studies import HEAD, MINIMAL, IsTold, mistakes

from vitflow.study.fields import spell
from vitflow.study.grid import expand
from vitflow.study.reading import parse_study
from vitflow.study.training import Training


@pytest.mark.parametrize(
    ("field", "spellings"),
    [
        ("learning_rate", [0.002, "0.002", "2e-3", 2e-3]),
        ("epochs", [200, 200.0, "200"]),
        ("weight_decay", [0, 0.0, -0.0, "0"]),
        ("warmup_epochs", [0, 0.0, -0.0]),
    ],
)
def test_equal_numbers_are_one_run_however_spelled(field: str, spellings: list[Any]) -> None:
    studies = [parse_study(MINIMAL | {"ablations": {"g": {field: [value]}}}, "x") for value in spellings]
    runs = [[(name, run.config.digest) for name, run in expand(study).runs.items()] for study in studies]
    assert all(mine == runs[0] for mine in runs)
    assert len(runs[0]) == 2


@pytest.mark.parametrize("text", ["1e-3", "1E-3", "1.0e-3", "0.001", "+1e-3", ".1e-2"])
def test_a_number_with_an_exponent_is_a_number_on_an_axis(text: str) -> None:
    # PyYAML follows YAML 1.1, where 1e-3 is a word
    study = parse_study(yaml.safe_load(f"{HEAD}ablations: {{g: {{learning_rate: [{text}]}}}}"), "x")
    assert [(p.value, p.run) for p in expand(study).points if p.group == "g"] == [("0.001", "baseline")]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(2, "2"), (2.0, "2"), (0.002, "0.002"), (None, "none"), (True, "true"), ("crop", "crop"), (1e-5, "1e-05")],
)
def test_values_are_spelled_the_same_way_everywhere(value: Any, expected: str) -> None:
    assert spell(value) == expected


def test_nothing_of_a_run_can_be_changed_afterwards() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Training().epochs = 3  # type: ignore[misc]


@mistakes(
    {
        HEAD + "seeds: true": ["seeds: expected a number, not true"],
        HEAD + "training: {epochs: yes}": ["training: epochs: expected a number, not true"],
        HEAD + "training: {gradient_clip: off}": ["training: gradient_clip: expected a number, not false"],
        HEAD + "baseline: {depth: true}": ["baseline: depth: expected a number, not true"],
        "study: s\ndataset: {name: cifar10, train_images: true}": [
            "dataset: train_images: expected a number, not true"
        ],
        HEAD + "ablations: {g: {patch_size: [true]}}": ["ablations.g.patch_size: ", "expected a number, not true"],
        HEAD + "training: {ema: true}": ["training: ema: expected a number, not true"],
        HEAD + "baseline: {registers: true}": ["baseline: registers: expected a number, not true"],
    }
)
def test_true_and_false_are_no_numbers(is_told: IsTold, text: str, parts: list[str]) -> None:
    is_told(text, parts)


@mistakes(
    {
        HEAD + "ablations: {g: {learning_rate: [.inf]}}": [
            "ablations.g.learning_rate.0: expected a finite number",
            "inf",
        ],
        HEAD + "ablations: {g: {learning_rate: [1e999]}}": ["ablations.g.learning_rate.0: expected a finite number"],
        HEAD + "ablations: {g: {patch_size: [4, .nan]}}": ["ablations.g.patch_size.1: expected a finite number", "nan"],
    }
)
def test_what_is_not_finite_stands_on_no_axis(is_told: IsTold, text: str, parts: list[str]) -> None:
    is_told(text, parts)
