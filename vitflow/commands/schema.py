"""`vitflow schema`: the JSON schema of a study, for editors and for readers."""

from __future__ import annotations

import argparse
import json

from vitflow.study.schema import json_schema

EXAMPLE = "vitflow schema > workflow/schemas/study.schema.json"


def arguments(parser: argparse.ArgumentParser) -> None:
    """There are no options."""


def run(options: argparse.Namespace) -> int:
    """Print the schema."""
    print(json.dumps(json_schema(), indent=2))
    return 0
