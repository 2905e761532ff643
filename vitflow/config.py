"""The schema of a study: what may stand in ``config.yaml``, and what it means.

Everything here is checked before any job starts and without importing torch. Models are frozen, unknown
keys are errors, and allowed names are literals, so that a typo is found where it was made.

A *run* is one complete resolved configuration (:class:`RunConfig`). Its identity is the digest of the
fields that differ from their **frozen default**: a default, once released, never changes, and a new field
arrives with the default that reproduces the old behaviour. Adding a field therefore changes no digest.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import math
import re
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

SCHEMA_VERSION = 1

#: image side in pixels, channels, classes of the datasets whose shape is known beforehand
DATASET_SHAPES: dict[str, tuple[int, int, int]] = {
    "cifar10": (32, 3, 10),
    "cifar100": (32, 3, 100),
    "digits": (8, 1, 10),
}


def _scalar(value: Any) -> Any:
    """Refuse what no field can hold, and read ``1e-3``, which YAML 1.1 takes for a word, as a number."""
    if isinstance(value, str) and re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+", value):
        value = float(value)
    finite = not isinstance(value, float) or math.isfinite(value)
    if not finite or not isinstance(value, bool | int | float | str | None):
        raise ValueError(f"expected a finite number or a word, not {value!r}")
    return value


def _axis_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(field): _scalar(part) for field, part in value.items()}
    return _scalar(value)


#: what may stand as the value of a field on an axis
Scalar = Annotated[bool | int | float | str | None, BeforeValidator(_scalar)]
#: one place on an axis: a value of the axis' own field, or ``{name: ..., field: value, ...}``
AxisValue = Annotated[bool | int | float | str | dict[str, Scalar] | None, BeforeValidator(_axis_value)]
Axes = dict[str, list[AxisValue]]


class ConfigError(ValueError):
    """A mistake in a configuration, told in one line: where, what, and the nearest valid choice."""


class Strict(BaseModel):
    """Frozen, and without room for unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=())

    @model_validator(mode="before")
    @classmethod
    def _numbers_are_numbers(cls, data: Any) -> Any:
        """``true`` is not 1, as pydantic would have it; and -0 is 0, so that equal values have one digest."""
        if not isinstance(data, dict):
            return data
        for field, value in data.items():
            annotation = cls.model_fields[field].annotation if field in cls.model_fields else None
            if isinstance(value, bool) and {annotation, *get_args(annotation)} & {int, float}:
                raise ValueError(f"{field}: expected a number, not {spell(value)}")
        return {field: 0.0 if isinstance(value, float) and value == 0 else value for field, value in data.items()}


# ---------------------------------------------------------------------------------------- one run


class Dataset(Strict):
    """Which images, and how many of them."""

    name: Literal["cifar10", "cifar100", "digits", "folder"]
    path: str | None = Field(
        None, description="local copy, used before any download: official archive, class folders, or zips of them"
    )
    train_images: int | None = Field(
        None, ge=1, description="stratified subset of the training images; subsets are nested; all if null"
    )
    validation_fraction: float = Field(
        0.1, ge=0.0, lt=0.9, description="part of the official training images held out, per class, by content hash"
    )
    image_size: int | None = Field(None, ge=4, description="pixels a side; only for 'folder'")
    channels: Literal[1, 3] | None = Field(None, description="only for 'folder'")
    classes: int | None = Field(None, ge=2, description="only for 'folder'")

    @model_validator(mode="after")
    def _shape_is_known(self) -> Dataset:
        own = (self.image_size, self.channels, self.classes)
        if self.name == "folder":
            if None in own or self.path is None:
                raise ValueError("dataset 'folder' needs path, image_size, channels and classes")
            _check_name(Path(str(self.path)).stem, "a dataset")
        elif own != (None, None, None):
            raise ValueError(f"image_size, channels and classes are fixed for '{self.name}'; remove them")
        return self

    @property
    def key(self) -> str:
        """Names the prepared files: the dataset's name, or ``folder-`` and the last part of a folder's path."""
        return self.name if self.path is None or self.name != "folder" else f"folder-{Path(self.path).stem}"

    @property
    def shape(self) -> tuple[int, int, int]:
        """(image side in pixels, channels, classes)."""
        if self.name == "folder":
            assert self.image_size and self.channels and self.classes
            return self.image_size, self.channels, self.classes
        return DATASET_SHAPES[self.name]


class ViT(Strict):
    """Vision Transformer (Dosovitskiy et al., 2021) and its variants; docs/variants.md tells them apart."""

    family: Literal["vit"] = "vit"
    patch_size: int = Field(4, ge=1, description="pixels a side; must divide the image side")
    width: int = Field(192, ge=4, description="width of a token")
    depth: int = Field(6, ge=1, description="number of blocks")
    heads: int = Field(8, ge=1, description="attention heads; must divide the width")
    mlp_ratio: float = Field(4.0, gt=0, description="hidden width of the feed-forward network over the token width")
    pool: Literal["cls", "mean"] = Field("cls", description="classify a [CLS] token or the mean of the patch tokens")
    patch_embed: Literal["linear", "overlap", "conv_stem", "shifted"] = Field(
        "linear", description="from pixels to tokens; the number of tokens is the same"
    )
    position: Literal["none", "sincos1d", "sincos2d", "learned", "rope1d", "rope2d"] = Field(
        "learned", description="added to the tokens, or (rope) turning queries and keys"
    )
    position_base: float = Field(
        100.0, gt=1, description="ratio of the highest to the lowest frequency, about; inert but for sincos and rope"
    )
    cls_position: bool = Field(
        True, description="whether [CLS] gets a position; inert without [CLS] and where none is added"
    )
    registers: int = Field(0, ge=0, description="learned tokens without position that nothing reads at the end")
    norm: Literal["layernorm", "rmsnorm"] = "layernorm"
    norm_placement: Literal["pre", "post"] = Field(
        "pre", description="norm before each branch, or after each sum (then without a final norm)"
    )
    qk_norm: Literal["none", "l2", "rmsnorm"] = Field("none", description="normalises queries and keys")
    attention: Literal["full", "locality"] = Field(
        "full", description="locality: learned temperature, and no token attends to itself"
    )
    feedforward: Literal["gelu", "swiglu", "geglu"] = Field("gelu", description="the gated ones have 2/3 of the width")
    layer_scale: float | None = Field(None, gt=0, description="initial value of the branches' scales; none if null")
    drop_path: float = Field(
        0.0, ge=0, lt=1, description="chance to skip a branch, rising over depth from 0 to this; inert at depth 1"
    )

    @model_validator(mode="after")
    def _heads_divide_width(self) -> ViT:
        if self.width % self.heads:
            near = _nearest_numbers(_divisors(self.width), self.heads)
            raise ValueError(f"width {self.width} is not divisible by heads {self.heads}; nearest valid heads: {near}")
        return self

    @model_validator(mode="after")
    def _features_hold_the_position(self) -> ViT:
        pairs = {"sincos1d": 2, "rope1d": 2, "sincos2d": 4, "rope2d": 4}.get(self.position, 1)
        size = self.width // self.heads
        if self.position.startswith("sincos") and self.width % pairs:
            step = math.lcm(pairs, self.heads)
            near = _nearest_numbers(_multiples(step, self.width), self.width)
            raise ValueError(
                f"position {self.position} needs a width divisible by {pairs}, not {self.width}; nearest valid: {near}"
            )
        if self.position.startswith("rope") and size % pairs:
            heads = [h for h in _divisors(self.width) if self.width // h % pairs == 0]
            widths = _multiples(pairs * self.heads, self.width)
            near = f"heads: {_nearest_numbers(heads, self.heads)}" if heads else ""
            near = near or f"width: {_nearest_numbers(widths, self.width)}"
            raise ValueError(
                f"position {self.position} needs a head size divisible by {pairs}, and width {self.width} over heads "
                f"{self.heads} is {size}; nearest valid {near}"
            )
        return self

    @model_validator(mode="after")
    def _one_scale_of_scores(self) -> ViT:
        if self.attention == "locality" and self.qk_norm == "l2":
            raise ValueError(
                "attention locality and qk_norm l2 would each learn the one scale of the scores; "
                "nearest valid qk_norm: none, rmsnorm"
            )
        return self

    def check(self, image_size: int) -> None:
        """Raise ValueError where patches do not tile the image, do not suit their embedding, or are too few."""
        sizes = _divisors(image_size)
        if self.patch_size not in sizes:
            near = _nearest_numbers(sizes, self.patch_size)
            raise ValueError(
                f"patch_size {self.patch_size} does not divide the image side {image_size}; nearest valid: {near}"
            )
        if self.patch_embed == "conv_stem":
            powers = [size for size in sizes if size > 1 and size & (size - 1) == 0]
            if self.patch_size not in powers:
                near = _nearest_numbers(powers, self.patch_size) or "none on this image"
                raise ValueError(
                    f"patch_embed conv_stem halves the side and needs a patch_size that is a power of two from 2, "
                    f"not {self.patch_size}; nearest valid: {near}"
                )
        if self.patch_embed in ("overlap", "shifted") and self.patch_size == 1:
            raise ValueError(
                f"patch_embed {self.patch_embed} does nothing at patch_size 1; "
                f"nearest valid patch_size: {_nearest_numbers(sizes[1:], 1)}"
            )
        if self.tokens(image_size) == 1 and (self.attention == "locality" or self.qk_norm == "l2"):
            choice = "attention locality" if self.attention == "locality" else "qk_norm l2"
            raise ValueError(
                f"{choice} needs a second token, and patch_size {self.patch_size} leaves one; "
                f"nearest valid patch_size: {_nearest_numbers(sizes[:-1], self.patch_size)}"
            )

    @property
    def has_cls(self) -> bool:
        """Whether a [CLS] token stands before the patches."""
        return self.pool == "cls"

    @property
    def prefix_tokens(self) -> int:
        """Tokens before the patches: [CLS], then registers."""
        return int(self.has_cls) + self.registers

    @property
    def places_cls(self) -> bool:
        """Whether a position is added to a [CLS] token."""
        return self.has_cls and self.cls_position and self.position in ("sincos1d", "sincos2d", "learned")

    def tokens(self, image_size: int) -> int:
        """Tokens of an image, with their prefix."""
        return self.prefix_tokens + (image_size // self.patch_size) ** 2

    @property
    def label(self) -> str:
        """The family's part of a run's name."""
        return _label("vit", self, set())


class ResNet(Strict):
    """ResNet (He et al., 2016) with a stem for small images: 3x3, stride 1, no max-pooling."""

    family: Literal["resnet"] = "resnet"
    depth: Literal[18, 50] = Field(18, description="18: basic blocks, 50: bottlenecks")
    width: int = Field(64, ge=4, description="channels of the first stage; 32 is half width")

    def check(self, image_size: int) -> None:
        """Raise ValueError where three halvings leave nothing of the image."""
        if image_size < 8:
            raise ValueError(f"a ResNet halves the image three times; {image_size} pixels are too few")

    @property
    def label(self) -> str:
        """The family's part of a run's name: ``resnet18``, ``resnet18-width=32``."""
        return _label(f"resnet{self.depth}", self, {"depth"})


def _default_family(value: Any) -> Any:
    return {"family": "vit", **value} if isinstance(value, dict) else value


Model = Annotated[ViT | ResNet, Field(discriminator="family"), BeforeValidator(_default_family)]
FAMILIES: dict[str, type[ViT] | type[ResNet]] = {"vit": ViT, "resnet": ResNet}


class Training(Strict):
    """The recipe, the same for every model of a study unless an axis changes it."""

    epochs: int = Field(100, ge=1)
    batch_size: int = Field(128, ge=1, description="images a step")
    optimizer: Literal["adamw", "sgd", "muon"] = Field(
        "adamw", description="sgd: Nesterov momentum 0.9; muon: for hidden weight matrices, adamw for all else"
    )
    learning_rate: float = Field(1e-3, gt=0, description="peak, after warm-up; cosine to 0 at the last step")
    weight_decay: float = Field(
        0.05, ge=0, description="on weight matrices and kernels only; decoupled, but added to the gradient by sgd"
    )
    warmup_epochs: float = Field(5, ge=0, description="linear warm-up from 0")
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    gradient_clip: float | None = Field(1.0, gt=0, description="largest global gradient norm; off if null")
    augmentation: Literal["none", "crop", "crop_flip", "trivial"] = Field(
        "crop_flip", description="per sample: zero-padded random crop, horizontal flip, and TrivialAugment"
    )
    crop_padding: int = Field(4, ge=1, description="pixels of zeros on each side; inert without a crop")
    mixing: Literal["none", "mixup", "cutmix"] = Field("none", description="of two images and their labels, per sample")
    mixing_alpha: float = Field(
        1.0,
        ge=0.01,
        description="shares are Beta(alpha, alpha): 1 is uniform, small is hardly mixed; inert without mixing",
    )
    random_erasing: float = Field(0.0, ge=0, le=1, description="probability that a rectangle of an image is blanked")
    ema: float | None = Field(
        None, gt=0, lt=1, description="decay of the averaged weights that are scored and published; off if null"
    )
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="auto: bf16 autocast and torch.compile on a GPU, fp32 on a CPU"
    )

    @model_validator(mode="after")
    def _warmup_ends(self) -> Training:
        if self.warmup_epochs >= self.epochs:
            raise ValueError(f"warmup_epochs {self.warmup_epochs:g} must be less than epochs {self.epochs}")
        return self

    @model_validator(mode="after")
    def _partners_exist(self) -> Training:
        if self.mixing != "none" and self.batch_size < 2:
            raise ValueError(f"mixing '{self.mixing}' takes a partner from the batch: batch_size must be at least 2")
        return self


#: fields without effect while the condition holds; normalised to their default, so that
#: configurations that compute the same thing are one run
INERT: list[tuple[str, str, Any]] = [
    ("training", "crop_padding", lambda run: run.training.augmentation == "none"),
    ("training", "mixing_alpha", lambda run: run.training.mixing == "none"),
    ("model", "position_base", lambda run: _is_vit(run) and run.model.position in ("none", "learned")),
    (
        "model",
        "cls_position",
        lambda run: _is_vit(run) and not run.model.model_copy(update={"cls_position": True}).places_cls,
    ),
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
        """The same run with inert fields at their default and without the data's location."""
        sections: dict[str, Strict] = {"dataset": self.dataset.model_copy(update={"path": None})}
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
        silent = {"family", "name", "path"} | {field for _, field, is_inert in INERT if is_inert(self)}
        return {key: value for key, value in fields.items() if key not in silent}

    def changes_from(self, baseline: RunConfig) -> dict[str, Scalar]:
        """Fields with an effect here and another value than in ``baseline``.

        A field without effect in the baseline stands there all the same, so it is a change only with another value.
        The exception is crop_padding, which names of older runs have always told.
        """
        written = baseline.model.model_dump() | baseline.training.model_dump(exclude={"crop_padding"}) | baseline.flat()
        return {field: value for field, value in self.flat().items() if written.get(field, NOTHING) != value}


# ---------------------------------------------------------------------------------------- a study


class Best(Strict):
    """How winners are chosen (on validation images) and confirmed (on fresh seeds)."""

    max_flops_ratio: float = Field(4.0, gt=0, description="largest multiplications relative to the baseline")
    seeds: int = Field(3, ge=1, description="fresh seeds on which the winner is trained and reported")


class Features(Strict):
    """Which finished runs give features, and on how many validation images."""

    runs: list[str] = Field(["baseline"], description="'baseline' or keys of references")
    images: int = Field(2000, ge=10, description="validation images, at most")


class Study(Strict):
    """A whole study, as written in one YAML file."""

    schema_version: Literal[1] = 1
    study: str = Field(description="names results/<study>/; lower-case letters, digits, '-' and '_'")
    title: str = ""
    author: str = ""
    dataset: Dataset
    training: Training = Training()
    baseline: Model = ViT()
    seeds: int = Field(3, ge=1, description="seeds of every run")
    baseline_seeds: int | None = Field(None, ge=1, description="seeds of the baseline; as 'seeds' if null")
    ablations: dict[str, Axes] = Field({}, description="{group: {axis: [values]}}, one change at a time")
    cross: dict[str, Axes] = Field({}, description="{name: {axis: [values], axis: [values]}}, multiplied out")
    references: dict[str, dict[str, Scalar]] = Field({}, description="{name: {family: ..., field: value}}")
    best: Best | None = None
    features: Features = Features()
    equivalence_margin: float = Field(0.5, gt=0, description="percentage points; smaller differences are irrelevant")

    @field_validator("study")
    @classmethod
    def _study_is_a_folder_name(cls, name: str) -> str:
        return _check_name(name, "a study")

    @field_validator("ablations", "cross", "references")
    @classmethod
    def _names_are_safe(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name, inner in value.items():
            _check_name(name, "a group")
            if name in ("baseline", "references"):
                raise ConfigError(f"'{name}' cannot name a group or a reference: it has a meaning of its own")
            for axis in inner:
                _check_name(axis, "an axis or a field")
        return value

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Study:
        for name in self.ablations.keys() & self.cross.keys():
            raise ValueError(f"cross.{name}: group '{name}' stands under ablations already; rename one")
        if self.baseline_seeds is not None and self.baseline_seeds < self.seeds:
            raise ValueError(
                f"baseline_seeds {self.baseline_seeds} must be at least seeds {self.seeds}: seeds are paired"
            )
        for name in self.features.runs:
            if name not in ("baseline", *self.references):
                raise ValueError(f"features.runs: no run '{name}'{nearest(name, ['baseline', *self.references])}")
        return self

    @property
    def baseline_run(self) -> RunConfig:
        """The configuration that every other one is compared with. Raises ConfigError if it does not fit the images."""
        try:
            return RunConfig(dataset=self.dataset, model=self.baseline, training=self.training)
        except ValidationError as error:
            raise ConfigError(f"baseline: {explain(error, RunConfig)}") from None

    def resolve(self, changes: dict[str, Scalar]) -> RunConfig:
        """The baseline with ``changes`` (flat field names) applied; ``family`` starts from that family's defaults.

        Raises ConfigError naming an unknown field, a value out of range or an impossible combination.
        """
        changes = dict(changes)
        family = changes.pop("family", self.baseline.family)
        if family not in FAMILIES:
            raise ConfigError(f"no family '{family}'{nearest(str(family), list(FAMILIES))}")
        model_type = FAMILIES[str(family)]
        model = self.baseline.model_dump() if family == self.baseline.family else {"family": family}
        sections: dict[str, dict[str, Any]] = {
            "dataset": self.dataset.model_dump(),
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


def point(axis: str, value: AxisValue) -> tuple[str, dict[str, Scalar]]:
    """(label, changes) of one value of an axis; a mapping is a named point that moves several fields."""
    if isinstance(value, dict):
        changes = dict(value)
        if not isinstance(name := changes.pop("name", None), str) or not changes:
            raise ConfigError(f"a point of axis '{axis}' with several fields needs a name and at least one field")
        return _check_name(name, "a point"), changes
    return spell(value), {axis: value}


def spell(value: Scalar) -> str:
    """A value as it appears in names: ``0.002``, ``true``, ``none``, ``mean``."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


# --------------------------------------------------------------------------------- schema and mistakes


def json_schema() -> dict[str, Any]:
    """The JSON schema of a study, for editors and for readers."""
    schema = Study.model_json_schema()
    # without `family`, a ViT may look like a ResNet too: one match is enough
    schema["properties"]["baseline"]["anyOf"] = schema["properties"]["baseline"].pop("oneOf")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def explain(error: ValidationError, root: type[BaseModel]) -> str:
    """The first mistake of a validation, in one line with the nearest valid choice; unknown keys before all else."""
    mistakes = error.errors()
    # a key spelled wrongly is missing as well, but the spelling is the mistake
    first = next((mistake for mistake in mistakes if mistake["type"] == "extra_forbidden"), mistakes[0])
    loc = [str(part) for part in first["loc"] if part != "[key]"]
    tagged = ("baseline", "model")  # pydantic adds the family after these
    place = [part for i, part in enumerate(loc) if not (part in FAMILIES and i and loc[i - 1] in tagged)]
    where = ".".join(place)
    kind, message = first["type"], first["msg"].removeprefix("Value error, ")
    if kind == "extra_forbidden":
        return f"{where}: unknown key{nearest(place[-1], _keys_beside(root, loc[:-1]))}"
    if kind in ("model_type", "model_attributes_type"):
        keys = ", ".join(_keys_beside(root, loc)[:3])
        return f"{where}: expected a mapping with keys such as {keys} (got {first['input']!r})"
    if kind == "dict_type":
        return f"{where}: expected a mapping (got {first['input']!r})"
    if kind == "list_type":
        return f"{where}: expected a list, for example [{first['input']}]"
    if kind == "missing":
        return f"{where}: missing"
    if kind == "literal_error":
        choices = re.findall(r"'([^']+)'|\b(\d+)\b", first["ctx"]["expected"])
        given = spell(first["input"])
        return f"{where}: '{given}' is not a valid choice{nearest(given, [a or b for a, b in choices])}"
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        given = first["ctx"].get("tag", "")
        return f"{where}.family: '{given}' is not a valid choice{nearest(str(given), list(FAMILIES))}"
    got = "" if isinstance(first["input"], dict | BaseModel) or kind == "value_error" else f" (got {first['input']!r})"
    return f"{where}: {message}{got}" if where else f"{message}{got}"


def nearest(word: str, choices: list[str]) -> str:
    """``; did you mean 'x'?`` or the list of choices, to end an error message with."""
    close = difflib.get_close_matches(word, choices, n=1, cutoff=0.6)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; valid: {', '.join(choices)}" if choices else ""


def _keys_beside(root: type[BaseModel], loc: list[str]) -> list[str]:
    """Known keys of the section that a validation error's location points into."""
    here: type[BaseModel] = root
    for part in loc:
        if part in FAMILIES:
            here = FAMILIES[part]
            continue
        annotation = here.model_fields[part].annotation if part in here.model_fields else None
        candidates = [annotation, *get_args(annotation)]
        nested = [c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)]
        if nested:
            here = nested[0]
    return list(here.model_fields)


def _check_name(name: str, what: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name) or ".." in name:
        safe = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-_") or "my-study"
        raise ConfigError(f"'{name}' cannot name {what}: letters, digits, '-' and '_' only; for example '{safe}'")
    return name


def _divisors(number: int) -> list[int]:
    return [d for d in range(1, number + 1) if number % d == 0]


def _multiples(step: int, around: int) -> list[int]:
    below = max(step, around // step * step)
    return [below, below + step]


def _nearest_numbers(choices: list[int], wanted: int) -> str:
    return ", ".join(str(d) for d in sorted(sorted(choices, key=lambda d: abs(d - wanted))[:3]))


def _label(start: str, model: Strict, without: set[str]) -> str:
    fields = model.model_dump(exclude_defaults=True, exclude={"family", *without})
    return "-".join([start, *(f"{key}={spell(value)}" for key, value in fields.items())])
