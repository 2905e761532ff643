"""`vitflow mistakes`: what a trained model gets wrong, from its stored predictions and the prepared images."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.commands import Mistake
from support.results import BASELINE, HOME, IMAGES

from vitflow import cli
from vitflow.analysis.records import Mistakes
from vitflow.data.prepare import load
from vitflow.machine.files import read_json, sha256
from vitflow.results.provenance import write_sealed
from vitflow.study.reading import read_study

FILE = HOME.analysis / "mistakes.json"


def test_pictures_are_the_validation_images_that_it_gets_wrong(done: Path) -> None:
    assert cli.main(["mistakes"]) == 0
    found = Mistakes.read(FILE)
    validation = load(read_study("config.yaml").dataset).validation
    with np.load(BASELINE.predictions) as stored:
        predicted, confidence = stored["validation_predicted"], stored["validation_confidence"]
    wrong = np.flatnonzero(predicted != validation.labels.numpy())
    assert (found.split, found.images) == ("validation", len(validation.labels))
    assert {picture.index for picture in found.pictures} <= set(wrong.tolist()) and found.pictures
    answers = found.runs["baseline"]
    for place, picture in enumerate(found.pictures):
        shown = np.array(Image.open(io.BytesIO(base64.b64decode(picture.png))))
        assert np.array_equal(shown, validation.images[picture.index, :, :, 0].numpy())
        assert picture.label == validation.labels[picture.index]
        assert (answers.wrong[place], answers.predicted[place]) == (1, predicted[picture.index])
        assert answers.confidence[place] == pytest.approx(confidence[picture.index], abs=6e-4)


def test_the_images_are_prepared_where_they_are_not_here(done: Path) -> None:
    assert cli.main(["mistakes"]) == 0
    before = FILE.read_bytes()
    IMAGES.unlink()
    assert cli.main(["mistakes"]) == 0
    assert FILE.read_bytes() == before


def test_nothing_finished_is_told(here: Path, mistake: Mistake) -> None:
    assert mistake("mistakes").startswith(
        "vitflow: study 'tiny' has no results yet; run `snakemake --cores all evaluate`"
    )


def test_predictions_that_are_not_the_stated_ones_are_told(done: Path, mistake: Mistake) -> None:
    BASELINE.predictions.write_bytes(b"others")
    assert "not what" in mistake("mistakes") and not FILE.exists()


def test_predictions_of_other_images_are_told(done: Path, mistake: Mistake) -> None:
    with np.load(BASELINE.predictions) as stored:
        arrays = dict(stored)
    arrays["validation_label"] = arrays["validation_label"][::-1]
    np.savez_compressed(BASELINE.predictions, **arrays)
    stated = read_json(BASELINE.metrics)
    del stated["digest"]
    write_sealed(BASELINE.metrics, stated | {"predictions_sha256": sha256(BASELINE.predictions)})
    assert "of other validation images" in mistake("mistakes")
