"""The page as a file: whole in itself, of bounded size, the same every time, and safe whatever a study calls things."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.analysis import ARCHITECTURE, MANY, example_study
from support.chromium import needs_chromium
from support.explore import Page, make, told

from vitflow.analysis.records import Mistakes, Summary
from vitflow.explore.page import POINTS, explore, page, thinned
from vitflow.explore.read import ExploreError, read

#: a name that would be an element, an attribute and the end of a script
NASTY = "</script><img src=x onerror=\"document.body.dataset.broken='1'\">&amp;'"


class Elements(HTMLParser):
    """Every element of a page with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attributes)))


def test_nothing_in_it_points_to_another_file_but_the_talk_beside_it(made: Page) -> None:
    places = [
        attributes[name]
        for _, attributes in Elements(made.html).found
        for name in ("src", "href", "srcset", "data", "action", "poster")
        if attributes.get(name)
    ]
    outside = {place for place in places if place and not place.startswith(("#", "data:"))}
    assert outside == {"deck.html"}
    styles = "".join(re.findall(r"<style>(.*?)</style>", made.html, re.S))
    assert all(place.startswith("data:") for place in re.findall(r"url\(([^)]*)\)", styles)) and "@import" not in styles


def test_equal_numbers_give_equal_bytes_in_another_process(made: Page, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, 'tests'); from support.analysis import example_study;"
        "from vitflow.study.grid import expand; from vitflow.explore.page import explore;"
        "explore(Path(sys.argv[1]), expand(example_study(3, 6)), Path(sys.argv[2]))"
    )
    environment = os.environ | {"PYTHONHASHSEED": "7", "SOURCE_DATE_EPOCH": "1000000000"}
    there = tmp_path / "explore.html"
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code, made.folder, there], check=True, timeout=120, env=environment, cwd=root)
    assert there.read_bytes() == made.html.encode()


def test_ninety_runs_of_a_hundred_epochs_stay_under_eight_megabytes(tmp_path: Path) -> None:
    cross = {"shape": {"width": [96, 192, 256], "depth": [4, 6, 12], "mlp_ratio": [1, 2, 3, 4, 6]}}
    cross |= {"recipe": {"weight_decay": [0, 0.01, 0.05, 0.1, 0.3], "learning_rate": [0.0005, 0.001, 0.002, 0.004]}}
    study = example_study(3, 6, ablations=MANY, cross=cross, training={"epochs": 100})
    made = make(tmp_path, study)
    assert len(made.grid.runs) >= 89 and len(read(tmp_path).curves["baseline"][0]["epoch"]) == 100
    assert len(made.html.encode()) < 4e6


def test_long_curves_keep_their_ends_and_a_bounded_number_of_points() -> None:
    epochs = np.arange(1.0, 1001.0)
    columns = thinned({"run": {0: {"epoch": epochs, "validation_accuracy": epochs / 10, "step": epochs}}})["run"][0]
    assert len(columns["epoch"]) == POINTS and (columns["epoch"][0], columns["epoch"][-1]) == (1, 1000)
    assert columns["validation_accuracy"] == [pytest.approx((e or 0) / 10, rel=1e-3) for e in columns["epoch"]]
    assert "step" not in columns


def test_what_a_curve_lacks_is_a_gap() -> None:
    (columns,) = thinned({"run": {0: {"epoch": np.array([1.0, 2.0]), "train_loss": np.array([np.nan, np.inf])}}})[
        "run"
    ].values()
    assert columns["train_loss"] == [None, None]


@needs_chromium
def test_names_are_text_whatever_they_look_like(made: Page, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made.folder, tmp_path / "analysis"))
    summary = made.summary
    runs = {name: run.model_copy(update={"label": NASTY}) for name, run in summary.runs.items()}
    summary.model_copy(update={"title": NASTY, "runs": runs}).write(folder / "summary.json")
    mistakes = Mistakes.read(folder / "mistakes.json")
    mistakes.model_copy(update={"classes": (NASTY,) * 10}).write(folder / "mistakes.json")
    script = """
        for (const point of all("#cost svg path[aria-roledescription=point]"))
          point.dispatchEvent(new PointerEvent("pointermove", { bubbles: true }));
        await settled();
        const read = (place) => document.querySelector(place).innerText;
        return [read("h1"), read("#legend li"), read("article:not([hidden]) h2"), read(".wrong b"),
                document.title, document.body.dataset.broken ?? "", all('img[src="x"]').length]"""
    seen = told(page(read(folder), made.grid), {"names": script})["names"]
    assert seen == [*4 * [NASTY], f"{NASTY}: all runs", "", 0]


@pytest.mark.parametrize("name", ["summary.json", "curves.csv", "mistakes.json"])
def test_a_missing_file_is_told_and_nothing_is_written(made: Page, tmp_path: Path, name: str) -> None:
    folder = Path(shutil.copytree(made.folder, tmp_path / "analysis"))
    (folder / name).unlink()
    with pytest.raises(ExploreError, match=f"{name}: no such file; run the analysis"):
        explore(folder, made.grid, tmp_path / "explore.html")
    assert not (tmp_path / "explore.html").exists()


DIGITS: dict[str, Any] = {
    "dataset": {"name": "digits"},
    "baseline": {"patch_size": 2, "width": 32, "depth": 2, "heads": 4},
    "training": {"epochs": 3, "warmup_epochs": 1},
    "ablations": {"architecture": {"patch_size": [1, 2, 4]}},
    "references": {},
}


@pytest.mark.parametrize(
    ("study", "diverged"),
    [
        (example_study(1, ablations={}, references={}), {}),
        (example_study(2, ablations={"architecture": ARCHITECTURE}), {"baseline": 2, "resnet18": 2}),
        (example_study(2, **DIGITS), {}),
        (example_study(2, dataset={"name": "cifar100"}), {}),
    ],
    ids=["baseline alone", "baseline diverged", "digits", "hundred classes"],
)
def test_every_kind_of_study_has_its_page(study: Any, diverged: dict[str, int], tmp_path: Path) -> None:
    made = make(tmp_path, study, diverged)
    rows = [attributes for tag, attributes in Elements(made.html).found if tag == "tr" and "data-run" in attributes]
    assert [row["data-run"] for row in rows] == list(made.grid.runs)


def test_a_study_that_holds_nothing_out_says_so(made: Page, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made.folder, tmp_path / "analysis"))
    nothing = {"images": 0, "pictures": (), "runs": {}}
    Mistakes.read(folder / "mistakes.json").model_copy(update=nothing).write(folder / "mistakes.json")
    html = page(read(folder), made.grid)
    finished = sum(run.n > 0 for run in Summary.read(folder / "summary.json").runs.values())
    assert html.count("No image is held out for validation in this study") == finished
    assert html.count("No seed of this run finished.") == len(made.grid.runs) - finished == 1
