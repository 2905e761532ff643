"""Which files there are, that they are the same every time, and what pictures they hold."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from support.figures import CASES, Case

from vitflow.figures.draw import FIGURES, names
from vitflow.figures.style import BESIDE, FULL


def test_names_are_the_drawn_files(drawn: Path, diverged: Case) -> None:
    stems = names(diverged.study)
    axes = [f"axis-architecture-{axis}" for axis in ("patch_size", "width", "depth", "heads")]
    assert stems == [*FIGURES, "forest-architecture", *axes]
    expected = {f"{stem}.{kind}" for stem in stems for kind in ("svg", "png")} | {"captions.json"}
    assert {path.name for path in drawn.iterdir()} == expected
    assert set(json.loads((drawn / "captions.json").read_text())) == set(stems)


@pytest.mark.parametrize("case", CASES)
def test_names_agree_with_drawings_in_every_study(case: str, cases: dict[str, Case]) -> None:
    assert names(cases[case].study) == list(cases[case].makers)


def test_names_need_neither_torch_nor_matplotlib() -> None:
    code = (
        "import sys; from vitflow.study.reading import parse_study; from vitflow.figures.draw import FIGURES, names;"
        "names(parse_study({'study': 's', 'dataset': {'name': 'digits'},"
        " 'baseline': {'patch_size': 2, 'heads': 1}}, 'x'));"
        "assert not {'torch', 'matplotlib', 'numpy'} & set(sys.modules), 'heavy import'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_rerun_gives_identical_bytes(drawn: Path, diverged: Case, tmp_path: Path) -> None:
    """Also in another process, with other hashes, at another date, under a matplotlibrc of the user's own."""
    (tmp_path / "matplotlibrc").write_text("font.size: 30\naxes.linewidth: 5\nsavefig.dpi: 40\n")
    code = (
        "import sys; from pathlib import Path; from vitflow.figures.draw import FIGURES, draw;"
        "draw(Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    environment = os.environ | {
        "PYTHONHASHSEED": "7",
        "SOURCE_DATE_EPOCH": "1000000000",
        "MATPLOTLIBRC": str(tmp_path / "matplotlibrc"),
    }
    there = [str(diverged.folder), str(tmp_path / "there")]
    subprocess.run([sys.executable, "-c", code, *there], check=True, timeout=120, env=environment)
    files = {path.name: path.read_bytes() for path in drawn.iterdir()}
    assert files.keys() == {path.name for path in (tmp_path / "there").iterdir()}
    assert [name for name in files if files[name] != (tmp_path / "there" / name).read_bytes()] == []


def test_pictures_have_the_size_of_their_place_on_the_slide(drawn: Path, diverged: Case) -> None:
    beside = {"images", "positions", "shifts", *(stem for stem in names(diverged.study) if stem.startswith("axis-"))}
    for stem in names(diverged.study):
        with Image.open(drawn / f"{stem}.png") as picture:
            sides = [side for side in (BESIDE, FULL) if picture.size == (round(150 * side[0]), round(150 * side[1]))]
        assert sides == [BESIDE if stem in beside else FULL], stem
        width, height = sides[0]
        svg = (drawn / f"{stem}.svg").read_text()
        assert f'width="{72 * width:g}pt" height="{72 * height:g}pt"' in svg


def test_svg_has_letters_as_paths_and_no_date(drawn: Path) -> None:
    for path in drawn.glob("*.svg"):
        svg = path.read_text()
        assert "<text" not in svg and "<dc:date>" not in svg and "IBMPlexSans" in svg, path.name


def test_scatter_of_images_is_pixels_in_the_svg(drawn: Path) -> None:
    svg = (drawn / "pca.svg").read_text()
    assert svg.count("<image") == 9 and svg.count("<use") < 1000  # three models at three layers, thousands of points
