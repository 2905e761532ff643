"""Reading a study: a YAML file in, a checked :class:`~vitflow.study.schema.Study` out, or a line about the mistake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from vitflow.study.grid import expand
from vitflow.study.messages import explain
from vitflow.study.names import ConfigError, nearest
from vitflow.study.schema import Study


class _UniqueKeyLoader(yaml.SafeLoader):
    """A key written twice is an error; YAML itself would silently keep the second."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, dict | list):
                raise ConfigError(f"line {key_node.start_mark.line + 1}: a key must be a word, not {key!r}")
            if key in seen:
                raise ConfigError(f"line {key_node.start_mark.line + 1}: key '{key}' stands there twice")
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_study(path: str | Path) -> Study:
    """The study in a YAML or JSON file. Raises ConfigError with one line naming file, place and choice."""
    return parse_study(read_yaml(path), str(path))


def read_yaml(path: str | Path) -> Any:
    """What a YAML (or JSON) file says. Raises ConfigError, also for a key that stands there twice."""
    path = Path(path)
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _UniqueKeyLoader)
    except FileNotFoundError:
        beside = sorted(str(p) for p in [*Path().glob("*.yaml"), *Path("workflow/studies").glob("*.yaml")])
        raise ConfigError(f"{path}: no such file{nearest(str(path), beside)}") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start})") from None
    except ConfigError as error:
        raise _told(str(path), error) from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None


def parse_study(data: Any, where: str) -> Study:
    """The study in a plain mapping; ``where`` is what an error names first.

    All runs are resolved as well, so that an impossible combination is found here. Raises ConfigError.
    """
    if not isinstance(data, dict):
        raise ConfigError(f"{where}: expected a mapping with keys such as study, dataset, ablations")
    try:
        study = Study.model_validate(data)
        expand(study)
    except ValidationError as error:
        raise _told(where, explain(error, Study)) from None
    except ConfigError as error:
        raise _told(where, error) from None
    return study


def _told(where: str, mistake: object) -> ConfigError:
    return ConfigError(f"{where}: {' '.join(str(mistake).splitlines())}")
