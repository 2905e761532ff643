"""Evidence beside a gain or a loss, what the fits of all losers say, and what the data ask for next."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.analysis import example_study
from support.analysis.summary import made_up
from support.records import NOTHING, a_run, an_axis, around, diverged, with_runs

from vitflow.analysis.claims import Change, fits_beside, fits_of_moved, next_steps, reason
from vitflow.analysis.claims.predictions import Prediction
from vitflow.analysis.claims.reasons import fit_finding
from vitflow.analysis.records import Run, Statistics, Summary

BASE = a_run(None, clean_train=around(76.0), validation=around(74.0))
GAIN, LOSS = {"points": 2.0, "interval": (1.0, 3.0)}, {"points": -2.0, "interval": (-3.0, -1.0)}


@pytest.mark.parametrize(
    ("moved", "train", "said"),
    [
        (
            GAIN,
            78.0,
            "It fits the training images better too (accuracy 78.0 %, baseline 76.0 %): it learns more",
        ),
        (
            GAIN,
            76.1,
            "Whether it fits the training images otherwise is open (accuracy 76.1 %, baseline 76.0 %).",
        ),
        (
            GAIN,
            74.0,
            "It fits the training images less (accuracy 74.0 %, baseline 76.0 %) and new ones better",
        ),
        (
            LOSS,
            78.0,
            "It fits the training images better (accuracy 78.0 %, baseline 76.0 %) and new ones worse",
        ),
        (
            LOSS,
            76.1,
            "Whether it fits the training images otherwise is open (accuracy 76.1 %, baseline 76.0 %).",
        ),
        (
            LOSS,
            74.0,
            "It fits the training images less too (accuracy 74.0 %, baseline 76.0 %): it learns less",
        ),
    ],
)
def test_the_fit_to_training_images_is_read_beside_what_moved(moved: dict[str, Any], train: float, said: str) -> None:
    assert reason(a_run(**moved, clean_train=around(train)), BASE, 0.5).startswith(said)


@pytest.mark.parametrize(
    ("moved", "train", "new", "said"),
    [
        (GAIN, 89.0, 84.0, "underfits beside it: it fits less, its gap to validation is smaller."),
        (GAIN, 89.0, 87.0, "underfits beside it: it fits less, its gap to validation is not clearly larger."),
        (GAIN, 76.0, 76.0, "overfits beside it: its gap to validation is larger."),
        (GAIN, 89.0, 88.5, ""),  # it fits less and its gap is larger: neither alone
        (LOSS, 89.0, 84.0, ""),
    ],
)
def test_a_family_that_leads_tells_whether_the_baseline_underfits_or_overfits(
    moved: dict[str, Any], train: float, new: float, said: str
) -> None:
    uneven = Statistics(mean=new, sd=0.25, values=(new, new + 0.25, new - 0.25))  # else all gaps are alike
    other = a_run(**moved, kind="family", clean_train=around(train), validation=uneven)
    assert fits_beside(other, BASE, 0.5) == (f"The baseline {said}" if said else "")
    four = Statistics(mean=train, sd=0.1, values=(train, train, train + 0.1, train - 0.1))
    for lacking in (NOTHING, four):
        assert fits_beside(other.model_copy(update={"clean_train": lacking}), BASE, 0.5) == ""


def test_what_moved_is_counted_by_its_fit_to_the_training_images() -> None:
    gains = [a_run(**GAIN, clean_train=around(train)) for train in (80.0, 76.1)]
    losses = [a_run(**LOSS, clean_train=around(train)) for train in (70.0, 71.0, 80.0)]
    assert fits_of_moved(gains, losses, BASE) == "1 of 2 gains fit training images better; 2 of 3 losses, worse."
    assert fits_of_moved([], losses, BASE) == "2 of 3 losses fit training images worse."
    assert fits_of_moved([], [], BASE) == ""


def test_a_fit_is_called_as_good_inside_the_margin_alone_and_not_judged_of_one_seed() -> None:
    alike = "It fits the training images as well (accuracy 76.1 %, baseline 76.0 %): what it"
    for moved, does in ((GAIN, "gains"), (LOSS, "loses")):
        assert reason(a_run(**moved, clean_train=around(76.1)), BASE, 0.9) == f"{alike} {does} is generalisation."
    once = Statistics(mean=60.0, sd=None, values=(60.0,))
    assert reason(a_run(-9.0, clean_train=once), BASE, 0.5) == ""


def test_longer_trainings_and_fewer_images_are_not_said_to_learn_in_as_many_epochs() -> None:
    for train, learns in ((78.0, "more"), (74.0, "less")):
        moved = GAIN if learns == "more" else LOSS
        kinds = {kind: a_run(**moved, clean_train=around(train), kind=kind) for kind in ("change", "budget", "subset")}
        told = {kind: reason(run, BASE, 0.5).split("it learns ")[1] for kind, run in kinds.items()}
        assert told == {"change": f"{learns} in as many epochs.", "budget": f"{learns}.", "subset": f"{learns}."}


def test_shifts_and_attention_are_named_where_they_differ_for_sure() -> None:
    base = BASE.model_copy(update={"shifts": {"1": around(87.0)}, "attention_distance": around(12.0)})
    moved = a_run(**LOSS, clean_train=NOTHING, shifts={"1": around(80.0)}, attention_distance=around(9.0))
    assert reason(moved, base, 0.5) == (
        "Shifted by one pixel, 80 % of images keep their prediction (baseline 87 %). "
        "Its mean attention distance is 9.0 pixels (baseline 12.0)."
    )
    alike = a_run(**LOSS, clean_train=NOTHING, shifts={"1": around(87.1)}, attention_distance=NOTHING)
    assert reason(alike, base, 0.5) == ""


@pytest.mark.parametrize(
    "run", [a_run(None), a_run(2.0, (-1.0, 5.0)), a_run(0.1, (-0.2, 0.4)), diverged(3, points=9.0)]
)
def test_what_neither_gained_nor_lost_needs_no_reason(run: Run) -> None:
    assert reason(run, BASE, 0.5) == ""


def test_losers_are_counted_by_how_they_fit() -> None:
    less, more, alike = (a_run(**LOSS, clean_train=around(train)) for train in (70.0, 80.0, 76.1))
    gained = a_run(**GAIN, clean_train=around(70.0))
    assert fit_finding([less, less, more, alike, gained], BASE, 0.5) == (
        "Of 4 changes that lost accuracy, 2 underfit and 1 overfit"
    )
    hardly = a_run(-13.0, (-14.0, -12.0), clean_train=around(75.0))  # a point of a loss of 13
    assert "1 underfit" in fit_finding([less, hardly], BASE, 0.5)
    one = "The one change that lost accuracy "
    assert fit_finding([less], BASE, 0.5) == f"{one}underfits"
    assert fit_finding([more], BASE, 0.5) == f"{one}overfits"
    assert fit_finding([alike], BASE, 0.9) == f"{one}fits the training images as well as the baseline"
    assert fit_finding([alike], BASE, 0.5) == "Whether the one change that lost accuracy underfits is open"
    exact = Statistics(mean=100.0, sd=0.0, values=(100.0,) * 3)
    everything = BASE.model_copy(update={"clean_train": exact})
    assert fit_finding([less, a_run(**LOSS, clean_train=exact)], everything, 0.5).startswith(
        "Of 2 changes that lost accuracy, 1"
    )
    gap = "The baseline is 2.0 points better on training images than on validation images"
    assert fit_finding([gained, a_run(-9.0)], BASE, 0.5) == gap  # under three seeds nothing is counted
    harder = BASE.model_copy(update={"clean_train": around(70.0)})
    assert fit_finding([], harder, 0.5) == gap.replace("2.0", "4.0").replace("better", "worse")
    unfinished = a_run(None, clean_train=NOTHING)
    assert fit_finding([], unfinished, 0.5) == "Training and validation accuracy of all runs"


def summary_of(**runs: Run) -> Summary:
    summary = made_up(example_study(2), {}, np.random.default_rng(0))
    named = {name.replace("epochs", "epochs="): run for name, run in runs.items()}
    lost = tuple(name for name, run in named.items() if run.diverged)
    return with_runs(summary, {"baseline": BASE} | named, diverged=lost)


def test_what_to_do_next_follows_from_the_numbers() -> None:
    open_one, other = a_run(1.0, (-1.0, 3.0), label="registers 4"), a_run(-0.3, (-1.0, 0.4), label="norm rmsnorm")
    steps = next_steps(summary_of(a=open_one, b=other, c=a_run(**GAIN), d=diverged(5, label="learning rate 1")))
    assert steps[0] == "Train the baseline twice as long: whether it has converged is unknown."
    assert steps[1] == "More seeds for 2 unclear changes, registers 4 first."
    assert steps[2] == "A lower learning rate for what diverged: learning rate 1."
    assert steps[3].startswith("Fewer images at equal steps")


def test_a_prediction_that_missed_is_asked_about_after_what_stays_open() -> None:
    missed = Prediction(an_axis("C", "c"), Change("c", a_run(points=1.0, label="c"), 1.0), (5.0, 6.0), "missed")
    summary = summary_of(a=a_run(1.0, (-1.0, 3.0), label="a"), c=a_run(**GAIN))
    steps = next_steps(summary, [missed])
    assert steps[2] == "Test why the prediction missed: c, +1.0; predicted +5.0 to +6.0."
    assert steps[:2] == next_steps(summary)[:2] and steps[3:] == next_steps(summary)[2:]


@pytest.mark.parametrize(
    ("rival", "lead"),
    [
        (a_run(9.0, (8.0, 10.0), kind="family", family="resnet"), ": does the ResNet's lead shrink?"),
        (a_run(9.0, (-1.0, 19.0), kind="family", family="resnet"), "."),
        (a_run(9.0, kind="family", family="resnet"), "."),
        (a_run(-9.0, (-10.0, -8.0), kind="family", family="resnet"), "."),
        (a_run(9.0, (8.0, 10.0), kind="family"), "."),
        (diverged(5, points=9.0, interval=(8.0, 10.0), kind="family", family="resnet"), "."),
        (a_run(None), "."),
    ],
)
def test_only_a_resnet_that_surely_gains_has_a_lead_to_ask_about(rival: Run, lead: str) -> None:
    assert next_steps(summary_of(rival=rival))[-1] == f"Fewer images at equal steps{lead}"


def test_what_is_settled_is_not_asked_for() -> None:
    epochs = f"epochs{2 * int(str(summary_of().training['epochs']))}"
    settled = {epochs: a_run(0.1, (-0.2, 0.4), kind="budget"), "few": a_run(-9.0, kind="subset"), "c": a_run(**GAIN)}
    assert next_steps(summary_of(**settled)) == []
    gains = settled | {epochs: a_run(**GAIN, kind="budget")}
    assert next_steps(summary_of(**gains))[0] == "Train longer: twice the epochs gain 2.0 points, and ranks may change."
    unclear = settled | {epochs: a_run(0.6, (-0.2, 1.4), kind="budget")}
    assert next_steps(summary_of(**unclear))[0].startswith("Train longer: twice the epochs may still gain")
