"""Zip archives: which there are, and their files, whichever system they were made on."""

from __future__ import annotations

import os
import re
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from vitflow.data.raw import EMPTY, LARGEST, NO_FILE, SPLITS, File, Refusals, denied, is_clutter, is_picture
from vitflow.data.tree import holds, listed

#: names of archives, parts of them and unfinished downloads
ARCHIVE = re.compile(
    r"\.(zipx?|z\d\d|tar|tgz|tbz2?|txz|7z|rar|part|partial|crdownload|download)"
    r"(\.(gz|bz2|xz|zst|\d+|part\w*|partial|crdownload|download))*$",
    re.IGNORECASE,
)
BESIDE = "beside zip archives, which alone are read there; put it into one (with train/<class>/), or elsewhere"
UNPACK = "which is not read; unpack it and name its folder"
SINGLE = "a single image; name the folder that has train/<class>/* and test/<class>/*"
#: what is no zip archive, by how it begins
KINDS = {
    (b"Rar!",): f"a RAR archive, {UNPACK}",
    (b"7z\xbc\xaf",): f"a 7z archive, {UNPACK}",
    (b"\x89PNG", b"\xff\xd8\xff", b"RIFF"): SINGLE,
}
#: ways of packing that Python unpacks; Windows packs what is large with Deflate64
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
UTF8, ENCRYPTED = 0x800, 0x1  #: flags of a member
UNIX = 3  #: the system on which a member has a mode


def archives(path: Path, refusals: Refusals) -> list[Path]:
    """The zip archives at ``path``, itself or those in it; images and archives that lie beside these are refused."""
    if not path.is_dir():
        return [path]
    there = list(listed(path, os.path.realpath(path), refusals))
    found = [one for one in there if one.name.lower().endswith(".zip") and one.is_file()]
    for one in there if found else ():
        if one not in found and holds(one, lambda name: is_picture(name) or bool(ARCHIVE.search(name))):
            refusals.add(one.path, BESIDE)
    return [Path(one.path) for one in found]


def files(path: Path, kept_open: ExitStack, refusals: Refusals) -> Iterator[File]:
    """The files of all archives at ``path``, to be read while ``kept_open`` is; refused is what is none, or damaged."""
    for one in archives(path, refusals):
        try:
            handle = kept_open.enter_context(zipfile.ZipFile(one))
        except PermissionError as error:
            refusals.add(str(one), denied(error))
        except Exception as error:  # of damage, Python raises some kinds
            refusals.add(str(one), _kind(one) or f"damaged or incomplete zip archive ({error}); copy it again")
        else:
            yield from members(handle, str(one), refusals)


def _kind(file: Path) -> str:
    """What is to be said of a file that is something else than a zip archive; '' if it may be one."""
    if not file.is_file():
        return NO_FILE
    if tarfile.is_tarfile(file):
        return f"a tar archive, {UNPACK}"
    with file.open("rb") as opened:
        start = opened.read(4)
    return next((told for begins, told in KINDS.items() if start.startswith(begins)), "")


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
        elif member.compress_type not in PACKED:
            way = {9: "Deflate64"}.get(member.compress_type, f"method {member.compress_type}")
            refusals.add(where, f"packed by {way}, which is not read; unpack the archive and name its folder")
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
