"""`vitflow prepare`: images once, verified when they are there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.commands import Mistake
from support.images import SIZE, make_images, write_tree
from support.results import IMAGES, MANIFEST, bring_techniques

from vitflow import cli
from vitflow.data.raw import spell_name
from vitflow.machine.files import write_text
from vitflow.results import ledger, record, stages
from vitflow.study.reading import read_study


def test_data_that_cannot_be_written_are_told(here: Path, mistake: Mistake) -> None:
    shutil.rmtree(here / "data")
    (here / "data").write_text("a file in the way")
    assert "data: cannot be written" in mistake("prepare")


def test_images_that_are_prepared_are_verified_and_not_prepared_again(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: (path.stat().st_ino, path.read_bytes()) for path in (IMAGES, MANIFEST)}
    assert cli.main(["prepare"]) == 0
    assert capsys.readouterr().out == f"{IMAGES}: 1438 train, 359 test images, 10 classes\n"
    assert {path: (path.stat().st_ino, path.read_bytes()) for path in before} == before


def test_images_that_went_away_are_prepared_as_they_were(here: Path) -> None:
    before = IMAGES.read_bytes()
    IMAGES.unlink()
    assert cli.main(["prepare"]) == 0
    assert IMAGES.read_bytes() == before


def test_damaged_images_are_told(here: Path, mistake: Mistake) -> None:
    content = bytearray(IMAGES.read_bytes())
    content[-1] ^= 1
    IMAGES.write_bytes(content)
    assert mistake("prepare").startswith(f"vitflow: {IMAGES}: ")


STUDY = f"""
study: pets
dataset: {{name: folder, path: pets, image_size: {SIZE}, channels: 3, classes: 2, validation_fraction: 0.25}}
baseline: {{patch_size: 3}}
"""


@pytest.fixture
def pets(in_an_empty_folder: None) -> Path:
    """A study on a folder of images, one of which appears twice and one under two labels."""
    images = make_images(train=8)
    images["test"]["dog"][0] = images["train"]["dog"][3]
    images["train"]["cat"][2] = images["train"]["dog"][1]
    Path("config.yaml").write_text(STUDY)
    bring_techniques()
    return write_tree(Path("pets"), images)


TOLD = [
    "1 test image that is also a training image: pets/train/dog/3.png and pets/test/dog/0.png",
    "1 image with two or more labels: pets/train/cat/2.png and pets/train/dog/1.png",
]
KEPT = "all are kept (with dataset.duplicates as drop, training goes without)"


@pytest.mark.parametrize("command", ["prepare", "status", "plan"])
def test_images_that_stand_there_twice_are_told(pets: Path, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["prepare"]) == 0
    capsys.readouterr()
    assert cli.main([command]) == 0
    lines = capsys.readouterr().out.replace("\n", " ")
    assert all(line in lines for line in (*TOLD, KEPT))
    Path("config.yaml").write_text(STUDY.replace("path: pets,", "path: pets, duplicates: drop,"))
    assert cli.main([command]) == 0
    assert "3 training images are dropped" in capsys.readouterr().out


def test_plan_says_how_many_images_it_assumes_until_they_are_counted(
    pets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assumed = "for 50,000 training images, since nobody has counted them: `vitflow prepare` does"
    for asked in (["plan"], ["plan", "--brief"]):
        assert cli.main(asked) == 0
        assert assumed in " ".join(capsys.readouterr().out.split())
    assert cli.main(["prepare"]) == 0 and cli.main(["plan"]) == 0
    assert assumed not in " ".join(capsys.readouterr().out.split())


def test_the_source_is_read_whenever_it_is_asked_for(pets: Path, mistake: Mistake) -> None:
    assert cli.main(["prepare"]) == 0
    (pets / "train/cat/0.png").rename(pets / "train/dog/moved.png")
    assert "files 1 new (train/dog/moved.png), 1 gone" in mistake("plan")
    assert cli.main(["prepare"]) == 0 and cli.main(["plan"]) == 0
    shutil.rmtree(pets / "test")
    assert "pets: no images in test/cat" in mistake("prepare")
    shutil.rmtree(pets)
    assert mistake("prepare") == "vitflow: pets: no such file or folder; correct dataset.path"


def test_status_and_record_say_that_the_source_is_another_now(
    pets: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.main(["prepare"]) == 0
    (pets / "test/cat/0.png").unlink()
    told = "not what data/folder-pets-3be1d422.safetensors was made from: files 1 gone (test/cat/0.png)"
    capsys.readouterr()
    assert cli.main(["status"]) == 0
    assert told in capsys.readouterr().out
    monkeypatch.setattr(record, "needs_repository", lambda root: None)
    monkeypatch.setattr(record, "dvc", lambda *words: "")
    monkeypatch.setattr(record, "note_digest", lambda path, digest: None)
    assert cli.main(["record", "--weights"]) == 0
    assert told in capsys.readouterr().out


def test_another_place_is_read_where_it_is_named(pets: Path, mistake: Mistake) -> None:
    pets.rename("elsewhere")
    assert cli.main(["prepare", "--path", "elsewhere"]) == 0
    write_tree(Path("others"), make_images(seed=1))
    assert "others: other images or names than" in mistake("prepare", "--path", "others")
    for path in ("nowhere", "~nobodyxyz/x", "new\nline"):
        assert mistake("prepare", "--path", path) == f"vitflow: --path {spell_name(path)}: no such file or folder"
    assert mistake("prepare", "--path", "x" * 5000).endswith("x: cannot be read (File name too long)")


def test_other_images_replace_those_of_which_there_are_results_only_where_that_is_said(
    pets: Path, mistake: Mistake, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["prepare"]) == 0
    assert cli.main(["train", "--run", "baseline", "--threads", "1"]) == 0
    (pets / "test/cat/0.png").unlink()
    told = "pets: other images or names than data/folder-pets-3be1d422.json has recorded: test (cat 2 for 3); correct"
    assert told in mistake("prepare")
    shutil.rmtree("results")
    Path("data/folder-pets-3be1d422.origin.json").unlink()  # as in a clone, whose manifest comes from git
    assert told in mistake("prepare")
    capsys.readouterr()
    assert cli.main(["prepare", "--replace"]) == 0
    assert "replaced, since there are other images or names: test (cat 2 for 3)" in capsys.readouterr().out


def test_classes_under_other_names_are_told_and_make_tables_again_but_no_training(
    pets: Path, mistake: Mistake, capsys: pytest.CaptureFixture[str]
) -> None:
    def stand() -> tuple[str, dict[str, str]]:
        study = read_study("config.yaml")
        return ledger.jobs(study)[0].status, {name: stage.state for name, stage in stages.stages(study).items()}

    def rename(old: str, new: str) -> None:
        for split in ("train", "test"):
            (pets / split / old).rename(pets / split / new)

    assert cli.main(["prepare"]) == 0
    for stage in stages.stages(read_study("config.yaml")).values():
        for path in stage.outputs:
            write_text(path, "made")
        stage.seal()
    rename("cat", "bee")
    capsys.readouterr()
    assert cli.main(["prepare"]) == 0
    assert "replaced, since there are other images or names: names of classes (bee for cat)" in capsys.readouterr().out
    assert {name for name, state in stand()[1].items() if state == "outdated"} == {"summary", "features", "mistakes"}
    assert cli.main(["train", "--run", "baseline", "--threads", "1"]) == 0
    rename("bee", "ant")
    assert "recorded: names of classes (ant for bee); correct" in mistake("prepare")
    assert cli.main(["prepare", "--replace"]) == 0
    assert stand()[0] == "trained", "of the same images"


def test_a_split_that_the_images_do_not_allow_is_told_before_they_are_written(pets: Path, mistake: Mistake) -> None:
    Path("config.yaml").write_text(STUDY.replace("validation_fraction: 0.25", "train_images: 16"))
    assert "class 'cat' has 8 training images" in mistake("prepare")
    Path("config.yaml").write_text(STUDY + "ablations: {data: {train_images: [4, 16]}}\n")
    assert "class 'cat' has 8 training images" in mistake("prepare")
    assert not list(Path("data").glob("*.json"))


def test_a_plan_refuses_a_split_that_the_images_do_not_allow(pets: Path, mistake: Mistake) -> None:
    assert cli.main(["prepare"]) == 0
    Path("config.yaml").write_text(STUDY.replace("validation_fraction: 0.25", "train_images: 16"))
    assert "class 'cat' has 8 training images" in mistake("plan")


def test_letters_for_which_no_font_is_here_are_told(
    pets: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from matplotlib import font_manager

    from vitflow.figures import alphabets

    for split in ("train", "test"):
        (pets / split / "dog").rename(pets / split / "子犬")
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [])
    alphabets._chosen.cache_clear()
    assert cli.main(["prepare"]) == 0
    alphabets._chosen.cache_clear()
    assert "no font here has 子 犬" in capsys.readouterr().out
