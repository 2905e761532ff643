"""How a record is written and read."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from vitflow.machine.files import FileProblem, read_json, write_json

Interval = tuple[float, float]
Setting = bool | int | float | str | None


class Record(BaseModel):
    """Frozen, and without room for what no version knows."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    @classmethod
    def read(cls, path: Path) -> Self:
        """The record in a JSON file. Raises FileProblem where it is missing, damaged or of another version."""
        content = read_json(path)
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "all of it"
            raise FileProblem(
                f"{path}: damaged, or of another version ({place}: {first['msg']}); delete it to have it made again"
            ) from None

    def write(self, path: Path) -> None:
        """Publish it as JSON."""
        write_json(path, self.model_dump(mode="json"))
