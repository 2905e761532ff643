"""The identity of prepared images, as results name it."""

from __future__ import annotations

import pytest

from vitflow.data import places
from vitflow.data.manifest import data_digest
from vitflow.machine.files import FileProblem, write_json


@pytest.mark.usefixtures("in_an_empty_folder")
def test_the_identity_of_data_is_that_of_both_splits() -> None:
    with pytest.raises(FileProblem, match=r"data/digits\.json: no such file; run `vitflow prepare` first"):
        data_digest("digits")
    seen = set()
    for train, test in [("a", "b"), ("c", "b"), ("a", "c"), ("b", "a")]:
        write_json(places.manifest("digits"), {"digests": {"train": train, "test": test}, "sha256": "any"})
        seen.add(data_digest("digits"))
    assert len(seen) == 4
