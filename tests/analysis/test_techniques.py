"""What is known of every axis: words for axes and runs, and mistakes in the file named in one line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from support.analysis import TECHNIQUES
from support.measured import study

from vitflow.analysis.techniques import Technique, Techniques, read_techniques
from vitflow.study.names import ConfigError
from vitflow.study.run import RunConfig

#: one axis, as the file has it
WIDTH = "width: {label: width, how: a, reference: b, confound: c, prediction: d}"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "baseline"),
        ({"patch_size": 2}, "patch size 2"),
        ({"mlp_ratio": 2}, "MLP ratio 2"),
        ({"pool": "mean"}, "pooling mean"),
        ({"augmentation": "none"}, "augmentation none"),
        ({"gradient_clip": None}, "gradient clip none"),
        ({"width": 96, "learning_rate": 0.002}, "width 96, learning rate 0.002"),
        ({"learning_rate": 0.1, "optimizer": "sgd"}, "optimizer sgd, learning rate 0.1"),
        ({"family": "resnet"}, "ResNet-18"),
        ({"family": "resnet", "depth": 50}, "ResNet-50"),
        ({"family": "resnet", "width": 32}, "ResNet-18, half width"),
        ({"family": "resnet", "width": 16}, "ResNet-18, width 16"),
        ({"family": "resnet", "width": 32, "train_images": 5000}, "ResNet-18, half width, train images 5000"),
        ({"augmentation": "crop_flip"}, "augmentation crop flip"),
    ],
    ids=str,
)
def test_a_run_is_labelled_as_people_say_it(changes: dict[str, Any], expected: str) -> None:
    plan = study({"depth": [4]}, training={"augmentation": "crop"} if "crop_flip" in changes.values() else {})
    config = plan.resolve(changes)
    assert TECHNIQUES.run_label("baseline", config, plan.baseline_run) == expected


def test_a_resnet_beside_a_resnet_is_labelled_by_what_differs() -> None:
    plan = study({}, ablations={}, baseline={"family": "resnet", "depth": 18})
    assert TECHNIQUES.run_label("r", plan.resolve({"depth": 50}), plan.baseline_run) == "depth 50"
    assert TECHNIQUES.run_label("the baseline", plan.baseline_run, plan.baseline_run) == "the baseline"


def test_padding_that_has_no_effect_is_not_in_the_label() -> None:
    plan = study({"depth": [4]}, training={"crop_padding": 2})
    label = TECHNIQUES.run_label("x", plan.resolve({"augmentation": "none"}), plan.baseline_run)
    assert label == "augmentation none"


@pytest.mark.parametrize(
    ("axis", "expected"), [("patch_size", "Patch size"), ("mlp_ratio", "MLP ratio"), ("pool", "Pooling")]
)
def test_an_axis_is_labelled_as_people_say_it(axis: str, expected: str) -> None:
    assert TECHNIQUES.heading(axis) == expected
    assert TECHNIQUES.label(axis) in (expected, expected.lower())


def test_an_axis_that_nobody_described_has_its_own_name() -> None:
    assert TECHNIQUES.label("my_own_axis") == "my own axis" and TECHNIQUES.heading("my_own_axis") == "My own axis"
    assert TECHNIQUES.of("my_own_axis") == Technique()
    assert TECHNIQUES.confound("my_own_axis") == "not written in techniques.yaml"


def test_what_an_axis_is_said_of_is_that_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "techniques.yaml"
    path.write_text(
        "width:\n  label: the width\n  how: >-\n    one\n\n    two\n"
        + "".join(f"  {field}: {field} of it\n" for field in ("reference", "confound", "prediction"))
    )
    found = read_techniques("cifar10", path, tmp_path / "none.yaml")
    assert found.of("width") == Technique(
        label="the width",
        how="one two",
        reference="reference of it",
        confound="confound of it",
        prediction="prediction of it",
    )
    assert found.confound("width") == "confound of it" and found.heading("width") == "The width"


def test_techniques_cover_the_fields_that_a_study_may_vary_now() -> None:
    axes = "patch_size width depth heads pool augmentation label_smoothing learning_rate weight_decay"
    known = TECHNIQUES.axes
    assert set(known) >= set(axes.split())
    for technique in known.values():
        assert len(re.findall(r"\.(?: |$)", technique.how)) == 2  # two sentences
        assert technique.prediction and technique.reference


def test_every_axis_that_is_described_is_a_field_of_a_run() -> None:
    plan = study({"depth": [4]})
    resnet = plan.resolve({"family": "resnet"})
    fields = {"epochs", "position_base", *plan.baseline_run.flat(), *resnet.flat()}
    assert set(TECHNIQUES.axes) <= fields, set(TECHNIQUES.axes) - fields
    assert isinstance(resnet, RunConfig)


def test_the_digest_is_of_what_tables_and_figures_show() -> None:
    def digest(axes: list[str], **changes: str) -> str:
        width = Technique(**{"label": "width", "confound": "c", "prediction": "p", "how": "h"} | changes)
        return Techniques({"width": width, "depth": Technique(label="depth")}).digest(axes)

    same = digest(["width", "depth"])
    assert same == digest(["depth", "width", "depth"])
    assert same == digest(["width", "depth"], prediction="q", how="i", explanation="because")
    assert same not in (digest(["width"]), digest(["width", "depth"], label="breadth"))
    assert same != digest(["width", "depth"], confound="d")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("width: {how: a, reference: b, prediction: c}", "width.label: expected text"),
        ("width: {how: a, referense: b}", "did you mean 'reference'?"),
        ("width: [a", "not valid YAML"),
        (WIDTH.replace("how: a", "how: 3"), "width.how: expected text ('' where it is not written yet)"),
        (
            WIDTH.replace("d}", "d, explanation: e}"),
            "width.explanation: belongs to a study; write it in workflow/slides/notes/example.yaml",
        ),
        (WIDTH[:-1] + ", why: e}", "width.why: unknown key; valid: label, how, reference"),
        ("width: a", "width: expected label, how, reference, confound, prediction"),
        ("[a, b]", "expected a mapping of axes such as patch_size"),
        (f"{WIDTH}\n{WIDTH}", "line 2: key 'width' appears twice"),
        (None, "no such file"),
    ],
)
def test_a_mistake_in_techniques_is_named(tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "techniques.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_techniques("example", path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and said in message and "\n" not in message


def test_a_file_without_axes_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "techniques.yaml").write_text("# nothing yet\n")
    assert read_techniques("example", tmp_path / "techniques.yaml") == Techniques({})
