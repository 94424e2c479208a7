"""Read and write pictures: upright, sRGB, with alpha, 8 or 16 bits."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from depth3d.errors import InvalidInput, ReadError, WriteError
from depth3d.image import Image, Size
from depth3d.io.atomic import atomic_path
from depth3d.io.image.color import Pixels, deep_gray, to_srgb
from depth3d.io.image.exif import read_exif, upright
from depth3d.io.image.jpeg import is_overlong
from depth3d.io.image.photofile import LARGEST, PhotoFile, Source, open_photo
from depth3d.io.image.tiff import TiffKind, read_tiff, tiff_kind
from depth3d.io.image.unreadable import refuse_unreadable

__all__ = ["encode_image", "flatten", "open_image", "picture_size", "reading", "save_image"]

# Named, as Pillow would also run Ghostscript on PostScript.
_FORMATS = (
    "JPEG",
    "MPO",
    "PNG",
    "WEBP",
    "TIFF",
    "HEIF",
    "AVIF",
    "GIF",
    "BMP",
    "DIB",
    "PPM",
    "JPEG2000",
    "TGA",
    "ICO",
    "PSD",
    "QOI",
    "JXL",
)
_OPTIMIZED = 64_000_000  # pixels of the largest JPEG whose Huffman tables are optimized


def open_image(
    source: Source | Pillow.Image | NDArray[Any],
    *,
    at_most: int | None = None,
    color_managed: bool = True,
) -> Image:
    """Open any picture as sRGB, upright, with its alpha.

    Returns the first picture of a file with several; ``notes`` says so. EXIF orientation and ICC profile
    are applied; 16 bits stay 16 bits; ``alpha`` is None where everything is opaque.

    Raises ``ReadError`` if the file is missing, damaged, no picture, or larger than 128 megapixels;
    ``InvalidInput`` for an array of another form.

    Parameters
    ----------
    source : str | Path | bytes | Pillow.Image | NDArray[Any]
        A path, the bytes of a file, a Pillow picture, or an array (H, W, 3), (H, W, 4) or (H, W), uint8 or uint16,
        taken as sRGB.
    at_most : int | None
        Longest side wanted in pixels; larger pictures are shrunk (JPEG while decoding, which saves memory). None
        keeps every pixel.
    color_managed : bool
        False leaves the values as they stand in the file (depth maps), whatever its profile says.
    """
    if isinstance(source, np.ndarray):
        image = _from_array(source)
    elif isinstance(source, Pillow.Image):
        with reading("the picture"):
            image = _decode(source.copy(), None, at_most, color_managed)
    else:
        photo = open_photo(source)
        key = (at_most, color_managed)
        if key not in photo.decoded:
            photo.decoded[key] = _from_file(photo, at_most or photo.enough, color_managed)
        image = photo.decoded[key]
    return image if at_most is None else image.resized(image.size.fit(at_most))


def picture_size(photo: PhotoFile) -> Size | None:
    """Return the size that a file says its picture has, not turned upright; None for damaged files and HEIC.

    Parameters
    ----------
    photo : PhotoFile
        The file; nothing of it is decoded.
    """
    if photo.is_heif or (photo.is_jpeg and is_overlong(photo.data)):
        return None
    try:
        with reading(photo.name), Pillow.open(io.BytesIO(photo.data), formats=_formats(photo)) as picture:
            return Size(*picture.size) if min(picture.size) else None
    except ReadError:  # whoever opens the picture says why
        return None


def flatten(image: Image) -> Image:
    """Return the picture on white, without alpha, for formats that have none."""
    if image.alpha is None:
        return image
    top = int(np.iinfo(image.pixels.dtype).max)
    alpha = image.alpha[..., None].astype(np.uint32)
    over = (image.pixels.astype(np.uint32) * alpha + top * (top - alpha) + top // 2) // top
    return replace(image, pixels=over.astype(image.pixels.dtype), alpha=None)


def save_image(
    image: Image, path: str | Path, *, force: bool = False, quality: int = 95, dpi: float | None = None
) -> Path:
    """Write a picture in the format of the suffix; return the path.

    PNG and TIFF keep 16 bits and alpha, WebP and AVIF keep alpha; JPEG, BMP and the rest are flattened on
    white.

    Raises ``ExistsError`` or ``WriteError``.

    Parameters
    ----------
    image : Image
        The picture.
    path : str | Path
        The file; its suffix is the format.
    force : bool
        Replace an existing file.
    quality : int
        1 to 100, for JPEG, WebP and AVIF.
    dpi : float | None
        Dots per inch of its print, stored in PNG, JPEG and TIFF; 16-bit pictures become 8-bit ones then.
    """
    path = Path(path)
    with atomic_path(path, force=force) as temporary:
        temporary.write_bytes(encode_image(image, path.suffix, quality=quality, name=path, dpi=dpi))
    return path


def encode_image(
    image: Image, suffix: str, *, quality: int = 95, name: str | Path = "picture", dpi: float | None = None
) -> bytes:
    """Encode a picture in the format of ``suffix`` (".png"); see ``save_image``."""
    suffix = suffix.lower()
    if suffix in (".png", ".tif", ".tiff") and image.pixels.dtype == np.uint16 and dpi is None:
        return _encode_deep(image, suffix)
    image = image.eight_bit()
    if suffix not in (".png", ".webp", ".avif", ".tif", ".tiff"):
        image = flatten(image)
    pixels = image.pixels if image.alpha is None else np.dstack([image.pixels, image.alpha])
    kind = Pillow.registered_extensions().get(suffix)
    settings: dict[str, Any] = {} if dpi is None else {"dpi": (dpi, dpi)}
    if kind in ("JPEG", "WEBP", "AVIF"):
        settings["quality"] = quality
    if kind == "JPEG":
        # Optimizing keeps all coefficients, 6 bytes a pixel: larger files get by without, for the same picture.
        settings |= {"subsampling": 0 if quality >= 90 else 2, "optimize": image.size.pixels <= _OPTIMIZED}
    if kind in ("TIFF",):
        settings["compression"] = "tiff_adobe_deflate"
    if kind is None or kind not in Pillow.SAVE:
        raise WriteError(
            name, f"no picture format is called {suffix or '(no suffix)'!r}; use .png, .jpg, .webp or .tif"
        )
    buffer = io.BytesIO()
    picture = Pillow.fromarray(np.ascontiguousarray(pixels))
    try:
        try:
            picture.save(buffer, kind, **settings)
        except OSError:  # noise: an optimized JPEG must fit Pillow's buffer, a plain one is written in parts
            if not settings.pop("optimize", False):
                raise
            buffer = io.BytesIO()
            picture.save(buffer, kind, **settings)
    except (ValueError, SystemError) as error:
        raise WriteError(name, f"cannot be written as {kind}: {error}") from error
    return buffer.getvalue()


def _encode_deep(image: Image, suffix: str) -> bytes:
    import cv2  # Pillow writes no 16-bit color

    channels = [image.pixels[..., index] for index in (2, 1, 0)]
    if image.alpha is not None:
        channels.append(image.alpha)
    done, data = cv2.imencode(suffix, np.dstack(channels))
    if not done:
        raise InvalidInput(f"a 16-bit picture of {image.size} cannot be encoded as {suffix}")
    return bytes(data)


def _from_file(photo: PhotoFile, at_most: int | None, color_managed: bool) -> Image:
    if photo.is_jpeg and is_overlong(photo.data):
        raise ReadError(photo.name, "unsupported or corrupt image file: too many segments before the picture")
    if photo.is_heif:
        import pillow_heif

        pillow_heif.register_heif_opener()
    kind = tiff_kind(photo)
    refuse_unreadable(photo, kind)
    if kind is not None and kind.unusual:
        with reading(photo.name):
            return _from_tiff(photo, kind)
    with reading(photo.name), Pillow.open(io.BytesIO(photo.data), formats=_formats(photo)) as picture:
        return _decode(picture, photo.data, at_most, color_managed)


def _formats(photo: PhotoFile) -> list[str]:
    """Load Pillow's readers, all of them only for files that the common ones cannot read; return their names."""
    if photo.is_jpeg or photo.is_png:
        Pillow.preinit()
    else:
        Pillow.init()
    return [name for name in _FORMATS if name in Pillow.OPEN]


def _from_tiff(photo: PhotoFile, kind: TiffKind) -> Image:
    """Return floats and 32-bit integers as 16-bit gray (scaled), separate 16-bit color planes as they are."""
    values = read_tiff(photo, kind)
    if values.ndim == 3 and values.dtype.kind == "u" and values.dtype.itemsize <= 2 and values.shape[2] in (3, 4):
        alpha = values[..., 3] if values.shape[2] == 4 else None
        turn = photo.orientation
        color = upright(np.ascontiguousarray(values[..., :3]), turn)
        return Image(color, None if alpha is None else upright(alpha, turn))
    pixels = deep_gray(values if values.ndim == 2 else values[..., 0])
    return Image(upright(pixels.color, photo.orientation), notes=(f"{kind.words}, scaled to 16 bits",))


@contextmanager
def reading(name: str | Path, what: str = "picture") -> Iterator[None]:
    """Turn whatever a decoder raises on a damaged file into one ``ReadError`` that names the file and the reason.

    Parameters
    ----------
    name : str | Path
        The file.
    what : str
        What is being read: "picture", "depth".
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # our own limit replaces Pillow's bomb warning
            yield
    except (ReadError, InvalidInput) as error:
        raise ReadError(name, error.reason if isinstance(error, ReadError) else str(error)) from None
    except UnidentifiedImageError:
        raise ReadError(name, "unsupported or corrupt image file") from None
    except Pillow.DecompressionBombError:
        raise ReadError(name, f"claims more than {LARGEST / 2**20:.0f} megapixels; make it smaller first") from None
    except MemoryError:
        raise ReadError(name, "does not fit into memory; make it smaller first") from None
    except Exception as error:  # damaged files make decoders raise nearly anything
        raise ReadError(name, f"the {what} is damaged or incomplete ({_brief(error)})") from error


def _brief(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text[:120] if text else type(error).__name__


def _decode(picture: Pillow.Image, data: bytes | None, at_most: int | None, color_managed: bool) -> Image:
    """Check the size before any pixel is decoded, then decode, turn upright and convert."""
    notes: tuple[str, ...] = ()
    frames = int(getattr(picture, "n_frames", 1))
    if frames > 1:
        notes += (f"the first of {frames} pictures in the file is used",)
    full = picture.size
    if min(full) < 1:
        raise ReadError("", f"the picture is empty ({full[0]}x{full[1]} pixels)")
    # Of the whole picture, also where less is decoded: a progressive JPEG is held whole in any case.
    if full[0] * full[1] > LARGEST:
        raise ReadError(
            "", f"has {full[0]}x{full[1]} pixels, more than {LARGEST / 2**20:.0f} megapixels; make it smaller first"
        )
    if at_most is not None and picture.format in ("JPEG", "MPO") and max(full) > at_most:
        picture.draft(None, Size(*full).fit(at_most))
    profile = (picture.info.get("icc_profile") or None) if color_managed else None
    pixels = _decode_deep(picture, data) if profile is None else None
    if pixels is None:
        picture.load()
        pixels = to_srgb(picture, profile)
    # After the pixels: PNG's EXIF reader decodes them too, and would swallow the error of a damaged file.
    focal, orientation = read_exif(picture, max(full))
    color, alpha = upright(pixels.color, orientation), None
    if pixels.alpha is not None:
        alpha = upright(pixels.alpha, orientation)
    return Image(color, alpha, focal, notes + pixels.notes)


def _decode_deep(picture: Pillow.Image, data: bytes | None) -> Pixels | None:
    """Decode 16-bit color, which Pillow would reduce to 8 bits; return None where the file has no such pixels."""
    if data is None or not _is_deep_color(picture, data):
        return None
    import cv2

    raw = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if raw is None or raw.dtype != np.uint16 or raw.ndim != 3 or raw.shape[2] not in (3, 4):
        return None  # Pillow reads it, or says what is wrong
    alpha = raw[..., 3] if raw.shape[2] == 4 and raw[..., 3].min() < 65535 else None
    return Pixels(np.ascontiguousarray(raw[..., 2::-1]), alpha)


def _is_deep_color(picture: Pillow.Image, data: bytes) -> bool:
    if picture.format == "PNG":
        return data[24] == 16 and data[25] in (2, 6)
    if picture.format == "TIFF":
        samples = getattr(picture, "tag_v2", {}).get(258, ())
        return len(samples) >= 3 and set(samples) == {16} and picture.mode in ("RGB", "RGBA")
    return False


def _from_array(values: NDArray[Any]) -> Image:
    if values.ndim == 2 and values.dtype in (np.uint8, np.uint16):
        return Image(np.repeat(values[..., None], 3, axis=2))
    if values.ndim == 3 and values.shape[2] == 4:
        return Image(values[..., :3], values[..., 3])
    return Image(values)
