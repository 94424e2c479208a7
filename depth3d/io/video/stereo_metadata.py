"""Stereo metadata of video containers: written after encoding, read for stereo input and by ``check``.

MP4 and MOV get ``st3d``, ``sv3d`` and ``vexu`` boxes (``mp4_boxes``); Matroska gets StereoMode when it is muxed.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

from depth3d.io.video.matroska import equirectangular_bounds, video_settings
from depth3d.io.video.mp4_boxes import Layout, find_sample_box, find_track_uuid, insert_stereo_boxes
from depth3d.io.video.views import has_views
from depth3d.stereoformats import StereoFormat

__all__ = [
    "StereoMetadata",
    "has_hidden_eye",
    "is_tagged_anaglyph",
    "read_sphere_metadata",
    "read_stereo_metadata",
    "stereo_metadata_for",
    "write_stereo_metadata",
]

_MP4 = (".mp4", ".m4v", ".mov")
_MATROSKA = (".mkv", ".webm")
_MODES = {
    ("side", False): "left_right",
    ("side", True): "right_left",
    ("stack", False): "top_bottom",
    ("stack", True): "bottom_top",
    ("rows", False): "row_interleaved_lr",
    ("rows", True): "row_interleaved_rl",
    ("columns", False): "col_interleaved_lr",
    ("columns", True): "col_interleaved_rl",
    ("checker", False): "checkerboard_lr",
    ("checker", True): "checkerboard_rl",
}
_ANAGLYPHS = {"red-cyan": "anaglyph_cyan_red", "green-magenta": "anaglyph_green_magenta"}


# Spherical Video V1: XML in a box of this type (github.com/google/spatial-media).
_SPHERICAL_V1 = bytes.fromhex("ffcc8263f8554a938814587a02521fdd")

# Number in the file -> (packing, whether the right eye comes first).
_ST3D = {1: ("stack", False), 2: ("side", False), 4: ("side", True)}
_PACKINGS = {b"side": "side", b"over": "stack"}  # of the box pkin inside vexu (Apple's QuickTime format)
_STEREO_MODE = {1: ("side", False), 2: ("stack", True), 3: ("stack", False), 11: ("side", True)}


@dataclass(frozen=True, slots=True)
class StereoMetadata:
    """Stereo metadata of one output file.

    Parameters
    ----------
    pixel_aspect : Fraction
        Width over height of a stored pixel: 2 for half side-by-side, 1/2 for half top-bottom of square pixels.
    stereo_mode : str | None
        Matroska's StereoMode in FFmpeg's notation, or None.
    container_aspect : Fraction | None
        Factor on the display aspect ratio, for Matroska only: its players halve the width of column-interleaved and
        the height of row-interleaved pictures.
    box : Layout | None
        Layout for the MP4 boxes, or None.
    sphere : int
        Degrees that each eye covers as an equirectangular picture, 180 or 360; 0 = a flat picture.
    """

    pixel_aspect: Fraction
    stereo_mode: str | None = None
    container_aspect: Fraction | None = None
    box: Layout | None = None
    sphere: int = 0


def stereo_metadata_for(layout: StereoFormat, pixel_aspect: Fraction, target: Path) -> StereoMetadata:
    """Return the stereo metadata for a layout, the pixel aspect of the source and the suffix of the target."""
    suffix = target.suffix.lower()
    mode = _MODES.get((layout.packing, layout.right_first))
    if layout.packing == "anaglyph":
        mode = next((value for name, value in _ANAGLYPHS.items() if layout.name.startswith(name)), None)
    aspect, container = pixel_aspect, None
    if layout.half:
        aspect = pixel_aspect * (2 if layout.packing == "side" else Fraction(1, 2))
    if suffix in _MATROSKA and layout.packing in ("rows", "columns"):
        container = Fraction(1, 2) if layout.packing == "rows" else Fraction(2)
    box: Layout | None = None
    if layout.packing == "stack" and not layout.right_first:
        box = "stack"
    elif layout.packing in ("side", "sphere"):
        box = "side-right-first" if layout.right_first else "side"
    return StereoMetadata(
        aspect,
        mode if suffix in _MATROSKA else None,
        container,
        box if suffix in _MP4 else None,
        180 if layout.packing == "sphere" else 360 if layout.name == "vr360" else 0,
    )


def write_stereo_metadata(path: Path, metadata: StereoMetadata) -> None:
    """Insert the stereo boxes into a finished MP4, in place; for Matroska the muxer has set StereoMode."""
    if metadata.box is not None:
        insert_stereo_boxes(path, metadata.box, sphere=metadata.sphere)


def read_stereo_metadata(path: str | Path) -> tuple[str, bool] | None:
    """Return the packing ("side" or "stack") and whether the right eye comes first, or None without metadata.

    Reads MP4's ``st3d`` and ``vexu`` boxes, Matroska's StereoMode and the frame-packing message of H.264 and H.265.
    """
    box = find_sample_box(path, b"st3d")
    if box is not None and len(box) > 4:
        return _ST3D.get(box[4])
    box = find_sample_box(path, b"vexu")
    packing = _PACKINGS.get(_content(box, b"pkin")[:4]) if box is not None else None
    if box is not None and packing is not None:
        return packing, bool(_content(box, b"stri")[:1] and _content(box, b"stri")[0] & 8)
    mode = video_settings(path).get("StereoMode")
    return _STEREO_MODE.get(mode) if mode is not None else _frame_packing(path)


def is_tagged_anaglyph(path: str | Path) -> bool:
    """Return whether Matroska's StereoMode says that both eyes are mixed as an anaglyph."""
    return video_settings(path).get("StereoMode") in (10, 12)


def has_hidden_eye(path: str | Path) -> bool:
    """Return whether the first video track holds a second eye as MV-HEVC (layered H.265) that cannot be decoded."""
    return find_sample_box(path, b"lhvC") is not None and not has_views(path)


def _content(box: bytes, kind: bytes) -> bytes:
    """Return the content of a full box somewhere inside another one; empty if it is not there."""
    place = box.find(kind)
    return box[place + 8 :] if place >= 0 else b""


_FIRST_PACKETS = 64


def _frame_packing(path: str | Path) -> tuple[str, bool] | None:
    """Return what the first frame says about itself: the frame-packing message that cameras and encoders write."""
    import av
    from av.sidedata.sidedata import Type

    from depth3d.io.video.choice import LARGEST_FRAME
    from depth3d.io.video.files import open_container

    try:
        with open_container(path) as container:
            stream = container.streams.video[0]
            context = stream.codec_context
            if context.name not in ("h264", "hevc") or context.width * context.height > LARGEST_FRAME:
                return None
            context.thread_count, context.options = 1, {"max_pixels": str(LARGEST_FRAME)}
            packets = islice(container.demux(stream), _FIRST_PACKETS)
            side_data: Any = next(frame for packet in packets for frame in packet.decode()).side_data
            told = side_data.get(Type.STEREO3D)
    except (av.FFmpegError, IndexError, StopIteration, ValueError):  # other readers say what is wrong with the clip
        return None
    if told is None or len(bytes(told)) < 8:
        return None
    kind, flags = struct.unpack_from("=ii", bytes(told))
    packing = {1: "side", 2: "stack"}.get(kind)
    return None if packing is None else (packing, bool(flags & 1))


def read_sphere_metadata(path: str | Path) -> float | None:
    """Return how many degrees of longitude an equirectangular clip covers by its tags.

    0 for other projections (cube maps, meshes), None without tags. Reads MP4's ``sv3d`` box, the XML of Spherical Video
    V1, and Matroska's Projection.
    """
    box = find_sample_box(path, b"sv3d")
    if box is not None:
        return _degrees(box[place + 8 : place + 24]) if (place := box.find(b"equi")) >= 0 else 0.0
    xml = find_track_uuid(path, _SPHERICAL_V1)
    if xml is not None:
        return 360.0 if b">equirectangular<" in xml.replace(b" ", b"") and b"Cropped" not in xml else 0.0
    bounds = equirectangular_bounds(path)
    return None if bounds is None else _degrees(bounds[4:20])


def _degrees(bounds: bytes) -> float:
    if len(bounds) < 16:
        return 360.0
    missing = sum(struct.unpack(">2I", bounds[8:16]))  # left and right, 32-bit fractions of the sphere
    return float(max(0.0, 360 * (1 - missing / 2**32)))
