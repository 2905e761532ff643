"""A *run*: one complete resolved configuration, and its identity.

Its identity is the digest of the fields that differ from their **frozen default**: a default, once released, never
changes, and a new field arrives with the default that reproduces the old behaviour. Adding a field therefore changes
no digest.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import model_validator

from vitflow.study.dataset import Dataset
from vitflow.study.fields import Scalar, Strict
from vitflow.study.models import Model, ViT
from vitflow.study.tokens import may_place_cls
from vitflow.study.training import Training

#: fields without effect while the condition holds; normalised to their default, so that
#: configurations that compute the same thing are one run
INERT: list[tuple[str, str, Any]] = [
    ("training", "crop_padding", lambda run: run.training.augmentation == "none"),
    ("training", "mixing_alpha", lambda run: run.training.mixing == "none"),
    ("model", "position_base", lambda run: _is_vit(run) and run.model.position in ("none", "learned")),
    ("model", "cls_position", lambda run: _is_vit(run) and not may_place_cls(run.model)),
    ("model", "drop_path", lambda run: _is_vit(run) and run.model.depth == 1),
]


def _is_vit(run: RunConfig) -> bool:
    return isinstance(run.model, ViT)


NOTHING = object()


class RunConfig(Strict):
    """One complete resolved configuration: everything that decides a result, but for the seed."""

    dataset: Dataset
    model: Model
    training: Training

    @model_validator(mode="after")
    def _model_fits_images(self) -> RunConfig:
        self.model.check(self.dataset.shape[0])
        return self

    def normalised(self) -> RunConfig:
        """The same run with inert fields at their default and without the data's location and title."""
        sections: dict[str, Strict] = {"dataset": self.dataset.model_copy(update={"path": None, "title": None})}
        for section, field, is_inert in INERT:
            if is_inert(self):
                part = sections.get(section, getattr(self, section))
                sections[section] = part.model_copy(update={field: type(part).model_fields[field].default})
        return self.model_copy(update=sections)

    @property
    def identity(self) -> dict[str, dict[str, Scalar]]:
        """What the digest is taken of: by section, the fields that are not at their frozen default."""
        run = self.normalised()
        return {
            "dataset": {"name": run.dataset.name} | run.dataset.model_dump(exclude_defaults=True),
            "model": {"family": run.model.family} | run.model.model_dump(exclude_defaults=True),
            "training": run.training.model_dump(exclude_defaults=True),
        }

    @property
    def digest(self) -> str:
        """sha256 of :attr:`identity`, 64 hex digits."""
        text = json.dumps(self.identity, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def flat(self) -> dict[str, Scalar]:
        """All fields with an effect, by their (unique) names; without ``family`` and the data's location."""
        fields = self.dataset.model_dump() | self.model.model_dump() | self.training.model_dump()
        silent = {"family", "name", "path", "title"} | {field for _, field, is_inert in INERT if is_inert(self)}
        return {key: value for key, value in fields.items() if key not in silent}

    def changes_from(self, baseline: RunConfig) -> dict[str, Scalar]:
        """Fields with an effect here and another value than in ``baseline``.

        A field without effect in the baseline stands there all the same, so it is a change only with another value.
        The exception is crop_padding, which names of older runs have always told.
        """
        written = baseline.model.model_dump() | baseline.training.model_dump(exclude={"crop_padding"}) | baseline.flat()
        return {field: value for field, value in self.flat().items() if written.get(field, NOTHING) != value}
