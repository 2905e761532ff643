"""Where prepared images came from, so that those of another folder, or of an earlier state, are never taken for them.

``data/<key>.origin.json`` is true of one machine, and not in git: the place, and its files' names, sizes and times. It
is compared wherever the place can be reached; elsewhere (a clone, a node without it) the manifest's digests have to do.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from vitflow.data import places
from vitflow.data.raw import DataError, spell_name
from vitflow.data.sources import files
from vitflow.machine.files import FileProblem, read_json, write_json
from vitflow.study.dataset import Dataset

#: by name below the place, or '.' for the place itself: size in bytes, time of the last change in nanoseconds
Listing = dict[str, list[int]]


def record(dataset: Dataset, path: str | None) -> None:
    """Note that the images of ``dataset`` were just read from ``path``; None is no place of the user's."""
    note = places.origin(dataset.key)
    if path is None:
        note.unlink(missing_ok=True)
        return
    place = _place(path)
    try:
        write_json(note, {"place": str(place), "files": listing(dataset.model_copy(update={"path": str(place)}))})
    except FileProblem as problem:
        raise DataError(str(problem)) from None


def is_known(dataset: Dataset, path: str | None) -> bool:
    """Whether the prepared images of ``dataset`` were read from ``path`` on this machine."""
    recorded = _recorded(dataset)
    return bool(recorded and path and recorded["place"] == str(_place(path)))


def check(dataset: Dataset) -> None:
    """Raise DataError where the source can be reached and is not what the images were prepared from."""
    recorded = _recorded(dataset)
    if recorded is None:
        return
    place = _place(dataset.path or recorded["place"])
    if not place.exists():
        return
    before, now = recorded["files"], listing(dataset.model_copy(update={"path": str(place)}))
    if str(place) != recorded["place"]:  # a copy has other times
        before, now = ({name: found[:1] for name, found in files.items()} for files in (before, now))
    told = [
        f"{len(names)} {what} ({spell_name(names[0] if names[0] != '.' else place.name)}{', ...' * (len(names) > 1)})"
        for what, names in (
            ("new", sorted(now.keys() - before.keys())),
            ("gone", sorted(before.keys() - now.keys())),
            ("changed", sorted(name for name in now.keys() & before.keys() if now[name] != before[name])),
        )
        if names
    ]
    if told:
        raise DataError(
            f"{place}: not what {places.prepared(dataset.key)} was made from: files {', '.join(told)}; "
            "`vitflow prepare`, with the --config of the study, reads it anew"
        )


def _place(path: str) -> Path:
    return Path(path).expanduser().resolve()


def _recorded(dataset: Dataset) -> dict[str, Any] | None:
    """The note; None if there is none. Raises DataError where it is damaged."""
    note = places.origin(dataset.key)
    try:
        return dict(read_json(note, "place", "files")) if note.exists() else None
    except FileProblem as problem:
        raise DataError(str(problem)) from None


def listing(dataset: Dataset) -> Listing:
    """The files that the images are read from, without reading them."""
    root, found = Path(str(dataset.path)), {}
    for file in files(dataset):
        stated = file.stat()
        found[os.path.relpath(file, root)] = [stated.st_size, stated.st_mtime_ns]
    return found
