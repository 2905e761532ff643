"""``vitflow`` and ``python -m vitflow``: a request to stop is understood before anything else is imported."""

import sys

from vitflow.machine import signals as stopping


def main() -> int:
    """Run the command line; returns its exit code."""
    stopping.listen()
    from vitflow.cli import main as run

    code = run()
    stopping.ignore()
    if code == stopping.STOPPED:
        stopping.go_on_later()
    return code


if __name__ == "__main__":
    sys.exit(main())
