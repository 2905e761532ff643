"""docs/images.md: its commands, and whatever people may have in a folder: refused in one line, or good to the deck."""

from __future__ import annotations

import io
import os
import re
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.datasets import load_digits
from support.checkouts import ROOT, copy_code, edit, shell

from vitflow import cli

FOLDER = "workflow/studies/folder.yaml"


def photographs(folder: Path) -> None:
    """Six photographs for training and two for testing of each digit, wider than high, as a phone takes them."""
    digits = load_digits()
    for digit in range(10):
        for number, pixels in enumerate(digits.images[digits.target == digit][:8]):
            where = folder / ("test" if number > 5 else "train") / f"digit {digit}" / f"IMG_{number}.jpg"
            where.parent.mkdir(parents=True, exist_ok=True)
            image = Image.fromarray((pixels * 15.9).astype(np.uint8)).convert("RGB")
            image.resize((64, 48)).save(where)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("mogrify"), reason="needs ImageMagick")
def test_the_commands_of_the_page_lead_from_photographs_to_a_talk(tmp_path: Path) -> None:
    where = copy_code(tmp_path / "vitflow")
    photographs(tmp_path / "photographs")
    for long, short in (
        ("epochs: 30", "epochs: 1"),
        ("warmup_epochs: 3", "warmup_epochs: 0"),
        ("seeds: 3", "seeds: 1"),
    ):
        edit(where / FOLDER, long, short)
    (commands,) = re.findall(r"```\n(cp -r .*?)```", (ROOT / "docs/images.md").read_text(), re.DOTALL)
    told = shell(where, commands.replace("~/photographs", "../photographs"))
    assert "60 train, 20 test images, 10 classes" in told
    assert "my-images: 7 trainings, 7 still to do" in told
    slides = where / "results/my-images/slides"
    assert {file.suffix for file in slides.iterdir()} >= {".html", ".pdf", ".pptx"}
    assert "A Vision Transformer on my own images" in (slides / "deck.md").read_text()


# ------------------------------------------------------------------------------------------ whatever

SIDE = 8
STUDY = """
study: whatever
dataset: {name: folder, path: source, image_size: 8, channels: 3, classes: 2, validation_fraction: 0.25}
training: {epochs: 1, batch_size: 4, warmup_epochs: 0}
baseline: {patch_size: 4, width: 8, depth: 1, heads: 1}
seeds: 1
features: {images: 10}
"""


def png(pixels: np.ndarray, form: str = "PNG", **options: object) -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, form, **options)
    return content.getvalue()


def colours(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape or (SIDE, SIDE, 3), dtype=np.uint8)


CONTENTS: dict[str, Callable[[int], bytes]] = {
    "good": lambda seed: png(colours(seed)),
    "jpeg": lambda seed: png(colours(seed), "JPEG"),
    "webp": lambda seed: png(colours(seed), "WEBP"),
    "twice": lambda seed: png(colours(0)),
    "large": lambda seed: png(colours(seed, 9, 9, 3)),
    "grey": lambda seed: png(colours(seed, SIDE, SIDE)),
    "clear": lambda seed: png(colours(seed, SIDE, SIDE, 4)),
    "short": lambda seed: png(colours(seed))[:-20],
    "checksum": lambda seed: png(colours(seed))[:-1] + b"x",
    "empty": lambda seed: b"",
    "text": lambda seed: b"not an image",
}
#: odd kinds are rare, or hardly any tree would be accepted
KINDS = st.sampled_from(["good"] * 60 + ["jpeg"] * 5 + ["webp"] * 5 + ["twice"] * 3 + list(CONTENTS))
WORDS = ["cat", "dog", "Cat", "cat ", "子犬", "كلب", "a & b", "<b>", "$x_1$", "x" * 60, "50%", "-rf", "é", "👩\u200d👧"]
WORDS += ["a\uffff", "cat\u200d", "\u3164"]
CLASSES = st.lists(
    st.sampled_from(WORDS)
    | st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=8)
    | st.just("\udcf6"),
    min_size=2,
    max_size=2,
    unique=True,
).filter(lambda names: not {".", ".."} & {*names})
NAMES = st.sampled_from([".png"] * 12 + [".PNG", ".jpeg", ".webp", ".gif", ""])
CLUTTER = ["Thumbs.db", ".DS_Store", "Picasa.ini", "0.png~", "@eaDir/x"]
MISPLACED = ["notes.txt", "more/0.png", "../up.png", "../../up.png", "../../val/0.png", "../empty/", "../../old/0.heic"]
BESIDE = ["../../notes.txt", "../../docs/notes.txt"]
EXTRAS = st.lists(st.sampled_from([*CLUTTER, *MISPLACED, *BESIDE, "fifo", "link"]), max_size=1)


@st.composite
def trees(draw: st.DrawFn) -> dict[str, bytes | str]:
    """{place below the folder: content, or what it is}."""
    tree: dict[str, bytes | str] = {}
    odd = draw(st.integers(0, 2)) == 0
    kinds = KINDS if odd else st.sampled_from(["good", "jpeg", "webp", "twice"])
    names = NAMES if odd else st.just(".png")
    for number, name in enumerate(draw(CLASSES)):
        for split, count in (("train", draw(st.integers(3, 6))), ("test", draw(st.integers(1, 3)))):
            for i in range(count):
                content = CONTENTS[draw(kinds)](100 * number + 10 * len(split) + i)
                tree[f"{split}/{name}/{i}{draw(names)}"] = content
            for extra in draw(EXTRAS) if odd else ():
                tree[f"{split}/{name}/{extra}"] = extra
    return tree


def write(root: Path, tree: dict[str, bytes | str]) -> None:
    for place, content in tree.items():
        file = root / place
        file.parent.mkdir(parents=True, exist_ok=True)
        if place.endswith("/"):
            file.mkdir(exist_ok=True)  # two classes may both have drawn a folder beside them
        elif content == "fifo":
            os.mkfifo(file)
        elif content == "link":
            file.symlink_to("/etc/hostname")
        else:
            file.write_bytes(content if isinstance(content, bytes) else content.encode())


STEPS = (
    ["train", "--pending", "--threads", "1"],
    ["features"],
    ["analyse", "summary"],
    ["analyse", "features"],
    ["figures"],
    ["slides"],
)


def refused_or_good_to_the_deck(tree: dict[str, bytes | str], capsys: pytest.CaptureFixture[str]) -> None:
    for path in Path().iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(ROOT / "workflow", "workflow", ignore=shutil.ignore_patterns("studies", "rules"))
    Path("config.yaml").write_text(STUDY)
    write(Path("source"), tree)
    capsys.readouterr()
    if cli.main(["prepare"]) == 2:
        told = capsys.readouterr().err
        assert told.startswith("vitflow: ") and told.count("\n") == 1 and told[:-1].encode() and told[:-1].strip()
        # nothing that a terminal acts on; what is merely unassigned, or joins an emoji's parts, may be shown
        assert not {unicodedata.category(letter) for letter in told[:-1]} & {"Cc", "Cs", "Zl", "Zp"}
        assert [*Path("data").glob("*.safetensors"), *Path("data").glob("*.json")] == []
        return
    for words in STEPS:
        assert cli.main(words) == 0, capsys.readouterr().err
    assert Path("results/whatever/slides/deck.pdf").exists()


#: without shrinking: each trial takes seconds
ANYTHING = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "print_blob": True,
    "database": None,
    "phases": [Phase.generate],
}


@given(tree=trees())
@settings(max_examples=8, derandomize=True, **ANYTHING)  # type: ignore[arg-type]
def test_a_folder_is_refused_in_one_line_or_good_to_the_deck(
    in_an_empty_folder: None, one_thread: None, capsys: pytest.CaptureFixture[str], tree: dict[str, bytes | str]
) -> None:
    refused_or_good_to_the_deck(tree, capsys)


@pytest.mark.slow
@given(tree=trees())
@settings(max_examples=60, **ANYTHING)  # type: ignore[arg-type]
def test_any_folder_is_refused_in_one_line_or_good_to_the_deck(
    in_an_empty_folder: None, one_thread: None, capsys: pytest.CaptureFixture[str], tree: dict[str, bytes | str]
) -> None:
    refused_or_good_to_the_deck(tree, capsys)
