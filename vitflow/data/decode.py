"""From a file's bytes to pixels as they are meant to be seen, or the reason why not.

Whatever a decoder would silently discard (further frames but a photograph's preview, transparency, half of 16 bits) or
overlook (a checksum, a damaged EXIF) is refused. Colour profiles are not applied. Shape letters: H height, W width,
C channels.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "WEBP")
STRIP = "`mogrify -strip FILE`"


class Unusable(ValueError):
    """What is wrong with an image, and what to do."""


@contextmanager
def _whole_images() -> Iterator[None]:
    """Pillow refuses images that end early, whatever others told it: WeasyPrint has it fill them with grey."""
    before, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
    try:
        with warnings.catch_warnings():
            # of sizes, which are refused anyway, and of what a JPEG says of itself, which is read again below
            warnings.simplefilter("ignore")
            yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


@_whole_images()
def decode(content: bytes, size: int, channels: int) -> np.ndarray:
    """Pixels, uint8 [H, W, C], turned upright where EXIF says so; nothing is resized or dropped. Raises Unusable."""
    try:
        image: Image.Image = Image.open(io.BytesIO(content), formats=FORMATS)
        if image.size != (size, size):  # not loaded: the pixels may be many
            raise Unusable(f"{image.width}x{image.height} pixels, expected {size}x{size}; resize it: {_resize(size)}")
        if further := _further(image):
            raise Unusable(f"{further}; keep one: `convert FILE[0] NEW.png`")
        if any("16" in str(tile[3]) for tile in getattr(image, "tile", [])):
            raise Unusable(f"16 bits a channel, expected 8; convert it: {_convert(channels)}")
        if image.format == "PNG":
            Image.open(io.BytesIO(content)).verify()  # the checksums, which reading pixels passes over
        image.load()
        image = _upright(image)
    except UnidentifiedImageError:
        raise Unusable("not the data of a PNG, JPEG or WebP image; copy it again") from None
    except Image.DecompressionBombError:  # Pillow opens none of so many pixels
        most = f"more than {2 * (Image.MAX_IMAGE_PIXELS or 0) // 10**6} million pixels"
        raise Unusable(f"{most}, expected {size}x{size}; resize it: {_resize(size)}") from None
    except Unusable:
        raise
    except Exception as error:  # decoders raise some ten kinds
        raise Unusable(f"unreadable image ({error}); copy it again") from None
    if image.has_transparency_data:
        raise Unusable(
            f"mode {image.mode} with transparency, expected {channels} channel(s) of 8 bits; "
            f"convert it: {_convert(channels)}"
        )
    if image.mode == "P":  # a palette, which encoders choose to save space
        image = image.convert("RGB")
    pixels = np.asarray(image)
    if channels == 1 and image.mode == "RGB" and (pixels == pixels[..., :1]).all():  # WebP knows no greyscale
        image, pixels = image.convert("L"), pixels[..., 0]
    if image.mode != {1: "L", 3: "RGB"}[channels]:
        raise Unusable(f"mode {image.mode}, expected {channels} channel(s) of 8 bits; convert it: {_convert(channels)}")
    return pixels.reshape(size, size, channels)  # [H, W] or [H, W, C] -> [H, W, C]


def _further(image: Image.Image) -> str:
    """What a file has beside its first picture that would be lost; '' for previews and gain maps of a photograph.

    Cameras and phones put such ones behind a JPEG, which is an MPO then, and viewers show the first picture alone.
    """
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format == "MPO":
        kinds = [entry["Attribute"]["MPType"] for entry in image.mpinfo[0xB002]]  # type: ignore[attr-defined]
        return f"{frames} views in one file" if any("Multi-Frame" in kind for kind in kinds) else ""
    return f"an animation of {frames} images" if frames > 1 else ""


def _upright(image: Image.Image) -> Image.Image:
    """Turned as EXIF says. Raises Unusable where that cannot be read: the image may lie on its side."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            Image.Exif().load(image.info.get("exif", b""))  # again: of a JPEG, opening it has passed over damage
            return ImageOps.exif_transpose(image)
        except Exception as error:  # Pillow warns of some damage, and raises some ten kinds for the rest
            raise Unusable(f"unreadable EXIF ({error}); turn it upright and take the EXIF away: {STRIP}") from None


def _convert(channels: int) -> str:
    """ImageMagick's command for any image, on a white ground; PNG's colour type is told, for it takes the smallest."""
    space, kind = {1: ("Gray", 0), 3: ("sRGB", 2)}[channels]
    depth = f"-depth 8 -define png:bit-depth=8 -define png:color-type={kind}"
    # a JPEG takes its number of channels from -type alone
    type_ = {1: "Grayscale", 3: "TrueColor"}[channels]
    return f"`mogrify -background white -alpha remove -alpha off -colorspace {space} -type {type_} {depth} FILE`"


def _resize(size: int) -> str:
    return f"`mogrify -resize {size}x{size}^ -gravity center -extent {size}x{size} FILE`"
