"""Captions, alternative texts, and the words for seeds that figures share."""

from __future__ import annotations

import json
import re
from pathlib import Path

from support.figures import Case
from support.records import a_run, diverged

from vitflow.analysis.records import Summary
from vitflow.figures import looks, style


def test_captions_are_one_line_and_alt_texts_state_n_and_bands(drawn: Path) -> None:
    for stem, words in json.loads((drawn / "captions.json").read_text()).items():
        assert words["caption"] and "\n" not in words["caption"], stem
        assert re.search(r"\bn = \d", words["alt"]), stem
        assert re.search(r"no bands|standard deviation|grey band is", words["alt"]), stem


def test_alt_texts_name_diverged_runs(drawn: Path) -> None:
    captions = json.loads((drawn / "captions.json").read_text())
    for stem in ("curves", "forest-architecture", "accuracy-cost", "axis-architecture-heads"):
        assert "heads 96 (3 of 3)" in captions[stem]["alt"], stem
    assert "Diverged" in captions["axis-architecture-width"]["alt"]  # the baseline's one
    assert "heads 96" not in captions["axis-architecture-width"]["alt"]


def summary_of(cases: dict[str, Case], **runs: int) -> Summary:
    """A summary of runs by the number of their finished seeds."""
    some = {name: a_run(n=n, label=name) for name, n in runs.items()}
    return cases["baseline alone"].analysis.summary.model_copy(update={"runs": some})


def test_seeds_are_those_that_finished(cases: dict[str, Case]) -> None:
    summary = summary_of(cases, a=3, b=2, c=1)
    assert style.seeds(summary) == "n = 1 to 3 seeds"
    assert style.seeds(summary, ["a"]) == "n = 3 seeds"
    assert style.seeds(summary, ["c"]) == "n = 1 seed"
    assert style.seeds(summary, []) == "n = 0 seeds"


def test_what_diverged_is_a_sentence_on_the_runs_that_are_shown(cases: dict[str, Case]) -> None:
    summary = summary_of(cases, a=3)
    lost = {"b": diverged(5, label="heads 96"), "c": diverged(1, 2, 3, label="heads 1")}
    summary = summary.model_copy(update={"runs": summary.runs | lost})
    assert style.diverged(summary) == " Diverged, counted but not averaged: heads 96 (1 of 3), heads 1 (3 of 3)."
    assert style.diverged(summary, ["a", "c"]) == " Diverged, counted but not averaged: heads 1 (3 of 3)."
    assert style.diverged(summary, ["a"]) == ""


def test_figures_point_out_the_baseline_some_families_and_the_best_change(cases: dict[str, Case]) -> None:
    summary = cases["diverged"].analysis.summary
    families = list(summary.references)
    assert summary.best is not None and summary.best.run == "patch_size=2"
    assert looks.highlighted(summary) == ["baseline", *families, "patch_size=2"]
    of_itself = summary.model_copy(update={"best": summary.best.model_copy(update={"run": "baseline"})})
    assert looks.highlighted(of_itself) == ["baseline", *families]
    assert looks.highlighted(summary.model_copy(update={"best": None})) == ["baseline", *families]
    many = {f"r{k}": a_run(kind="family") for k in range(9)}
    crowd = summary.model_copy(update={"runs": summary.runs | many, "references": tuple(many)})
    assert looks.highlighted(crowd) == ["baseline", "r0", "r1", "r2", "patch_size=2"]
