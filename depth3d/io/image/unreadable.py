"""Files that are pictures of a kind that cannot be opened here: each gets a line that says what to do."""

from __future__ import annotations

import importlib.util

from depth3d.errors import ReadError
from depth3d.io.image.photofile import PhotoFile
from depth3d.io.image.tiff import TiffKind

__all__ = ["refuse_unreadable"]

# Undeveloped pictures of cameras: by suffix where they are TIFF inside, and by their first bytes.
_RAW_SUFFIXES = frozenset(
    f".{name}"
    for name in (
        *("dng", "nef", "nrw", "cr2", "cr3", "crw", "arw", "srf", "sr2", "raf", "orf", "rw2", "pef", "srw", "x3f"),
        *("3fr", "iiq", "erf", "kdc", "dcr", "mrw", "mef", "mos", "rwl"),
    )
)
_RAW_STARTS = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FOVb", b"\0MRM")
_JXL_STARTS = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")
_OTHERS = {
    b"%PDF": "is a PDF; export the page as a picture",
    b"%!PS": "unsupported or corrupt image file: PostScript; export it as PNG",
    b"<svg": "is an SVG drawing; export it as PNG",
    b"\x93NUMPY": "holds numbers, not a picture; give it as the `depth` of a photo",
    b"v/1\x01": "is an OpenEXR file; give it as the `depth` of a photo, or export it as PNG",
    b"\x1a\x45\xdf\xa3": "is a video; use it as a clip, or save one frame as a picture",
}


def refuse_unreadable(photo: PhotoFile, kind: TiffKind | None) -> None:
    """Raise ``ReadError`` with advice for raw camera files, JPEG XL without its plug-in, videos, PDF and SVG.

    Parameters
    ----------
    photo : PhotoFile
        The file.
    kind : TiffKind | None
        Its TIFF header, if it is one.
    """
    data = photo.data
    raw = kind is not None and kind.raw
    raw = raw or data.startswith(_RAW_STARTS) or data[8:10] == b"CR" or data[4:12] == b"ftypcrx "
    if raw or (photo.suffix in _RAW_SUFFIXES and not photo.is_jpeg):
        raise ReadError(photo.name, "is a raw camera file; develop it first (save it as JPEG, PNG or TIFF)")
    if data.startswith(_JXL_STARTS):
        if importlib.util.find_spec("pillow_jxl") is None:
            raise ReadError(photo.name, 'is a JPEG XL picture; install its plug-in: pip install "depth3d[jxl]"')
        importlib.import_module("pillow_jxl")
    if photo.suffix == ".npz" and data.startswith(b"PK"):
        raise ReadError(photo.name, _OTHERS[b"\x93NUMPY"])
    for start, advice in _OTHERS.items():
        if data.startswith(start):
            raise ReadError(photo.name, advice)
    if data[4:8] == b"ftyp" and data[8:12] in (b"isom", b"iso2", b"mp41", b"mp42", b"qt  ", b"avc1", b"M4V "):
        raise ReadError(photo.name, "is a video; use it as a clip, or save one frame as a picture")
