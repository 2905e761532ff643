"""Rows and cells of the talk's tables: what stands in them, and that words of a study stay text."""

from __future__ import annotations

from typing import Any

import pytest
from markdown_it import MarkdownIt
from support.records import CALM, NOTHING, a_run, around, confirmed, contrast, diverged, winners

from vitflow.analysis.claims import Change
from vitflow.analysis.records import Choice
from vitflow.slides import cells
from vitflow.slides.filters import stat

NASTY = "*a* | [b](c) `d` <e> # f! \\ _g_"
KEPT = r"\*a\* \| \[b\](c) \`d\` \<e\> \# f\! \\ \_g\_"

WHOLE = "&#8200;&#8199;&#8199;"  #: room for a point and two decimals, which a number without has not

SPOKEN = KEPT.replace(r"\_", "")  # of a value


def changes(*points: float, **run: Any) -> list[Change]:
    return [Change(f"v{k}", a_run(p, **run), p) for k, p in enumerate(points)]


def test_escaped_words_are_what_a_reader_of_markdown_sees() -> None:
    assert cells.escaped(NASTY) == KEPT
    inline = MarkdownIt("commonmark").parseInline(cells.escaped(NASTY))[0]
    assert {token.type for token in inline.children or []} <= {"text", "text_special"}
    assert "".join(token.content for token in inline.children or []) == NASTY
    assert cells.escaped(" two\n  lines ") == "two lines"


@pytest.mark.parametrize("number", ["174", "32.3", "9.33", "1,298", "0.0876"])
def test_points_of_a_column_stand_below_one_another(number: str) -> None:
    shown = "".join(
        token.content for token in MarkdownIt("commonmark").parseInline(cells.aligned(number))[0].children or []
    )
    assert shown.strip() == number
    assert len(shown) - len(number.partition(".")[0]) == max(3, len(number.partition(".")[2]) + 1)


@pytest.mark.parametrize("no_column", ["–", "1.60e+11"])
def test_what_has_no_place_for_decimals_gets_none(no_column: str) -> None:
    assert cells.aligned(no_column) == no_column


def test_a_models_row_has_scores_and_costs_and_the_winners_is_bold() -> None:
    run = a_run(n=3, validation=around(84.0), test=around(83.0))
    costs = f"2.71 | 174{WHOLE} | 1.25× |"
    assert cells.model_row(NASTY, run) == f"| {KEPT} | 3 | 84.0&nbsp;±&nbsp;0.2 | 83.0&nbsp;±&nbsp;0.2 | {costs}"
    found = winners()
    best = found.runs[found.selection.best]
    scores = [f"**{cell}**" for cell in (KEPT, best.n, stat(best.validation), stat(best.test))]
    row = cells.winner_row(NASTY, found)
    assert row.startswith(f"| {' | '.join(scores)} | ") and row.endswith(" | – |")


def test_the_baselines_time_is_1_in_every_table_whatever_the_clock_says() -> None:
    base = a_run(None, kind="baseline", time_ratio=1.01)
    assert cells.model_row("ViT", base).endswith("| 1.00× |") and cells.seeds_row(base).endswith("| 1.00× |")
    unmeasured = base.model_copy(update={"time_ratio": None})
    assert cells.model_row("ViT", unmeasured).endswith("| – |")


def test_a_row_of_all_runs_has_two_decimals_and_what_diverged() -> None:
    run = a_run(label=NASTY, n=3, test=around(83.126), validation=around(84.0), time_ratio=None)
    assert cells.seeds_row(run) == f"| {KEPT} | 3 | 83.13 | 0.25 | 84.00 | 0.25 | 2.71 | 174{WHOLE} | – |"
    lost = diverged(5, 9, label="heads 96", test=NOTHING, validation=NOTHING)
    assert cells.seeds_row(lost) == f"| heads 96 (2 diverged) | 1 | – | – | – | – | 2.71 | 174{WHOLE} | 1.25× |"


def test_a_row_of_stability_has_spikes_norm_and_logit() -> None:
    spiky = {
        "gradient_spikes": 1.25,
        "loss_spikes": None,
        "largest_gradient_norm": 1.6e11,
        "largest_attention_logit": 12.345,
    }
    run = a_run(seeds=(0, 1, 2, 3), stability=CALM.model_copy(update=spiky))
    assert cells.stability_row(NASTY, run) == f"| {KEPT} | 4 | 0 | 1.2 | – | 1.60e+11 | 12.3&#8199; |"
    assert cells.stability_row("r", diverged(71, 9)) == "| r | 3 | 2 (step 9) | 0.0 | 0.0 | 1.50 | 12.0&#8199; |"


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (a_run(), "0"),
        (diverged(71), "1 (step 71)"),
        (diverged(71, 9, 100), "3 (step 9)"),
        (a_run(diverged=2), "2"),  # steps were not kept
    ],
)
def test_what_diverged_is_said_with_its_first_step(run: Any, said: str) -> None:
    assert cells.diverged_at(run) == said


def test_changes_are_listed_up_to_a_number() -> None:
    assert cells.listed(changes(3.04, -0.04), 2) == "v0:&nbsp;+3.0; v1:&nbsp;0.0"
    assert cells.listed(changes(3.0, 1.0, -7.0), 2) == "v0:&nbsp;+3.0; v1:&nbsp;+1.0; …"
    assert cells.listed([Change(NASTY, a_run(1.0), 1.0)], 2) == f"{SPOKEN}:&nbsp;+1.0"
    assert cells.listed([], 2) == "" and cells.listed([], 2, "nothing yet") == "nothing yet"


def test_observed_changes_have_their_interval_and_n() -> None:
    one = Change("2", a_run(1.3, (0.9, 1.7)), 1.3)
    two = Change("8", a_run(-1.0), -1.0)
    first, second = "2:&nbsp;+1.3 points&nbsp;(+0.9 to +1.7), n&nbsp;=&nbsp;3", "8:&nbsp;−1.0 points, n&nbsp;=&nbsp;2"
    assert cells.observed([one, two]) == f"{first}; {second}"
    assert cells.observed([one] * 6) == "; ".join([first] * 6)
    assert cells.observed([one] * 7) == "; ".join([first] * 6) + "; …"
    assert cells.observed([]) == "no other value has finished"


def test_runs_that_moved_are_four_at_most() -> None:
    runs = [a_run(points, label=f"r{k}") for k, points in enumerate((3.0, -7.0))]
    assert cells.moved(runs) == "r0 (+3.0), r1 (−7.0)"
    assert cells.moved([*runs, a_run(None)]) == "r0 (+3.0), r1 (−7.0)"
    assert cells.moved(runs * 2) == "r0 (+3.0), r1 (−7.0), r0 (+3.0), r1 (−7.0)"
    assert cells.moved([*runs * 2, *runs[:1]]).endswith(", r1 (−7.0), and 1 more")
    assert cells.moved(runs * 3).endswith(", r1 (−7.0), and 2 more")
    assert cells.moved([a_run(1.0, label=NASTY)]) == f"{KEPT} (+1.0)"
    assert cells.moved([]) == cells.moved([a_run(None)]) == "none"


def test_runs_that_diverged_are_four_at_most() -> None:
    runs = [diverged(1, 2, label="heads 96"), diverged(1, of=6, label="width 8")]
    assert cells.lost_seeds(runs) == "heads 96 (2 of 3), width 8 (1 of 6)"
    four = "heads 96 (2 of 3), width 8 (1 of 6), heads 96 (2 of 3), width 8 (1 of 6)"
    assert cells.lost_seeds(runs * 2) == four and cells.lost_seeds(runs * 3) == f"{four}, and 2 more"
    assert cells.lost_seeds([diverged(1, label=NASTY)]) == f"{KEPT} (1 of 3)"


def test_a_prediction_is_shown_as_it_was_written_and_for_what() -> None:
    assert cells.predicted(NASTY) == KEPT
    assert cells.predicted("gains 2", " for another study") == "gains 2 (meant for another study)"
    assert cells.predicted("") == cells.predicted("", " for another study") == "not written"


def test_what_came_of_a_prediction_follows_it_as_a_sentence() -> None:
    assert cells.came("in range at 8; missed at 2") == " **Accuracy in range at 8; missed at 2.**"
    assert cells.came(NASTY) == f" **Accuracy {KEPT}.**"
    assert cells.came("") == ""


def test_a_choice_is_a_row_of_axis_value_and_gain_or_why_the_baselines_is_kept() -> None:
    adopted = Choice(axis="patch_size", value="2", gain=3.0, why="significant on validation images")
    assert cells.choice_row(adopted) == "| patch size | **2**, +3.0 points, significant on validation images |"
    kept = Choice(axis="size|x", value="", gain=None, why="costs *more*")
    assert cells.choice_row(kept) == r"| size\|x | kept: costs \*more\* |"


def test_a_finalist_is_a_row_with_its_points_against_the_baseline() -> None:
    run, scores = confirmed(NASTY, 87.0), "87.0&nbsp;±&nbsp;0.2 | 87.0&nbsp;±&nbsp;0.2"
    found = winners(runs={"baseline": run, "n": run}, against_baseline={"n": contrast(3.0, (2.0, 4.0))})
    assert cells.finalist_row("n", found) == f"| {KEPT} | 3 | {scores} | +3.0&nbsp;(+2.0 to +4.0) | 2.71 | 174{WHOLE} |"
    assert cells.finalist_row("baseline", found).count("| – |") == 1
    everything = found.model_copy(update={"selection": found.selection.model_copy(update={"all_images": "n"})})
    assert cells.finalist_row("n", everything).startswith(f"| {KEPT}, all images | 3 |")
