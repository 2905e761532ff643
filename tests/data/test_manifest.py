"""The manifest of prepared images: whole, of the configured shape, and the identity of the data."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from support.images import KEY, SIZE, folder, make_images, refused, source, write_tree

from vitflow.data.prepare import load, prepare
from vitflow.data.raw import DataError


@pytest.mark.parametrize(
    ("text", "fragment"),
    [("{", "unreadable manifest"), ("[]", "unreadable manifest"), ('{"classes": []}', "unreadable manifest")],
)
def test_a_broken_manifest_is_named(text: str, fragment: str) -> None:
    source()
    prepare(folder())
    Path(f"data/{KEY}.json").write_text(text)
    refused(folder(), f"data/{KEY}.json", fragment, "restore it from git", action=load)


def test_a_manifest_without_a_field_says_which() -> None:
    source()
    manifest = prepare(folder())
    del manifest["std"]
    Path(f"data/{KEY}.json").write_text(json.dumps(manifest))
    refused(folder(), f"data/{KEY}.json: lacks std", action=load)


def test_prepared_images_of_another_shape_than_configured_are_refused() -> None:
    source()
    prepare(folder())
    refused(folder(image_size=SIZE + 2), f"data/{KEY}.json", "(6, 3, 2)", "(8, 3, 2)", action=load)


def test_a_class_that_goes_without_its_duplicates_is_told() -> None:
    images = make_images()
    images["test"]["cat"] = images["train"]["cat"]
    write_tree(Path("source/pets"), images)
    dataset = folder(duplicates="drop")
    told = "class 'cat' has 0 training images; validation_fraction 0.1 takes 0"
    with pytest.raises(DataError, match=f"{told}.*; 6 more are dropped as duplicates"):
        prepare(dataset, studied=[dataset])


def test_the_digest_identifies_the_images_of_both_splits() -> None:
    write_tree(Path("source/pets"), make_images())
    data = load(folder())
    digests = json.loads(Path(f"data/{KEY}.json").read_text())["digests"]
    assert data.digest == hashlib.sha256((digests["train"] + digests["test"]).encode()).hexdigest()
    changed = make_images()
    changed["test"]["dog"][0][0, 0, 0] ^= 1
    shutil.rmtree("data")
    assert load(folder(write_tree(Path("b/pets"), changed))).digest != data.digest
