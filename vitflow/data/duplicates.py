"""Images that stand there more than once, pixel by pixel: counted when images are prepared, dropped if a study says so.

A test image that was trained on, or one image under two labels, makes a result worth less, and no accuracy shows it.
Shape letters: N images, H height, W width, C channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from vitflow.data.canonical import content_hashes
from vitflow.data.raw import Raw, spell_name

#: by kind: what is counted, of one and of several
KINDS = {
    "test_in_train": ("test image that is also a training image", "test images that are also training images"),
    "two_labels": ("image with two or more labels", "images with two or more labels"),
    "repeated": ("copy of an image of the same split and class", "copies of images of the same split and class"),
}
EXAMPLES = 2


def count(raw: Raw) -> dict[str, dict[str, Any]]:
    """By kind of KINDS: ``count``, and ``examples``, EXAMPLES pairs of names at most, of one image in two places."""
    first: dict[tuple[str, str, int], str] = {}  # by content, split and class
    places: dict[str, dict[tuple[str, int], str]] = {}  # by content
    found: dict[str, dict[str, Any]] = {kind: {"count": 0, "examples": []} for kind in KINDS}

    def note(kind: str, one: str, other: str) -> None:
        found[kind]["count"] += 1
        if len(found[kind]["examples"]) < EXAMPLES:
            found[kind]["examples"].append([spell_name(one), spell_name(other)])

    for split, part in raw.splits.items():
        names = part.names or [f"{split} image {i} ({raw.classes[label]})" for i, label in enumerate(part.labels)]
        for content, label, name in zip(content_hashes(part.images), part.labels.tolist(), names, strict=True):
            if (content, split, label) in first:
                note("repeated", first[content, split, label], name)
                continue
            first[content, split, label] = name
            places.setdefault(content, {})[split, label] = name
    for at in places.values():
        labels: dict[int, str] = {}
        for (_, label), name in at.items():
            labels.setdefault(label, name)
        if len(labels) > 1:
            note("two_labels", *list(labels.values())[:2])
        train = [name for (split, _), name in at.items() if split == "train"]
        for (split, _), name in at.items():
            if split == "test" and train:
                note("test_in_train", train[0], name)
    return found


def dropped(raw: Raw) -> dict[str, int]:
    """By class, how many training images ``duplicates: drop`` takes away."""
    train, test = raw.splits["train"], raw.splits["test"]
    gone = train.labels[~kept(train.images, train.labels, test.images)]
    return dict(zip(raw.classes, np.bincount(gone, minlength=len(raw.classes)).tolist(), strict=True))


def told(duplicates: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A line for each kind that there is: how many, ``: ``, and examples."""
    lines = []
    for kind, (one_of_it, several) in KINDS.items():
        if number := duplicates[kind]["count"]:
            pairs = "; ".join(f"{one} and {other}" for one, other in duplicates[kind]["examples"])
            more = "; ..." if number > EXAMPLES else ""
            lines.append(f"{number:,} {one_of_it if number == 1 else several}: {pairs}{more}")
    return lines


def kept(train: np.ndarray, train_labels: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Which training images stay where duplicates are dropped, bool [N]; the test images all do.

    Dropped are those that are test images, all that bear two labels, and of copies all but the first.
    ``train``, ``test`` uint8 [N, H, W, C]; ``train_labels`` [N].
    """
    hashes, tested = content_hashes(train), set(content_hashes(test))
    labels: dict[str, set[int]] = {}
    for content, label in zip(hashes, train_labels.tolist(), strict=True):
        labels.setdefault(content, set()).add(label)
    seen: set[str] = set()
    stay = []
    for content in hashes:
        stay.append(content not in tested and content not in seen and len(labels[content]) == 1)
        seen.add(content)
    return np.array(stay, dtype=bool)
