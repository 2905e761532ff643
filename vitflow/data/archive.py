"""The files of a zip archive, whichever system it was made on."""

from __future__ import annotations

import re
import stat
import zipfile
from collections.abc import Iterator
from functools import partial

from vitflow.data.raw import EMPTY, LARGEST, SPLITS, File, Refusals, is_clutter

UTF8, ENCRYPTED = 0x800, 0x1  #: flags of a member
UNIX = 3  #: the system on which a member has a mode


def members(archive: zipfile.ZipFile, name: str, refusals: Refusals) -> Iterator[File]:
    """All files of an archive called ``name``; refused are those that are no plain files or lie outside of it."""
    folders, filled = [], set()
    for member in archive.infolist():
        path = _path(member)
        parts = tuple(path.split("/"))
        if path.endswith("/"):
            folders.append(parts[:-1])
            continue
        filled |= {parts[:depth] for depth in range(1, len(parts))}
        where = f"{name}/{path}"
        if path.startswith("/") or ".." in parts or re.match("[A-Za-z]:", path):
            refusals.add(where, "a name that leads out of the archive; make the archive again")
        elif not (member.flag_bits & UTF8 or path.isascii() or _untold(member)):
            refusals.add(where, "a name in an alphabet that the archive does not tell; make it again with UTF-8 names")
        elif member.create_system == UNIX and stat.S_ISLNK(member.external_attr >> 16):
            refusals.add(where, "a link; put the file itself into the archive")
        elif member.flag_bits & ENCRYPTED:
            refusals.add(where, "encrypted; make the archive again without a password")
        elif member.file_size > LARGEST:
            refusals.add(where, f"larger than {LARGEST >> 20} MiB once unpacked; is it an image?")
        else:
            yield File(parts, where, partial(archive.read, member))
    for folder in folders:
        if folder not in filled and folder[-2:-1] and folder[-2] in SPLITS and not is_clutter(folder):
            refusals.add("/".join((name, *folder)), EMPTY)


def _path(member: zipfile.ZipInfo) -> str:
    """The name of a member with ``/`` between folders, also at the end of a folder's own.

    Windows wrote backslashes, some tools begin with ``./``. And where a member does not say that its name is UTF-8,
    Python reads it in the alphabet of DOS; macOS does not say so and writes UTF-8.
    """
    path = _untold(member) or member.filename
    return re.sub(r"(?<![^/])(\./)+", "", path.replace("\\", "/"))


def _untold(member: zipfile.ZipInfo) -> str | None:
    """The name of a member where it is UTF-8 and the member does not say so; else None."""
    try:
        return None if member.flag_bits & UTF8 else member.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return None
