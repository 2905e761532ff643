"""What is known of each axis, and what a study's author expected and found: ``techniques.yaml`` and notes.

``workflow/slides/techniques.yaml`` says of every axis what holds in any study. ``workflow/slides/notes/<study>.yaml``,
where there is one, adds what belongs to that study: predictions of its own, their ranges, and the explanations.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vitflow.machine.files import sha256_text
from vitflow.study.fields import beginning, spell, spoken
from vitflow.study.models import ResNet
from vitflow.study.names import ConfigError, nearest
from vitflow.study.reading import read_yaml
from vitflow.study.run import RunConfig

TECHNIQUES = Path("workflow/slides/techniques.yaml")
NOTES = Path("workflow/slides/notes")
#: what each file says of an axis; in notes, each may be left out
FIELDS = ("label", "how", "reference", "confound", "prediction")
NOTED = ("prediction", "explanation")
#: beside these in notes: the numbers of the prediction, ``{value: [least, most]}``
EXPECTED = "expected"
#: the study that the predictions of techniques.yaml were written for, and its dataset
PREDICTED = "cifar10"

#: points of test accuracy against the baseline, from least to most
Expected = tuple[float, float]


@dataclass(frozen=True)
class Technique:
    """What is said of one axis; '' where nothing is written."""

    label: str = ""  #: as within a sentence
    how: str = ""
    reference: str = ""
    confound: str = ""
    prediction: str = ""
    expected: Mapping[str, Expected] = field(default_factory=dict)  #: by value of the axis, where numbers are predicted
    explanation: str = ""
    foreign: bool = False  #: whether the prediction was written for another study


@dataclass(frozen=True)
class Techniques:
    """All axes that something is written of."""

    axes: Mapping[str, Technique]
    notes: Path | None = None  #: the study's own file, where there is one

    def of(self, axis: str) -> Technique:
        """What is said of an axis."""
        return self.axes.get(axis, Technique())

    def label(self, axis: str) -> str:
        """An axis as within a sentence: ``patch size``."""
        return self.of(axis).label or spoken(axis)

    def heading(self, axis: str) -> str:
        """An axis as a sentence begins: ``Patch size``."""
        return beginning(self.label(axis))

    def confound(self, axis: str) -> str:
        """What else changes along an axis."""
        return self.of(axis).confound or "not written in techniques.yaml"

    def run_label(self, name: str, config: RunConfig, baseline: RunConfig) -> str:
        """A run as people say it: ``patch size 2``, ``ResNet-18, half width``; ``name`` where nothing differs.

        Data first, then the model, then its recipe: ``optimizer sgd, learning rate 0.1``.
        """
        parts = []
        changed = config.changes_from(baseline)
        if isinstance(config.model, ResNet) and config.model.family != baseline.model.family:
            parts.append(f"ResNet-{config.model.depth}")
            if config.model.width != 64:
                parts.append("half width" if config.model.width == 32 else f"width {config.model.width}")
            changed = {field: value for field, value in changed.items() if field not in type(config.model).model_fields}
        parts += [f"{self.label(field)} {spoken(spell(value))}" for field, value in changed.items()]
        return ", ".join(parts) or name

    def digest(self, axes: Iterable[str]) -> str:
        """Digest of what tables and figures show of ``axes``; predictions and explanations are for the talk alone."""
        return sha256_text(json.dumps({axis: (self.label(axis), self.confound(axis)) for axis in sorted(set(axes))}))


def notes_of(study: str) -> Path:
    """Where the notes of a study lie, if it has any."""
    return NOTES / f"{study}.yaml"


def read_techniques(study: str, path: Path = TECHNIQUES, notes: Path | None = None) -> Techniques:
    """What is written for a study. Raises ConfigError naming file and entry."""
    own = notes or notes_of(study)
    general = _read(path, FIELDS, required=True, elsewhere={"explanation": own, EXPECTED: own})
    noted = _read(own, NOTED, required=False) if own.exists() else {}
    for axis in noted.keys() - general.keys():
        raise ConfigError(f"{own}: no axis '{axis}' in {path}{nearest(axis, list(general))}")
    axes = {}
    for axis, entry in general.items():
        mine = noted.get(axis, {})
        foreign = not mine.get("prediction") and study != PREDICTED
        if foreign and mine.get(EXPECTED):
            raise ConfigError(f"{own}: {axis}.{EXPECTED}: the numbers of a prediction; write that beside it")
        axes[axis] = Technique(**{**entry, **{key: said for key, said in mine.items() if said}}, foreign=foreign)
    return Techniques(axes, own if own.exists() else None)


@functools.lru_cache(maxsize=4)
def _mapping(path: Path, content: bytes) -> Any:
    """What a YAML file with that content says; parsed once, since every look at a study's stages asks for it."""
    return read_yaml(path)


def _read(
    path: Path, fields: tuple[str, ...], *, required: bool, elsewhere: Mapping[str, Path] | None = None
) -> dict[str, dict[str, Any]]:
    data = _mapping(path, path.read_bytes() if path.exists() else b"") or {}
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: expected a mapping of axes such as patch_size")
    for axis, entry in data.items():
        for name, place in (elsewhere or {}).items():
            if isinstance(entry, dict) and name in entry:
                raise ConfigError(f"{path}: {axis}.{name}: belongs to a study; write it in {place}")
    return {str(axis): _entry(f"{path}: {axis}", entry, fields, required) for axis, entry in data.items()}


def _entry(where: str, entry: Any, fields: tuple[str, ...], required: bool) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise ConfigError(f"{where}: expected {', '.join(fields)}")
    numbers = {} if required else {EXPECTED: _expected(f"{where}.{EXPECTED}", entry.get(EXPECTED, {}))}
    texts = {name: text for name, text in entry.items() if name not in numbers}
    for name in texts.keys() - set(fields):
        raise ConfigError(f"{where}.{name}: unknown key{nearest(str(name), [*fields, *numbers])}")
    for name in fields if required else texts:
        if not isinstance(texts.get(name), str):
            raise ConfigError(f"{where}.{name}: expected text ('' where it is not written yet)")
    return {name: " ".join(text.split()) for name, text in texts.items()} | numbers


def _expected(where: str, entry: Any) -> dict[str, Expected]:
    """Ranges by value, spelled as the grid has it: ``false`` and ``8`` need no quotes."""
    if not isinstance(entry, dict):
        raise ConfigError(f"{where}: expected {{value: [least, most]}}, in points of test accuracy")
    found = {}
    for value, bounds in entry.items():
        told = f"{where}.{spell(value)}"
        whole = isinstance(bounds, list) and len(bounds) == 2 and all(type(one) in (int, float) for one in bounds)
        if not whole or not bounds[0] < bounds[1]:
            raise ConfigError(f"{told}: expected [least, most], two numbers in that order, not {bounds}")
        found[spell(value)] = (float(bounds[0]), float(bounds[1]))
    return found
