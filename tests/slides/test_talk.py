"""What the template is given beside the summary's own fields."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.analysis import TECHNIQUES
from support.records import CALM, NOTHING, a_run, an_axis, around, diverged, winners, with_runs
from support.talk import Talk

from vitflow.analysis.records import Group, Run, Summary
from vitflow.analysis.techniques import Technique
from vitflow.slides import cells, talk
from vitflow.slides.deck import Bullets, plain
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
    assert found["footer"] == talk.footer(summary)
    assert summary.best is not None and found["best_single"] is summary.runs[summary.best.run]


def test_explanations_are_wanted_in_the_notes_of_the_study_where_there_are_any(summary: Summary) -> None:
    assert seen(summary)["explained_in"] == f"notes/{summary.study}.yaml"
    noted = view(summary, None, replace(TECHNIQUES, notes=Path("workflow/slides/notes/mine.yaml")))
    assert noted["explained_in"] == "notes/mine.yaml"


def test_axes_of_the_architecture_and_other_groups_have_slides_of_their_own(summary: Summary) -> None:
    found = seen(summary)
    assert [axis.axis for axis in found["main_axes"]] == ["patch_size"]
    patch_size = found["main_axes"][0]
    assert [change.value for change in found["others"](patch_size)] == ["2", "8"]
    assert found["verdict"](patch_size) == "gain at 2, loss at 8"
    (training,) = found["main_groups"]
    assert (training.name, training.heading, training.ends) == ("training", "Training", list(summary.axes[1:]))
    assert training.runs == talk.by_difference([summary.runs[f"augmentation={value}"] for value in ("none", "crop")])
    assert training.finding.startswith("Training: augmentation ")
    assert training.smallest_effect == summary.groups[1].smallest_effect


def test_what_is_too_much_for_a_talk_is_backup(summary: Summary) -> None:
    axes = tuple(an_axis(f"A{k}", f"v{k}") for k in range(6))
    groups = tuple(Group(group=f"g{k}", runs=(f"v{k}",), smallest_effect=None) for k in range(5))
    runs = {"baseline": a_run(None)} | {f"v{k}": a_run(1.0) for k in range(6)}
    found = seen(with_runs(summary, runs, axes=axes, groups=groups, best=None))
    assert [axis.label for axis in found["main_axes"]] == ["A0", "A1", "A2", "A3"]
    assert [group.name for group in found["main_groups"]] == ["g0", "g1", "g2"]
    assert [group.name for group in found["other_groups"]] == ["g3", "g4"]


def test_a_group_names_the_axes_of_its_ends_and_not_those_between(summary: Summary) -> None:
    axes = tuple(an_axis(label, *values, group="g") for label, values in [("A", "ab"), ("B", "c"), ("C", "de")])
    runs = {name: a_run(float(points), label=name) for name, points in zip("abcde", (1, 3, 0, -1, -4), strict=True)}
    group = Group(group="g", runs=tuple(runs), smallest_effect=None)
    changed = with_runs(summary, {"baseline": a_run(None)} | runs, axes=axes, groups=(group,))
    assert [axis.label for axis in talk.groups_of(changed)[0].ends] == ["A", "C"]


def test_groups_have_the_slides_that_other_parts_of_the_talk_leave(summary: Summary) -> None:
    axes = tuple(an_axis(f"A{k}", f"v{k}") for k in range(4))
    groups = tuple(Group(group=f"g{k}", runs=(f"v{k}",), smallest_effect=None) for k in range(4))
    runs = {"baseline": a_run(None)} | {f"v{k}": a_run(1.0) for k in range(4)}
    extra = {"r": a_run(9.0, kind="family"), "few": a_run(-9.0, kind="subset")}
    changed = with_runs(summary, runs | extra, axes=axes, groups=groups)
    assert [group.name for group in seen(changed)["main_groups"]] == ["g0", "g1"]
    told = view(changed, winners(), TECHNIQUES)
    assert [group.name for group in told["main_groups"]] == ["g0"]
    assert [group.name for group in told["other_groups"]] == ["g1", "g2", "g3"]


def test_slides_share_their_time_whatever_their_number() -> None:
    assert [talk.share(100, [1] * count) for count in range(5)] == [100, 100, 50, 33, 25]


def test_an_axis_is_explained_by_the_user_or_by_evidence_or_not_at_all(summary: Summary) -> None:
    axis = an_axis("Patch size", "8", "2")
    base = a_run(None, clean_train=around(80.0))
    lost = a_run(-3.0, (-4.0, -2.0), clean_train=around(70.0))
    changed = with_runs(summary, {"baseline": base, "8": lost, "2": a_run(0.1)}, axes=(axis,), best=None)
    assert seen(changed)["why"](axis).startswith("Evidence, 8: It fits the training images less too (accuracy 70.0 %")
    mine = replace(TECHNIQUES, axes={"patch_size": Technique(explanation="Because.")})
    assert view(changed, None, mine)["why"](axis) == "Because."
    alike = with_runs(summary, {"baseline": base, "8": a_run(0.1), "2": a_run(None)}, axes=(axis,), best=None)
    assert seen(alike)["why"](axis) == "Not explained: accuracy itself does not differ significantly."
    unseen = a_run(-3.0, (-4.0, -2.0), clean_train=NOTHING)
    bare = with_runs(summary, {"baseline": base, "8": unseen, "2": a_run(None)}, axes=(axis,), best=None)
    assert seen(bare)["why"](axis) == "Not explained: what was measured beside accuracy does not differ significantly."


def test_runs_are_sorted_by_what_they_show(summary: Summary) -> None:
    runs = {
        "baseline": a_run(None),
        "up": a_run(1.0, (0.5, 1.6), label="up"),
        "high": a_run(3.0, (2.0, 4.0), label="high"),
        "same": a_run(0.1, (-0.2, 0.4), label="same"),
        "down": a_run(-1.0, (-1.6, -0.2), label="down"),
        "low": a_run(-3.0, (-4.0, -2.0), label="low"),
        "resnet18": a_run(9.0, (8.0, 10.0), label="ResNet-18", kind="family"),
        "few": a_run(-20.0, (-21.0, -19.0), label="train images 500", kind="subset"),
        "gone": diverged(1, 2, 3, label="gone"),
    }
    found = seen(with_runs(summary, runs, references=("resnet18",), diverged=("gone",), best=None))
    labels = {
        key: [run.label for run in found[key]]
        for key in ("compared", "gained", "same", "unclear", "lost", "unstable", "families")
    }
    assert labels == {
        "compared": ["high", "up", "same", "down", "low"],
        "gained": ["high", "up"],
        "same": ["same"],
        "unclear": [],
        "lost": ["low", "down"],
        "unstable": ["gone"],
        "families": ["ResNet-18"],
    }
    assert found["titles"]["verdicts"] == "What worked: 2 of 5 changes gained; what did not: 2 lost"
    assert found["best_single"] is None


def test_what_compares_with_nothing_says_why(summary: Summary) -> None:
    alone = with_runs(summary, {"baseline": a_run(None)})
    assert seen(alone)["nothing"] == "no component has been changed yet"
    assert seen(alone)["titles"]["verdicts"] == "What stays open: no component has been changed yet"
    lost = with_runs(summary, {"baseline": diverged(1, 2, 3)})
    assert seen(lost)["nothing"] == "the baseline diverged, so nothing compares with it"
    some = with_runs(summary, {"baseline": diverged(1)})
    assert seen(some)["nothing"] == "no component has been changed yet"


def test_the_dataset_is_named_as_people_say_it(summary: Summary) -> None:
    dataset = summary.dataset.model_copy(update={"title": "leaves & twigs"})
    assert seen(summary.model_copy(update={"dataset": dataset}))["data"] == "leaves & twigs"


def test_the_winners_are_there_once_they_are_confirmed(summary: Summary) -> None:
    assert view(summary, winners(), TECHNIQUES)["winners"] == winners()
    assert seen(summary)["winners"] is None


def test_the_footer_says_which_results_the_talk_rests_on(summary: Summary) -> None:
    said = "example · results 3f9c0a7e · 3 seeds · 2025-03-14 · 21/21 trainings done"
    total = {"done": 21, "total": 21}
    assert talk.footer(summary.model_copy(update=total)) == said
    few = total | {"seeds": 1, "baseline_seeds": 4, "descriptive": True, "done": 5}
    assert talk.footer(summary.model_copy(update=few)) == (
        "example · results 3f9c0a7e · 1 seed (baseline 4) · 2025-03-14 · 5/21 trainings done"
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


def test_all_runs_come_in_the_order_of_the_study(summary: Summary) -> None:
    names = ("resnet18", "crossed", "c", "b", "a", "baseline")
    axes = (an_axis("A", "a", "baseline", "b"), an_axis("B", "b", "c"))
    changed = with_runs(summary, {name: a_run() for name in names}, axes=axes, references=("resnet18",))
    assert talk.in_order(changed) == ["baseline", "a", "b", "c", "crossed", "resnet18"]
    assert seen(changed)["rows"] == [changed.runs[name] for name in talk.in_order(changed)]


def test_stability_leads_with_baseline_divergence_largest_logit_rates_and_spikes(summary: Summary) -> None:
    def spiky(spikes: float | None, label: str, logit: float | None = 1.0, norm: float | None = 1.0) -> Run:
        values = {"gradient_spikes": spikes, "loss_spikes": spikes}
        values |= {"largest_attention_logit": logit, "largest_gradient_norm": norm}
        return a_run(label=label, stability=CALM.model_copy(update=values))

    runs = {
        "unknown": spiky(None, "unknown"),
        "calm": spiky(0.5, "calm"),
        "wild": spiky(3.0, "wild"),
        "slow": spiky(0.0, "slow"),
        "fast": spiky(9.0, "fast"),
        "lost": diverged(5, label="lost"),
        "steep": spiky(0.0, "steep", logit=999.0),
        "strong": spiky(0.0, "strong", norm=999.0, logit=None),
        "normed": spiky(0.0, "normed"),
        "baseline": spiky(0.0, "baseline"),
    }
    rates = an_axis("Learning rate", "slow", "baseline", "fast")
    normed = an_axis("QK-norm", "baseline", "normed").model_copy(update={"axis": "qk_norm"})
    changed = with_runs(summary, runs, axes=(rates, an_axis("Depth", "wild", "calm", "steep"), normed))
    order = ["baseline", "lost", "steep", "strong", "normed", "slow", "fast", "wild", "calm", "unknown"]
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


def test_images_that_stand_there_twice_are_counted_on_the_slide_and_named_in_its_notes(
    plain_talk: Talk, tmp_path: Path
) -> None:
    changed = plain_talk.copy(tmp_path)
    kinds = ("2 images with two or more labels: a --> b.png and <c>_1_.png", "all are kept")
    images = changed.summary.dataset.model_copy(update={"duplicates": kinds})
    changed.change(dataset=images)
    (slide,) = [slide for slide in changed.deck().slides if slide.label == "One component changed at a time"]
    (told,) = [block for block in slide.blocks if isinstance(block, Bullets)]
    assert plain(told.items[-1]) == "2 images with two or more labels; all are kept."
    assert f"Duplicate images: {kinds[0]}." in slide.notes
