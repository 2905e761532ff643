"""How many images of a class train and how many are held out. No torch here: a plan asks before any job starts.

Which images a training sees follows from this file too, so it counts for the digest of its code.
"""

from __future__ import annotations

from vitflow.data import places
from vitflow.data.raw import DataError
from vitflow.study.dataset import Dataset


def shares(dataset: Dataset, classes: list[str], label: int, count: int) -> tuple[int, int]:
    """(held out for validation, trained on) of the ``count`` training images of class ``label``.

    ``validation_fraction`` of them are held out; ``train_images`` is shared among classes, a remainder among the first.
    Raises DataError where that leaves a part without images.
    """
    validation = round(dataset.validation_fraction * count)
    available = count - validation
    wanted = available
    if dataset.train_images is not None:
        wanted = dataset.train_images // len(classes) + (label < dataset.train_images % len(classes))
    if not 0 < wanted <= available or (dataset.validation_fraction > 0 and validation == 0):
        raise DataError(
            f"{places.prepared(dataset.key)}: class '{classes[label]}' has {count} training images; "
            f"validation_fraction {dataset.validation_fraction:g} takes {validation}, train_images wants {wanted}: "
            "lower train_images or change validation_fraction"
        )
    return validation, wanted
