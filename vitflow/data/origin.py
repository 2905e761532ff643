"""Where prepared images came from, so that those of another folder, or of an earlier state, are never taken for them.

``data/<key>.origin.json`` is true of one machine, and not in git: the place, and its files' names, sizes and times. It
is compared wherever the place can be reached; elsewhere (a clone, a node without it) the manifest's digests have to do.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from vitflow.data import places
from vitflow.data.raw import SPLITS, DataError, OutOfReach, Refusals, entries, reach, spell_name
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
        write_json(note, {"place": str(place), "files": _listing(dataset, place, Refusals())})
    except FileProblem as problem:
        raise DataError(str(problem)) from None


def is_known(dataset: Dataset, path: str | None) -> bool:
    """Whether the prepared images of ``dataset`` were read from ``path`` on this machine."""
    recorded = _recorded(dataset)
    return bool(recorded and path and recorded["place"] == str(_place(path)))


def check(dataset: Dataset) -> None:
    """Raise DataError where the source can be reached and is not what the images were prepared from.

    A place that cannot be read, or that is an empty folder, as an unmounted disk leaves it, is out of reach. Another
    place than was read has other times; where it is of another kind (archives for a tree), nothing is known of it.
    """
    recorded = _recorded(dataset)
    if recorded is None:
        return
    refusals = Refusals()
    try:
        place = _place(str(reach(dataset.path or recorded["place"])))
        if place.is_dir() and not entries(place):
            return
        before, now = recorded["files"], _listing(dataset, place, refusals)
    except (OutOfReach, OSError):
        return
    if str(place) != recorded["place"]:
        if _kind(before) != _kind(now):
            return
        before, now = ({name: found[:1] for name, found in files.items()} for files in (before, now))
    gone = refusals.without(str(place / name) for name in before.keys() - now.keys())
    told = [
        f"{len(names)} {what} ({spell_name(names[0] if names[0] != '.' else place.name)}{', ...' * (len(names) > 1)})"
        for what, names in (
            ("new", sorted(now.keys() - before.keys())),
            ("gone", sorted(os.path.relpath(path, place) for path in gone)),
            ("changed", sorted(name for name in now.keys() & before.keys() if now[name] != before[name])),
        )
        if names
    ]
    if len(refusals):
        told.append(f"{len(refusals)} that cannot be used ({refusals.told()})")
    if told:
        raise DataError(
            f"{spell_name(str(place))}: not what {places.prepared(dataset.key)} was made from: "
            f"files {', '.join(told)}; `vitflow prepare` reads it anew, and with "
            "--replace also where results are of the earlier images"
        )


def _place(path: str) -> Path:
    return Path(os.path.realpath(os.path.expanduser(path)))


def _recorded(dataset: Dataset) -> dict[str, Any] | None:
    """The note; None if there is none. Raises DataError where it is damaged."""
    note = places.origin(dataset.key)
    try:
        recorded = dict(read_json(note, "place", "files")) if note.exists() else None
    except FileProblem as problem:
        raise DataError(str(problem)) from None
    if recorded and not (isinstance(recorded["place"], str) and _is_listing(recorded["files"])):
        raise DataError(f"{note}: damaged (no place, or no list of files); delete it to have it made again")
    return recorded


def _is_listing(files: Any) -> bool:
    return isinstance(files, dict) and all(
        isinstance(found, list) and list(map(type, found)) == [int, int] for found in files.values()
    )


def _listing(dataset: Dataset, place: Path, refusals: Refusals) -> Listing:
    """The files that the images are read from, without reading them; what is seen to be unusable is noted.

    Raises OSError where something cannot be listed.
    """
    found = {}
    for file in files(dataset.model_copy(update={"path": str(place)}), refusals):
        stated = file.stat()
        found[os.path.relpath(file, place)] = [stated.st_size, stated.st_mtime_ns]
    return found


def _kind(files: Listing) -> set[str]:
    """What a listing is of: a tree, several archives, or a single one."""
    return {name if name == "." else "tree" if name.split("/")[0] in SPLITS else "archives" for name in files}
