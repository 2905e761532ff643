"""What the template is given beside the summary's own fields."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.analysis import TECHNIQUES
from support.records import CALM, NOTHING, a_run, a_winner, an_axis, around, diverged, with_runs
from support.talk import Talk

from vitflow.analysis.records import Run, Summary
from vitflow.analysis.techniques import Technique
from vitflow.slides import cells, talk
from vitflow.slides.talk import view


@pytest.fixture
def summary(plain_talk: Talk) -> Summary:
    """That of the plain talk: patch size and augmentation were changed, three ResNets stand beside."""
    return plain_talk.summary


def seen(summary: Summary) -> dict[str, Any]:
    return view(summary, None, TECHNIQUES)


def test_every_field_of_the_summary_has_its_own_name(summary: Summary) -> None:
    found = seen(summary)
    assert {field: found[field] for field in Summary.model_fields} == dict(summary)
    assert found["baseline"] is summary.runs["baseline"]
    assert all(found[cell.__name__] is getattr(cells, cell.__name__) for cell in talk.CELLS)
    assert [found[name] for name in ("own", "tried", "meant_for")] == [talk.own, talk.tried, talk.meant_for]
    assert found["technique"]("patch_size") == TECHNIQUES.of("patch_size")
    assert (found["footer"], found["best_vit"]) == (talk.footer(summary), talk.best_vit(summary))


def test_explanations_are_wanted_in_the_notes_of_the_study_where_there_are_any(summary: Summary) -> None:
    assert seen(summary)["explained_in"] == "techniques.yaml"
    noted = view(summary, None, replace(TECHNIQUES, notes=Path("workflow/slides/notes/mine.yaml")))
    assert noted["explained_in"] == "notes/mine.yaml"


def test_axes_of_the_architecture_have_slides_of_their_own(summary: Summary) -> None:
    found = seen(summary)
    assert [axis.axis for axis in found["main_axes"]] == ["patch_size"]
    assert [axis.axis for axis in found["other_axes"]] == ["augmentation"]
    patch_size = found["main_axes"][0]
    assert [change.value for change in found["others"](patch_size)] == ["2", "8"]
    assert found["verdict"](patch_size) == "gain at 2"
    assert seen(summary.model_copy(update={"descriptive": True}))["verdict"](patch_size) == "gain at 2 (descriptive)"
    assert found["titles"]["components"] == (
        f"Of the other components, augmentation moves accuracy most (none: {effect_of(summary, 'augmentation=none')} "
        "points)"
    )


def effect_of(summary: Summary, run: str) -> str:
    difference = summary.runs[run].difference
    assert difference is not None
    return f"{difference.test:+.1f}".replace("-", "−")


def test_runs_are_sorted_by_what_they_show(summary: Summary) -> None:
    runs = {
        "baseline": a_run(None),
        "up": a_run(1.0, (0.5, 1.6), label="up"),
        "high": a_run(3.0, (2.0, 4.0), label="high"),
        "same": a_run(0.1, (-0.2, 0.4), label="same"),
        "down": a_run(-1.0, (-1.6, -0.2), label="down"),
        "low": a_run(-3.0, (-4.0, -2.0), label="low"),
        "resnet18": a_run(9.0, (8.0, 10.0), label="ResNet-18", reference=True),
        "gone": diverged(1, 2, 3, label="gone"),
    }
    found = seen(with_runs(summary, runs, references=("resnet18",), diverged=("gone",), best=None))
    labels = {key: [run.label for run in found[key]] for key in ("compared", "gained", "unclear", "lost", "unstable")}
    assert labels == {
        "compared": ["high", "up", "same", "down", "low"],
        "gained": ["high", "up"],
        "unclear": ["same"],
        "lost": ["low", "down"],
        "unstable": ["gone"],
    }
    assert found["titles"]["verdicts"] == "What worked: 2 of 5 changes gained; what did not: 2 lost"
    assert found["chosen"] == "baseline"  # before any is the best


def test_what_compares_with_nothing_says_why(summary: Summary) -> None:
    alone = with_runs(summary, {"baseline": a_run(None)})
    assert seen(alone)["nothing"] == "no component has been changed yet"
    assert seen(alone)["titles"]["verdicts"] == "What stays open: no component has been changed yet"
    lost = with_runs(summary, {"baseline": diverged(1, 2, 3)})
    assert seen(lost)["nothing"] == "the baseline diverged, so nothing compares with it"
    assert seen(lost)["titles"]["components"] == "The other components have not finished"
    some = with_runs(summary, {"baseline": diverged(1)})
    assert seen(some)["nothing"] == "no component has been changed yet"


def test_the_dataset_is_named_as_people_say_it(summary: Summary) -> None:
    dataset = summary.dataset.model_copy(update={"title": "leaves & twigs"})
    assert seen(summary.model_copy(update={"dataset": dataset}))["data"] == "leaves & twigs"


def test_the_winner_is_there_once_it_is_confirmed(summary: Summary) -> None:
    found = view(summary, a_winner(), TECHNIQUES)
    assert found["confirmed"] == a_winner()
    assert found["titles"]["winner"].startswith("The chosen combination reaches 87.0")
    assert seen(summary)["confirmed"] is None and seen(summary)["titles"]["winner"] == ""


def test_the_footer_says_which_results_the_talk_rests_on(summary: Summary) -> None:
    said = "example · results 3f9c0a7e · 3 seeds · 2025-03-14 · 21/21 runs done"
    total = {"done": 21, "total": 21}
    assert talk.footer(summary.model_copy(update=total)) == said
    few = total | {"seeds": 1, "baseline_seeds": 4, "descriptive": True, "done": 5}
    assert talk.footer(summary.model_copy(update=few)) == (
        "example · results 3f9c0a7e · 1 seed (baseline 4) · 2025-03-14 · 5/21 runs done"
        " · DESCRIPTIVE: under three seeds"
    )


def test_an_axis_has_the_baselines_value_and_others() -> None:
    axis = an_axis("A", "2", "4", "8", runs=("a", "baseline", "b"))
    assert (talk.own(axis), talk.tried(axis)) == ("4", "2, 8")
    twice = an_axis("A", "4", "four", runs=("baseline", "baseline"))
    assert (talk.own(twice), talk.tried(twice)) == ("4, four", "")
    assert (talk.own(an_axis("A", "x")), talk.tried(an_axis("A", "y", runs=("baseline",)))) == ("", "")


def test_runs_are_compared_largest_gain_first() -> None:
    one, two, three = a_run(-1.0), a_run(2.0), a_run(0.5)
    assert talk.by_difference([one, a_run(None), two, three]) == [two, three, one]
    assert talk.by_difference([]) == []


def test_the_best_vit_is_chosen_on_validation_and_no_reference(summary: Summary) -> None:
    def of(**runs: Run) -> Run | None:
        return talk.best_vit(with_runs(summary, runs))

    low, high = a_run(validation=around(80.0), test=around(99.0)), a_run(validation=around(85.0))
    resnet = a_run(validation=around(95.0), reference=True)
    assert of(baseline=low, a=high, resnet=resnet) is high
    assert of(baseline=high, a=low) is high
    assert of(baseline=diverged(1, 2, 3), a=a_run(validation=NOTHING), resnet=resnet) is None


def test_all_runs_come_in_the_order_of_the_study(summary: Summary) -> None:
    names = ("resnet18", "crossed", "c", "b", "a", "baseline")
    axes = (an_axis("A", "a", "baseline", "b"), an_axis("B", "b", "c"))
    changed = with_runs(summary, {name: a_run() for name in names}, axes=axes, references=("resnet18",))
    assert talk.in_order(changed) == ["baseline", "a", "b", "c", "crossed", "resnet18"]
    assert seen(changed)["rows"] == [changed.runs[name] for name in talk.in_order(changed)]


def test_stability_leads_with_the_baseline_then_what_diverged_then_learning_rates_then_spikes(summary: Summary) -> None:
    def spiky(spikes: float | None, label: str) -> Run:
        return a_run(label=label, stability=CALM.model_copy(update={"gradient_spikes": spikes, "loss_spikes": spikes}))

    runs = {
        "unknown": spiky(None, "unknown"),
        "calm": spiky(0.5, "calm"),
        "wild": spiky(3.0, "wild"),
        "slow": spiky(0.0, "slow"),
        "fast": spiky(9.0, "fast"),
        "lost": diverged(5, label="lost"),
        "baseline": spiky(0.0, "baseline"),
    }
    rates = an_axis("Learning rate", "slow", "baseline", "fast")
    changed = with_runs(summary, runs, axes=(rates, an_axis("Depth", "wild", "calm")))
    order = ["baseline", "lost", "slow", "fast", "wild", "calm", "unknown"]  # rates in the order of their sweep
    assert [run.label for run in talk.steadiness(changed)] == order
    assert [run.label for run in seen(changed)["steady"]] == order


def test_words_tell_a_prediction_of_another_study() -> None:
    assert talk.meant_for(Technique(prediction="p", foreign=True)) == " for the full CIFAR-10 study"
    assert talk.meant_for(Technique(prediction="p")) == ""


@pytest.mark.parametrize(
    ("own", "elsewhere", "said"),
    [
        ([], " for the full CIFAR-10 study", ["p", "p"]),
        (["patch_size"], "", ["p", "p (meant for the full CIFAR-10 study)"]),
        (["patch_size", "augmentation"], "", ["p", "p"]),
    ],
)
def test_only_predictions_of_another_study_are_called_so(
    summary: Summary, own: list[str], elsewhere: str, said: list[str]
) -> None:
    axes = {a.axis: Technique(prediction="p", foreign=a.axis not in own) for a in summary.axes}
    found = view(summary, None, replace(TECHNIQUES, axes=axes))
    assert found["meant_elsewhere"] == elsewhere
    assert [found["predicted"](axis) for axis in summary.axes] == said
