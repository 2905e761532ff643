"""`vitflow schema`: JSON that knows a study."""

from __future__ import annotations

import json

import pytest

from vitflow import cli


def test_the_schema_is_json_and_knows_the_study(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["schema"]) == 0
    assert {"study", "dataset", "training", "ablations"} <= json.loads(capsys.readouterr().out)["properties"].keys()
