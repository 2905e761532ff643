"""Pixels as they are meant to be seen: what a decoder would silently discard is refused, with a command that helps."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageFile, ImageOps
from support.images import SIZE

from vitflow.data.decode import Unusable, decode

PIXELS = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
PICTURE = Image.fromarray(PIXELS)


def saved(picture: Image.Image, form: str = "PNG", **options: object) -> bytes:
    content = io.BytesIO()
    picture.save(content, form, **options)
    return content.getvalue()


def of_16_bits(colours: int) -> bytes:
    """A PNG with 16 bits a channel, which Pillow cannot write: 1 channel or 3."""
    rows = b"".join(b"\0" + (np.full(SIZE * colours, 40_000, ">u2")).tobytes() for _ in range(SIZE))
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", SIZE, SIZE, 16, {1: 0, 3: 2}[colours], 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    chunks = b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts)
    return b"\x89PNG\r\n\x1a\n" + chunks


def turned(orientation: int, form: str) -> bytes:
    """PICTURE as a camera stores it that was held in that way: lying, with a note how to turn it."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    # the transformation that undoes each one
    inverse = {6: 8, 8: 6}.get(orientation, orientation)
    undo = Image.Exif()
    undo[ExifTags.Base.Orientation] = inverse
    lying = PICTURE.copy()
    lying.getexif()[ExifTags.Base.Orientation] = inverse
    lying = ImageOps.exif_transpose(lying)
    return saved(Image.fromarray(np.asarray(lying)), form, exif=exif, lossless=True)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_an_image_that_lies_is_turned_as_its_exif_says(orientation: int, form: str) -> None:
    content = turned(orientation, form)
    stored = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    assert np.array_equal(stored, PIXELS) == (orientation == 1), "it lies in the file"
    assert np.array_equal(decode(content, SIZE, 3), PIXELS)


def test_a_photograph_that_lies_is_turned() -> None:
    upright = Image.fromarray(np.tile(np.array([[0, 255]], np.uint8).repeat(16, 1)[..., None], (32, 1, 3)))  # 32x32
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # to be turned by 90° clockwise
    content = saved(upright.rotate(90), "JPEG", exif=exif, quality=100)
    found = decode(content, 32, 3).astype(int)
    assert (abs(found - np.asarray(upright).astype(int)) < 20).all()


REFUSED: dict[str, tuple[bytes, int, str]] = {
    "animated WebP": (
        saved(PICTURE, "WEBP", save_all=True, append_images=[PICTURE.rotate(90)], lossless=True),
        3,
        "an animation of 2 images",
    ),
    "animated PNG": (
        saved(PICTURE, "PNG", save_all=True, append_images=[PICTURE.rotate(90)]),
        3,
        "an animation of 2 images",
    ),
    "16 bits, colour": (of_16_bits(3), 3, "16 bits a channel, expected 8"),
    "16 bits, grey": (of_16_bits(1), 1, "16 bits a channel, expected 8"),
    "alpha": (saved(PICTURE.convert("RGBA")), 3, "mode RGBA with transparency"),
    "grey and alpha": (saved(PICTURE.convert("LA")), 1, "mode LA with transparency"),
    "a transparent colour": (saved(PICTURE, transparency=(0, 0, 0)), 3, "mode RGB with transparency"),
    "a transparent grey": (saved(PICTURE.convert("L"), transparency=0), 1, "mode L with transparency"),
    "a transparent palette": (saved(PICTURE.quantize(16), transparency=0), 3, "mode P with transparency"),
    "four inks": (saved(PICTURE.convert("CMYK"), "JPEG"), 3, "mode CMYK, expected 3 channel(s) of 8 bits"),
    "black and white": (saved(PICTURE.convert("1")), 1, "mode 1, expected 1 channel(s) of 8 bits"),
    "grey for colour": (saved(PICTURE.convert("L")), 3, "mode L, expected 3 channel(s) of 8 bits"),
    "grey for colour, as JPEG": (saved(PICTURE.convert("L"), "JPEG"), 3, "mode L, expected 3 channel(s) of 8 bits"),
    "colour for grey, as JPEG": (saved(PICTURE, "JPEG"), 1, "mode RGB, expected 1 channel(s) of 8 bits"),
    "colour for grey": (saved(PICTURE), 1, "mode RGB, expected 1 channel(s) of 8 bits"),
    "another size": (saved(PICTURE.resize((SIZE + 1, SIZE))), 3, "7x6 pixels, expected 6x6"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_would_be_lost_is_refused(what: str) -> None:
    content, channels, fragment = REFUSED[what]
    with pytest.raises(Unusable) as caught:
        decode(content, SIZE, channels)
    assert str(caught.value).startswith(fragment)


@pytest.mark.skipif(not shutil.which("mogrify"), reason="needs ImageMagick")
@pytest.mark.parametrize("what", REFUSED)
def test_the_command_that_a_refusal_names_helps(what: str, tmp_path: Path) -> None:
    content, channels, _ = REFUSED[what]
    with pytest.raises(Unusable) as caught:
        decode(content, SIZE, channels)
    kinds = {b"\x89PNG": ".png", b"RIFF": ".webp"}
    file, new = tmp_path / f"x{kinds.get(content[:4], '.jpg')}", tmp_path / "new.png"
    file.write_bytes(content)
    command = str(caught.value).split("`")[1].replace("FILE", str(file)).replace("NEW.png", str(new))
    subprocess.run(command, shell=True, check=True, capture_output=True)
    assert decode((new if new.exists() else file).read_bytes(), SIZE, channels).shape == (SIZE, SIZE, channels)


def header(width: int, height: int) -> bytes:
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", b""), (b"IEND", b"")]
    chunks = b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts)
    return b"\x89PNG\r\n\x1a\n" + chunks


@pytest.mark.parametrize("side", [12_000, 60_000])
def test_an_image_that_would_fill_the_memory_is_not_unpacked(side: int, recwarn: pytest.WarningsRecorder) -> None:
    with pytest.raises(Unusable, match="pixels, expected 6x6; resize it: `mogrify -resize 6x6"):
        decode(header(side, side), SIZE, 3)


def photograph(kind: int) -> bytes:
    """A JPEG with a second picture behind it, and what that is by the MP format: 0 undefined, or 0x020002 a view."""
    content = saved(PICTURE, "MPO", save_all=True, append_images=[PICTURE.rotate(90)])
    place = content.index(b"\0\0\x03\0" + struct.pack("<L", content.index(b"\xff\xd8", 2)))  # of the first, its length
    place += 16  # that of the second
    assert content[place : place + 4] == bytes(4)
    return content[:place] + struct.pack("<L", kind) + content[place + 4 :]


@pytest.mark.parametrize("kind", [0, 0x010001, 0x010002])
def test_of_a_photograph_with_a_preview_or_a_gain_map_the_photograph_is_read(kind: int) -> None:
    assert Image.open(io.BytesIO(photograph(kind))).n_frames == 2
    assert np.array_equal(decode(photograph(kind), SIZE, 3), decode(saved(PICTURE, "JPEG"), SIZE, 3))


@pytest.mark.parametrize("kind", [0x020001, 0x020002, 0x020003])
def test_several_views_in_one_file_are_refused(kind: int) -> None:
    with pytest.raises(Unusable, match=r"2 views in one file; keep one: `convert FILE\[0\] NEW.png`"):
        decode(photograph(kind), SIZE, 3)


DAMAGE: list[Callable[[bytes], bytes]] = [
    lambda content: content[:-30],
    lambda content: b"<html>404</html>",
    lambda content: b"",
    lambda content: b"GIF89a" + content,
]


@pytest.mark.parametrize("number", range(len(DAMAGE)))
@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_damaged_images_are_refused(form: str, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)  # as WeasyPrint does when it is imported
    with pytest.raises(Unusable, match="copy it again"):
        decode(DAMAGE[number](saved(PICTURE, form)), SIZE, 3)


def test_a_damaged_checksum_is_refused() -> None:
    content = bytearray(saved(PICTURE))
    place = content.find(b"IDAT") - 4
    length = int.from_bytes(content[place : place + 4])
    content[place + 8 + length] ^= 1  # the checksum alone: the pixels are as they were
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(content))), PIXELS), "Pillow alone overlooks it"
    with pytest.raises(Unusable, match=r"unreadable image .*; copy it again"):
        decode(bytes(content), SIZE, 3)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_an_exif_that_cannot_be_read_is_told(form: str, recwarn: pytest.WarningsRecorder) -> None:
    content = turned(6, form)
    start = content.find(b"II*\0") if b"II*\0" in content else content.find(b"MM\0*")
    whole = content[start : start + 8]
    cut = bytearray(content)
    cut[start : start + 8] = whole[:4] + b"\xff\xff\xff\x7f"  # where its list would begin
    if form == "PNG":  # the checksum is right
        place = content.find(b"eXIf")
        length = int.from_bytes(content[place - 4 : place])
        cut[place + 4 + length : place + 8 + length] = zlib.crc32(bytes(cut[place : place + 4 + length])).to_bytes(4)
    with pytest.raises(Unusable, match=r"unreadable EXIF .*`mogrify -strip FILE`"):
        decode(bytes(cut), SIZE, 3)
    assert not list(recwarn)
