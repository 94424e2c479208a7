"""Color tags of decoded frames and their conversion to RGB.

SDR frames become BT.709 code values. HDR frames keep their PQ or HLG code values in 16 bits, without loss; a
tone-mapped 8-bit picture is available for depth networks and previews (``io.video.tonemap``). Code points are those
of ITU-T H.273.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from av.sidedata.sidedata import Type
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from depth3d.frames import BT709, Color
from depth3d.io.video.planes import from_planes, has_planes
from depth3d.io.video.tonemap import PRIMARIES, GamutMapper, ToneMapper

__all__ = ["Converter", "all_side_data", "bit_depth", "side_data", "stored_color"]

UNKNOWN, RGB, BT2020_CONSTANT = 2, 0, 10
_MATRICES = (1, 4, 5, 6, 7, 9)  # supported by libswscale
# libswscale's flags full_chroma_int and accurate_rnd, with bilinear or (its bilinear way to 16 bits gives wrong hues)
# bicubic: 20 ms for 1920x1080 in 8 bits. Its fast path, 2 ms, repeats chroma samples instead of interpolating them, and
# reads past their end for odd widths in more than 8 bits.
_ACCURATE = {"rgb24": 0x2 | 0x2000 | 0x40000, "rgb48le": 0x4 | 0x2000 | 0x40000}
_FULL, _LIMITED = 2, 1  # FFmpeg's names for the ranges: JPEG and MPEG


def bit_depth(frame: Any) -> int:
    """Return the bits per sample of a decoded frame; 8 for palettes and other unusual formats."""
    components = frame.format.components
    return max(8, *(int(part.bits) for part in components)) if components else 8


def stored_color(frame: Any) -> Color:
    """Return the color tags of a decoded frame; missing ones get the usual defaults.

    Untagged pictures of standard definition (up to 1279 x 576) are BT.601, larger ones BT.709, as in mpv and
    television sets. Untagged primaries are BT.709.
    """
    matrix = int(frame.colorspace)
    if matrix == BT2020_CONSTANT:
        matrix = 9
    rgb = frame.format.is_rgb or frame.format.has_palette
    if rgb or matrix == RGB:
        matrix = RGB
    elif matrix not in _MATRICES:
        matrix = 5 if frame.width < 1280 and frame.height <= 576 else 1
    primaries, transfer = int(frame.color_primaries), int(frame.color_trc)
    if transfer in (16, 18) and primaries in (0, UNKNOWN):
        primaries = 9  # PQ and HLG without primaries: BT.2020 in every known case
    full = rgb or int(frame.color_range) == _FULL or frame.format.name.startswith("yuvj")
    return Color(
        primaries=1 if primaries in (0, UNKNOWN) else primaries,
        transfer=1 if transfer in (0, UNKNOWN) else transfer,
        matrix=matrix,
        full_range=full,
        mastering=_mastering(frame),
        light_level=_light_level(frame),
    )


class Converter:
    """Convert decoded frames of one clip to RGB arrays.

    Parameters
    ----------
    stored : Color
        Color tags of the clip.
    bits : int
        Bits per stored sample; more than 8 gives uint16.
    tone_map : bool
        Convert an HDR clip to BT.709 in 8 bits.
    """

    def __init__(self, stored: Color, bits: int, *, tone_map: bool) -> None:
        self.stored = stored
        self.keeps_hdr = stored.hdr and not tone_map
        self.deep = bits > 8 and not (stored.hdr and tone_map)
        # Reused: creating one per frame would rebuild its tables.
        self._reformatter = VideoReformatter()
        self._mapper = ToneMapper(stored.transfer) if stored.hdr else None
        # The primaries of both BT.601 systems differ from BT.709 too; they are converted only if the clip is tagged so.
        known = stored.primaries in PRIMARIES and stored.primaries != 1 and not stored.hdr
        self._gamut = GamutMapper(stored.primaries, deep=self.deep) if known else None

    @property
    def color(self) -> Color:
        """Color tags of the arrays that ``image`` returns."""
        return self.stored if self.keeps_hdr else BT709

    def image(self, frame: Any) -> NDArray[Any]:
        """Convert a frame to (H, W, 3) uint8 or uint16, in stored orientation."""
        if self.stored.hdr:
            deep = self._rgb(frame, "rgb48le")
            return deep if self.keeps_hdr else self.seen(deep)
        pixels = self._rgb(frame, "rgb48le" if self.deep else "rgb24")
        return pixels if self._gamut is None else self._gamut(pixels)

    def seen(self, deep: NDArray[np.uint16]) -> NDArray[np.uint8]:
        """Tone-map (H, W, 3) uint16 PQ or HLG code values of this clip to uint8 BT.709."""
        if self._mapper is None:
            raise ValueError("this clip is not HDR")
        return self._mapper(deep)

    def _rgb(self, frame: Any, layout: str) -> NDArray[Any]:
        if layout == "rgb24" and has_planes(frame.format.name, frame.width, frame.height, self.stored):
            return from_planes(frame, self.stored)
        if frame.format.name == layout:
            return np.ascontiguousarray(frame.to_ndarray())
        options = {} if self.stored.matrix == RGB else {"src_colorspace": self.stored.matrix}
        picture = self._reformatter.reformat(
            frame,
            format=layout,
            src_color_range=_FULL if self.stored.full_range else _LIMITED,
            dst_color_range=_FULL,
            interpolation=_ACCURATE[layout],
            **options,
        )
        return np.ascontiguousarray(picture.to_ndarray())


def _unknown_type(cls: Any, value: int) -> Any:
    member = object.__new__(cls)
    member._name_, member._value_ = f"UNKNOWN_{value}", value
    return member


# PyAV lists fewer kinds of side data than FFmpeg. Without this, side data of a newer kind (EXIF, spatial video of
# phones) makes reading any side data of the frame fail.
setattr(Type, "_missing_", classmethod(_unknown_type))  # noqa: B010


def side_data(frame: Any, kind: str) -> bytes | None:
    """Return the bytes of a frame's side data of one kind ("DISPLAYMATRIX"), or None."""
    return next(all_side_data(frame, kind), None)


def all_side_data(frame: Any, kind: str) -> Iterator[bytes]:
    """Yield the bytes of all side data of one kind: the container and the stream may both give some."""
    return (bytes(item) for item in frame.side_data if item.type == Type[kind])


def _light_level(frame: Any) -> tuple[int, int] | None:
    data = side_data(frame, "CONTENT_LIGHT_LEVEL")
    if data is None or len(data) < 8:
        return None
    most, average = struct.unpack_from("=II", data)
    return int(most), int(average)


def _mastering(frame: Any) -> str | None:
    """Convert AVMasteringDisplayMetadata (ten fractions and two flags) to x265's syntax and units."""
    data = side_data(frame, "MASTERING_DISPLAY_METADATA")
    if data is None or len(data) < 88:
        return None
    numbers = struct.unpack_from("=22i", data)
    if not (numbers[20] and numbers[21]):
        return None
    values = [numbers[i] / (numbers[i + 1] or 1) for i in range(0, 20, 2)]
    red, green, blue, white = (tuple(round(v * 50000) for v in values[i : i + 2]) for i in range(0, 8, 2))
    low, high = (round(v * 10000) for v in values[8:10])
    points = "".join(f"{n}({p[0]},{p[1]})" for n, p in (("G", green), ("B", blue), ("R", red), ("WP", white)))
    return f"{points}L({high},{low})"
