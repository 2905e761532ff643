"""Reading a study: a YAML file in, a checked :class:`~vitflow.study.schema.Study` out, or a line about the mistake."""

from __future__ import annotations

import codecs
import re
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from vitflow.study.grid import expand
from vitflow.study.messages import explain
from vitflow.study.names import ConfigError, nearest, shortened
from vitflow.study.schema import Study


class _Loader(yaml.SafeLoader):
    """YAML without what it would silently read otherwise than it looks: a key twice, ``1:30``, ``010``."""

    def compose_mapping_node(self, anchor: Any) -> Any:
        """Looks at a mapping as it is written, before others are merged into it with ``<<``, where keys may recur."""
        node = super().compose_mapping_node(anchor)
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise ConfigError(f"line {line}: a key must be a word, not {self.construct_object(key, deep=True)!r}")
            if (key.tag, key.value) in seen:
                raise ConfigError(f"line {line}: key '{key.value}' appears twice")
            seen.add((key.tag, key.value))
        return node

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        """As PyYAML does, whose constructors raise some five kinds of errors for what only looks like a number."""
        try:
            return super().construct_object(node, deep)
        except (ConfigError, yaml.YAMLError, RecursionError):
            raise
        except Exception:
            kind, word = node.tag.rpartition(":")[2], shortened(str(node.value))
            raise ConfigError(
                f"line {node.start_mark.line + 1}: {word!r} cannot be read as {kind}; put a word in quotes"
            ) from None

    def construct_date(self, node: Any) -> None:
        """Nothing: no setting is a date, and as a word it has quotes."""
        raise ConfigError(
            f"line {node.start_mark.line + 1}: {node.value} would be read as a date; write '{node.value}' in quotes"
        )

    def construct_number(self, node: Any) -> int | float:
        """A number, unless YAML 1.1 makes another one of it than people do: to the base of 60, or of 8."""
        read = self.construct_yaml_int if node.tag.endswith("int") else self.construct_yaml_float
        number: int | float = read(node)
        str(number)  # Python refuses to spell what has thousands of digits
        if ":" in node.value or re.match(r"[-+]?0[0-7_]+$", node.value):
            raise ConfigError(
                f"line {node.start_mark.line + 1}: {node.value} would be read as {number}; "
                f"write {number} for that, or '{node.value}' in quotes for the word"
            )
        return number


for _tag in ("int", "float"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _Loader.construct_number)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.construct_date)


def read_study(path: str | Path) -> Study:
    """The study in a YAML or JSON file. Raises ConfigError with one line naming file, place and choice."""
    return parse_study(read_yaml(path), str(path))


def read_yaml(path: str | Path) -> Any:
    """What a YAML (or JSON) file says. Raises ConfigError, also for a key that appears twice."""
    path = Path(path)
    try:
        content = path.read_bytes()
        if b"\0" in content[:2] or content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise ConfigError("not UTF-8 text but UTF-16; save it as UTF-8")
        return yaml.load(content.decode(), _Loader)
    except FileNotFoundError:
        files = {*Path().glob("*.yaml"), *Path("workflow/studies").glob("*.yaml")} - {Path("dvc.yaml")}
        beside = sorted(map(str, files))
        advice = nearest(str(path), beside) if beside else "; `cd` to the project's folder, which has the Snakefile"
        raise ConfigError(f"{path}: no such file{advice}") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8") from None
    except ConfigError as error:
        raise _told(str(path), error) from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise ConfigError(f"{path}: nested too deeply; is it the configuration of a study?") from None


def check_configfiles(words: Sequence[str]) -> None:
    """Exit with a line where a command line of Snakemake's names a ``--configfile`` that is none.

    The default profile asks this: Snakemake opens these files before it has read the Snakefile, and says of what it
    cannot open, or read, thirty lines of its own code. It takes all words behind the option, targets as well.
    """
    parser = ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", action="extend", default=[])
    names, named = parser.parse_known_args(words)[0].configfile, False
    for name in names:
        try:
            found = read_yaml(name)
        except ConfigError as error:
            targets = "" if Path(name).suffix else "; targets stand before --configfile, or after `--`"
            sys.exit(f"{error}{targets}")
        named |= isinstance(found, dict) and "study" in found
    if names and not named:  # else it would be read as changes to config.yaml
        sys.exit(f"{names[0]}: study: missing; it names the study and its results, for example 'study: mine'")


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
