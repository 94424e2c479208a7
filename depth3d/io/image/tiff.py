"""TIFF files beyond what Pillow reads rightly: floats of 16, 32 and 64 bits, 32-bit integers, separate color planes.

Read by tifffile; where its optional codecs are missing (LZW, say), by OpenCV or Pillow if these handle the kind.
Every result is compared with the header in shape and type, since decoders disagree silently on rare kinds.
"""

from __future__ import annotations

import io
import logging
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from depth3d.errors import ReadError
from depth3d.io.image.photofile import LARGEST, PhotoFile

__all__ = ["TiffKind", "is_tiff", "read_tiff", "tiff_kind"]

_MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_REDUCED = 1  # NewSubfileType: a smaller copy of another picture in the file
_SUB_IFDS, _DNG_VERSION, _COLOR_FILTER = 330, 50706, 32803


class TiffKind(NamedTuple):
    """What the header of a TIFF's first page states.

    Parameters
    ----------
    dtype : np.dtype[Any]
        Of the samples.
    shape : tuple[int, ...]
        (H, W), (H, W, N) or (N, H, W) as stored.
    planar : bool
        True if each color is stored as a plane of its own.
    compression : str
        "NONE", "LZW", "ADOBE_DEFLATE" ...
    raw : bool
        True for undeveloped pictures of cameras (DNG and its relatives).
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    planar: bool
    compression: str
    raw: bool

    @property
    def words(self) -> str:
        """For messages: "64-bit float TIFF"."""
        kinds = {"f": "float", "u": "unsigned integer", "i": "signed integer", "c": "complex"}
        return f"{self.dtype.itemsize * 8}-bit {kinds.get(self.dtype.kind, self.dtype.name)} TIFF"

    @property
    def unusual(self) -> bool:
        """True for kinds that Pillow does not read, or reads wrongly."""
        return self.dtype.kind in "fic" or self.dtype.itemsize > 2 or (self.planar and self.dtype.itemsize > 1)


def is_tiff(photo: PhotoFile) -> bool:
    """Return True if the file begins as a TIFF or BigTIFF does."""
    return photo.data.startswith(_MAGICS)


def tiff_kind(photo: PhotoFile) -> TiffKind | None:
    """Return what the header states, or None if the file is no TIFF that tifffile can parse.

    Parameters
    ----------
    photo : PhotoFile
        Any file.
    """
    if not is_tiff(photo):
        return None
    tifffile = _quiet_tifffile()
    try:
        with tifffile.TiffFile(io.BytesIO(photo.data)) as file:
            page: Any = file.pages[0]
            tags = page.tags
            raw = (
                _DNG_VERSION in tags
                or int(page.photometric) == _COLOR_FILTER
                or (bool(int(page.subfiletype) & _REDUCED) and _SUB_IFDS in tags)
            )
            compression = str(getattr(page.compression, "name", page.compression))
            dtype = page.dtype
            if dtype is None:
                return None
            return TiffKind(np.dtype(dtype), tuple(page.shape), int(page.planarconfig) == 2, compression, raw)
    except Exception as error:  # damaged headers make it raise nearly anything; Pillow says what is wrong
        if isinstance(error, MemoryError):
            raise
        return None


def read_tiff(photo: PhotoFile, kind: TiffKind) -> NDArray[Any]:
    """Return the samples as (H, W) or (H, W, N) in the type of the header.

    Raises ``ReadError`` if no decoder handles the kind, or the result does not match the header.

    Parameters
    ----------
    photo : PhotoFile
        The file.
    kind : TiffKind
        What ``tiff_kind`` returned for it.
    """
    if int(np.prod(kind.shape, dtype=object)) > 4 * LARGEST or len(kind.shape) not in (2, 3):
        raise ReadError(photo.name, f"has {'x'.join(map(str, kind.shape))} samples; make it smaller first")
    values = _by_tifffile(photo)
    if values is None and not kind.planar:
        values = _by_opencv(photo, kind)
    if values is None and not kind.planar:
        values = _by_pillow(photo, kind)
    if values is None or values.shape != kind.shape or values.dtype != kind.dtype:
        how = "" if kind.compression == "NONE" else f" with {kind.compression} compression"
        raise ReadError(photo.name, f"is a {kind.words}{how}, which cannot be read here; save it uncompressed")
    return np.moveaxis(values, 0, 2) if kind.planar and values.ndim == 3 else values


def _quiet_tifffile() -> Any:
    """Import tifffile; its log lines about odd tags, which raw files are full of, would come before our own line.

    Whoever sets a level for its logger still gets them.
    """
    import tifffile

    logger = logging.getLogger("tifffile")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.CRITICAL + 1)
    return tifffile


def _by_tifffile(photo: PhotoFile) -> NDArray[Any] | None:
    tifffile = _quiet_tifffile()
    try:
        with tifffile.TiffFile(io.BytesIO(photo.data)) as file:
            values = np.asarray(file.pages[0].asarray())
    except (ValueError, ImportError) as error:
        if "imagecodecs" in str(error):
            return None
        raise
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def _by_opencv(photo: PhotoFile, kind: TiffKind) -> NDArray[Any] | None:
    import cv2

    values = cv2.imdecode(np.frombuffer(photo.data, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype != kind.dtype or values.shape != kind.shape:
        return None
    return np.asarray(
        values if values.ndim == 2 else np.ascontiguousarray(values[..., [2, 1, 0, 3][: values.shape[2]]])
    )


def _by_pillow(photo: PhotoFile, kind: TiffKind) -> NDArray[Any] | None:
    from PIL import Image as Pillow

    with Pillow.open(io.BytesIO(photo.data), formats=("TIFF",)) as picture:
        values = np.asarray(picture)
    # Pillow has signed integers only: the bits are right, their meaning comes from the header.
    if values.dtype.itemsize == kind.dtype.itemsize and values.dtype.kind in "ui" and kind.dtype.kind in "ui":
        values = values.view(kind.dtype)
    return values
