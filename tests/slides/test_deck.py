"""The talk as a whole: its rules, its length, and that any study gets one."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from pptx import Presentation
from support.analysis import ARCHITECTURE, MANY
from support.records import NOTHING, a_run, around
from support.talk import Talk, make_talk, table_of, words_of

from vitflow.figures.draw import draw
from vitflow.slides import filters, pdf
from vitflow.slides.deck import Bullets, Deck, Paragraph, Slide, Table, plain
from vitflow.slides.html import page
from vitflow.slides.pptx import pptx


def talk_slides(deck: Deck) -> list[Slide]:
    return [slide for slide in deck.slides if slide.part != "backup"]


def seconds(slides: list[Slide], *parts: str) -> int:
    return sum(slide.seconds for slide in slides if slide.part in parts)


def check_rules(deck: Deck) -> None:
    """What every talk keeps: few words, at most so many slides and minutes, notes that can be said in their time."""
    for slide in deck.slides:
        for block in slide.blocks:
            for item in getattr(block, "items", ()):
                assert len(plain(item).split()) <= 14, plain(item)  # twelve words; '±' and '%' are none
        assert slide.seconds > 0 and len(slide.notes) > 20
        if slide.part != "backup":
            assert len(slide.notes.split()) <= 2.5 * slide.seconds, plain(slide.title)  # 150 words a minute
    assert 8 <= len(talk_slides(deck)) <= 18
    assert seconds(list(deck.slides), "talk", "short") <= 11 * 60
    assert seconds(list(deck.slides), "short") <= 6 * 60


def test_slides_keep_the_rules_of_the_talk(tmp_path: Path) -> None:
    deck = make_talk(tmp_path, ablations={"architecture": ARCHITECTURE, **{"training": MANY["training"]}}).deck()
    check_rules(deck)
    assert seconds(list(deck.slides), "talk", "short") >= 8 * 60


def test_the_talk_of_config_yaml_keeps_the_rules_and_takes_its_eleven_minutes_and_six(full: Talk) -> None:
    deck = full.deck()
    check_rules(deck)
    assert (seconds(list(deck.slides), "talk", "short"), seconds(list(deck.slides), "short")) == (660, 360)
    labels = {slide.kicker for slide in talk_slides(deck)}
    assert {"Architecture", "Techniques", "Best combination", "ViT and ResNet", "Fewer images", "Features"} <= labels
    pdf.check_ends(deck, pdf.WeasyPrint().ends(page(deck)))


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("groups", [1, 3])
def test_a_complete_talk_takes_eleven_minutes_however_many_axes_and_groups_share_them(
    tmp_path: Path, axes: int, groups: int
) -> None:
    """Complete: no slide of the template is missing. Shares are whole seconds: of three axes or groups two are lost."""
    parts = {f"part{k}": {"pool": ["cls", "mean"]} for k in range(groups)}
    ablations = {"architecture": {axis: ARCHITECTURE[axis] for axis in list(ARCHITECTURE)[:axes]}} | parts
    fewer = {"fewer": {"train_images": [5000], "family": ["vit", "resnet"]}}
    deck = make_talk(tmp_path, ablations=ablations, cross=fewer, best={}).deck()
    check_rules(deck)
    assert 660 - 4 <= seconds(list(deck.slides), "talk", "short") <= 660
    assert seconds(list(deck.slides), "short") == 360


@pytest.mark.slow
def test_the_talk_of_config_yaml_is_rendered_with_its_own_figures(full: Talk, tmp_path: Path) -> None:
    talk = full.copy(tmp_path)
    draw(talk.root / "analysis", talk.root / "figures")
    talk.render()  # refuses what runs over, and pages that are missing
    deck = talk.deck()
    check_rules(deck)
    html = (talk.root / "slides/deck.html").read_text(encoding="utf-8")
    pictures = re.findall(r"<img [^>]*>", html)
    assert len(pictures) == sum(slide.figure is not None for slide in deck.slides)
    assert all(re.search(r'alt="[^"]*n = [^"]*"', picture) for picture in pictures)
    assert len(Presentation(str(talk.root / "slides/deck.pptx")).slides) == len(deck.slides)


def test_every_slide_names_digest_seeds_date_and_progress(talk: Talk) -> None:
    talk.change(done=20, total=24, baseline_seeds=6)
    deck = talk.deck()
    footers = re.findall(r"<footer>(.*?)<span", page(deck))
    assert len(footers) == len(deck.slides)
    assert set(footers) == {"example · results 3f9c0a7e · 3 seeds (baseline 6) · 2025-03-14 · 20/24 trainings done"}


def test_a_slide_for_every_architecture_axis_with_its_finding_as_title(tmp_path: Path) -> None:
    talk = make_talk(tmp_path, ablations={"architecture": ARCHITECTURE})
    main = talk_slides(talk.deck())
    shown = [plain(slide.title) for slide in main if slide.layout == "beside" and "axis-" in slide.figure.svg.name]  # type: ignore[union-attr]
    assert shown == [axis.finding for axis in talk.summary.axes]


@pytest.mark.parametrize(
    "study",
    [
        {"ablations": {}, "references": {}, "seeds": 1},
        {"ablations": {"training": MANY["training"]}, "references": {}},
        {"ablations": MANY, "diverged": {"heads=96": 3, "patch_size=2": 1}},
        {"ablations": {"architecture": {"heads": [8, 96]}}, "diverged": {"heads=96": 3}},
    ],
    ids=["nothing but a baseline", "no architecture axis", "thirteen axes and forty runs", "only value diverged"],
)
def test_any_study_gets_a_deck(tmp_path: Path, study: dict[str, Any]) -> None:
    deck = make_talk(tmp_path, **study).deck()
    assert len(talk_slides(deck)) >= 7
    pdf.check_ends(deck, pdf.WeasyPrint().ends(page(deck)))
    assert len(Presentation(io.BytesIO(pptx(deck))).slides) == len(deck.slides)


def test_the_talk_of_one_model_compares_nothing(tmp_path: Path) -> None:
    deck = make_talk(tmp_path, ablations={}, references={}).deck()
    kickers = {slide.kicker for slide in talk_slides(deck)}
    assert "One model" in kickers and not kickers & {"Fit", "All changes", "What worked", "ViT and ResNet"}
    assert "one component" not in repr(talk_slides(deck))


def test_stability_leads_with_the_baseline_what_diverged_and_the_learning_rates(tmp_path: Path) -> None:
    rates = {"training": {"learning_rate": [0.0005, 0.001, 0.002]}, "architecture": {"depth": [4, 6, 12]}}
    talk = make_talk(tmp_path, {"depth=12": 2}, ablations=rates, references={})
    rows = table_of(talk.deck(), talk.summary.findings.stability)
    assert [row[0] for row in rows] == [
        "baseline",
        "depth 12",
        "learning rate 0.0005",
        "learning rate 0.002",
        "depth 4",
    ]
    assert rows[1][1:3] == ["3", "2 (step 1001)"]
    measured = talk.summary.runs["depth=12"].stability
    assert rows[1][3] == filters.number(measured.gradient_spikes)
    assert rows[1][6].startswith(filters.three(measured.largest_attention_logit))


@pytest.mark.parametrize("named", [True, False], ids=["three others", "one other"])
def test_what_is_said_of_another_family_is_of_its_best_which_is_named_among_several(talk: Talk, named: bool) -> None:
    runs = talk.summary.runs
    families = [name for name, run in runs.items() if run.kind == "family"]
    shown = families if named else families[:1]
    kept = {name: run for name, run in runs.items() if name not in families}
    for k, name in enumerate(shown):
        change = {"clean_train": around(60.0 + k), "difference": a_run(float(k)).difference}
        kept[name] = runs[name].model_copy(update=change)
    talk.change(runs=kept, references=tuple(shown))
    (slide,) = [slide for slide in talk.deck().slides if slide.kicker == "ViT and ResNet"]
    (told,) = [[words_of(item) for item in block.items] for block in slide.blocks if isinstance(block, Bullets)]
    assert any(f" {59 + len(shown)}.0 %, baseline" in item for item in told)
    (before,) = [plain(block.text) for block in slide.blocks if isinstance(block, Paragraph)]
    assert before.endswith(f" {kept[shown[-1]].label} compared with the baseline:") == named


def test_results_from_before_stability_was_measured_show_it_as_missing(talk: Talk) -> None:
    unknown = dict.fromkeys(("gradient_spikes", "loss_spikes", "largest_gradient_norm", "largest_attention_logit"))
    calm = talk.summary.runs["baseline"].stability
    title = "No run diverged; spikes were not measured"  # what the analysis says then
    talk.change_runs(stability=calm.model_copy(update=unknown))
    talk.change(findings=talk.summary.findings.model_copy(update={"stability": title}))
    rows = table_of(talk.deck(), title)
    assert rows and all(row[2:] == ["0", "–", "–", "–", "–"] for row in rows)


def test_few_seeds_are_called_descriptive_on_every_slide(tmp_path: Path, deck: Deck) -> None:
    loud, calm = make_talk(tmp_path, seeds=2).deck(), deck
    assert "DESCRIPTIVE" in loud.footer
    assert any("DESCRIPTIVE" in plain(block.text) for block in loud.slides[0].blocks)  # type: ignore[union-attr]
    assert "descriptive" not in repr(calm).lower()


def test_no_author_leaves_no_line(talk: Talk, deck: Deck) -> None:
    talk.change(author="")
    assert len(deck.slides[0].blocks) == len(talk.deck().slides[0].blocks) + 1


def test_markdown_in_results_stays_text(talk: Talk) -> None:
    nasty = "*a* | <b>[c](d)</b> `e` <!-- f --> __g__ {{ h }} # i"
    first, *others = talk.summary.axes
    spoiled = first.model_copy(update={"finding": nasty, "label": nasty})
    talk.change(title=nasty, axes=(spoiled, *others))
    deck = talk.deck()
    assert plain(deck.slides[0].title) == nasty
    assert deck.title == nasty
    assert any(plain(slide.title) == nasty for slide in deck.slides)
    cells = [plain(c) for s in deck.slides for b in s.blocks if isinstance(b, Table) for row in b.rows for c in row]
    assert nasty[:20] in {cell[:20] for cell in cells}


def test_a_study_before_any_result_has_a_deck_that_says_so(talk: Talk) -> None:
    parts = ("validation", "test", "clean_train", "test_loss", "test_ece")
    talk.change_runs(**dict.fromkeys(parts, NOTHING), n=0, difference=None)
    talk.change(best=None)
    assert "no component has been changed yet" in repr(talk.deck())
