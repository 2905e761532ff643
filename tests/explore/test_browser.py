"""The page as a reader has it: opened from disk, without network, in a Chromium."""

from __future__ import annotations

from typing import Any

import pytest
from support.chromium import needs_chromium
from support.explore import Page, told

pytestmark = needs_chromium

#: notes whatever goes wrong in the page; before all else in it
WATCH = """<head><script>window.wrong = [];
addEventListener("error", (event) => wrong.push(event.message));
addEventListener("unhandledrejection", (event) => wrong.push(String(event.reason)));
addEventListener("securitypolicyviolation", (event) => wrong.push(event.blockedURI));</script>"""

SCRIPTS = {
    "order": "return order()",
    "sort": """
        const [name, , test] = all("#table th[aria-sort]");
        const orders = [];
        for (const heading of [test, test, name, name]) {
          heading.querySelector("button").click();
          orders.push([heading.ariaSort, order()]);
        }
        return orders""",
    "row": """
        document.querySelector('tr[data-run="depth=12"]').cells[3].click();
        await settled();
        return [open(), shown(), document.querySelector("article:not([hidden])").innerText]""",
    "point": """
        const points = all("#cost svg path[aria-roledescription=point]");
        const runs = points.map((point) => point.__data__.datum.run).sort();
        points.find((point) => point.__data__.datum.run === "resnet50")
          .dispatchEvent(new PointerEvent("click", { bubbles: true }));
        await settled();
        return [runs, open(), shown()]""",
    "curves": """
        const lines = () => all("#curves svg path[aria-roledescription='line mark']").length;
        const legend = () => all("#legend li").map((entry) => entry.textContent);
        const found = [[lines(), legend()]];
        for (const run of ["patch_size=2", "resnet50"]) document.querySelector(`tr[data-run="${run}"] input`).click();
        await settled();
        return [...found, [lines(), legend()]]""",
    "colours": """
        const boxes = all("#table input[type=checkbox]");
        for (const box of boxes) if (!box.checked) box.click();
        const kept = boxes.filter((box) => box.checked);
        const free = boxes.filter((box) => !box.checked && !box.disabled);
        return [kept.length, new Set(kept.map((box) => box.style.accentColor)).size, free.length]""",
    "quantities": """
        const texts = () => ["cost", "curves"].map((chart) => document.querySelector(`#${chart} svg`).textContent);
        const before = texts();
        await choose(document.querySelector("select[name=cost]"), "time");
        await choose(document.querySelector("select[name=quantity]"), "train_loss");
        return [before, texts()]""",
    "find": """
        await choose(document.getElementById("filter"), "ResNet");
        const found = all("#table tbody tr").filter((row) => !row.hidden).map((row) => row.dataset.run);
        await choose(document.getElementById("filter"), "");
        return found.sort()""",
    "address": """
        const found = [];
        for (const address of ["#patch_size%3D2", "#nobody", "#%"]) {
          location.hash = address;
          await settled();
          found.push(open());
        }
        return found""",
    "asked": """
        return performance.getEntriesByType("resource").map((entry) => entry.name.slice(0, 40))
          .filter((name) => !name.startsWith("data:"))""",
    "wrong": "return wrong",
}


@pytest.fixture(scope="module")
def seen(made: Page) -> dict[str, Any]:
    return told(made.html.replace("<head>", WATCH, 1), SCRIPTS, "--window-size=1400,900")


def test_nothing_is_fetched_and_nothing_goes_wrong(seen: dict[str, Any]) -> None:
    assert (seen["asked"], seen["wrong"]) == ([], [])


def test_the_page_itself_refuses_what_is_not_in_it(made: Page) -> None:
    """So that no later edit fetches anything."""
    outside = made.html.replace("<head>", WATCH, 1).replace("<main>", '<main><img src="https://example.org/a.png">')
    assert told(outside, {"wrong": "return wrong"})["wrong"] == ["https://example.org/a.png"]


def test_the_table_has_a_row_for_every_run_in_the_order_of_the_study(made: Page, seen: dict[str, Any]) -> None:
    assert seen["order"] == list(made.grid.runs)


def test_headings_sort_the_table_with_what_is_missing_last(made: Page, seen: dict[str, Any]) -> None:
    runs = made.summary.runs
    known = {name: run.test.mean for name, run in runs.items() if run.test.mean is not None}
    best = sorted(known, key=lambda name: -known[name])
    assert seen["sort"][0] == ["descending", [*best, "heads=96"]]
    assert seen["sort"][1] == ["ascending", [*reversed(best), "heads=96"]]
    (up, first), (down, last) = seen["sort"][2:]
    assert (up, down) == ("ascending", "descending") and first == last[::-1]
    assert [name for name in first if name.startswith("width")] == ["width=96", "width=256"], "as numbers"


def test_a_click_on_a_row_shows_its_run(made: Page, seen: dict[str, Any]) -> None:
    run, (opened, shown, text) = made.summary.runs["depth=12"], seen["row"]
    assert opened == shown == ["depth=12"]
    assert f"{run.test.mean:.1f}" in text and "3 of 3 seeds finished" in text
    assert "depth\t12\t6" in text


def test_a_click_on_a_point_shows_its_run(made: Page, seen: dict[str, Any]) -> None:
    assert seen["point"] == [sorted(n for n, run in made.summary.runs.items() if run.n), ["resnet50"], ["resnet50"]]


def test_ticked_runs_lay_their_curves_over_each_other_a_line_a_seed(made: Page, seen: dict[str, Any]) -> None:
    labels = [made.summary.runs[name].label for name in ("baseline", "patch_size=2", "resnet50")]
    assert seen["curves"] == [[6, labels[:1]], [12, labels]]


def test_no_more_curves_are_kept_than_there_are_colours(seen: dict[str, Any]) -> None:
    assert seen["colours"] == [8, 8, 0]


def test_another_cost_and_another_quantity_can_be_looked_at(seen: dict[str, Any]) -> None:
    (cost, curves), (other_cost, other_curves) = seen["quantities"]
    assert cost != other_cost and curves != other_curves


def test_letters_find_a_run(made: Page, seen: dict[str, Any]) -> None:
    assert seen["find"] == sorted(name for name, run in made.summary.runs.items() if run.family == "resnet")


def test_an_address_that_names_a_run_opens_it_and_any_other_the_baseline(seen: dict[str, Any]) -> None:
    assert seen["address"] == [["patch_size=2"], ["baseline"], ["baseline"]]


@pytest.mark.parametrize("width", [500, 1400])
def test_nothing_is_wider_than_the_window(made: Page, width: int) -> None:
    script = 'return all("main > section").map((part) => Math.round(part.getBoundingClientRect().right - innerWidth))'
    assert max(told(made.html, {"wide": script}, f"--window-size={width},900")["wide"]) <= 0
