"""From template and results to Markdown: what is not there is one line naming file and line, or the file and key."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from support.records import winners
from support.talk import RUNS_OVER, Talk, table_of

from vitflow.slides.deck import SlidesError, plain
from vitflow.slides.template import without_line_numbers


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{{ findings.cost }}", "{{ findings.costs }}", "has no attribute 'costs'"),
        ("{{ device }}", "{{ devise }}", "'devise' is undefined; did you mean 'device'?"),
        ('figure("differences")', 'figure("difference")', "no figure 'difference'; did you mean 'differences'?"),
        ("{{ findings.headline }}", "{{ findings.headline | upprcase }}", "No filter named 'upprcase'"),
        ("{{ findings.headline }}", "{{ findings.headline }", "unexpected '}'"),
        ("{{ findings.headline }}", "{{ 1 / 0 }}", "division by zero"),
    ],
)
def test_a_mistake_in_the_template_names_file_and_line(talk: Talk, old: str, new: str, said: str) -> None:
    source = talk.edited(old, new)
    lines = source.read_text(encoding="utf-8").splitlines()
    with pytest.raises(SlidesError) as caught:
        talk.render(source)
    message = str(caught.value)
    assert said in message and "\n" not in message
    line = int(re.match(rf"{re.escape(str(source))} line (\d+): ", message)[1])  # type: ignore[index]
    assert new in lines[line - 1]
    assert not (talk.root / "slides").exists()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: (f / "curves.png").unlink(), "curves.png: no such figure"),
        (lambda f: (f / "curves.svg").write_text("<svg"), "curves.svg: not an SVG"),
        (lambda f: (f / "captions.json").unlink(), "captions.json: no such file"),
    ],
)
def test_a_missing_or_damaged_figure_is_named(talk: Talk, spoil: Any, said: str) -> None:
    spoil(talk.root / "figures")
    with pytest.raises(SlidesError, match=re.escape(said)):
        talk.render()


@pytest.mark.parametrize(("old", "new", "part"), RUNS_OVER)
def test_text_that_runs_over_its_slide_names_it_and_leaves_the_old_deck(
    talk: Talk, old: str, new: str, part: str
) -> None:
    (talk.root / "slides").mkdir()
    (talk.root / "slides" / "deck.html").write_text("old")
    with pytest.raises(SlidesError, match=rf"slides.md.j2 line \d+: slide 2 '.*the {part} runs \d+ pixels over"):
        talk.render(talk.edited(old, new))
    assert [p.read_text() for p in (talk.root / "slides").iterdir()] == ["old"]


def test_a_missing_template_is_named(talk: Talk) -> None:
    with pytest.raises(SlidesError, match=r"none\.md\.j2: no such file"):
        talk.render(talk.root / "none.md.j2")


def test_an_image_that_is_no_figure_is_refused(talk: Talk) -> None:
    source = talk.edited('{{ figure("differences") }}', "![a cat](cat.svg)")
    with pytest.raises(SlidesError, match=r"slide \d+ .*: image 'cat.svg': figures are shown with"):
        talk.render(source)


# ---------------------------------------------------------------------------------------- the results


def test_results_of_another_version_are_one_line_naming_file_and_key(talk: Talk) -> None:
    path = talk.root / "analysis" / "summary.json"
    content = json.loads(path.read_text())
    del content["runs"]["baseline"]["stability"]  # as it was before stability was measured
    path.write_text(json.dumps(content))
    with pytest.raises(SlidesError) as caught:
        talk.render()
    assert str(caught.value).startswith(f"{path}: damaged, or of another version (runs.baseline.stability: ")
    assert "\n" not in str(caught.value)


def test_damaged_winners_are_named(talk: Talk) -> None:
    path = talk.root / "analysis" / "best.json"
    path.write_text(json.dumps(winners().model_dump() | {"colour": 1}))
    with pytest.raises(SlidesError, match=rf"{re.escape(str(path))}: .*\(colour: "):
        talk.render()


def test_winners_have_a_slide_and_in_backup_the_reasons_for_each_axis(talk: Talk) -> None:
    found = winners()
    found.write(talk.root / "analysis" / "best.json")
    deck = talk.deck()
    assert found.best_finding in [plain(slide.title) for slide in deck.slides]
    assert table_of(deck, "Backup: what was chosen, and why") == [
        ["patch size", "2, +3.0 points, significant on validation images"],
        ["mlp ratio", "kept: no value whose gain is significant"],
        ["pool", "mean, +1.0 points, significant on validation images"],
    ]
    rows = table_of(deck, "Backup: finalists on fresh seeds")
    assert sorted(row[0] for row in rows) == sorted(run.label for run in found.runs.values())


def test_without_winners_there_is_no_such_slide(talk: Talk) -> None:
    assert "fresh seeds" not in repr(talk.deck())


def test_separators_lose_the_lines_of_the_template() -> None:
    assert without_line_numbers("---<3>\na ---<4>\n---<20>  \n") == "---\na ---<4>\n---\n"


def test_numbers_and_nothing_are_printed_as_they_are(talk: Talk) -> None:
    head = "---\ntitle: t\nauthor: ''\ndate: '2025-01-01'\nfooter: f\n---\n"
    source = talk.root / "short.md.j2"
    printed = "{{ 3 }} {{ none }} {{ true }} {{ runs['baseline'].difference }} {{ '*' }}"
    source.write_text(f"{head}# {printed}\n\n<!-- [5 s] -->\n")
    assert plain(talk.deck(Path(source)).slides[0].title) == "3 – true – *"
