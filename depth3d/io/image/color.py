"""Convert Pillow pictures of any mode to sRGB: profiles, CMYK, Lab, palettes, alpha, more than 8 bits."""

from __future__ import annotations

import io
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageCms

__all__ = ["Pixels", "deep_gray", "to_srgb"]

# Color space of an ICC profile -> Pillow modes that it can describe.
_PROFILE_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "LAB": "LAB"}
_BAND = 4_000_000  # pixels copied at once


class Pixels(NamedTuple):
    """Pixels (H, W, 3) uint8 or uint16 sRGB, alpha (H, W) of the same dtype or None, and notes for the user."""

    color: NDArray[Any]
    alpha: NDArray[Any] | None
    notes: tuple[str, ...] = ()


def to_srgb(picture: Pillow.Image, profile: bytes | None) -> Pixels:
    """Convert a loaded, upright picture of any Pillow mode.

    Parameters
    ----------
    picture : Pillow.Image
        Loaded pixels. Gray with more than 8 bits stays uint16; floats are scaled to uint16.
    profile : bytes | None
        The file's ICC profile, or None for sRGB.
    """
    if picture.mode[0] == "I" or picture.mode == "F":
        return deep_gray(np.asarray(picture))
    alpha = None
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        alpha = np.asarray(picture.getchannel("A"))
        picture = picture.convert("RGB")
    elif picture.mode in ("1", "P", "YCbCr", "HSV", "RGBX"):
        picture = picture.convert("L" if picture.mode == "1" else "RGB")
    elif picture.mode in ("LA", "La"):
        picture = picture.convert("LA").getchannel("L")
    color, note = _managed(picture, profile)
    if alpha is not None and alpha.min() == 255:
        alpha = None
    return Pixels(_array(color), alpha, note)


def _array(picture: Pillow.Image) -> NDArray[np.uint8]:
    """Return the pixels of a picture; in bands, as NumPy's own way holds them three times."""
    if picture.width * picture.height <= _BAND:
        return np.asarray(picture)
    pixels = np.empty((picture.height, picture.width, len(picture.getbands())), np.uint8)
    rows = max(1, _BAND // picture.width)
    for top in range(0, picture.height, rows):
        bottom = min(top + rows, picture.height)
        pixels[top:bottom] = np.asarray(picture.crop((0, top, picture.width, bottom)))
    return pixels


def _managed(picture: Pillow.Image, profile: bytes | None) -> tuple[Pillow.Image, tuple[str, ...]]:
    """Convert to sRGB by the profile, or by Pillow's formulas where there is none or it does not fit."""
    if picture.mode == "LAB" and profile is None:
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    if profile is None:
        return _plain(picture), ()
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = _PROFILE_MODES.get(source.profile.xcolor_space.strip().upper())
        if mode == "RGB" and picture.mode == "L":
            picture = picture.convert("RGB")
        if mode != picture.mode:
            note = f"its color profile ({source.profile.xcolor_space.strip()}) does not fit its pixels and was ignored"
            return _plain(picture), (note,)
        if "sRGB IEC61966" in (source.profile.profile_description or ""):
            return _plain(picture), ()
        converted = ImageCms.profileToProfile(
            picture,
            source,
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, AttributeError):
        if picture.mode == "LAB":
            raise
        return picture.convert("RGB"), ("its color profile is damaged and was ignored",)
    if converted is None:  # only with inPlace; for the type checker
        raise ValueError("no picture came out of the color conversion")
    return converted, ()


def _plain(picture: Pillow.Image) -> Pillow.Image:
    return picture if picture.mode == "RGB" else picture.convert("RGB")  # a large picture is not copied for nothing


def deep_gray(values: NDArray[Any]) -> Pixels:
    """Return integers and floats of more than 8 bits as uint16 gray in three channels.

    Parameters
    ----------
    values : NDArray[Any]
        (H, W). Floats in [0, 1] or [0, 255] keep their meaning; any other range is scaled from minimum to maximum.
    """
    if values.dtype.kind == "f" or int(values.max(initial=0)) > 65535 or int(values.min(initial=0)) < 0:
        gray = _scaled(values.astype(np.float64))
    else:
        gray = values.astype(np.uint16)
    return Pixels(np.repeat(gray[..., None], 3, axis=2), None)


def _scaled(values: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Scale floats to uint16: [0, 1] and [0, 255] by a constant, any other range from its minimum to its maximum."""
    values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if low >= 0 and high <= 255:
        low, high = 0.0, 1.0 if high <= 1 else 255.0
    return np.round(np.clip((values - low) / max(high - low, 1e-12), 0, 1) * 65535).astype(np.uint16)
