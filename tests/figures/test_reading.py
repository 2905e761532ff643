"""What figures are drawn from: a missing or damaged file, or one of another version, is one line naming it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from support.analysis import write_analysis
from support.figures import CASES
from support.records import winners

from vitflow.figures.draw import draw
from vitflow.figures.read import FigureError, read


@pytest.fixture
def analysis(tmp_path: Path) -> Path:
    write_analysis(tmp_path / "analysis", CASES["baseline alone"][0])
    return tmp_path / "analysis"


@pytest.mark.parametrize(
    "name", ["summary.json", "curves.csv", "confusion.json", "calibration.json", "features.json", "inspection.json"]
)
def test_missing_or_damaged_input_is_one_line_naming_the_file(name: str, analysis: Path, tmp_path: Path) -> None:
    broken = analysis / name
    whole = broken.read_text()
    broken.unlink()
    with pytest.raises(FigureError, match=re.escape(str(broken))) as missing:
        draw(analysis, tmp_path / "out")
    assert "no such file" in str(missing.value) and "\n" not in str(missing.value)
    broken.write_text(whole[: len(whole) // 2].rsplit(",", 1)[0] + ",x\n")
    with pytest.raises(FigureError, match=re.escape(str(broken))) as damaged:
        draw(analysis, tmp_path / "out")
    assert "damaged" in str(damaged.value) and "\n" not in str(damaged.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "name", ["summary.json", "confusion.json", "calibration.json", "features.json", "inspection.json"]
)
def test_input_of_another_version_is_one_line_naming_file_and_key(name: str, analysis: Path, tmp_path: Path) -> None:
    content = json.loads((analysis / name).read_text())
    lost = sorted(content)[0]
    for changed, key in ((content | {"colour": 1}, "colour"), ({k: content[k] for k in content if k != lost}, lost)):
        (analysis / name).write_text(json.dumps(changed))
        with pytest.raises(FigureError) as caught:
            draw(analysis, tmp_path / "out")
        assert re.match(rf"{re.escape(str(analysis / name))}: .*version \({key}: ", str(caught.value))
        assert "\n" not in str(caught.value) and "`snakemake figures`" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_finalists_may_be_missing_but_not_damaged(analysis: Path, tmp_path: Path) -> None:
    assert read(analysis).winners is None
    (analysis / "best.json").write_text("{")
    with pytest.raises(FigureError, match=re.escape(str(analysis / "best.json"))):
        read(analysis)
    winners().write(analysis / "best.json")
    assert read(analysis).winners == winners()
