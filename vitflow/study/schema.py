"""A whole study: what may stand in ``config.yaml``, section by section, and what it means.

Everything is checked before any job starts and without importing torch. Sections are frozen, unknown keys are errors,
and allowed names are literals, so that a typo is found where it was made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from vitflow.study.dataset import Dataset
from vitflow.study.fields import Axes, Scalar, Strict
from vitflow.study.messages import explain
from vitflow.study.models import FAMILIES, Model, ViT
from vitflow.study.names import ConfigError, check_name, check_words, nearest
from vitflow.study.pretrained import LEAST, Pretrained
from vitflow.study.run import RunConfig
from vitflow.study.training import Training

#: more than any study has; a slip of the finger must not fill the memory with jobs. Finalists' seeds begin there
MOST_SEEDS = 100


class Best(Strict):
    """How winners are chosen (on validation images) and confirmed (on fresh seeds).

    ``best_architecture`` combines axes of the group ``architecture``; ``best`` adds those of all other groups.
    """

    max_flops_ratio: float = Field(4.0, gt=0, description="largest multiplications relative to the baseline")
    seeds: int = Field(3, ge=1, le=MOST_SEEDS, description="fresh seeds on which finalists are trained and reported")
    singles: int = Field(2, ge=0, le=100, description="best single changes of the architecture that are finalists too")
    take_apart: bool = Field(True, description="'best' is also trained without each of its parts in turn")
    all_images: bool = Field(True, description="'best' is also trained on the validation images")


class Features(Strict):
    """Which finished runs give features, and on how many validation images."""

    runs: list[str] = Field(
        ["baseline"], description="'baseline', keys of references, or 'best', the winner on its first fresh seed"
    )
    images: int = Field(2000, ge=10, le=1_000_000, description="validation images, at most")


class Study(Strict):
    """A whole study, as written in one YAML file."""

    schema_version: Literal[1] = 1
    study: str = Field(description="names results/<study>/; letters, digits, '-', '_' and '.'")
    title: str = ""
    author: str = ""
    dataset: Dataset
    training: Training = Training()
    baseline: Model = ViT()
    seeds: int = Field(3, ge=1, le=MOST_SEEDS, description="seeds of every run")
    baseline_seeds: int | None = Field(
        None, ge=1, le=MOST_SEEDS, description="seeds of the baseline; as 'seeds' if null"
    )
    ablations: dict[str, Axes] = Field({}, description="{group: {axis: [values]}}, one change at a time")
    cross: dict[str, Axes] = Field({}, description="{name: {axis: [values], axis: [values]}}, multiplied out")
    references: dict[str, dict[str, Scalar]] = Field({}, description="{name: {family: ..., field: value}}")
    best: Best | None = None
    features: Features = Features()
    pretrained: Pretrained | None = None
    equivalence_margin: float = Field(0.5, gt=0, description="percentage points; smaller differences are irrelevant")

    @field_validator("title", "author")
    @classmethod
    def _words_can_be_shown(cls, text: str) -> str:
        return check_words(text)

    @field_validator("study")
    @classmethod
    def _study_is_a_folder_name(cls, name: str) -> str:
        return check_name(name, "a study")

    @field_validator("ablations", "cross", "references")
    @classmethod
    def _names_are_safe(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name, inner in value.items():
            check_name(name, "a group")
            if name in ("baseline", "references", "best"):
                raise ConfigError(f"'{name}' cannot name a group or a reference: it has a meaning of its own")
            for axis in inner:
                check_name(axis, "an axis or a field")
        return value

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Study:
        for name in self.ablations.keys() & self.cross.keys():
            raise ValueError(f"cross.{name}: group '{name}' stands under ablations already; rename one")
        named: dict[str, str] = {}
        for group, axis in ((group, axis) for group, axes in self.ablations.items() for axis in axes):
            if (other := named.setdefault(f"{group}-{axis}", group)) != group:  # figures are named so
                raise ValueError(f"ablations.{group}.{axis}: reads as an axis of '{other}' does; rename one")
        if self.baseline_seeds is not None and self.baseline_seeds < self.seeds:
            raise ValueError(
                f"baseline_seeds {self.baseline_seeds} must be at least seeds {self.seeds}: seeds are paired"
            )
        if self.dataset.validation_fraction == 0:  # in a run of its own it may be: the winner on all images
            raise ValueError(
                "dataset.validation_fraction: 0 leaves no validation images, on which a study chooses; for example 0.1"
            )
        known = ["baseline", *(["best"] if self.best else []), *self.references]
        for name in self.features.runs:
            if name not in known:
                raise ValueError(f"features.runs: no run '{name}'{nearest(name, known)}")
        if self.pretrained:
            images, least = self.pretrained.images, LEAST * self.dataset.shape[2]
            if images < least:
                raise ValueError(
                    f"pretrained.images: {images} are too few to learn from and to choose on, {LEAST} of each class; "
                    f"at least {least}"
                )
        return self

    @property
    def baseline_run(self) -> RunConfig:
        """The configuration that every other one is compared with. Raises ConfigError if it does not fit the images."""
        try:
            return RunConfig(dataset=self.dataset, model=self.baseline, training=self.training)
        except ValidationError as error:
            raise ConfigError(f"baseline: {explain(error, RunConfig)}") from None

    def resolve(self, changes: Mapping[str, Scalar], *, all_images: bool = False) -> RunConfig:
        """The baseline with ``changes`` (flat field names) applied; ``family`` starts from that family's defaults.

        With ``all_images`` it trains on the validation images too.
        Raises ConfigError naming an unknown field, a value out of range or an impossible combination.
        """
        changes = dict(changes)
        family = changes.pop("family", self.baseline.family)
        if family not in FAMILIES:
            raise ConfigError(f"no family '{family}'{nearest(str(family), list(FAMILIES))}")
        model_type = FAMILIES[str(family)]
        model = self.baseline.model_dump() if family == self.baseline.family else {"family": family}
        sections: dict[str, dict[str, Any]] = {
            "dataset": self.dataset.model_dump() | ({"validation_fraction": 0.0} if all_images else {}),
            "model": model,
            "training": self.training.model_dump(),
        }
        owner = {field: "training" for field in Training.model_fields}
        owner |= {"train_images": "dataset"}
        owner |= {field: "model" for field in model_type.model_fields if field != "family"}
        for field, value in changes.items():
            if field not in owner:
                raise ConfigError(f"no field '{field}' to vary{nearest(field, list(owner))}")
            sections[owner[field]][field] = value
        try:
            return RunConfig.model_validate(sections)
        except ValidationError as error:
            raise ConfigError(explain(error, RunConfig)) from None


def json_schema() -> dict[str, Any]:
    """The JSON schema of a study, for editors and for readers."""
    schema = Study.model_json_schema()
    # without `family`, a ViT may look like a ResNet too: one match is enough
    schema["properties"]["baseline"]["anyOf"] = schema["properties"]["baseline"].pop("oneOf")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
