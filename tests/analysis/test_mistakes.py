"""Images that runs get wrong: drawn in proportion to how many do, and what a run says of them over its seeds."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vitflow.analysis.mistakes import SHOWN, SIDE, Said, answers, draw, mistakes, png

CLASSES = ("cat", "dog", "ship")


def said(*seeds: list[int], confidence: float = 0.5) -> Said:
    predicted = np.array(seeds)
    return Said(predicted, np.full(predicted.shape, confidence))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=200), st.integers(1, 60))
def test_nothing_right_is_drawn_nothing_twice_and_never_too_much(wrong: list[float], images: int) -> None:
    index = draw(np.array(wrong), np.arange(len(wrong)) % 3, images)
    assert len(set(index.tolist())) == len(index) <= images
    assert all(wrong[k] > 0 for k in index)
    assert len(index) >= min(images, sum(value > 0 for value in wrong)) or sum(wrong) < images * max(wrong)


def test_of_two_sorts_of_images_each_is_drawn_as_often_as_it_is_wrong() -> None:
    """300 that a tenth of the runs gets wrong and 100 that nine tenths do: one to three, whatever their numbers."""
    wrong = np.repeat([0.1, 0.9], [300, 100])
    index = draw(wrong, np.zeros(400, dtype=int), 40)
    assert (wrong[index] == 0.1).sum() == 10 and (wrong[index] == 0.9).sum() == 30


def test_every_class_has_its_share_of_mistakes() -> None:
    labels = np.repeat([0, 1, 2], [1000, 1000, 1000])
    wrong = np.repeat([0.1, 0.2, 0.3], 1000)
    assert np.bincount(labels[draw(wrong, labels, 60)]).tolist() == [10, 20, 30]


def test_few_mistakes_are_all_shown() -> None:
    wrong = np.array([0, 0.2, 0, 1, 0.1])
    assert sorted(draw(wrong, np.zeros(5, dtype=int), 60)) == [1, 3, 4]


def test_runs_count_alike_however_many_seeds_they_have() -> None:
    """One run of one seed errs on the first image, one of nine seeds on the second: neither is more often wrong."""
    images, labels = np.zeros((2, 4, 4, 3), dtype=np.uint8), np.array([0, 0])
    found = mistakes({"one": said([1, 0]), "nine": said(*9 * [[0, 1]])}, labels, images, CLASSES)
    assert [picture.index for picture in found.pictures] == [0, 1]
    assert found.runs["one"].wrong == (1, 0) and found.runs["nine"].wrong == (0, 9)


def test_a_run_says_the_wrong_class_that_most_of_its_seeds_name_with_their_mean_confidence() -> None:
    run = Said(np.array([[0, 1], [2, 1], [2, 1], [1, 1]]), np.array([[0.9, 0.1], [0.4, 0.2], [0.6, 0.3], [0.99, 0.4]]))
    found = answers(run, np.array([0, 1]), np.array([0, 1]))
    assert (found.n, found.wrong, found.predicted) == (4, (3, 0), (2, 1))
    assert found.confidence == pytest.approx((0.5, 0.25))


def test_the_true_class_is_not_what_an_image_is_taken_for_though_most_seeds_name_it() -> None:
    found = answers(said([0], [0], [1]), np.array([0]), np.array([0]))
    assert (found.wrong, found.predicted) == ((1,), (1,))


def test_nothing_held_out_or_nothing_finished_gives_no_pictures() -> None:
    nothing = np.zeros((0, 4, 4, 3), dtype=np.uint8)
    assert mistakes({}, np.array([], dtype=np.int64), nothing, CLASSES).pictures == ()


def test_as_many_as_said_are_shown() -> None:
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 3, 2000)
    images = generator.integers(0, 256, (2000, 8, 8, 1), dtype=np.uint8)
    found = mistakes({"run": said(generator.integers(0, 3, 2000).tolist())}, labels, images, CLASSES)
    assert len(found.pictures) == SHOWN
    for picture in found.pictures:
        assert picture.label == labels[picture.index]
        assert np.array_equal(
            np.array(Image.open(io.BytesIO(base64.b64decode(picture.png)))), images[picture.index, :, :, 0]
        )


def test_photographs_are_made_small() -> None:
    photograph = np.random.default_rng(0).integers(0, 256, (300, 200, 3), dtype=np.uint8)
    assert Image.open(io.BytesIO(base64.b64decode(png(photograph)))).size == (round(SIDE * 200 / 300), SIDE)
