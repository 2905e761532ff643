"""The schema: what it accepts, what it freezes, and what it says about a mistake."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal, get_args

import jsonschema
import pytest
import yaml

from vitflow.study.dataset import IMAGES, Dataset
from vitflow.study.fields import spell
from vitflow.study.grid import expand, point
from vitflow.study.models import FAMILIES, ResNet, ViT
from vitflow.study.names import ConfigError
from vitflow.study.reading import parse_study, read_study
from vitflow.study.run import RunConfig
from vitflow.study.schema import Study, json_schema
from vitflow.study.training import Training

ROOT = Path(__file__).parent.parent
GOLDEN = json.loads((Path(__file__).parent / "golden" / "frozen_defaults.json").read_text())
STUDIES = sorted([ROOT / "config.yaml", *(ROOT / "workflow" / "studies").glob("*.yaml")])
HEAD = "study: s\ndataset: {name: cifar10}\n"
MINIMAL: dict[str, Any] = {"study": "s", "dataset": {"name": "cifar10"}}


def told(tmp_path: Path, text: str | bytes) -> str:
    """What is said about a study's text, after the file's name; one line, or the test fails."""
    path = tmp_path / "study.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        read_study(path)
    message = str(caught.value)
    assert len(message.splitlines()) == 1, message
    assert message.startswith(f"{path}: "), message
    return message.removeprefix(f"{path}: ")


# ------------------------------------------------------------------------------------ frozen defaults


@pytest.mark.parametrize("schema", [Dataset, ViT, ResNet, Training], ids=lambda schema: schema.__name__)
def test_a_released_default_never_changes(schema: type[Dataset]) -> None:
    required = {"name"} if schema is Dataset else set()
    defaults = {name: field.default for name, field in schema.model_fields.items() if name not in required}
    assert defaults == GOLDEN["defaults"][schema.__name__]


EXAMPLES: dict[str, dict[str, Any]] = {
    "cifar10 baseline": {"dataset": {"name": "cifar10"}, "model": {"family": "vit"}, "training": {}},
    "half-width ResNet-18 on 5,000 images": {
        "dataset": {"name": "cifar10", "train_images": 5000},
        "model": {"family": "resnet", "width": 32},
        "training": {"epochs": 200, "gradient_clip": None},
    },
    "digits, patch 2, mean pooling": {
        "dataset": {"name": "digits", "validation_fraction": 0.2},
        "model": {"family": "vit", "patch_size": 2, "width": 48, "depth": 4, "heads": 4, "pool": "mean"},
        "training": {"epochs": 30, "batch_size": 64, "learning_rate": 0.003, "augmentation": "none"},
    },
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_digests_of_known_runs_never_change(name: str) -> None:
    assert RunConfig.model_validate(EXAMPLES[name]).digest == GOLDEN["digests"][name]


class NewDataset(Dataset):
    grayscale: bool = False


class NewViT(ViT):
    convolution: Literal["none", "depthwise"] = "none"
    memories: int = 0


class NewResNet(ResNet):
    stochastic_depth: float = 0.0


class NewTraining(Training):
    lookahead: float | None = None


class NewRunConfig(RunConfig):
    dataset: NewDataset
    model: NewViT | NewResNet  # type: ignore[assignment]
    training: NewTraining


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_field_added_with_a_default_changes_no_digest(name: str) -> None:
    run = NewRunConfig.model_validate(EXAMPLES[name])
    assert type(run.model) in (NewViT, NewResNet)
    assert run.digest == GOLDEN["digests"][name]


def test_an_added_field_away_from_its_default_is_another_run() -> None:
    changed = copy.deepcopy(EXAMPLES["cifar10 baseline"])
    changed["model"]["convolution"] = "depthwise"
    assert NewRunConfig.model_validate(changed).digest != GOLDEN["digests"]["cifar10 baseline"]


def every_changed_run() -> dict[str, tuple[str, str, object]]:
    changes: dict[str, tuple[str, str, object]] = {
        "dataset.name": ("dataset", "name", "cifar100"),
        "dataset.train_images": ("dataset", "train_images", 5000),
        "dataset.validation_fraction": ("dataset", "validation_fraction", 0.2),
    }
    values: dict[str, object] = {"precision": "fp32", "augmentation": "crop", "gradient_clip": 2.0}
    values |= {"optimizer": "sgd", "mixing": "mixup", "ema": 0.99, "random_erasing": 0.25}
    values |= {"mixing_alpha": None}  # without effect beside the default
    for field in Training.model_fields:
        value = values.get(field, Training.model_fields[field].default + 1 if field not in values else None)
        value = 0.2 if field == "label_smoothing" else value
        if value is not None:
            changes[f"training.{field}"] = ("training", field, value)
    vit: dict[str, object] = {
        "patch_size": 2,
        "width": 96,
        "depth": 4,
        "heads": 3,
        "mlp_ratio": 2.0,
        "pool": "mean",
        "patch_embed": "overlap",
        "position": "rope2d",
        "cls_position": False,
        "registers": 4,
        "norm": "rmsnorm",
        "norm_placement": "post",
        "qk_norm": "l2",
        "attention": "locality",
        "feedforward": "swiglu",
        "layer_scale": 0.1,
        "drop_path": 0.1,
    }
    assert vit.keys() == ViT.model_fields.keys() - {"family", "position_base"}  # inert in the baseline, see below
    return changes | {f"model.{field}": ("model", field, value) for field, value in vit.items()}


@pytest.mark.parametrize("name", every_changed_run())
def test_every_field_with_an_effect_is_part_of_the_identity(name: str) -> None:
    section, field, value = every_changed_run()[name]
    changed = copy.deepcopy(EXAMPLES["cifar10 baseline"])
    changed[section][field] = value
    assert RunConfig.model_validate(changed).digest != GOLDEN["digests"]["cifar10 baseline"]


# -------------------------------------------------------------------------------------- normalisation


def test_padding_is_inert_without_a_crop() -> None:
    def run(augmentation: str, padding: int) -> RunConfig:
        training = {"augmentation": augmentation, "crop_padding": padding}
        return RunConfig.model_validate({**EXAMPLES["cifar10 baseline"], "training": training})

    assert run("none", 2).digest == run("none", 4).digest == run("none", 8).digest
    assert run("none", 2).normalised().training.crop_padding == 4
    assert "crop_padding" not in run("none", 2).flat()
    assert run("crop", 2).digest != run("crop", 4).digest
    assert run("crop", 2).normalised().training.crop_padding == 2


def test_the_share_of_a_mixture_is_inert_without_mixing() -> None:
    def run(mixing: str, alpha: float) -> RunConfig:
        training = {"mixing": mixing, "mixing_alpha": alpha}
        return RunConfig.model_validate({**EXAMPLES["cifar10 baseline"], "training": training})

    assert run("none", 0.2).digest == run("none", 1).digest == GOLDEN["digests"]["cifar10 baseline"]
    assert "mixing_alpha" not in run("none", 0.2).flat()
    assert len({run(mixing, alpha).digest for mixing in ("mixup", "cutmix") for alpha in (0.2, 1)}) == 4


def vit_run(**model: Any) -> RunConfig:
    return RunConfig.model_validate({**EXAMPLES["cifar10 baseline"], "model": {"family": "vit", **model}})


@pytest.mark.parametrize(
    ("field", "value", "inert", "effective"),
    [
        (
            "position_base",
            10000,
            [{}, {"position": "none"}],
            [{"position": p} for p in ("sincos1d", "sincos2d", "rope1d", "rope2d")],
        ),
        (
            "cls_position",
            False,
            [{"position": "none"}, {"position": "rope1d"}, {"position": "rope2d"}, {"pool": "mean"}],
            [{}, {"position": "sincos1d"}, {"position": "sincos2d"}],
        ),
        ("drop_path", 0.1, [{"depth": 1}], [{}, {"depth": 2}]),
    ],
)
def test_a_field_of_the_vit_is_inert_exactly_where_it_has_no_effect(
    field: str, value: object, inert: list[dict[str, Any]], effective: list[dict[str, Any]]
) -> None:
    for model in inert:
        run = vit_run(**model, **{field: value})
        assert run.digest == vit_run(**model).digest
        assert getattr(run.normalised().model, field) == ViT.model_fields[field].default
        assert field not in run.flat()
    for model in effective:
        run = vit_run(**model, **{field: value})
        assert run.digest != vit_run(**model).digest
        assert getattr(run.normalised().model, field) == run.flat()[field] == value


def test_what_is_inert_in_a_vit_does_not_concern_a_resnet() -> None:
    run = RunConfig.model_validate(EXAMPLES["half-width ResNet-18 on 5,000 images"])
    assert run.normalised().model == run.model


def test_where_the_data_lie_is_not_what_they_are() -> None:
    here, there = (Study(study="s", dataset=Dataset(name="cifar10", path=path)) for path in ("/a", None))
    assert here.baseline_run.digest == there.baseline_run.digest


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


def test_a_point_of_several_fields_is_labelled_by_its_name() -> None:
    assert point("model", {"name": "wide", "width": 256, "depth": 4}) == ("wide", {"width": 256, "depth": 4})
    assert point("width", 256) == ("256", {"width": 256})


def test_a_study_survives_being_written_and_read(tmp_path: Path) -> None:
    # Snakemake hands its jobs the study as JSON
    for path in STUDIES:
        study = read_study(path)
        copied = tmp_path / "study.json"
        copied.write_text(json.dumps(study.model_dump()))
        assert read_study(copied) == study
        assert expand(read_study(copied)).table() == expand(study).table()


# ------------------------------------------------------------------------------- schema and registries


def literals(schema: type[Dataset], field: str) -> set[str]:
    return set(get_args(schema.model_fields[field].annotation))


def test_allowed_names_are_those_of_the_registries() -> None:
    from vitflow.models.attention import ATTENTIONS
    from vitflow.models.block import BLOCKS
    from vitflow.models.feedforward import FEEDFORWARDS
    from vitflow.models.norm import NORMS
    from vitflow.models.patch_embed import PATCH_EMBEDS
    from vitflow.models.position import POSITIONS
    from vitflow.models.qk_norm import QK_NORMS
    from vitflow.models.tokens import POOLS
    from vitflow.training.augmentation.augment import AUGMENTATIONS
    from vitflow.training.augmentation.mixing import MIXINGS
    from vitflow.training.optimizer import OPTIMIZERS

    assert literals(Training, "augmentation") == AUGMENTATIONS.keys()  # type: ignore[arg-type]
    assert literals(Training, "mixing") == MIXINGS.keys()  # type: ignore[arg-type]
    assert literals(Training, "optimizer") == OPTIMIZERS.keys()  # type: ignore[arg-type]
    registries: dict[str, dict[str, Any]] = {
        "pool": POOLS,
        "patch_embed": PATCH_EMBEDS,
        "position": POSITIONS,
        "norm": NORMS,
        "norm_placement": BLOCKS,
        "qk_norm": QK_NORMS,
        "attention": ATTENTIONS,
        "feedforward": FEEDFORWARDS,
    }
    words = {name for name, field in ViT.model_fields.items() if isinstance(field.default, str)} - {"family"}
    assert {name: literals(ViT, name) for name in words} == {n: set(r) for n, r in registries.items()}  # type: ignore[arg-type]
    assert literals(Dataset, "name") == IMAGES.keys() | {"folder"}
    assert {family for kind in FAMILIES.values() for family in get_args(kind.model_fields["family"].annotation)} == set(
        FAMILIES
    )


def test_every_depth_of_a_resnet_can_be_built() -> None:
    from vitflow.models.build import build

    for depth in get_args(ResNet.model_fields["depth"].annotation):
        build(ResNet(depth=depth, width=4), 8, 1, 2)


def test_fields_of_a_run_have_unique_names() -> None:
    # changes and names are flat: a name in two sections would be ambiguous
    for family in FAMILIES.values():
        names = [n for part in (Dataset, family, Training) for n in part.model_fields]
        assert len(names) == len(set(names))


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
    from vitflow.cli import main

    assert main(["schema"]) == 0
    assert (ROOT / "workflow" / "schemas" / "study.schema.json").read_text() == capsys.readouterr().out


def test_configurations_are_checked_without_importing_torch() -> None:
    code = (
        "import sys, vitflow.config, vitflow.grid, vitflow.ledger, vitflow.layout, vitflow.figures.draw\n"
        "print(sorted({'torch', 'torchvision', 'matplotlib', 'sklearn', 'scipy', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"


# -------------------------------------------------------------------------------------------- mistakes

NO_MAPPING = "expected a mapping with keys such as study, dataset, ablations"
MISTAKES: dict[str, list[str]] = {
    # files that are no study
    "": [NO_MAPPING],
    "# only a comment\n": [NO_MAPPING],
    "vit": [NO_MAPPING],
    "[1, 2]": [NO_MAPPING],
    "a: [": ["not valid YAML", "line 1"],
    "\tstudy: s": ["not valid YAML", "line 1"],
    "a: 1\n---\nb: 2": ["not valid YAML", "single document"],
    "a: !!python/object:os.system {}": ["not valid YAML", "line 1"],
    "study: s\nstudy: t": ["line 2: key 'study' stands there twice"],
    HEAD + "training:\n  epochs: 3\n  epochs: 4": ["line 5: key 'epochs' stands there twice"],
    HEAD + "ablations: {g: {width: [96], width: [48]}}": ["line 3: key 'width' stands there twice"],
    "{[a, b]: 1}": ["line 1: a key must be a word, not ['a', 'b']"],
    "{{a: b}: 1}": ["line 1: a key must be a word"],
    # keys
    "study: s": ["dataset: missing"],
    "dataset: {name: cifar10}": ["study: missing"],
    HEAD + "sedds: 3": ["sedds: unknown key; did you mean 'seeds'?"],
    HEAD + "zzz: 3": ["zzz: unknown key; valid: ", "ablations"],
    HEAD + "3: 4": ["3: Keys should be strings"],
    "study: s\ndataset: {nam: cifar10}": ["dataset.nam: unknown key; did you mean 'name'?"],
    HEAD + "training: {lerning_rate: 1}": ["training.lerning_rate: unknown key; did you mean 'learning_rate'?"],
    HEAD + "baseline: {patch: 4}": ["baseline.patch: unknown key; did you mean 'patch_size'?"],
    HEAD + "baseline: {family: resnet, heads: 3}": ["baseline.heads: unknown key; valid: family, depth, width"],
    HEAD + "best: {seed: 3}": ["best.seed: unknown key; did you mean 'seeds'?"],
    HEAD + "features: {image: 30}": ["features.image: unknown key; did you mean 'images'?"],
    # names
    "study: ../../etc\ndataset: {name: cifar10}": ["study: '../../etc' cannot name a study", "for example 'etc'"],
    "study: /etc\ndataset: {name: cifar10}": ["study: '/etc' cannot name a study", "for example 'etc'"],
    "study: ..\ndataset: {name: cifar10}": ["study: '..' cannot name a study"],
    "study: a..b\ndataset: {name: cifar10}": ["study: 'a..b' cannot name a study"],
    "study: -rf\ndataset: {name: cifar10}": ["study: '-rf' cannot name a study", "for example 'rf'"],
    "study: 'a,b'\ndataset: {name: cifar10}": ["study: 'a,b' cannot name a study", "for example 'a-b'"],
    "study: 'a b'\ndataset: {name: cifar10}": ["study: 'a b' cannot name a study", "for example 'a-b'"],
    'study: "a\\nb"\ndataset: {name: cifar10}': ["study: 'a b' cannot name a study", "for example 'a-b'"],
    "study: ''\ndataset: {name: cifar10}": ["study: '' cannot name a study", "for example 'my-study'"],
    "study: 5\ndataset: {name: cifar10}": ["study: Input should be a valid string (got 5)"],
    HEAD + "ablations: {'a/b': {width: [96]}}": ["ablations: 'a/b' cannot name a group", "for example 'a-b'"],
    HEAD + "ablations: {g: {'../x': [{name: q, width: 96}]}}": ["ablations: '../x' cannot name an axis"],
    HEAD + "ablations: {references: {width: [96]}}": ["ablations: 'references' cannot name a group"],
    HEAD + "cross: {baseline: {width: [96], depth: [4]}}": ["cross: 'baseline' cannot name a group"],
    HEAD + "references: {baseline: {width: 96}}": ["references: 'baseline' cannot name a group or a reference"],
    HEAD + "references: {'a,b': {width: 96}}": ["references: 'a,b' cannot name", "for example 'a-b'"],
    HEAD + "ablations: {g: {width: [96]}}\ncross: {g: {width: [96], depth: [4]}}": ["cross.g: ", "ablations", "rename"],
    HEAD + "ablations: {g: {m: [{name: 'q/r', width: 96}]}}": ["ablations.g.m: 'q/r' cannot name a point", "'q-r'"],
    # types
    "study: s\ndataset: cifar10": ["dataset: expected a mapping with keys such as name", "(got 'cifar10')"],
    "study: s\ndataset:": ["dataset: expected a mapping", "(got None)"],
    HEAD + "training: 5": ["training: expected a mapping with keys such as epochs", "(got 5)"],
    HEAD + "baseline: vit": ["baseline: expected a mapping with keys such as family", "(got 'vit')"],
    HEAD + "best: true": ["best: expected a mapping with keys such as max_flops_ratio"],
    HEAD + "ablations: 3": ["ablations: expected a mapping (got 3)"],
    HEAD + "ablations: [width]": ["ablations: expected a mapping (got ['width'])"],
    HEAD + "ablations: {g: 3}": ["ablations.g: expected a mapping (got 3)"],
    HEAD + "ablations: {g: {width: 96}}": ["ablations.g.width: expected a list, for example [96]"],
    HEAD + "ablations: {list_a: {width: 96}}": ["ablations.list_a.width: expected a list"],
    HEAD + "ablations: {g: {2: [1]}}": ["ablations.g.2: Input should be a valid string"],
    HEAD + "cross: {c: []}": ["cross.c: expected a mapping (got [])"],
    HEAD + "references: {r: resnet18}": ["references.r: expected a mapping (got 'resnet18')"],
    HEAD + "features: {runs: baseline}": ["features.runs: expected a list, for example [baseline]"],
    HEAD + "seeds: three": ["seeds: Input should be a valid integer", "(got 'three')"],
    HEAD + "seeds: 2.5": ["seeds: Input should be a valid integer", "(got 2.5)"],
    HEAD + "seeds:": ["seeds: Input should be a valid integer (got None)"],
    HEAD + "title: 3": ["title: Input should be a valid string (got 3)"],
    HEAD + "training: {learning_rate: fast}": [
        "training.learning_rate: Input should be a valid number",
        "(got 'fast')",
    ],
    HEAD + "training: {epochs: {a: 1}}": ["training.epochs: Input should be a valid integer"],
    # true and false where a number belongs
    HEAD + "seeds: true": ["seeds: expected a number, not true"],
    HEAD + "training: {epochs: yes}": ["training: epochs: expected a number, not true"],
    HEAD + "training: {gradient_clip: off}": ["training: gradient_clip: expected a number, not false"],
    HEAD + "baseline: {depth: true}": ["baseline: depth: expected a number, not true"],
    "study: s\ndataset: {name: cifar10, train_images: true}": ["dataset: train_images: expected a number, not true"],
    HEAD + "ablations: {g: {patch_size: [true]}}": ["ablations.g.patch_size: ", "expected a number, not true"],
    HEAD + "training: {augmentation: no}": ["training.augmentation: 'false' is not a valid", "none, crop, crop_flip"],
    # numbers out of range
    HEAD + "seeds: 0": ["seeds: Input should be greater than or equal to 1 (got 0)"],
    HEAD + "seeds: -3": ["seeds: Input should be greater than or equal to 1 (got -3)"],
    HEAD + "training: {epochs: .inf}": ["training.epochs: Input should be a finite number (got inf)"],
    HEAD + "training: {learning_rate: .nan}": ["training.learning_rate: Input should be a finite number (got nan)"],
    HEAD + "training: {learning_rate: -1}": ["training.learning_rate: Input should be greater than 0 (got -1)"],
    HEAD + "training: {gradient_clip: 0}": ["training.gradient_clip: Input should be greater than 0 (got 0)"],
    HEAD + "training: {label_smoothing: 1}": ["training.label_smoothing: Input should be less than 1 (got 1)"],
    HEAD + "training: {random_erasing: 25}": ["training.random_erasing: Input should be less than or equal to 1"],
    HEAD + "training: {ema: 1}": ["training.ema: Input should be less than 1 (got 1)"],
    HEAD + "training: {ema: true}": ["training: ema: expected a number, not true"],
    HEAD + "training: {mixing: mixup, mixing_alpha: 0}": [
        "training.mixing_alpha: Input should be greater than or equal"
    ],
    HEAD + "training: {batch_size: -1}": ["training.batch_size: Input should be greater than or equal to 1"],
    HEAD + "baseline: {mlp_ratio: .nan}": ["baseline.mlp_ratio: Input should be a finite number (got nan)"],
    HEAD + "baseline: {width: -4}": ["baseline.width: Input should be greater than or equal to 4 (got -4)"],
    HEAD + "best: {seeds: 0}": ["best.seeds: Input should be greater than or equal to 1 (got 0)"],
    HEAD + "equivalence_margin: 0": ["equivalence_margin: Input should be greater than 0 (got 0)"],
    HEAD + "equivalence_margin: -.inf": ["equivalence_margin: Input should be a finite number"],
    "study: s\ndataset: {name: cifar10, validation_fraction: 1}": ["dataset.validation_fraction: ", "less than 0.9"],
    "study: s\ndataset: {name: cifar10, train_images: 0}": ["dataset.train_images: ", "(got 0)"],
    HEAD + "ablations: {g: {learning_rate: [.inf]}}": ["ablations.g.learning_rate.0: expected a finite number", "inf"],
    HEAD + "ablations: {g: {learning_rate: [1e999]}}": ["ablations.g.learning_rate.0: expected a finite number"],
    HEAD + "ablations: {g: {patch_size: [4, .nan]}}": ["ablations.g.patch_size.1: expected a finite number", "nan"],
    HEAD + "ablations: {g: {patch_size: [-2]}}": ["ablations.g.patch_size: model.patch_size: ", "(got -2)"],
    # choices
    "study: s\ndataset: {name: cifar11}": ["dataset.name: 'cifar11' is not a valid choice; did you mean 'cifar10'?"],
    HEAD + "training: {augmentation: crop_flop}": ["training.augmentation: 'crop_flop'", "did you mean 'crop_flip'?"],
    HEAD + 'training: {augmentation: "a\\nb"}': ["training.augmentation: 'a b' is not a valid choice; valid: none"],
    HEAD + "training: {optimizer: adam}": ["training.optimizer: 'adam' is not a valid choice; did you mean 'adamw'?"],
    HEAD + "training: {mixing: mixip}": ["training.mixing: 'mixip' is not a valid choice; did you mean 'mixup'?"],
    HEAD + "training: {augmentation: trivil}": ["training.augmentation: 'trivil'", "did you mean 'trivial'?"],
    HEAD + "baseline: {pool: max}": ["baseline.pool: 'max' is not a valid choice; valid: cls, mean"],
    HEAD + "baseline: {family: vt}": ["baseline.family: 'vt' is not a valid choice; did you mean 'vit'?"],
    HEAD + "baseline: {family: 3}": ["baseline.family: '3' is not a valid choice; valid: vit, resnet"],
    HEAD + "baseline: {family: resnet, depth: 34}": ["baseline.depth: '34' is not a valid choice; valid: 18, 50"],
    HEAD + "schema_version: 2": ["schema_version: '2' is not a valid choice; valid: 1"],
    HEAD + "ablations: {g: {pool: [max]}}": ["ablations.g.pool: model.pool: 'max' is not a valid choice", "cls, mean"],
    HEAD + "ablations: {g: {family: [resnt]}}": ["ablations.g.family: no family 'resnt'; did you mean 'resnet'?"],
    HEAD + "features: {runs: [basline]}": ["features.runs: no run 'basline'; did you mean 'baseline'?"],
    # combinations
    HEAD + "baseline_seeds: 2": ["baseline_seeds 2 must be at least seeds 3"],
    HEAD + "training: {warmup_epochs: 200}": ["training: warmup_epochs 200 must be less than epochs 100"],
    HEAD + "training: {mixing: cutmix, batch_size: 1}": ["training: mixing 'cutmix' takes a partner", "at least 2"],
    HEAD + "training: {epochs: 5}": ["training: warmup_epochs 5 must be less than epochs 5"],
    HEAD + "ablations: {g: {epochs: [3]}}": [
        "ablations.g.epochs: training: warmup_epochs 5 must be less than epochs 3"
    ],
    HEAD + "baseline: {heads: 7}": ["baseline: width 192 is not divisible by heads 7; nearest valid heads: 4, 6, 8"],
    HEAD + "baseline: {patch_size: 5}": ["baseline: patch_size 5 does not divide the image side 32", "valid: 2, 4, 8"],
    HEAD + "ablations: {g: {patch_size: [3]}}": ["ablations.g.patch_size: patch_size 3", "nearest valid: 1, 2, 4"],
    HEAD + "ablations: {g: {heads: [5]}}": ["ablations.g.heads: model: width 192", "nearest valid heads: 3, 4, 6"],
    HEAD + "cross: {c: {heads: [3], width: [256]}}": ["cross.c: model: width 256 is not divisible by heads 3"],
    "study: s\ndataset: {name: cifar10, image_size: 32}": ["dataset: image_size", "fixed for 'cifar10'; remove them"],
    "study: s\ndataset: {name: folder}": ["dataset: dataset 'folder' needs path, image_size, channels and classes"],
    "study: s\ndataset: {name: folder, path: my data, image_size: 32, channels: 3, classes: 2}": [
        "dataset: 'my data' cannot name a dataset",
        "for example 'my-data'",
    ],
    "study: s\ndataset: {name: folder, path: x, image_size: 4, channels: 1, classes: 2}\nbaseline: {family: resnet}": [
        "baseline: a ResNet halves the image three times; 4 pixels are too few"
    ],
    # variants of the ViT that do not fit
    HEAD + "baseline: {heads: 96, position: rope2d}": [
        "baseline: position rope2d needs a head size divisible by 4, and width 192 over heads 96 is 2",
        "nearest valid heads: 16, 24, 48",
    ],
    HEAD + "baseline: {heads: 192, position: rope1d}": [
        "baseline: position rope1d needs a head size divisible by 2",
        "is 1; nearest valid heads:",
        "96",
    ],
    HEAD + "baseline: {width: 6, heads: 1, position: rope2d}": [
        "baseline: position rope2d",
        "is 6; nearest valid width: 4, 8",
    ],
    HEAD + "baseline: {width: 90, heads: 3, position: sincos2d}": [
        "baseline: position sincos2d needs a width divisible by 4, not 90; nearest valid: 84, 96"
    ],
    HEAD + "baseline: {width: 45, heads: 5, position: sincos1d}": [
        "baseline: position sincos1d needs",
        "a width divisible by 2, not 45",
        "valid: 40, 50",
    ],
    HEAD + "ablations: {g: {position: [rope3d]}}": [
        "ablations.g.position: model.position: 'rope3d' is not a valid choice; did you mean 'rope2d'?"
    ],
    HEAD + "cross: {c: {position: [rope2d], heads: [96]}}": ["cross.c: model: position rope2d needs a head size"],
    HEAD + "baseline: {qk_norm: l2, attention: locality}": [
        "baseline: attention locality and qk_norm l2 would each learn the one scale of the scores",
        "nearest valid qk_norm: none, rmsnorm",
    ],
    HEAD + "baseline: {patch_size: 32, pool: mean, attention: locality}": [
        "baseline: attention locality needs a second token, and patch_size 32 leaves one; nearest valid patch_size: 4,",
        "8, 16",
    ],
    HEAD + "baseline: {patch_size: 32, pool: mean, qk_norm: l2}": ["baseline: qk_norm l2 needs a second token"],
    "study: s\ndataset: {name: folder, path: x, image_size: 12, channels: 3, classes: 2}\n"
    "baseline: {patch_size: 3, patch_embed: conv_stem}": [
        "baseline: patch_embed conv_stem halves the side and needs a patch_size that is a power of two from 2, not 3; "
        "nearest valid: 2, 4"
    ],
    "study: s\ndataset: {name: folder, path: x, image_size: 9, channels: 3, classes: 2}\n"
    "baseline: {patch_size: 3, patch_embed: conv_stem}": [
        "baseline: patch_embed conv_stem",
        "not 3; nearest valid: none on this image",
    ],
    HEAD + "baseline: {patch_size: 1, patch_embed: conv_stem}": [
        "baseline: patch_embed conv_stem",
        "from 2, not 1; nearest valid: 2, 4, 8",
    ],
    HEAD + "baseline: {patch_size: 1, patch_embed: overlap}": [
        "baseline: patch_embed overlap does nothing at patch_size 1; nearest valid patch_size: 2, 4, 8"
    ],
    HEAD + "cross: {c: {patch_embed: [shifted], patch_size: [1]}}": ["cross.c: patch_embed shifted does nothing"],
    HEAD + "baseline: {drop_path: 1}": ["baseline.drop_path: Input should be less than 1 (got 1)"],
    HEAD + "baseline: {layer_scale: 0}": ["baseline.layer_scale: Input should be greater than 0 (got 0)"],
    HEAD + "baseline: {registers: -1}": ["baseline.registers: Input should be greater than or equal to 0 (got -1)"],
    HEAD + "baseline: {position_base: 1}": ["baseline.position_base: Input should be greater than 1 (got 1)"],
    HEAD + "baseline: {registers: true}": ["baseline: registers: expected a number, not true"],
    # axes, crosses, references
    HEAD + "ablations: {g: {width: []}}": ["ablations.g.width: an axis needs at least one value"],
    HEAD + "ablations: {g: {patchsize: [2]}}": ["ablations.g.patchsize: no field 'patchsize'", "'patch_size'?"],
    HEAD + "ablations: {g: {width: [[96]]}}": ["ablations.g.width.0: expected a finite number or a word, not [96]"],
    HEAD + "ablations: {g: {width: [2024-01-01]}}": ["ablations.g.width.0: expected a finite number or a word"],
    HEAD + "ablations: {g: {width: [null]}}": ["ablations.g.width: model.width: ", "(got None)"],
    HEAD + "ablations: {g: {m: [{width: 96}]}}": ["ablations.g.m: ", "needs a name and at least one field"],
    HEAD + "ablations: {g: {m: [{name: q}]}}": ["ablations.g.m: ", "needs a name and at least one field"],
    HEAD + "ablations: {g: {m: [{name: q, width: [96]}]}}": ["ablations.g.m.0: expected a finite number"],
    HEAD + "ablations: {g: {m: [{name: q, width: 96}, {name: q, width: 48}]}}": ["ablations.g.m: 'q' names two"],
    HEAD + "cross: {c: {width: [96]}}": ["cross.c: a cross needs at least two axes"],
    HEAD + "cross: {c: {}}": ["cross.c: a cross needs at least two axes"],
    HEAD + "cross: {c: {patch_size: [2], width: []}}": ["cross.c.width: an axis needs at least one value"],
    HEAD + "cross: {c: {patch_size: [2], wdth: [96]}}": ["cross.c: no field 'wdth' to vary; did you mean 'width'?"],
    HEAD + "cross: {c: {width: [96], m: [{name: q, width: 48}]}}": ["cross.c: two axes set 'width'"],
    HEAD + "references: {r: {family: resnet, deph: 18}}": ["references.r: no field 'deph' to vary", "'depth'?"],
    HEAD + "references: {r: {family: resnet, heads: 3}}": ["references.r: no field 'heads' to vary"],
    HEAD + "references: {r: {family: resnet, depth: 34}}": ["references.r: model.depth: '34' is not", "18, 50"],
    HEAD + "references: {r: {width: [1]}}": ["references.r.width: expected a finite number or a word, not [1]"],
    HEAD + "references: {vit: {width: x}}": ["references.vit: model.width: ", "(got 'x')"],
}


@pytest.mark.parametrize(("text", "parts"), MISTAKES.items(), ids=[text.removeprefix(HEAD) for text in MISTAKES])
def test_a_mistake_is_told_in_one_line(tmp_path: Path, text: str, parts: list[str]) -> None:
    message = told(tmp_path, text)
    assert message.startswith(parts[0]), message
    for part in parts:
        assert part in message, message


def test_a_file_that_is_not_text_is_told(tmp_path: Path) -> None:
    assert "not UTF-8" in told(tmp_path, b"study: \xff\xfe")
    assert "not valid YAML" in told(tmp_path, b"study: a\x00b")


def test_a_missing_file_names_the_nearest_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(HEAD)
    with pytest.raises(ConfigError, match=r"^confg.yaml: no such file; did you mean 'config.yaml'\?$"):
        read_study("confg.yaml")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_study(tmp_path)


def test_nothing_of_a_run_can_be_changed_afterwards() -> None:
    from pydantic import ValidationError

    with pytest.raises(ValidationError, match="frozen"):
        Training().epochs = 3  # type: ignore[misc]
