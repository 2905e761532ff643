"""The README's numbers are the stored ones, and its tree is the real one."""

from __future__ import annotations

import json
import re
from pathlib import Path

from vitflow.analysis.claims import of_group
from vitflow.analysis.records import Summary, Winners
from vitflow.study.grid import expand
from vitflow.study.reading import read_study

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
WORDS = " ".join(README.split())
KEPT = ROOT / "results/cifar10-cpu/analysis"
SUMMARY = Summary.read(KEPT / "summary.json")


def result_rows() -> list[str]:
    """The README's table of results, made anew: the baseline, what gained or lost by most first, other families."""
    runs = SUMMARY.runs
    changed = [name for name, run in runs.items() if run.kind in ("change", "budget") and of_group(run).significant]
    families = [name for name, run in runs.items() if run.kind == "family"]
    changed.sort(key=lambda name: -of_group(runs[name]).points)
    rows = []
    for name in ["baseline", *changed, *families]:
        run, change = runs[name], ""
        if run.difference and run.difference.test_interval:
            low, high = run.difference.test_interval
            change = f"{run.difference.test:+.1f} ({low:+.1f} to {high:+.1f})"
        time = 1.0 if name == "baseline" else run.time_ratio  # measured against itself it shows the noise
        cost = f"{time:.2f} | {run.multiplications / 1e6:.1f} M | {run.parameters / 1e6:.2f} M"
        test = f"{run.test.mean:.1f} ± {run.test.sd:.1f}"
        rows.append(f"| {run.label} | {run.n} | {test} | {change} | {cost} |".replace("-", "\N{MINUS SIGN}"))
    return [re.sub(r"(?<=[A-Za-z])\N{MINUS SIGN}", "-", row) for row in rows]


def bench_rows() -> list[str]:
    """The README's figures of speed, made anew from what `make bench` stored."""
    (path,) = (ROOT / "results/benchmarks").glob("*.json")
    found = json.loads(path.read_text(encoding="utf-8"))
    rows = []
    for comparison, contestants in found["comparisons"].items():
        for name, row in contestants.items():
            if name != "vitflow":
                low, high = row["ratios"]
                rows.append(f"| {comparison} | {name} | {row['ratio']:.2f} ({low:.2f} to {high:.2f}) |")
    return rows


def test_the_result_table_is_the_stored_one() -> None:
    for row in result_rows():
        assert row in README, row


def test_the_study_is_labelled_as_what_it_is() -> None:
    for words in (
        f"{SUMMARY.dataset.train_images:,} training images",
        f"{SUMMARY.training['epochs']} epochs",
        f"{SUMMARY.seeds} seeds",
        f"{SUMMARY.baseline_seeds} for the baseline",
        SUMMARY.measured_on,
    ):
        assert words in README, words


def test_the_table_has_every_change_that_is_significant_and_no_other() -> None:
    table = re.search(r"\| run \| n \|.*?\n\n", README, re.S)
    assert table
    assert len(table[0].strip().splitlines()) == len(result_rows()) + 2


def test_the_winner_is_quoted_as_it_is_stored() -> None:
    winners = Winners.read(KEPT / "best.json")
    best = winners.selection.best
    gain = winners.against_baseline[best]
    assert gain.interval
    low, high = gain.interval
    quoted = f"reach {winners.runs[best].test.mean:.1f} %, {gain.points:.1f} points ({low:.1f} to {high:.1f})"
    assert quoted in WORDS


def test_its_hours_are_those_of_its_records() -> None:
    grid, alone = expand(read_study(ROOT / "workflow/studies/cifar10-cpu.yaml")), 0.0
    for name, run in SUMMARY.runs.items():
        assert run.images_per_second, name
        images = grid.runs[name].config.training.epochs * run.train_images * len(run.seeds)
        alone += images / run.images_per_second / 3600
    quoted = f"{SUMMARY.train_hours:.0f} core hours beside other work, {alone:.0f} at the speeds"
    assert quoted in WORDS, quoted
    assert f"{sum(len(run.seeds) for run in SUMMARY.runs.values())} trainings" in README


def test_the_record_is_quoted_as_it_is_stored() -> None:
    kept = ROOT / "results/cifar10-record"
    run = Summary.read(kept / "analysis/summary.json").runs["baseline"]
    records = [json.loads(path.read_text()) for path in kept.glob("runs/baseline/seed*/train.json")]
    assert len(records) == run.n == 3
    minutes = max(record["cost"]["seconds"] for record in records) / 60
    test = f"{run.test.mean:.1f} ± {run.test.sd:.1f} % on test"
    quoted = f"{test}, over three seeds, each in at most {minutes:.0f} minutes"
    assert quoted in WORDS, quoted
    made = [record["provenance"] for record in records]
    assert {(one["device"], one["threads"]) for one in made} == {("AMD EPYC", 1)}


def test_the_gpu_study_is_quoted_as_it_is_stored() -> None:
    runs = Summary.read(ROOT / "results/cifar10-gpu/analysis/summary.json").runs
    assert f"{runs['baseline'].test.mean:.1f} % in ten epochs" in README
    for run in ("position=rope2d", "patch_embed=conv_stem", "width=192", "depth=8"):
        assert of_group(runs[run]).significant and f"(+{of_group(runs[run]).points:.1f})" in README, run
    assert not of_group(runs["pool=mean"]).significant


def test_the_speed_beside_others_is_the_stored_one() -> None:
    for row in bench_rows():
        assert row in README, row


def test_every_place_in_the_tree_exists() -> None:
    tree = re.search(r"```\nconfig\.yaml.*?```", README, re.S)
    assert tree
    places = [line.split()[0] for line in tree[0].splitlines()[1:-1] if not line.startswith(" ")]
    assert len(places) > 20
    for place in places:
        assert (ROOT / place.replace("<study>", "cifar10-cpu")).exists(), place


def test_no_command_that_is_written_down_has_targets_after_the_study() -> None:
    """`--configfile` takes every word that follows it."""
    places = [ROOT / "README.md", ROOT / "Snakefile", *ROOT.glob("docs/*.md"), *ROOT.glob("workflow/studies/*.yaml")]
    commands = [
        command
        for place in places
        for command in re.findall(r"snakemake .*? --configfile .*?(?=`|   |\n)", place.read_text())
    ]
    assert len(commands) > 8
    for command in commands:
        after = re.split(r" -", command.split(" --configfile ")[1])[0].split()
        assert len(after) == 1 and (ROOT / after[0]).exists(), command


def test_pictures_and_links_point_at_files() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_numbers_of_the_recipes_trials_are_those_of_their_histories() -> None:
    text, checked = (ROOT / "docs/recipes.md").read_text(), 0
    for study, rows in re.findall(r"\| `results/(recipe-\w+)/runs/` \|\n\|[-:|]+\|\n((?:\|.*\n)+)", text):
        for value, run in re.findall(r"\| \**([\d.]+)\** \| `(\S+)` \|", rows):
            history = (ROOT / "results" / study / "runs" / run / "seed0/history.csv").read_text().splitlines()
            last = dict(zip(history[0].split(","), history[-1].split(","), strict=True))
            assert f"{float(last['validation_accuracy']):.2f}" == value, run
            checked += 1
        assert rows.count("\n") == len(list((ROOT / "results" / study / "runs").iterdir()))
    assert checked == 28
