"""Reading a study: what is no file, no text, no YAML or no study, and that what was written is what is read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from support.studies import HEAD, STUDIES, IsTold, Told, mistakes

from vitflow.study.grid import expand
from vitflow.study.names import ConfigError
from vitflow.study.reading import read_study, read_yaml


def test_a_study_survives_being_written_and_read(tmp_path: Path) -> None:
    # Snakemake hands its jobs the study as JSON
    for path in STUDIES:
        study = read_study(path)
        copied = tmp_path / "study.json"
        copied.write_text(json.dumps(study.model_dump()))
        assert read_study(copied) == study
        assert expand(read_study(copied)).table() == expand(study).table()


NO_MAPPING = "expected a mapping with keys such as study, dataset, ablations"


@mistakes(
    {
        "": [NO_MAPPING],
        "# only a comment\n": [NO_MAPPING],
        "vit": [NO_MAPPING],
        "[1, 2]": [NO_MAPPING],
        "a: [": ["not valid YAML", "line 1"],
        "\tstudy: s": ["not valid YAML", "line 1"],
        "a: 1\n---\nb: 2": ["not valid YAML", "single document"],
        "a: !!python/object:os.system {}": ["not valid YAML", "line 1"],
        "study: s\nstudy: t": ["line 2: key 'study' appears twice"],
        HEAD + "training:\n  epochs: 3\n  epochs: 4": ["line 5: key 'epochs' appears twice"],
        HEAD + "ablations: {g: {width: [96], width: [48]}}": ["line 3: key 'width' appears twice"],
        HEAD + "a: &a {epochs: 3, epochs: 4}\ntraining: {<<: *a}": ["line 3: key 'epochs' appears twice"],
        HEAD + "training: {<<: {epochs: 3}, <<: {epochs: 4}}": ["line 3: key '<<' appears twice"],
        HEAD + "training: {warmup_epochs: 1:30}": ["line 3: 1:30 would be read as 90; write 90", "'1:30' in quotes"],
        HEAD + "training: {learning_rate: 0:00.5}": ["line 3: 0:00.5 would be read as 0.5"],
        HEAD + "seeds: 010": ["line 3: 010 would be read as 8; write 8 for that"],
        HEAD + "seeds: -012": ["line 3: -012 would be read as -10"],
        HEAD + "title: 2024-02-29": ["line 3: 2024-02-29 would be read as a date; write '2024-02-29' in quotes"],
        HEAD + "title: 2024-02-30": ["line 3: 2024-02-30 would be read as a date"],
        HEAD + "title: 2024-01-01T25:00:00": ["line 3: 2024-01-01T25:00:00 would be read as a date"],
        HEAD + "2024-99-99: 1": ["line 3: 2024-99-99 would be read as a date"],
        HEAD + "seeds: !!timestamp x": ["line 3: x would be read as a date"],
        HEAD + f"seeds: {'9' * 5000}": ["line 3: '9999", "...' cannot be read as int; put a word in quotes"],
        HEAD + f"seeds: 0x{'f' * 5000}": ["line 3: '0xff", "...' cannot be read as int"],
        HEAD + "seeds: 0x_": ["line 3: '0x_' cannot be read as int"],
        HEAD + "seeds: 0b_": ["line 3: '0b_' cannot be read as int"],
        HEAD + "seeds: !!int abc": ["line 3: 'abc' cannot be read as int"],
        HEAD + "seeds: !!int ''": ["line 3: '' cannot be read as int"],
        HEAD + "seeds: !!float x": ["line 3: 'x' cannot be read as float"],
        HEAD + "seeds: !!bool maybe": ["line 3: 'maybe' cannot be read as bool"],
        "{[a, b]: 1}": ["line 1: a key must be a word, not ['a', 'b']"],
        "{{a: b}: 1}": ["line 1: a key must be a word"],
        "[" * 3000: ["nested too deeply"],
        HEAD.replace("name: cifar10", "name: folder, path: '', image_size: 8, channels: 1, classes: 2"): [
            "dataset.path"
        ],
        HEAD + "ablations: {a-b: {c: [{name: x, width: 8}]}, a: {b-c: [{name: y, width: 9}]}}": [
            "ablations.a.b-c: reads as an axis of 'a-b' does; rename one"
        ],
        HEAD.replace("name: cifar10", "name: cifar10, validation_fraction: 0"): [
            "dataset.validation_fraction: 0 leaves no validation images, on which a study chooses; for example 0.1"
        ],
    }
)
def test_a_file_that_is_no_study_is_told(is_told: IsTold, text: str, parts: list[str]) -> None:
    is_told(text, parts)


@pytest.mark.parametrize(
    "text",
    [
        "training: &t {epochs: 6, batch_size: 50}\nbaseline: {<<: {width: 48}, heads: 3}",
        "training: {<<: [{epochs: 6}, {epochs: 9, batch_size: 50}]}\nbaseline: {width: 48, heads: 3}",
        "baseline: &b {heads: 3, width: 48}\nreferences: {same: &s {<<: *b, width: 96}, more: {<<: *s, heads: 2}}\n"
        "training: {epochs: 6, batch_size: 50}",
    ],
)
def test_mappings_are_merged_and_what_is_written_beside_them_counts(text: str, tmp_path: Path) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(HEAD + text)
    study = read_study(file)
    assert (study.training.epochs, study.training.batch_size) == (6, 50)
    assert (study.baseline.width, study.baseline.heads) == (48, 3)
    if study.references:
        assert study.references == {"same": {"heads": 3, "width": 96}, "more": {"heads": 2, "width": 96}}


@pytest.mark.parametrize("text", ["0", "-0", "10", "1_000", "0.5", "'1:30'", "'010'", "0x1F", "1e-3", "08"])
def test_other_numbers_and_words_are_read_as_they_were(text: str, tmp_path: Path) -> None:
    file = tmp_path / "numbers.yaml"
    file.write_text(f"a: {text}")
    assert read_yaml(file) == yaml.safe_load(f"a: {text}")


def test_a_file_that_is_not_text_is_told(told: Told) -> None:
    assert "not UTF-8" in told(b"study: \xff\xfe")
    for kind in ("utf-16-le", "utf-16-be", "utf-16"):  # the last begins with a mark of its byte order
        assert told(HEAD.encode(kind)) == "not UTF-8 text but UTF-16; save it as UTF-8"
    assert "not valid YAML" in told(b"study: a\x00b")


def test_a_missing_file_names_the_nearest_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(HEAD)
    with pytest.raises(ConfigError, match=r"^confg.yaml: no such file; did you mean 'config.yaml'\?$"):
        read_study("confg.yaml")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_study(tmp_path)
