"""A photo file, read once: its bytes and everything that is parsed from them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from depth3d.errors import ReadError, in_words
from depth3d.io.image.jpeg import JpegSegment, is_jpeg, jpeg_pictures, jpeg_segments
from depth3d.io.image.xmp import Xmp, read_xmp

if TYPE_CHECKING:
    from depth3d.image import Image

__all__ = ["LARGEST", "PNG_SIGNATURE", "PhotoFile", "Source", "open_photo", "read_bytes"]

# Decoded pixels that a picture may have, checked before anything is decoded.
LARGEST = 128 * 1024 * 1024
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1", b"MiHE")


@dataclass(eq=False)
class PhotoFile:
    """The bytes of a photo file and what is parsed from them, each part once and on first use.

    Readers of pictures, embedded depth, stereo pairs, EXIF and XMP all take this value, so that a file is opened,
    parsed and decoded once however many of them look at it.

    Parameters
    ----------
    data : bytes
        The whole file.
    path : Path | None
        Where it came from; None for bytes in memory.
    decoded : dict[tuple[int | None, bool], Image]
        Pictures that ``open_image`` has decoded from it, by (longest side, color managed).
    memo : dict[str, Any]
        What other readers found in it, by their own key, so that asking twice costs nothing.
    long_side : int | None
        Longest side in pixels that its result has, if that is known: see ``enough``. None keeps every pixel.
    """

    data: bytes
    path: Path | None = None
    decoded: dict[tuple[int | None, bool], Image] = field(default_factory=dict, repr=False)
    memo: dict[str, Any] = field(default_factory=dict, repr=False)
    long_side: int | None = None

    @property
    def enough(self) -> int | None:
        """Longest side worth keeping, px, or None: twice that of the result, as a half of the picture may be an eye.

        A JPEG at least twice as large is decoded at a half, a quarter or an eighth.
        """
        return None if self.long_side is None else 2 * self.long_side

    @property
    def name(self) -> str | Path:
        """What errors call it."""
        return self.path if self.path is not None else "the picture"

    @property
    def title(self) -> str:
        """Its file name without folder, for lines to the user."""
        return "the picture" if self.path is None else self.path.name

    @property
    def suffix(self) -> str:
        """The suffix of its name in lower case, with the dot; "" for bytes."""
        return "" if self.path is None else self.path.suffix.lower()

    @property
    def is_jpeg(self) -> bool:
        """True if the file begins with a JPEG picture."""
        return is_jpeg(self.data)

    @property
    def is_png(self) -> bool:
        """True if the file begins as a PNG does."""
        return self.data.startswith(PNG_SIGNATURE)

    @property
    def is_heif(self) -> bool:
        """True for HEIC and HEIF (not for AVIF, which Pillow reads)."""
        return self.data[4:8] == b"ftyp" and self.data[8:12] in _HEIF_BRANDS

    @cached_property
    def segments(self) -> tuple[JpegSegment, ...]:
        """The marker segments of the first JPEG picture; empty for other files."""
        return tuple(jpeg_segments(self.data))

    @cached_property
    def pictures(self) -> list[tuple[int, int]]:
        """(start, end) of the JPEG pictures that follow each other in the file; empty for other files."""
        return jpeg_pictures(self.data)

    @cached_property
    def xmp(self) -> Xmp:
        """The XMP of the first JPEG picture; empty for other files."""
        return read_xmp(self.data)

    @cached_property
    def orientation(self) -> int:
        """EXIF orientation, 1 to 8; 1 where the file has none."""
        from depth3d.io.image.exif import orientation_of

        return orientation_of(self.data)

    @cached_property
    def heif(self) -> Any:
        """The opened HEIF file of pillow-heif, whose pictures are decoded on access. Raises ``ReadError``."""
        import io

        import pillow_heif

        try:
            opened = pillow_heif.open_heif(io.BytesIO(self.data), convert_hdr_to_8bit=False)
            _ = opened.info  # fails here if the file has no main picture
            return opened
        except Exception as error:  # libheif's errors have no common parent
            if isinstance(error, MemoryError):
                raise
            brief = " ".join(str(error).split())[:120]
            raise ReadError(self.name, f"unsupported or corrupt HEIC file ({brief})") from error

    def partner(self, source: Source) -> PhotoFile:
        """Open a picture that belongs to this one, to be decoded at the same scale.

        Raises ``ReadError`` as ``open_photo``.

        Parameters
        ----------
        source : Source
            The second eye, or the original, as file or bytes.
        """
        return replace(open_photo(source), long_side=self.long_side, decoded={}, memo={})

    def part(self, start: int, end: int) -> bytes:
        """Return the bytes from ``start`` to ``end``, cut to the file."""
        return self.data[max(0, start) : max(0, end)]


Source = str | Path | bytes | PhotoFile


def open_photo(source: Source) -> PhotoFile:
    """Read a photo file into memory; an opened one is returned as it is.

    Raises ``ReadError`` if it is missing, empty, a folder or cannot be read.

    Parameters
    ----------
    source : Source
        A path, the bytes of a file, or an opened file.
    """
    if isinstance(source, PhotoFile):
        return source
    if isinstance(source, bytes | bytearray | memoryview):
        photo = PhotoFile(bytes(source))
    else:
        photo = PhotoFile(read_bytes(Path(source)), Path(source))
    if not photo.data:
        raise ReadError(photo.name, "the file is empty")
    return photo


def read_bytes(path: Path) -> bytes:
    """Return all bytes of a file; raises ``ReadError`` with the reason if it cannot be read.

    Parameters
    ----------
    path : Path
        The file.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ReadError(path, "there is no such file") from None
    except IsADirectoryError:
        raise ReadError(path, "is a folder, expected a picture") from None
    except OSError as error:
        raise ReadError(path, f"cannot be read: {in_words(error)}") from error
