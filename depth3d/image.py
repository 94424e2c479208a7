"""Picture sizes, and pictures as arrays of sRGB pixels with row 0 at the top."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from depth3d.errors import InvalidInput

__all__ = [
    "LARGEST_ARRAY",
    "Image",
    "Size",
    "array_of",
    "data_address",
    "linear_to_srgb",
    "rounded",
    "srgb_to_linear",
]

_SHOWN = 800  # longer side of a picture in a notebook, pixels


class Size(NamedTuple):
    """Width and height in pixels, in this order. Public functions take this, never a bare tuple."""

    width: int
    height: int

    @property
    def aspect(self) -> float:
        """Width over height."""
        return self.width / self.height

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.width * self.height

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"

    def even(self) -> Size:
        """The nearest size with even sides, at least 2x2: what 4:2:0 video needs."""
        return Size(max(2, round(self.width / 2) * 2), max(2, round(self.height / 2) * 2))

    def fit(self, long_side: int) -> Size:
        """Return this shape with a bounded longer side; never enlarged, never below 1.

        Parameters
        ----------
        long_side : int
            Largest width or height, pixels.
        """
        scale = min(1.0, long_side / max(self))
        return Size(max(1, round(self.width * scale)), max(1, round(self.height * scale)))


def srgb_to_linear(coded: NDArray[np.float32]) -> NDArray[np.float32]:
    """Convert coded sRGB in [0, 1] to linear light in [0, 1], any shape (IEC 61966-2-1)."""
    low = coded / np.float32(12.92)
    high = ((np.maximum(coded, 0) + np.float32(0.055)) / np.float32(1.055)) ** np.float32(2.4)
    return np.where(coded <= 0.04045, low, high).astype(np.float32)


def linear_to_srgb(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Convert linear light in [0, 1] to coded sRGB in [0, 1], any shape (IEC 61966-2-1)."""
    low = light * np.float32(12.92)
    high = np.float32(1.055) * np.maximum(light, 0) ** np.float32(1 / 2.4) - np.float32(0.055)
    return np.where(light <= 0.0031308, low, high).astype(np.float32)


def rounded(levels: NDArray[np.float32], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Round color levels to ``dtype`` (uint8 or uint16) and clip them to its range.

    Parameters
    ----------
    levels : NDArray[np.float32]
        Of any shape, in levels of ``dtype``: 0 to 255 or 0 to 65535.
    dtype : np.dtype[Any]
        Of the result.
    """
    whole: NDArray[Any] = np.clip(levels + np.float32(0.5), 0, np.iinfo(dtype).max).astype(dtype)
    return whole


LARGEST_ARRAY = 1 << 30
"""Most numbers in an array; a view of one number may have any shape."""


def array_of(values: object, name: str) -> NDArray[Any]:
    """Return array-like values as an array.

    Raises ``InvalidInput`` if NumPy cannot convert them.

    Parameters
    ----------
    values : object
        Anything that ``numpy.asarray`` accepts.
    name : str
        Name of the values, for the error message.
    """
    try:
        array = np.asarray(values)
    except Exception as error:  # code of others: each raises its own kinds
        raise InvalidInput(f"{name}: {type(values).__name__} cannot be used as an array: {error}") from None
    if array.size > LARGEST_ARRAY:
        raise InvalidInput(f"{name}: an array of {array.shape}, expected at most {LARGEST_ARRAY:,} numbers")
    return array


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """One picture in sRGB: upright (EXIF applied), row 0 = top.

    Raises ``InvalidInput`` for another shape or dtype, or an empty picture.

    Parameters
    ----------
    pixels : NDArray[Any]
        (H, W, 3) uint8 or uint16, sRGB coded. Copied only if necessary; stored read-only.
    alpha : NDArray[Any] | None
        (H, W) of the same dtype, straight (not premultiplied), or None for opaque.
    focal_35mm : float | None
        Focal length as on 35 mm film (36 x 24 mm) in mm, from EXIF, or None.
    notes : tuple[str, ...]
        Remarks of the reader ("first of 3 frames"), printed once by the command line.
    """

    pixels: NDArray[Any]
    alpha: NDArray[Any] | None = None
    focal_35mm: float | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        pixels = array_of(self.pixels, "Image: pixels")
        if pixels.ndim != 3 or pixels.shape[2] != 3:
            raise InvalidInput(f"Image: pixels have shape {pixels.shape}, expected (H, W, 3)")
        if pixels.dtype not in (np.uint8, np.uint16):
            raise InvalidInput(f"Image: pixels are {pixels.dtype}, expected uint8 or uint16")
        if 0 in pixels.shape:
            raise InvalidInput(f"Image: the picture is empty, shape {pixels.shape}")
        object.__setattr__(self, "pixels", _read_only(pixels))
        if self.alpha is not None:
            alpha = array_of(self.alpha, "Image: alpha")
            if alpha.shape != pixels.shape[:2] or alpha.dtype != pixels.dtype:
                raise InvalidInput(
                    f"Image: alpha is {alpha.dtype} {alpha.shape}, expected {pixels.dtype} {pixels.shape[:2]}"
                )
            object.__setattr__(self, "alpha", _read_only(alpha))

    @property
    def size(self) -> Size:
        """Width and height in pixels."""
        return Size(int(self.pixels.shape[1]), int(self.pixels.shape[0]))

    def linear(self) -> NDArray[np.float32]:
        """(H, W, 3) float32 linear light in [0, 1]."""
        return srgb_to_linear(self.floats())

    def floats(self) -> NDArray[np.float32]:
        """(H, W, 3) float32 sRGB coded values in [0, 1]."""
        return self.pixels.astype(np.float32) / np.float32(np.iinfo(self.pixels.dtype).max)

    def eight_bit(self) -> Image:
        """The same picture with uint8 pixels (rounded)."""
        if self.pixels.dtype == np.uint8:
            return self
        alpha = None if self.alpha is None else _to_uint8(self.alpha)
        return replace(self, pixels=_to_uint8(self.pixels), alpha=alpha)

    def resized(self, size: Size) -> Image:
        """Return the picture at another size: area-averaged when shrinking, bicubic when enlarging.

        Parameters
        ----------
        size : Size
            Width and height of the result.
        """
        if size == self.size:
            return self
        if min(size) < 1:
            raise InvalidInput(f"Image.resized: size is {size}, expected at least 1x1")
        import cv2  # here, so that `import depth3d.image` stays light

        shrinking = size.width < self.size.width or size.height < self.size.height
        how = cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC
        pixels = cv2.resize(self.pixels, tuple(size), interpolation=how)
        alpha = None if self.alpha is None else cv2.resize(self.alpha, tuple(size), interpolation=how)
        return replace(self, pixels=pixels, alpha=alpha)

    def cropped(self, rows: slice, columns: slice = slice(None)) -> Image:
        """Return a part of the picture.

        Parameters
        ----------
        rows, columns : slice
            The part, px; at least one pixel.
        """
        alpha = None if self.alpha is None else self.alpha[rows, columns]
        return replace(self, pixels=self.pixels[rows, columns], alpha=alpha)

    def _repr_html_(self) -> str:
        """HTML for Jupyter: the picture, longer side at most 800 pixels."""
        import cv2  # here, so that `import depth3d.image` stays light

        small = self.eight_bit().resized(self.size.fit(_SHOWN))
        channels = [small.pixels[..., ::-1]] if small.alpha is None else [small.pixels[..., ::-1], small.alpha]
        _, data = cv2.imencode(".png", np.dstack(channels))
        source = data_address("image/png", bytes(data))
        return f'<img alt="picture, {self.size}" title="{self.size}" style="max-width:100%" src="{source}">'


def data_address(kind: str, data: bytes) -> str:
    """Return data of a media type ("image/png") as an address that a page can show without a file."""
    import base64

    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _to_uint8(values: NDArray[Any]) -> NDArray[np.uint8]:
    return ((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)


def _read_only(values: NDArray[Any]) -> NDArray[Any]:
    view = values.view()
    view.flags.writeable = False
    return view
