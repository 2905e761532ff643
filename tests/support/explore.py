"""Pages of made-up studies, and what a Chromium without network makes of them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

from support.analysis import write_analysis
from support.chromium import chromium
from vitflow.analysis.records import Summary
from vitflow.explore.page import page
from vitflow.explore.read import read
from vitflow.study.grid import Grid, expand
from vitflow.study.schema import Study

#: no name is found, and no address reached
OFFLINE = ("--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=127.0.0.1:1")
#: what scripts may use; each begins with the baseline open and alone in the chart of curves
TOOLS = """
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const settled = () => new Promise((resolve) => setTimeout(resolve, 400));
const order = () => all("#table tbody tr").map((row) => row.dataset.run);
const open = () => all("article").filter((article) => !article.hidden).map((article) => article.dataset.run);
const shown = () => all("tr.shown").map((row) => row.dataset.run);
const choose = async (field, value) => {
  field.value = value;
  for (const kind of ["input", "change"]) field.dispatchEvent(new Event(kind));
  await settled();
};
const afresh = async () => {
  location.hash = "baseline";
  for (const box of all("#table input[type=checkbox]"))
    if (box.checked !== (box.closest("tr").dataset.run === "baseline")) box.click();
  await settled();
};
"""
#: runs them one after the other, once the charts are drawn
RUNNER = """
while (all(".chart svg").length < 2) await settled();
const told = {};
for (const [name, script] of Object.entries(scripts)) {
  await afresh();
  try { told[name] = await script(); } catch (error) { told[name] = String(error); }
}
document.body.dataset.told = JSON.stringify(told);
"""


@dataclass(frozen=True)
class Page:
    """The page of a study whose numbers are made up."""

    folder: Path
    grid: Grid
    summary: Summary
    html: str


def make(folder: Path, study: Study, diverged: dict[str, int] | None = None) -> Page:
    """Make up a study's analysis in ``folder``, and its page."""
    summary = write_analysis(folder, study, diverged)
    grid = expand(study)
    return Page(folder, grid, summary, page(read(folder), grid))


def told(html: str, scripts: dict[str, str], *options: str) -> dict[str, Any]:
    """What each script returns, by name, when the page is opened from disk in a Chromium without network."""
    functions = ",".join(f"{json.dumps(name)}: async () => {{{script}}}" for name, script in scripts.items())
    module = f'<script type="module">{TOOLS}const scripts = {{{functions}}};{RUNNER}</script>'
    start, end, rest = html.rpartition("</body>")  # the library has one of its own
    words = ("--dump-dom", "--virtual-time-budget=120000", *OFFLINE, *options)
    dom = chromium()._run(start + module + end + rest, *words)
    found = re.search(r'data-told="([^"]*)"', dom.decode())
    assert found, "the scripts did not come to their end"
    return dict(json.loads(unescape(found[1])))
