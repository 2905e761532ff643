"""The slides room: template and results in, the same deck as Markdown, HTML, PDF and PPTX out."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import io
import json
import re
import shutil
import subprocess
import sys
import zlib
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import yaml
from fontTools.ttLib import TTFont
from PIL import Image
from pptx import Presentation
from pptx.util import Inches

sys.path.insert(0, str(Path(__file__).parent))
from support.analysis import ARCHITECTURE, MANY, example_study, write_analysis

from vitflow.figures.draw import draw, names
from vitflow.slides import boxes, fit, pdf, template
from vitflow.slides.deck import Deck, Figure, Slide, SlidesError, Span, Table, plain
from vitflow.slides.html import page
from vitflow.slides.markdown import read_deck, read_figure
from vitflow.slides.pages import paginate
from vitflow.slides.pptx import pptx
from vitflow.slides.render import render
from vitflow.study.schema import Study

ROOT = Path(__file__).parent.parent
TEMPLATE = ROOT / "workflow" / "slides" / "slides.md.j2"
TECHNIQUES = ROOT / "workflow" / "slides" / "techniques.yaml"
DASH = "\N{EN DASH}"
FORMS = ("deck.md", "deck.html", "deck.pdf", "deck.pptx")
SMALL: dict[str, dict[str, list[Any]]] = {
    "architecture": {"patch_size": [2, 4, 8]},
    "training": {"augmentation": ["none", "crop", "crop_flip"]},
}
CHROMIUM = next((path for name in pdf.BROWSERS if (path := shutil.which(name))), None)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium")


def stand_in_figures(folder: Path, study: Study) -> None:
    """Tiny pictures under the names that the figures room would use."""
    folder.mkdir(parents=True)
    captions = {}
    for stem in names(study):
        wide = not stem.startswith("axis-") and stem != "pca"
        width, height = (871.2, 338.4) if wide else (547.2, 367.2)
        (folder / f"{stem}.svg").write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="{height}pt" viewBox="0 0 10 10"/>'
        )
        Image.new("RGB", (24, 10), "white").save(folder / f"{stem}.png")
        captions[stem] = {"caption": f"What {stem} shows", "alt": f"{stem}, n = 3 seeds"}
    (folder / "captions.json").write_text(json.dumps(captions))


@dataclasses.dataclass
class Talk:
    """A study's folder, ready to be rendered."""

    root: Path
    summary: dict[str, Any]

    def render(self, source: Path = TEMPLATE) -> None:
        render(source, self.root / "analysis", self.root / "figures", TECHNIQUES, self.root / "slides")

    def deck(self, source: Path = TEMPLATE, techniques: Path = TECHNIQUES) -> Deck:
        """The slides as data, without drawing them."""
        captions = json.loads((self.root / "figures" / "captions.json").read_text())
        markdown = template.fill(source, self.root / "analysis", captions, techniques, "figures")
        folder = self.root / "figures"

        def find(source: str, alt: str, caption: str) -> Figure:
            stem = Path(source).stem
            return read_figure(folder / f"{stem}.svg", folder / f"{stem}.png", alt, caption)

        return paginate(read_deck(markdown, str(source), find))

    def change(self, **values: Any) -> None:
        """Overwrite keys of summary.json."""
        self.summary |= values
        (self.root / "analysis" / "summary.json").write_text(json.dumps(self.summary))

    def edited(self, old: str, new: str) -> Path:
        """A copy of the shipped template with a passage changed."""
        text = TEMPLATE.read_text(encoding="utf-8")
        assert old in text
        copy = self.root / "slides.md.j2"
        copy.write_text(text.replace(old, new, 1), encoding="utf-8")
        return copy


def make_talk(root: Path, diverged: dict[str, int] | None = None, **study: Any) -> Talk:
    chosen = example_study(**({"ablations": SMALL} | study))
    summary = write_analysis(root / "analysis", chosen, diverged)
    stand_in_figures(root / "figures", chosen)
    return Talk(root, summary)


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    return make_talk(tmp_path)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Talk:
    """Drawn by the real figures room and rendered."""
    root = tmp_path_factory.mktemp("real")
    study = example_study(ablations=SMALL, references={"resnet18": {"family": "resnet"}}, features={"images": 100})
    summary = write_analysis(root / "analysis", study)
    draw(root / "analysis", root / "figures")
    talk = Talk(root, summary)
    talk.render()
    return talk


def talk_slides(deck: Deck) -> list[Slide]:
    return [slide for slide in deck.slides if slide.part != "backup"]


def shortened(deck: Deck, slides: int) -> Deck:
    return dataclasses.replace(deck, slides=deck.slides[:slides])


def pdf_objects(data: bytes) -> bytes:
    """A PDF with its compressed streams, where objects may hide, unpacked behind it."""
    unpacked = []
    for packed in re.findall(rb"stream\r?\n(.*?)endstream", data, re.DOTALL):
        with contextlib.suppress(zlib.error):
            unpacked.append(zlib.decompressobj().decompress(packed))
    return b"\n".join([data, *unpacked])


def visible(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", re.sub(r"<(style|script)>.*?</\1>", "", html, flags=re.DOTALL)))


def texts(sheet: Any) -> list[str]:
    """Every text of a PPTX slide: shapes and cells."""
    found = [shape.text_frame.text for shape in sheet.shapes if shape.has_text_frame]
    for shape in sheet.shapes:
        if shape.has_table:
            found += [cell.text for row in shape.table.rows for cell in row.cells]
    return found


# ------------------------------------------------------------------------------------- the real thing


def test_all_forms_hold_the_same_slides_with_the_real_figures(real: Talk) -> None:
    slides, deck = real.root / "slides", real.deck()
    titles = [plain(slide.title) for slide in deck.slides]
    html = (slides / "deck.html").read_text(encoding="utf-8")
    assert [unescape(re.sub("<[^>]*>", "", t)) for t in re.findall(r"<h1[^>]*>(.*?)</h1>", html)] == titles
    presentation = Presentation(str(slides / "deck.pptx"))
    assert [sheet.shapes.title.text_frame.text for sheet in presentation.slides] == titles
    objects = pdf_objects((slides / "deck.pdf").read_bytes())
    assert len(re.findall(rb"/Type ?/Page\b", objects)) == len(titles)
    assert set(re.findall(rb"/MediaBox ?\[0 0 ([\d.]+) ([\d.]+)\]", objects)) == {(b"960", b"540")}
    assert {p.name for p in slides.iterdir()} == set(FORMS)


def test_best_validation_accuracy_stands_in_every_form(real: Talk) -> None:
    slides, number = real.root / "slides", f"{real.summary['best']['validation']:.2f} %"
    assert f"**{number}**" in (slides / "deck.md").read_text(encoding="utf-8")
    assert number in visible((slides / "deck.html").read_text(encoding="utf-8"))
    presentation = Presentation(str(slides / "deck.pptx"))
    assert any(number in text for sheet in presentation.slides for text in texts(sheet))


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs pdftotext")
def test_pdf_text_can_be_read_back(real: Talk) -> None:
    path = real.root / "slides" / "deck.pdf"
    text = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, check=True).stdout.decode()
    pages = text.split("\f")[:-1]
    for slide, shown in zip(real.deck().slides, pages, strict=True):
        assert plain(slide.title).replace(" ", "") in re.sub(r"\s", "", shown)
        assert "3f9c0a7e" in shown  # the footer


def test_html_refers_to_nothing_outside(real: Talk) -> None:
    html = (real.root / "slides" / "deck.html").read_text(encoding="utf-8")
    outside = re.findall(r"(?:src|href)=\"(?!data:)[^\"]*|url\((?!data:)[^)]*|<link|@import", html)
    assert outside == []
    assert html.count("<img ") == sum(slide.figure is not None for slide in real.deck().slides)


def test_deck_markdown_points_at_the_figures(real: Talk) -> None:
    sources = re.findall(r"!\[.*?\]\((\S+) ", (real.root / "slides" / "deck.md").read_text(encoding="utf-8"))
    assert sources and all((real.root / "slides" / source).resolve().is_file() for source in sources)


def test_embedded_font_has_its_own_name_and_every_glyph(real: Talk) -> None:
    html = (real.root / "slides" / "deck.html").read_text(encoding="utf-8")
    faces = re.findall(r'font-family:"([^"]+)".*?base64,([^)]+)\)', html)
    assert [name for name, _ in faces] == ["Vitflow Deck"] * 2
    needed = {ord(c) for c in visible(html) if not c.isspace()}
    for _, data in faces:
        font = TTFont(io.BytesIO(base64.b64decode(data)))
        assert needed <= set(font.getBestCmap())
        assert "DejaVu" not in "".join(record.toUnicode() for record in font["name"].names)
        assert len(font.getGlyphOrder()) < 250


def test_reruns_give_equal_bytes(real: Talk) -> None:
    before = {name: (real.root / "slides" / name).read_bytes() for name in FORMS}
    out = real.root / "again"  # beside the first, so that paths in deck.md stay the same
    render(TEMPLATE, real.root / "analysis", real.root / "figures", TECHNIQUES, out)
    assert [name for name in FORMS if (out / name).read_bytes() != before[name]] == []


# ------------------------------------------------------------------------------------------ the rules


def test_slides_keep_the_rules_of_the_talk(tmp_path: Path) -> None:
    deck = make_talk(tmp_path, ablations={"architecture": ARCHITECTURE, **{"training": MANY["training"]}}).deck()
    for slide in deck.slides:
        for block in slide.blocks:
            for item in getattr(block, "items", ()):
                assert len(plain(item).split()) <= 14, plain(item)  # twelve words; '±' and '%' are none
        assert slide.seconds > 0 and len(slide.notes) > 20
    main = talk_slides(deck)
    assert 8 <= len(main) <= 15
    assert 8 * 60 <= sum(slide.seconds for slide in main) <= 13 * 60
    assert sum(slide.seconds for slide in main if slide.part == "short") <= 6 * 60


def test_every_slide_names_digest_seeds_date_and_progress(talk: Talk) -> None:
    talk.change(done=20, total=24, baseline_seeds=6)
    html = page(talk.deck())
    footers = re.findall(r"<footer>(.*?)<span", html)
    assert len(footers) == len(talk.deck().slides)
    assert set(footers) == {"example · results 3f9c0a7e · 3 seeds (baseline 6) · 2025-03-14 · 20/24 runs done"}


def test_a_slide_for_every_architecture_axis_with_its_finding_as_title(tmp_path: Path) -> None:
    talk = make_talk(tmp_path, ablations={"architecture": ARCHITECTURE})
    main = talk_slides(talk.deck())
    shown = [plain(slide.title) for slide in main if slide.layout == "beside" and "axis-" in slide.figure.svg.name]  # type: ignore[union-attr]
    assert shown == [axis["finding"] for axis in talk.summary["axes"]]


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
    assert len(talk_slides(deck)) >= 8
    pdf.check_ends(deck, pdf.WeasyPrint().ends(page(deck)))
    assert len(Presentation(io.BytesIO(pptx(deck))).slides) == len(deck.slides)


def stability_rows(deck: Deck, title: str) -> list[list[str]]:
    slide = next(slide for slide in deck.slides if plain(slide.title) == title)
    table = next(block for block in slide.blocks if isinstance(block, Table))
    return [[plain(cell) for cell in row] for row in table.rows]


def test_stability_leads_with_the_baseline_what_diverged_and_the_learning_rates(tmp_path: Path) -> None:
    rates = {"training": {"learning_rate": [0.0005, 0.001, 0.002]}, "architecture": {"depth": [4, 6, 12]}}
    talk = make_talk(tmp_path, {"depth=12": 2}, ablations=rates, references={})
    rows = stability_rows(talk.deck(), talk.summary["findings"]["stability"])
    assert [row[0] for row in rows] == [
        "baseline",
        "depth 12",
        "learning rate 0.0005",
        "learning rate 0.002",
        "depth 4",
    ]
    assert rows[1][1:3] == ["3", "2 (step 1001)"]
    measured = talk.summary["runs"]["depth=12"]["stability"]
    assert rows[1][3] == template.number(measured["gradient_spikes"])
    assert rows[1][6] == template.three(measured["largest_attention_logit"])


def test_results_from_before_stability_was_measured_show_it_as_missing(talk: Talk) -> None:
    del talk.summary["findings"]["stability"]
    for run in talk.summary["runs"].values():
        del run["stability"]
    talk.change()
    for row in stability_rows(talk.deck(), "Stability was not measured in these results"):
        assert row[2:] == ["0", "–", "–", "–", "–"]


def test_few_seeds_are_called_descriptive_on_every_slide(tmp_path: Path) -> None:
    loud, calm = make_talk(tmp_path / "two", seeds=2), make_talk(tmp_path / "three", seeds=3)
    assert "DESCRIPTIVE" in loud.deck().footer
    assert any("DESCRIPTIVE" in plain(block.text) for block in loud.deck().slides[0].blocks)  # type: ignore[union-attr]
    assert "descriptive" not in repr(calm.deck()).lower()


def test_no_author_leaves_no_line(tmp_path: Path) -> None:
    with_author, without = make_talk(tmp_path / "a"), make_talk(tmp_path / "b", author="")
    assert len(with_author.deck().slides[0].blocks) == len(without.deck().slides[0].blocks) + 1


def test_unwritten_explanation_is_shown_as_missing_and_a_written_one_as_it_is(talk: Talk, tmp_path: Path) -> None:
    assert "MISSING" in repr(talk.deck())
    entries = yaml.safe_load(TECHNIQUES.read_text(encoding="utf-8"))
    for entry in entries.values():
        assert entry["explanation"] == ""
        entry["explanation"] = "More tokens see more."
    written = tmp_path / "techniques.yaml"
    written.write_text(yaml.safe_dump(entries), encoding="utf-8")
    shown = repr(talk.deck(techniques=written))
    assert "MISSING" not in shown and "More tokens see more." in shown


def test_techniques_cover_the_fields_that_a_study_may_vary_now() -> None:
    axes = "patch_size width depth heads pool augmentation label_smoothing learning_rate weight_decay"
    known = template.read_techniques(TECHNIQUES)
    assert set(known) >= set(axes.split())
    for entry in known.values():
        assert len(re.findall(r"\.(?: |$)", entry["how"])) == 2  # two sentences
        assert entry["prediction"] and entry["reference"]


def test_markdown_in_results_stays_text(talk: Talk) -> None:
    nasty = "*a* | <b>[c](d)</b> `e` <!-- f --> __g__ {{ h }} # i"
    talk.change(title=nasty)
    talk.summary["axes"][0]["finding"] = nasty
    talk.summary["axes"][0]["label"] = nasty
    talk.change()
    deck = talk.deck()
    assert plain(deck.slides[0].title) == nasty
    assert deck.title == nasty
    assert any(plain(slide.title) == nasty for slide in deck.slides)
    cells = [plain(c) for s in deck.slides for b in s.blocks if isinstance(b, Table) for row in b.rows for c in row]
    assert nasty[:20] in {cell[:20] for cell in cells}


# ------------------------------------------------------------------------------------------- mistakes


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
    ("body", "said"),
    [
        ("# A\n\ntext", "needs one comment with notes"),
        ("# A\n\n<!-- soon -->", "begin with the time"),
        ("text\n\n<!-- [5 s] -->", "has no heading"),
        ("# A\n\n# B\n\n<!-- [5 s] -->", "has two headings"),
        ("# A\n\n- 1\n- 2\n- 3\n- 4\n- 5\n\n<!-- [5 s] -->", "has 5 bullets; at most 4"),
        ("# A\n\n- 1\n  - 2\n\n<!-- [5 s] -->", "bullets inside bullets"),
        ("# A\n\n![x](a.svg)\n\n![x](b.svg)\n\n<!-- [5 s] -->", "two figures"),
        ("# A\n\n```\ncode\n```\n\n<!-- [5 s] -->", "do not show: fence"),
    ],
)
def test_a_slide_against_the_rules_is_named(body: str, said: str) -> None:
    matter = "---<3>\ntitle: T\nauthor: ''\ndate: '2025-01-01'\nfooter: F\n---<8>\n"
    figure = Figure(Path("a.svg"), Path("a.png"), "alt", "caption", 100, 100)
    with pytest.raises(SlidesError, match=r"talk\.md line 9: slide 1") as caught:
        read_deck(matter + body, "talk.md", lambda *_: figure)
    assert said in str(caught.value)


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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("width: {how: a, reference: b, prediction: c}", "width.explanation: expected text"),
        ("width: {how: a, referense: b}", "did you mean 'reference'?"),
        ("width: [a", "not valid YAML"),
    ],
)
def test_a_mistake_in_techniques_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "techniques.yaml"
    path.write_text(text)
    with pytest.raises(SlidesError) as caught:
        template.read_techniques(path)
    assert said in str(caught.value) and str(path) in str(caught.value) and "\n" not in str(caught.value)


RUNS_OVER = [
    ("# Which parts of a Vision Transformer", "# " + "far too long a title " * 12 + "of a Vision Transformer", "title"),
    ("- Which component changes", "- " + "a bullet without an end " * 40 + "which component changes", "text"),
]


@pytest.mark.parametrize(("old", "new", "part"), RUNS_OVER)
def test_text_that_runs_over_its_slide_names_it_and_leaves_the_old_deck(
    talk: Talk, old: str, new: str, part: str
) -> None:
    (talk.root / "slides").mkdir()
    (talk.root / "slides" / "deck.html").write_text("old")
    with pytest.raises(SlidesError, match=rf"slides.md.j2 line \d+: slide 2 '.*the {part} runs \d+ pixels over"):
        talk.render(talk.edited(old, new))
    assert [p.read_text() for p in (talk.root / "slides").iterdir()] == ["old"]


@needs_chromium
def test_chromium_sees_the_same_overflow(talk: Talk) -> None:
    deck = shortened(talk.deck(talk.edited(*RUNS_OVER[1][:2])), 6)
    html = page(deck)
    ours, theirs = pdf.WeasyPrint().ends(html), pdf.Chromium(str(CHROMIUM)).ends(html)
    assert ours.keys() == theirs.keys()
    assert max(abs(ours[key] - theirs[key]) for key in ours) < 2
    with pytest.raises(SlidesError, match="slide 2"):
        pdf.check_ends(deck, theirs)


# ------------------------------------------------------------------------------------------- renderers


def _no_pango(*_: Any) -> None:
    raise OSError("cannot load library 'libpango-1.0-0'")


def test_without_pango_and_chromium_the_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf.WeasyPrint, "__init__", _no_pango)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SlidesError, match=r"apt-get install libpango-1.0-0 .*brew install pango"):
        pdf.find_renderer()


@needs_chromium
def test_without_pango_chromium_prints_equal_bytes(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf.WeasyPrint, "__init__", _no_pango)
    deck = shortened(talk.deck(), 4)
    first = pdf.pdf(page(deck), deck)
    assert b"Skia" in first and b"20250314000000" in first
    assert len(re.findall(rb"/Type ?/Page\b", first)) == 4
    assert pdf.pdf(page(deck), deck) == first


@pytest.mark.parametrize("sizes", [[(1280.0, 720.0)], [(1280.0, 720.0)] * 3, [(1280.0, 720.0), (794.0, 1123.0)]])
def test_missing_pages_and_wrong_sizes_are_noticed(
    talk: Talk, monkeypatch: pytest.MonkeyPatch, sizes: list[tuple[float, float]]
) -> None:
    deck = shortened(talk.deck(), 2)
    monkeypatch.setattr(pdf.WeasyPrint, "paper", lambda *_: (b"%PDF", sizes))
    with pytest.raises(SlidesError, match="pages"):
        pdf.pdf(page(deck), deck)


@needs_chromium
def test_keys_turn_the_slides_and_n_shows_the_notes(talk: Talk) -> None:
    keys = ["ArrowRight", "ArrowRight", "ArrowLeft", "n", "End", "ArrowRight", "n", "Home", "ArrowLeft", " "]
    press = """<script>const seen = [];
for (const key of [null, ...KEYS]) {
  if (key) dispatchEvent(new KeyboardEvent("keydown", {key, cancelable: true}));
  const shown = [...document.querySelectorAll(".slide")].filter((s) => getComputedStyle(s).display !== "none");
  const notes = [...document.querySelectorAll(".notes")].filter((s) => getComputedStyle(s).display !== "none");
  seen.push([shown.map((s) => s.id).join(), notes.length]);
}
document.body.dataset.seen = JSON.stringify(seen);</script></body>""".replace("KEYS", json.dumps(keys))
    html = page(shortened(talk.deck(), 4)).replace("</body>", press)
    dom = pdf.Chromium(str(CHROMIUM))._run(html, "--dump-dom").decode()
    seen = json.loads(unescape(re.search(r'data-seen="([^"]*)"', dom)[1]))  # type: ignore[index]
    assert [slide for slide, _ in seen] == [f"slide-{k}" for k in (1, 2, 3, 2, 2, 4, 4, 4, 1, 1, 2)]
    assert [notes for _, notes in seen] == [0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0]


def test_html_can_be_read_without_javascript(talk: Talk) -> None:
    html = page(talk.deck())
    css = re.search(r"<style>(.*?)</style>", html, re.DOTALL)[1]  # type: ignore[index]
    hidden = re.findall(r"([^{}]+)\{[^{}]*display: none", css.split("@media print")[0])
    assert hidden and all(rule.strip().startswith(".js ") for rule in hidden)  # only the script hides anything
    shown = visible(html)
    assert all(slide.notes.split("\n")[0][:30] in shown for slide in talk.deck().slides)


# ------------------------------------------------------------------------------------------------ PPTX


def test_pptx_is_native_and_dated_as_the_results(talk: Talk) -> None:
    deck = talk.deck()
    presentation = Presentation(io.BytesIO(pptx(deck)))
    assert (presentation.slide_width, presentation.slide_height) == (Inches(40 / 3), Inches(7.5))
    assert presentation.core_properties.created.strftime("%Y-%m-%d") == talk.summary["date"]
    for slide, sheet in zip(deck.slides, presentation.slides, strict=True):
        assert sheet.notes_slide.notes_text_frame.text == f"[{slide.timing}]\n{slide.notes}"
        pictures = [shape for shape in sheet.shapes if shape.shape_type == 13]
        assert [p._element.nvPicPr.cNvPr.get("descr") for p in pictures] == ([slide.figure.alt] if slide.figure else [])
        shown = texts(sheet)
        assert deck.footer in shown and str(slide.number) in shown
        for block in slide.blocks:
            wanted = [c for row in block.all_rows for c in row] if isinstance(block, Table) else []
            wanted = wanted or list(getattr(block, "items", ())) or [getattr(block, "text", ())]
            assert all(plain(text) in "\n".join(shown) for text in wanted)
        bottom = max(shape.top + shape.height for shape in sheet.shapes)
        assert bottom <= presentation.slide_height


# ------------------------------------------------------------------------------------ rooms in the room


def cell(text: str) -> tuple[Span, ...]:
    return (Span(text),)


def table_slide(rows: list[str]) -> Slide:
    table = Table(
        (cell("run"), cell("what")), tuple((cell(str(k)), cell(row)) for k, row in enumerate(rows)), (True, False)
    )
    return Slide(1, 1, False, cell("All runs"), (table,), None, "notes", 30, "backup")


@pytest.mark.parametrize(
    "rows", [[], ["short"] * 5, ["short"] * 41, ["a long row " * 60] * 7, ["x", "long " * 200] * 6]
)
def test_long_tables_go_on_with_every_row_once(rows: list[str]) -> None:
    deck = paginate(Deck("T", "", "2025-01-01", "F", "t", (table_slide(rows),)))
    tables = [block for slide in deck.slides for block in slide.blocks if isinstance(block, Table)]
    assert [plain(row[0]) for table in tables for row in table.rows] == [str(k) for k in range(len(rows))]
    assert all(sum(fit.row_heights(t, boxes.BODY.width, boxes.TABLE_PX)) <= boxes.BODY.height for t in tables)
    assert [slide.number for slide in deck.slides] == list(range(1, len(tables) + 1))
    assert all(plain(slide.title).endswith(", continued") for slide in deck.slides[1:])


def test_columns_fill_the_table_and_hold_their_longest_word() -> None:
    table = table_slide(["a few words of text " * 9, "unbreakable-" * 3]).blocks[0]
    assert isinstance(table, Table)
    widths = fit.column_widths(table, 700, 20)
    assert sum(widths) == pytest.approx(700)
    assert widths[1] > fit.width("unbreakable-", 20) and widths[0] > fit.width("run", 20)


def test_figures_are_not_stretched_and_make_room_for_text() -> None:
    figure = Figure(Path("a"), Path("b"), "alt", "caption " * 40, 1161.6, 451.2)
    slide = dataclasses.replace(table_slide(["x"]), figure=figure)
    box = fit.figure_box(slide)
    assert box.width / box.height == pytest.approx(figure.width / figure.height, rel=0.01)
    assert box.height < 451 and fit.figure_box(dataclasses.replace(slide, blocks=())).height > box.height


def test_numbers_are_spelled_as_a_reader_expects() -> None:
    assert [template.signed(v) for v in (0.24, -0.26, -0.04, None)] == ["+0.2", "\N{MINUS SIGN}0.3", "0.0", DASH]
    assert [template.amount(v) for v in (12, 999_600, 2_712_000, 174e6, 1.298e9)] == [
        "12",
        "1.00 M",
        "2.71 M",
        "174 M",
        "1.30 G",
    ]
    assert [template.times(v) for v in (0.256, 1, 12.3, None)] == ["0.26×", "1.00×", "12.30×", DASH]
    assert template.stat({"mean": 84.26, "sd": 0.151}) == "84.3&nbsp;±&nbsp;0.2"
    assert [template.stat({"mean": m, "sd": None}) for m in (84.26, None)] == ["84.3", DASH]
    assert [template.counted(n, "seed") for n in (1, 3)] == ["1 seed", "3 seeds"]


def test_changes_leave_out_the_baseline_and_what_diverged() -> None:
    def run(test: float | None) -> dict[str, Any]:
        return {"difference": None if test is None else {"test": test}}

    runs = {"baseline": run(None), "a": run(-3.0), "b": run(2.0), "gone": run(None)}
    axis = {"label": "L", "values": [{"value": name, "run": name} for name in runs]}
    assert [v["value"] for v in template.changes(axis, runs)] == ["b", "a"]
    assert template.largest_change([axis], runs) == {"label": "L", "value": "a", "run": runs["a"]}
    assert template.largest_change([], runs) is None


@pytest.mark.parametrize(
    ("mean", "bounds", "said"),
    [
        (1.3, (0.9, 1.7), "gained"),
        (1.3, (-0.2, 2.8), "unclear"),
        (0.2, (0.1, 0.3), "unclear"),
        (-1.3, (-1.7, -0.9), "lost"),
        (0.1, (-0.3, 0.4), "unclear"),
        (0.6, None, "gained"),
        (-0.6, None, "lost"),
        (0.4, None, "unclear"),
    ],
)
def test_an_effect_is_judged_by_its_interval_and_the_margin(mean: float, bounds: Any, said: str) -> None:
    run = {"difference": {"test": mean, "test_interval": bounds}}
    assert template.effect(run, 0.5) == said
    assert template.with_effect([run], said, 0.5) == [run]
    assert template.interval({"difference": {"test": 1.3, "test_interval": [0.9, 1.7]}}) == "&nbsp;(+0.9 to +1.7)"


def test_a_study_before_any_result_has_a_deck_that_says_so(talk: Talk) -> None:
    nothing = {"mean": None, "sd": None, "values": []}
    parts = ("validation", "test", "clean_train", "test_loss", "test_ece")
    for run in talk.summary["runs"].values():
        run |= dict.fromkeys(parts, nothing) | {"n": 0, "difference": None}
    talk.change(best=None)
    assert "No run has a validation accuracy yet" in repr(talk.deck())
