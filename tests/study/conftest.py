"""What is told about a mistake in a study's text."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.studies import IsTold, Told

from vitflow.study.names import ConfigError
from vitflow.study.reading import read_study


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """After the file's name; one line, or the test fails."""

    def told(text: str | bytes) -> str:
        path = tmp_path / "study.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(ConfigError) as caught:
            read_study(path)
        message = str(caught.value)
        assert len(message.splitlines()) == 1, message
        assert message.startswith(f"{path}: "), message
        return message.removeprefix(f"{path}: ")

    return told


@pytest.fixture
def is_told(told: Told) -> IsTold:
    def is_told(text: str, parts: list[str]) -> None:
        message = told(text)
        assert message.startswith(parts[0]), message
        for part in parts:
            assert part in message, message

    return is_told
