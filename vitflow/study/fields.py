"""What a section of a study is made of: frozen fields, unknown keys refused, numbers that are numbers."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator


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
            if isinstance(value, bool) and field in cls.model_fields:
                annotation = cls.model_fields[field].annotation
                if {annotation, *get_args(annotation)} & {int, float}:
                    raise ValueError(f"{field}: expected a number, not {spell(value)}")
        return {field: 0.0 if isinstance(value, float) and value == 0 else value for field, value in data.items()}


def spell(value: Scalar) -> str:
    """A value as it appears in names: ``0.002``, ``true``, ``none``, ``mean``."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def spoken(name: str) -> str:
    """The name of an axis, a group or a value as people say it: ``patch size``, ``conv stem``."""
    return name.replace("_", " ")


def beginning(words: str) -> str:
    """Words as a sentence begins: ``Patch size``, ``QK-norm``."""
    return words[:1].upper() + words[1:]


def within(words: str) -> str:
    """The same as within a sentence: ``patch size``; ``QK-norm``, an abbreviation, stays."""
    return words if words[1:2].isupper() else words[:1].lower() + words[1:]


def spell_model(start: str, model: Strict, without: frozenset[str] = frozenset()) -> str:
    """``start`` and the fields of a model that are not at their default: ``resnet18-width=32``."""
    fields = model.model_dump(exclude_defaults=True, exclude={"family", *without})
    return "-".join([start, *(f"{key}={spell(value)}" for key, value in fields.items())])
