"""The whole schema: as JSON schema, as sections that fit together, and without torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from support.studies import HEAD, MINIMAL, ROOT, STUDIES, IsTold, mistakes

from vitflow import cli
from vitflow.study.dataset import Dataset
from vitflow.study.models import FAMILIES
from vitflow.study.names import ConfigError
from vitflow.study.reading import parse_study, read_study
from vitflow.study.schema import Study, json_schema
from vitflow.study.training import Training

VALIDATOR = jsonschema.Draft202012Validator(json_schema())


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.name)
def test_the_json_schema_accepts_the_studies_we_ship(path: Path) -> None:
    VALIDATOR.validate(yaml.safe_load(path.read_text()))
    read_study(path)


def test_the_json_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize(
    "change",
    [
        {"sedds": 3},
        {"seeds": "three"},
        {"seeds": 0},
        {"training": {"lerning_rate": 0.1}},
        {"training": {"augmentation": "flip"}},
        {"baseline": {"family": "vt"}},
        {"baseline": {"patch": 4}},
        {"baseline": {"family": "resnet", "heads": 3}},
        {"ablations": {"g": {"width": 96}}},
        {"dataset": {"name": "cifar11"}},
    ],
    ids=str,
)
def test_the_json_schema_and_we_refuse_the_same_mistakes(change: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(MINIMAL | change)
    with pytest.raises(ConfigError):
        parse_study(MINIMAL | change, "x")


@pytest.mark.parametrize("baseline", [{"width": 64}, {"depth": 18}, {"family": "resnet"}, {}], ids=str)
def test_the_json_schema_needs_no_family_where_we_need_none(baseline: dict[str, Any]) -> None:
    VALIDATOR.validate(MINIMAL | {"baseline": baseline})
    parse_study(MINIMAL | {"baseline": baseline}, "x")


def test_the_schema_file_is_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["schema"]) == 0
    assert (ROOT / "workflow" / "schemas" / "study.schema.json").read_text() == capsys.readouterr().out


def test_configurations_are_checked_without_importing_torch() -> None:
    rooms = sorted(f"vitflow.study.{file.stem}" for file in (ROOT / "vitflow" / "study").glob("[a-z]*.py"))
    others = ["vitflow.cli", "vitflow.results.ledger", "vitflow.results.layout", "vitflow.figures.draw"]
    code = (
        f"import sys, {', '.join(rooms + others)}\n"
        "print(sorted({'torch', 'torchvision', 'matplotlib', 'sklearn', 'scipy', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"


def test_fields_of_a_run_have_unique_names() -> None:
    # changes and names are flat: a name in two sections would be ambiguous
    for family in FAMILIES.values():
        names = [n for part in (Dataset, family, Training) for n in part.model_fields]
        assert len(names) == len(set(names))


def test_resolve_names_the_nearest_field() -> None:
    study = Study.model_validate(MINIMAL)
    with pytest.raises(ConfigError, match="no field 'widht' to vary; did you mean 'width'"):
        study.resolve({"widht": 96})
    assert study.resolve({}).digest == study.baseline_run.digest


@mistakes(
    {
        HEAD + "seeds: 0": ["seeds: Input should be greater than or equal to 1 (got 0)"],
        HEAD + "seeds: 5000000000": ["seeds: Input should be less than or equal to 100 (got 5000000000)"],
        HEAD + "best: {seeds: 10000}": ["best.seeds: Input should be less than or equal to 100"],
        HEAD + "baseline: {width: 5000000000}": ["baseline.width: ", "less than or equal to 65536"],
        HEAD + "baseline: {depth: 5000000000}": ["baseline.depth: ", "less than or equal to 1000"],
        HEAD + "ablations: {g: {heads: [5000000000]}}": ["ablations.g.heads: ", "less than or equal to 65536"],
        HEAD + "references: {r: {family: resnet, width: 5000000000}}": [
            "references.r: ",
            "less than or equal to 65536",
        ],
        HEAD + "seeds: -3": ["seeds: Input should be greater than or equal to 1 (got -3)"],
        HEAD + "best: {seeds: 0}": ["best.seeds: Input should be greater than or equal to 1 (got 0)"],
        HEAD + "equivalence_margin: 0": ["equivalence_margin: Input should be greater than 0 (got 0)"],
        HEAD + "equivalence_margin: -.inf": ["equivalence_margin: Input should be a finite number"],
        HEAD + "baseline_seeds: 2": ["baseline_seeds 2 must be at least seeds 3"],
    }
)
def test_numbers_of_a_whole_study_are_checked(is_told: IsTold, text: str, parts: list[str]) -> None:
    is_told(text, parts)
