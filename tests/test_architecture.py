"""The house that docs/architecture.md draws: rooms, the direction of imports, short files that say their purpose."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "vitflow"
#: each imports only from those before it
ROOMS = (
    "machine",
    "study",
    "data",
    "models",
    "training",
    "measuring",
    "analysis",
    "figures",
    "slides",
    "explore",
    "results",
    "commands",
)
#: files at the root of the package, and what they may import: a request to stop is listened for before all else
DOORS = {"__init__.py": (), "cli.py": ("commands", "study"), "__main__.py": ("machine", "cli")}
FILES = sorted(PACKAGE.rglob("*.py"))
LINES = 250


def named(files: list[Path]) -> list[str]:
    return [str(file.relative_to(ROOT)) for file in files]


def imported(file: Path) -> set[str]:
    """Modules of vitflow that a file imports, wherever in it, as ``room.module``."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative imports hide the room"
            modules = [f"{node.module}.{name.name}" for name in node.names]
        else:
            modules = [name.name for name in node.names] if isinstance(node, ast.Import) else []
        found |= {module.removeprefix("vitflow.") for module in modules if module.startswith("vitflow.")}
    return found - {"__version__"}


def python_files() -> list[Path]:
    """All Python files that git knows or would take."""
    words = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / line for line in done.stdout.splitlines() if (ROOT / line).exists()]


def rooms_of(text: str) -> list[str]:
    """Top-level rooms in the order in which a document names them at the beginning of a line's room column."""
    return re.findall(r"(?m)^(?:\S.*?\s{2,})?vitflow/(\w+)/\s", text)


@pytest.mark.parametrize("file", FILES, ids=named(FILES))
def test_a_room_imports_only_from_those_below_it(file: Path) -> None:
    room = file.relative_to(PACKAGE).parts[0]
    allowed = DOORS[room] if room in DOORS else ROOMS[: ROOMS.index(room) + 1]
    above = {module for module in imported(file) if module.split(".")[0] not in allowed}
    assert not above, f"{file.relative_to(ROOT)} imports {', '.join(sorted(above))}"


def test_the_check_of_imports_sees_them_wherever_they_stand(tmp_path: Path) -> None:
    file = tmp_path / "room.py"
    file.write_text(
        "from vitflow import cli\n\ndef f():\n    import vitflow.results.ledger\n    from vitflow.data import places\n"
    )
    assert imported(file) == {"cli", "results.ledger", "data.places"}


def test_only_the_doors_stand_at_the_root_of_the_package() -> None:
    assert {path.name for path in PACKAGE.iterdir() if path.is_file()} == set(DOORS)
    assert {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"} == set(ROOMS)


@pytest.mark.parametrize("document", ["README.md", "docs/architecture.md"])
def test_the_documents_draw_all_rooms_in_the_order_of_imports(document: str) -> None:
    assert rooms_of((ROOT / document).read_text(encoding="utf-8")) == list(ROOMS)


def test_the_page_names_only_files_that_exist() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    paths = set(re.findall(r"`((?:vitflow|workflow|tests|profiles|docs)/[\w./+-]+)`", page))
    assert len(paths) > 30
    assert not [path for path in paths if not (ROOT / path).exists()]


def test_every_module_says_what_it_is_for() -> None:
    files = python_files()
    assert len(files) > 150
    silent = [file for file in files if not ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))]
    assert not named(silent)


def test_no_python_file_is_longer_than_a_sitting() -> None:
    long = {str(file.relative_to(ROOT)): len(file.read_text(encoding="utf-8").splitlines()) for file in python_files()}
    assert not {name: lines for name, lines in long.items() if lines > LINES}


def test_tests_mirror_the_rooms() -> None:
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == {*ROOMS, "workflow", "support", "golden"}
