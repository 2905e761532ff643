"""What fewer training images cost each model."""

from __future__ import annotations

from support.records import NOTHING, a_run, around, diverged

from vitflow.analysis.claims.subsets import by_images, subsets_finding
from vitflow.analysis.records import Run


def on(images: int, accuracy: float, label: str = "", kind: str = "subset") -> Run:
    return a_run(0.0, test=around(accuracy), train_images=images, label=label, kind=kind)


EPOCHS = 100
RUNS = {
    "baseline": on(45_000, 80.0, kind="baseline"),
    "resnet18-width=32": on(45_000, 90.0, "ResNet-18, half width", "family"),
    "epochs=300+train_images=15000": on(15_000, 70.0),
    "epochs=900+train_images=5000": on(5_000, 55.0),
    "epochs=900+resnet18-width=32+train_images=5000": on(5_000, 75.5),
    "depth=4": on(45_000, 79.0, kind="change"),
}


def test_each_model_has_a_series_from_the_fewest_images_to_all() -> None:
    vit, resnet = by_images(RUNS, EPOCHS)
    assert (vit.label, [run.train_images for run in vit.runs]) == ("ViT, baseline", [5_000, 15_000, 45_000])
    assert (resnet.label, [run.train_images for run in resnet.runs]) == ("ResNet-18, half width", [5_000, 45_000])
    assert vit.equal == resnet.equal == "steps"


def test_the_title_says_what_each_loses_and_how_they_were_compared() -> None:
    assert subsets_finding(RUNS, EPOCHS) == (
        "From 45,000 to 5,000 training images, at equal steps (n = 3): ViT, baseline loses 25.0 points, "
        "ResNet-18, half width loses 14.5 points"
    )
    epochs = {"baseline": RUNS["baseline"], "train_images=5000": on(5_000, 50.0)}
    assert subsets_finding(epochs, EPOCHS).startswith("From 45,000 to 5,000 training images, at equal epochs (n = 3): ")


def test_nothing_is_called_equal_that_is_not_and_a_gain_is_no_loss() -> None:
    runs = {"baseline": RUNS["baseline"], "epochs=200+train_images=5000": on(5_000, 81.0)}
    title = "From 45,000 to 5,000 training images (n = 3): ViT, baseline gains 1.0 points"
    assert subsets_finding(runs, EPOCHS) == title
    both = runs | {"train_images=5000": on(5_000, 50.0)}
    assert [one.equal for one in by_images(both, EPOCHS)] == [""]


def test_what_did_not_finish_is_in_no_series() -> None:
    assert by_images({"baseline": RUNS["baseline"]}, EPOCHS) == []
    assert subsets_finding({"baseline": RUNS["baseline"]}, EPOCHS) == "No model was trained on fewer images"
    lost = {
        "baseline": RUNS["baseline"],
        "train_images=5000": diverged(3, points=1.0, kind="subset", train_images=5_000),
    }
    assert by_images(lost, EPOCHS) == []
    assert by_images({"baseline": a_run(None, test=NOTHING), "train_images=5000": on(5_000, 50.0)}, EPOCHS) == []
