"""The page: its keys, its notes, and that it can be read without its script."""

from __future__ import annotations

import json
import re
from html import unescape

from support.chromium import chromium, needs_chromium
from support.talk import shortened, visible

from vitflow.slides.deck import Deck
from vitflow.slides.html import page


@needs_chromium
def test_keys_turn_the_slides_and_n_shows_the_notes(deck: Deck) -> None:
    keys = ["ArrowRight", "ArrowRight", "ArrowLeft", "n", "End", "ArrowRight", "n", "Home", "ArrowLeft", " "]
    press = """<script>const seen = [];
for (const key of [null, ...KEYS]) {
  if (key) dispatchEvent(new KeyboardEvent("keydown", {key, cancelable: true}));
  const shown = [...document.querySelectorAll(".slide")].filter((s) => getComputedStyle(s).display !== "none");
  const notes = [...document.querySelectorAll(".notes")].filter((s) => getComputedStyle(s).display !== "none");
  seen.push([shown.map((s) => s.id).join(), notes.length]);
}
document.body.dataset.seen = JSON.stringify(seen);</script></body>""".replace("KEYS", json.dumps(keys))
    html = page(shortened(deck, 4)).replace("</body>", press)
    dom = chromium()._run(html, "--dump-dom").decode()
    seen = json.loads(unescape(re.search(r'data-seen="([^"]*)"', dom)[1]))  # type: ignore[index]
    assert [slide for slide, _ in seen] == [f"slide-{k}" for k in (1, 2, 3, 2, 2, 4, 4, 4, 1, 1, 2)]
    assert [notes for _, notes in seen] == [0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0]


def test_html_can_be_read_without_javascript(deck: Deck) -> None:
    html = page(deck)
    css = re.sub(r"@font-face\{[^}]*\}", "", re.search(r"<style>(.*?)</style>", html, re.DOTALL)[1])  # type: ignore[index]
    hidden = re.findall(r"([^{}]+)\{[^{}]*display: none", css.split("@media print")[0])
    assert hidden and all(rule.strip().startswith(".js ") for rule in hidden)  # only the script hides anything
    shown = visible(html)
    assert all(slide.notes.split("\n")[0][:30] in shown for slide in deck.slides)
