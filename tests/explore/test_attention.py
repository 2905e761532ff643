"""Where a ViT looks: pictures lit where it does, and words where nothing is stored."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.explore import Page

from vitflow.analysis.records import Absent, Attention, Features, Packed
from vitflow.explore.attention import DARK, lit, read_attention
from vitflow.explore.page import page
from vitflow.explore.read import ExploreError, read


@pytest.fixture
def folder(tmp_path: Path, made: Page) -> Path:
    """Two images of 4 pixels a side, five blocks of 2 x 2 patches: block k looks with 50 k at the first."""
    maps = np.zeros((5, 2, 2, 2))
    maps[:, :, 0, 0] = 50 * np.arange(5)[:, None]
    packed = Packed.of(maps, "uint8")
    known = Features.read(made.folder / "features.json")
    baseline, resnet = (next(m for m in known.models if m.family == family) for family in ("vit", "resnet"))
    looked = Attention(asks="[CLS]", patches=(1.0,) * 5, image=packed, patch=packed)
    stored = {
        "models": (baseline.model_copy(update={"attention": looked}), resnet),
        "absent": (Absent(run="width=96", label="width 96", reason="diverged at step 7"),),
        "examples": Packed.of(np.full((2, 4, 4, 3), 200), "uint8"),
        "example_labels": (1, 0),
        "classes": ("cat", "dog", *known.classes[2:]),
    }
    known.model_copy(update=stored).write(tmp_path / "features.json")
    return tmp_path


def rest_of(made: Page, folder: Path) -> None:
    """Bring everything else that the page is made from."""
    for path in made.folder.iterdir():
        if not (folder / path.name).exists():
            (folder / path.name).write_bytes(path.read_bytes())


def pixels(png: str) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(base64.b64decode(png))))


def test_an_image_is_bright_where_it_is_looked_at() -> None:
    image = np.full((4, 4, 1), 100, dtype=np.uint8)
    found = lit(image, np.array([[255, 0], [51, 0]], dtype=np.uint8))[:, :, 0]
    expected = np.kron(np.array([[100, 100 * DARK], [100 * (DARK + (1 - DARK) / 5), 100 * DARK]]), np.ones((2, 2)))
    assert np.array_equal(found, expected.round())


def test_first_middle_and_last_block_are_shown(folder: Path) -> None:
    looks = read_attention(folder).runs["baseline"]
    assert (looks.asks, looks.blocks, [image.actual for image in looks.images]) == ("[CLS]", (1, 3, 5), ["dog", "cat"])
    whole, *rest = (pixels(picture) for picture in looks.images[0].pictures)
    assert (whole == 200).all()
    assert [picture[0, 0, 0] for picture in rest] == [round(200 * (DARK + (1 - DARK) * k / 255)) for k in (0, 100, 200)]


def test_what_is_not_there_is_said_in_words(folder: Path, made: Page) -> None:
    found, runs = read_attention(folder), made.summary.runs
    assert found.missing("width=96", runs["width=96"]) == "No features are stored of this run: diverged at step 7."
    assert "not a ViT" in found.missing("resnet18", runs["resnet18"])
    assert "only" in found.missing("depth=4", runs["depth=4"])
    none = Features.read(folder / "features.json").model_copy(update={"models": (), "absent": ()})
    none.write(folder / "features.json")
    nothing = read_attention(folder)
    assert nothing.runs == {} and "in this study" in nothing.missing("baseline", runs["baseline"])


def test_the_page_shows_them_beside_the_runs_that_have_them(folder: Path, made: Page) -> None:
    rest_of(made, folder)
    html = page(read(folder), made.grid)
    assert html.count('<ol class="looks">') == 1 and html.count('alt="where block 5 looks"') == 2
    assert "diverged at step 7" in html


def test_damage_is_told(folder: Path, made: Page) -> None:
    rest_of(made, folder)
    (folder / "features.json").write_text("{}")
    with pytest.raises(ExploreError, match=r"features\.json: damaged"):
        read(folder)
