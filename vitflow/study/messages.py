"""What pydantic found wrong, told in one line: where, what, and the nearest valid choice."""

from __future__ import annotations

import re
from typing import get_args

from pydantic import BaseModel, ValidationError

from vitflow.study.fields import spell
from vitflow.study.models import FAMILIES
from vitflow.study.names import nearest


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
    told = f"{message}{got}{_no_word(first['input'], kind)}"
    return f"{where}: {told}" if where else told


def _no_word(value: object, kind: str) -> str:
    """What to do about a value that was meant as a word, and that YAML takes for something else."""
    if kind not in ("string_type", "invalid_key") or not isinstance(value, bool | int | float):
        return ""
    if isinstance(value, bool):
        return "; a word is put in quotes, for 'no', 'off', 'yes' and 'on' alone mean false and true"
    return "; a word is put in quotes" + (", and 0,2 is written 0.2" if kind == "invalid_key" else "")


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
