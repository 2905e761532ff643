"""The files of a zip archive, whichever system it was made on."""

from __future__ import annotations

import re
import stat
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from vitflow.data.raw import LARGEST, File, Refusals

UTF8, ENCRYPTED = 0x800, 0x1  #: flags of a member
UNIX = 3  #: the system on which a member has a mode


def members(archive: zipfile.ZipFile, name: str, refusals: Refusals) -> Iterator[File]:
    """All files of an archive called ``name``; refused are those that are no plain files or lie outside of it."""
    for member in archive.infolist():
        if member.is_dir() or member.filename.endswith("\\"):
            continue
        path = _path(member)
        where = f"{name}/{path}"
        if path.startswith("/") or ".." in path.split("/") or re.match("[A-Za-z]:", path):
            refusals.add(where, "a name that leads out of the archive; make the archive again")
        elif member.create_system == UNIX and stat.S_ISLNK(member.external_attr >> 16):
            refusals.add(where, "a link; put the file itself into the archive")
        elif member.flag_bits & ENCRYPTED:
            refusals.add(where, "encrypted; make the archive again without a password")
        elif member.file_size > LARGEST:
            refusals.add(where, f"larger than {LARGEST >> 20} MiB once unpacked; is it an image?")
        else:
            yield File(tuple(path.split("/")), where, partial(archive.read, member))


def _path(member: zipfile.ZipInfo) -> str:
    """The name of a member with ``/`` between folders.

    Windows wrote backslashes. And where a member does not say that its name is UTF-8, Python reads it in the alphabet
    of DOS; macOS does not say so and writes UTF-8.
    """
    path = member.filename.replace("\\", "/")
    if not member.flag_bits & UTF8:
        with suppress(UnicodeError):
            path = path.encode("cp437").decode("utf-8")
    return path
