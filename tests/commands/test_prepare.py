"""`vitflow prepare`: images once, verified when they are there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.commands import Mistake
from support.images import SIZE, make_images, write_tree
from support.results import IMAGES, MANIFEST, bring_techniques

from vitflow import cli


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
    """A study on a folder of images, one of which stands there twice and one under two labels."""
    images = make_images(train=8)
    images["test"]["dog"][0] = images["train"]["dog"][3]
    images["train"]["cat"][2] = images["train"]["dog"][1]
    Path("config.yaml").write_text(STUDY)
    bring_techniques()
    return write_tree(Path("pets"), images)


TOLD = [
    "1 test images that are training images too: pets/train/dog/3.png and pets/test/dog/0.png",
    "1 images that bear two labels or more: pets/train/cat/2.png and pets/train/dog/1.png",
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


def test_the_source_is_read_whenever_it_is_asked_for(pets: Path, mistake: Mistake) -> None:
    assert cli.main(["prepare"]) == 0
    (pets / "train/cat/0.png").rename(pets / "train/dog/moved.png")
    assert "foreign data: train digest" in mistake("prepare")
    shutil.rmtree(pets / "test")
    assert "pets: no images in test/cat" in mistake("prepare")
    shutil.rmtree(pets)
    assert mistake("prepare") == "vitflow: pets: no such file or folder; correct dataset.path"


def test_another_place_is_read_where_it_is_named(pets: Path, mistake: Mistake) -> None:
    pets.rename("elsewhere")
    assert cli.main(["prepare", "--path", "elsewhere"]) == 0
    write_tree(Path("others"), make_images(seed=1))
    assert "others has" in mistake("prepare", "--path", "others")
    assert mistake("prepare", "--path", "nowhere") == "vitflow: --path nowhere: no such file or folder"


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
