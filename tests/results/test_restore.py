"""Getting files back from DVC: what is asked for, verified and told; DVC itself is in tests/workflow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.commands import keep
from support.results import BASELINE, FEATURES, IMAGES

from vitflow.machine.files import sha256
from vitflow.results import restore as room
from vitflow.results.audit import audit
from vitflow.results.dvc import RecordError
from vitflow.results.restore import restore
from vitflow.study.schema import Study

WEIGHTS, ARRAYS = BASELINE.checkpoint, FEATURES.with_suffix(".safetensors")


class Cache:
    """A DVC without a remote that has these bytes in its cache."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.bytes: dict[Path, bytes] = {}

    def __call__(self, *words: str | Path, check: bool = True) -> str:
        if words[0] == "checkout":
            targets = [Path(word).with_suffix("") for word in words if str(word).endswith(".dvc")]
            self.calls.append(tuple(map(str, targets)))
            for path in targets:
                if path.exists():
                    raise RecordError(f"dvc checkout failed: {path} has unsaved changes")
            for path in targets:
                if path in self.bytes:
                    path.write_bytes(self.bytes[path])
        return ""


@pytest.fixture
def cache(complete: Study, monkeypatch: pytest.MonkeyPatch) -> Cache:
    """What DVC keeps of the finished study: every file of it."""
    cache = Cache()
    for path, digest in audit(complete).verified.items():
        keep(path, digest)
        cache.bytes[path] = path.read_bytes()
    monkeypatch.setattr(room, "dvc", cache)
    monkeypatch.setattr(room, "needs_repository", lambda root: None)
    return cache


NO_REMOTE = "no DVC remote is set (`dvc remote add --default NAME URL`); taking what this machine's cache has"


def test_what_is_here_and_right_is_not_touched(complete: Study, cache: Cache) -> None:
    before, said = {path: path.stat().st_mtime_ns for path in cache.bytes}, list[str]()
    restore(complete, said.append)
    assert cache.calls == [] and said == ["0 files restored, 9 verified"]
    assert {path: path.stat().st_mtime_ns for path in cache.bytes} == before


def test_what_is_missing_comes_back_and_is_verified(complete: Study, cache: Cache) -> None:
    before = {path: sha256(path) for path in (IMAGES, WEIGHTS, ARRAYS)}
    for path in before:
        path.unlink()
    said: list[str] = []
    restore(complete, said.append)
    assert said == [NO_REMOTE, "3 files restored, 9 verified"]
    assert {path: sha256(path) for path in before} == before
    assert cache.calls == [tuple(map(str, before))], "the rest is left alone"


def test_what_the_cache_lacks_is_elsewhere(complete: Study, cache: Cache) -> None:
    WEIGHTS.unlink()
    del cache.bytes[WEIGHTS]
    said: list[str] = []
    restore(complete, said.append)
    elsewhere = f"1 elsewhere; figures and slides need none of them:\n  {WEIGHTS}"
    assert said == [NO_REMOTE, "0 files restored, 8 verified", elsewhere]


@pytest.fixture
def refused(complete: Study) -> Callable[[], str]:
    """The one problem that a restoring must name."""

    def refused() -> str:
        with pytest.raises(RecordError, match=r"^not everything is what the configuration says:\n") as error:
            restore(complete, lambda line: None)
        _, *problems = str(error.value).splitlines()
        assert len(problems) == 1
        return problems[0].strip()

    return refused


def test_what_came_damaged_is_taken_away_again(cache: Cache, refused: Callable[[], str]) -> None:
    WEIGHTS.unlink()
    cache.bytes[WEIGHTS] = b"damaged"
    told = refused()
    assert told.startswith(f"{WEIGHTS}: DVC's copy is damaged; delete files/md5/00/{'0' * 30} in .dvc/cache")
    assert not WEIGHTS.exists()


def test_bytes_that_dvc_keeps_nowhere_are_not_overwritten(cache: Cache, refused: Callable[[], str]) -> None:
    ARRAYS.unlink()  # this one comes back all the same
    WEIGHTS.write_bytes(b"trained by hand for a week")
    assert refused().startswith(f"{WEIGHTS}: other bytes than this result's, and DVC keeps them nowhere; move it away")
    assert WEIGHTS.read_bytes() == b"trained by hand for a week"
    assert ARRAYS.exists()


def test_what_dvc_keeps_of_another_result_is_not_asked_for(cache: Cache, refused: Callable[[], str]) -> None:
    WEIGHTS.unlink()
    keep(WEIGHTS, "of other weights")
    assert refused().startswith(f"{WEIGHTS}.dvc: keeps other bytes than this result; run `vitflow record`")
    assert cache.calls == []


def test_what_is_wrong_otherwise_is_named_too(cache: Cache, refused: Callable[[], str]) -> None:
    BASELINE.history.unlink()
    assert refused().startswith(f"{BASELINE.history}: missing; get it back")
