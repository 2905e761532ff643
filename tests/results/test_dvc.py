"""What is asked of DVC: its words where it fails, and the .dvc files that say which bytes it keeps."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import yaml

from vitflow.machine.files import write_text
from vitflow.results import dvc as room
from vitflow.results.dvc import RecordError, dvc, listed, note_digest, pointer_of, read_pointer, stated_digest

pytestmark = pytest.mark.usefixtures("in_an_empty_folder")
WEIGHTS = Path("checkpoints/seed0.safetensors")
#: as DVC writes it
KEPT = {"outs": [{"md5": "0" * 32, "size": 7, "hash": "md5", "path": "seed0.safetensors"}]}


def test_of_what_dvc_does_not_keep_no_digest_is_stated() -> None:
    assert pointer_of(WEIGHTS) == Path("checkpoints/seed0.safetensors.dvc")
    assert read_pointer(WEIGHTS) is None and stated_digest(WEIGHTS) is None
    write_text(pointer_of(WEIGHTS), yaml.safe_dump(KEPT))
    assert read_pointer(WEIGHTS) == KEPT
    assert stated_digest(WEIGHTS) is None, "DVC keeps something, and nobody said which result it is of"


def test_a_digest_is_noted_beside_what_dvc_wrote() -> None:
    write_text(pointer_of(WEIGHTS), yaml.safe_dump(KEPT))
    for digest in ("of these weights", "of others"):
        note_digest(WEIGHTS, digest)
        assert stated_digest(WEIGHTS) == digest
        assert read_pointer(WEIGHTS) == KEPT | {"meta": {"sha256": digest}}


@pytest.mark.parametrize("content", ["<<<<<<< HEAD\n", "outs: []", "outs: [{path: x}]", "[]", "", "{"])
def test_a_damaged_pointer_is_told_with_the_way_back(content: str) -> None:
    write_text(pointer_of(WEIGHTS), content)
    for ask in (read_pointer, stated_digest):
        with pytest.raises(RecordError, match=f"^{pointer_of(WEIGHTS)}: damaged; get it back with `git checkout"):
            ask(WEIGHTS)


def test_of_many_names_some_are_told_and_the_rest_counted() -> None:
    assert listed("found:", []) == "found:"
    assert listed("found:", range(8)).splitlines() == ["found:", *(f"  {number}" for number in range(8))]
    assert listed("found:", range(11)).splitlines() == [
        "found:",
        *(f"  {number}" for number in range(8)),
        "  and 3 more",
    ]
    assert listed("found:", {Path("a/b"): "digest"}).splitlines() == ["found:", "  a/b"], "of a mapping, its names"


def test_dvc_is_called_as_it_is_and_its_words_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    called = "import json, sys; print(json.dumps(sys.argv[1:]))"
    monkeypatch.setattr(room, "DVC", (sys.executable, "-c", called))
    assert json.loads(dvc("add", "--quiet", WEIGHTS)) == ["add", "--quiet", str(WEIGHTS)]
    refusing = (
        "import sys; print('half'); "
        "print('WARNING: hm\\nERROR: no space\\n\\n<https://dvc.org>\\nERROR: none at all\\n\\nHaving any troubles?', "
        "file=sys.stderr); sys.exit(7)"
    )
    monkeypatch.setattr(room, "DVC", (sys.executable, "-c", refusing))
    with pytest.raises(RecordError) as error:
        dvc("add", WEIGHTS)
    assert str(error.value) == "dvc add failed: no space\n  none at all"
    assert dvc("config", "core.remote", check=False) == "half"
    monkeypatch.setattr(room, "DVC", (sys.executable, "-c", "raise SystemExit('killed\\nHaving any troubles?')"))
    with pytest.raises(RecordError, match=r"^dvc add failed: killed$"):
        dvc("add", WEIGHTS)
