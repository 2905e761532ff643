"""What is known of each axis, and what a study's author expected and found: ``techniques.yaml`` and notes.

``workflow/slides/techniques.yaml`` says of every axis what holds in any study. ``workflow/slides/notes/<study>.yaml``,
where there is one, adds what belongs to that study: its own predictions and the explanations.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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
#: what each file says of an axis; in notes, either may be left out
FIELDS = ("label", "how", "reference", "confound", "prediction")
NOTED = ("prediction", "explanation")
#: the study that the predictions of techniques.yaml were written for, and its dataset
PREDICTED = "cifar10"


@dataclass(frozen=True)
class Technique:
    """What is said of one axis; '' where nothing is written."""

    label: str = ""  #: as within a sentence
    how: str = ""
    reference: str = ""
    confound: str = ""
    prediction: str = ""
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
        """A run as people say it: ``patch size 2``, ``ResNet-18, half width``; ``name`` where nothing differs."""
        parts = []
        changed = config.changes_from(baseline)
        if isinstance(config.model, ResNet) and config.model.family != baseline.model.family:
            parts.append(f"ResNet-{config.model.depth}")
            if config.model.width != 64:
                parts.append("half width" if config.model.width == 32 else f"width {config.model.width}")
            changed = {field: value for field, value in changed.items() if field not in type(config.model).model_fields}
        parts += [f"{self.label(field)} {spoken(spell(value))}" for field, value in sorted(changed.items())]
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
    general = _read(path, FIELDS, required=True, elsewhere={"explanation": own})
    noted = _read(own, NOTED, required=False) if own.exists() else {}
    for axis in noted.keys() - general.keys():
        raise ConfigError(f"{own}: no axis '{axis}' in {path}{nearest(axis, list(general))}")
    axes = {}
    for axis, entry in general.items():
        mine = noted.get(axis, {})
        foreign = not mine.get("prediction") and study != PREDICTED
        axes[axis] = Technique(**{**entry, **{key: text for key, text in mine.items() if text}}, foreign=foreign)
    return Techniques(axes, own if own.exists() else None)


@functools.lru_cache(maxsize=4)
def _mapping(path: Path, content: bytes) -> Any:
    """What a YAML file with that content says; parsed once, since every look at a study's stages asks for it."""
    return read_yaml(path)


def _read(
    path: Path, fields: tuple[str, ...], *, required: bool, elsewhere: Mapping[str, Path] | None = None
) -> dict[str, dict[str, str]]:
    data = _mapping(path, path.read_bytes() if path.exists() else b"") or {}
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: expected a mapping of axes such as patch_size")
    for axis, entry in data.items():
        for field, place in (elsewhere or {}).items():
            if isinstance(entry, dict) and field in entry:
                raise ConfigError(f"{path}: {axis}.{field}: belongs to a study; write it in {place}")
    return {str(axis): _entry(f"{path}: {axis}", entry, fields, required) for axis, entry in data.items()}


def _entry(where: str, entry: Any, fields: tuple[str, ...], required: bool) -> dict[str, str]:
    if not isinstance(entry, dict):
        raise ConfigError(f"{where}: expected {', '.join(fields)}")
    for field in entry.keys() - set(fields):
        raise ConfigError(f"{where}.{field}: unknown key{nearest(str(field), list(fields))}")
    for field in fields if required else entry:
        if not isinstance(entry.get(field), str):
            raise ConfigError(f"{where}.{field}: expected text ('' where it is not written yet)")
    return {field: " ".join(text.split()) for field, text in entry.items()}
