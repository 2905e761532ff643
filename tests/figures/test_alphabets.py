"""Names of classes in any alphabet are drawn where a font for them is installed; or that is told, with the package."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import matplotlib
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from support.figures import Case

from vitflow.figures import alphabets, draw
from vitflow.figures.alphabets import advice, families
from vitflow.figures.style import styled

OURS = ["IBM Plex Sans", "DejaVu Sans"]


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """What was found out about this machine's fonts."""
    alphabets._chosen.cache_clear()
    yield
    alphabets._chosen.cache_clear()


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The only fonts of this machine: none, until a test adds some."""
    files: list[str] = []
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: list(files))
    return files


def font(folder: Path, name: str, letters: str) -> str:
    """A font of squares for these letters."""
    glyphs = [".notdef", *(f"u{ord(letter):X}" for letter in letters)]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(glyphs)
    builder.setupCharacterMap({ord(letter): f"u{ord(letter):X}" for letter in letters})
    pen = TTGlyphPen(None)
    for step, point in enumerate(((0, 0), (0, 700), (500, 700), (500, 0))):
        (pen.lineTo if step else pen.moveTo)(point)
    pen.closePath()
    square = pen.glyph()
    builder.setupGlyf(dict.fromkeys(glyphs, square))
    builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (600, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": name, "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    file = folder / f"{name.replace(' ', '')}-Regular.ttf"
    builder.save(file)
    return str(file)


@pytest.mark.parametrize("text", ["cat", "Größe", "кот", "γάτα", "قط", "− ± × →", ""])
def test_what_our_own_fonts_have_is_drawn_with_them(text: str, installed: list[str]) -> None:
    assert families(text) == OURS and advice(text) == ""


def test_other_letters_come_from_as_few_installed_fonts_as_have_them(installed: list[str], tmp_path: Path) -> None:
    installed += [
        font(tmp_path, "Zoo Sans", "犬猫"),
        font(tmp_path, "Ark Serif", "犬猫鳥"),
        font(tmp_path, "Dog Sans", "犬"),
        str(tmp_path / "missing.ttf"),
    ]
    assert families("犬") == [*OURS, "Dog Sans"]
    assert families("犬猫") == [*OURS, "Dog Sans", "Zoo Sans"]
    assert families("犬猫鳥") == [*OURS, "Dog Sans", "Zoo Sans", "Ark Serif"]
    with styled("犬"):
        assert matplotlib.rcParams["font.family"] == [*OURS, "Dog Sans"]


@pytest.mark.parametrize(
    ("text", "shown", "packages"),
    [
        ("子犬", "子 犬", "fonts-noto-cjk"),
        ("강아지", "강 아 지", "fonts-noto-cjk"),
        ("สุนัข", "ข น ส", "fonts-noto-core"),
        ("👩‍👧 𓀀", "👧 👩", "fonts-noto-core fonts-symbola"),
    ],
)
def test_letters_that_no_font_has_are_told_with_the_package_that_has_them(
    text: str, shown: str, packages: str, installed: list[str]
) -> None:
    told = advice(text)
    assert told.startswith(f"no font here has {shown}") or shown in told
    assert f"`apt install {packages}`" in told and "\n" not in told


def test_a_study_of_such_classes_is_drawn_with_them(
    diverged: Case, installed: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    analysis = shutil.copytree(diverged.folder, tmp_path / "analysis")
    for file in analysis.glob("*.json"):
        file.write_text(file.read_text().replace('"cat"', '"子犬"'))
    draw.draw(analysis, tmp_path / "without")
    assert "no font here has 子 犬" in capsys.readouterr().err
    alphabets._chosen.cache_clear()
    installed.append(font(tmp_path, "Puppy Sans", "子犬"))
    draw.draw(analysis, tmp_path / "with")
    assert "no font" not in capsys.readouterr().err
    changed = {
        file.name
        for file in (tmp_path / "with").glob("*.png")
        if file.read_bytes() != (tmp_path / "without" / file.name).read_bytes()
    }
    assert "confusion.png" in changed and "curves.png" not in changed
