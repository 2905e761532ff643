"""Publishing files: whole or not at all, and problems told in one line."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from vitflow.machine.files import (
    FileProblem,
    publishing,
    read_json,
    sha256,
    sha256_text,
    write_csv,
    write_json,
    write_text,
)


@pytest.fixture(autouse=True)
def nothing_is_left_behind(tmp_path: Path) -> object:
    yield
    assert not list(tmp_path.rglob("*.tmp"))


def test_what_is_written_is_there(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file.txt"
    write_text(path, "Größe\n")
    assert path.read_bytes() == "Größe\n".encode()
    assert path.stat().st_mode & 0o777 == 0o644


def test_an_error_in_the_middle_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_text(path, "old")
    with pytest.raises(KeyError), publishing(path) as temporary:
        temporary.write_text("half of the n")
        raise KeyError("stopped")
    assert path.read_text() == "old"


def test_an_error_in_the_middle_leaves_no_file_where_there_was_none(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), publishing(tmp_path / "file") as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_process_killed_in_the_middle_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_text(path, "old")
    code = (
        "import os, sys; from pathlib import Path; from vitflow.machine.files import publishing\n"
        "with publishing(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_text('half'); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)])
    assert done.returncode == -9
    assert path.read_text() == "old"
    (orphan,) = tmp_path.glob("*.tmp")
    orphan.unlink()  # hidden, beside the file, and in nobody's way
    assert orphan.name.startswith(".file.")


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_text(path, "old")
    with publishing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
        assert temporary.parent == path.parent  # a rename within one file system
    assert path.read_text() == "new"


def test_bytes_reach_the_disk_before_the_name_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (order.append("fsync"), fsync(handle))[1])
    monkeypatch.setattr(Path, "replace", lambda self, to: (order.append("replace"), replace(self, to))[1])
    write_text(tmp_path / "file", "x")
    assert order == ["fsync", "replace"]


def test_an_unwritable_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileProblem, match=r"file/below: cannot be written \(.*\); check the folder's permissions"):
        write_text(tmp_path / "file" / "below", "x")


def test_a_full_disk_is_named_and_the_old_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_text(path, "old")
    with pytest.raises(FileProblem, match=r"file: cannot be written \(No space left on device\)"), publishing(path):
        raise OSError(28, os.strerror(28))
    assert path.read_text() == "old"


def test_equal_values_are_equal_bytes(tmp_path: Path) -> None:
    write_json(tmp_path / "a", {"x": 1, "y": [0.1]})
    write_json(tmp_path / "b", {"y": [0.1], "x": 1})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert read_json(tmp_path / "a") == {"x": 1, "y": [0.1]}


def test_nan_is_not_json(tmp_path: Path) -> None:
    write_json(tmp_path / "a", 1)
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a", {"loss": float("nan")})
    assert read_json(tmp_path / "a") == 1


@pytest.mark.parametrize("content", [b"", b'{"x": 1', b"\xff", b"<<<<<<< HEAD\n"])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(FileProblem, match=r"a\.json: damaged .*delete it") as caught:
        read_json(tmp_path / "a.json")
    assert len(str(caught.value).splitlines()) == 1


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for read in (read_json, sha256):
        with pytest.raises(FileProblem, match=r"a\.json: .*[Nn]o such file"):
            read(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("content", "missing"),
    [
        ('{"one": 1, "two": null}', "three"),
        ("{}", "two"),
        ("[]", "two"),
        ('"two"', "two"),
        ("null", "two"),
        ("2", "two"),
    ],
)
def test_a_missing_key_is_named_with_its_file(tmp_path: Path, content: str, missing: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(FileProblem, match=rf"a\.json: damaged \(no '{missing}'\); delete it") as caught:
        read_json(tmp_path / "a.json", "two", "three")
    assert len(str(caught.value).splitlines()) == 1


def test_a_key_that_is_there_may_hold_anything(tmp_path: Path) -> None:
    for value in ({"one": None, "two": 0}, {"one": [], "two": "", "three": {}}):
        write_json(tmp_path / "a.json", value)
        assert read_json(tmp_path / "a.json", "one", "two") == value
    write_json(tmp_path / "a.json", [1])
    assert read_json(tmp_path / "a.json") == [1], "nothing is asked for"


def test_floats_in_csv_are_exact(tmp_path: Path) -> None:
    numbers = [0.1 + 0.2, 1 / 3, 1e-300, -0.0, 5e-324]
    write_csv(tmp_path / "a.csv", ("n", "text"), [{"n": n, "text": "a,b"} for n in numbers])
    assert b"\r" not in (tmp_path / "a.csv").read_bytes()
    with (tmp_path / "a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["n"]) for row in rows] == numbers
    assert {row["text"] for row in rows} == {"a,b"}


def test_a_column_nobody_asked_for_is_an_error_and_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="b"):
        write_csv(tmp_path / "a.csv", ("a",), [{"a": 1, "b": 2}])
    assert not (tmp_path / "a.csv").exists()


def test_digests_are_those_of_the_standard(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256(tmp_path / "a") == sha256_text("abc") == known
    (tmp_path / "large").write_bytes(b"x" * 1_000_001)
    assert sha256(tmp_path / "large") == hashlib.sha256(b"x" * 1_000_001).hexdigest()


def test_json_is_plain_to_read(tmp_path: Path) -> None:
    write_json(tmp_path / "a", {"b": 1, "a": 2})
    text = (tmp_path / "a").read_text()
    assert text.endswith("}\n") and list(json.loads(text)) == ["a", "b"]
