"""The command line: words in, exit codes out. Each command is a file in :mod:`vitflow.commands`.

Exit codes: 0 done; 2 a mistake in the call, the configuration or the files, told in one line;
75 stopped before the end, by a signal or a time limit, with nothing lost: the same command goes on.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from importlib import import_module
from typing import NoReturn

from vitflow import __version__
from vitflow.commands import COMMANDS
from vitflow.study.names import nearest

MISTAKE = 2


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(MISTAKE, f"vitflow: {message}; see `{self.prog} --help`\n")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    if words and not words[0].startswith("-") and words[0] not in COMMANDS:
        print(f"vitflow: no command '{words[0]}'{nearest(words[0], list(COMMANDS))}", file=sys.stderr)
        return MISTAKE
    options = parser(words[0] if words else "").parse_args(words)
    try:
        return int(options.run(options))
    except KeyboardInterrupt:
        print("vitflow: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 141
    except (ValueError, RuntimeError, OSError) as error:
        if not _is_told(error):
            raise
        from vitflow.commands.options import DEFAULT, spelled  # not before: help needs none of it

        with suppress(OSError):  # the log may be on the disk that is full
            print(f"vitflow: {spelled(str(error), getattr(options, 'config', DEFAULT))}", file=sys.stderr, flush=True)
        return MISTAKE


def _is_told(error: Exception) -> bool:
    """Whether this is one of our own errors, whose message is meant for the user."""
    return type(error).__module__.startswith("vitflow.")


def parser(chosen: str) -> argparse.ArgumentParser:
    """All commands by name and help; of ``chosen`` the options too, since its imports may take a second."""
    top = _Parser(prog="vitflow", description="Small-dataset Vision Transformer studies, from config.yaml to a talk.")
    top.add_argument("--version", action="version", version=__version__)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, help_ in COMMANDS.items():
        command = commands.add_parser(name, help=help_, formatter_class=argparse.RawDescriptionHelpFormatter)
        if name != chosen:
            continue
        module = import_module(f"vitflow.commands.{name}")
        command.description = f"{help_[0].upper()}{help_[1:]}.{getattr(module, 'DETAILS', '')}"
        command.epilog = f"example:\n  {module.EXAMPLE}"
        command.set_defaults(run=module.run)
        module.arguments(command)
    return top


if __name__ == "__main__":
    sys.exit(main())
