"""Metadata of clips, and their frames. Times and rates are fractions, never floats."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Protocol

from depth3d.errors import InvalidInput
from depth3d.image import Image, Size

__all__ = ["BT709", "Color", "Frame", "FrameStream", "VideoInfo"]

PQ, HLG = 16, 18  # transfer characteristics of H.273 that mean high dynamic range


@dataclass(frozen=True, slots=True)
class Color:
    """Color space of a clip's pixels, as code points of ITU-T H.273.

    Parameters
    ----------
    primaries, transfer, matrix : int
        1 = BT.709; 9 = BT.2020 primaries or matrix; 16 = PQ, 18 = HLG.
    full_range : bool
        True: 0..255; False: 16..235.
    mastering : str | None
        Mastering display metadata of an HDR10 clip in the notation of x265: ``G(x,y)B(x,y)R(x,y)WP(x,y)L(max,min)``.
    light_level : tuple[int, int] | None
        MaxCLL and MaxFALL in cd/m2, or None.
    """

    primaries: int = 1
    transfer: int = 1
    matrix: int = 1
    full_range: bool = False
    mastering: str | None = None
    light_level: tuple[int, int] | None = None

    @property
    def hdr(self) -> bool:
        """True for PQ (HDR10) and HLG."""
        return self.transfer in (PQ, HLG)


BT709 = Color()


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """Metadata of a clip, after rotation.

    Parameters
    ----------
    path : Path
        File of the clip.
    size : Size
        Size of the upright picture in (possibly not square) pixels.
    rate : Fraction
        Average frames per second; exact (30000/1001, never 29.97).
    time_base : Fraction
        Seconds per tick of the clip's own clock; every frame's time is a multiple of it.
    start : Fraction
        Time of the first frame, seconds from the start of the file (sound may begin earlier).
    count : int | None
        Number of frames according to the file, or None.
    duration : Fraction | None
        Seconds, or None.
    rotation : int
        Degrees counter-clockwise by which the stored picture had to be turned: 0, 90, 180, 270.
    pixel_aspect : Fraction
        Width of a pixel over its height; 1 = square.
    bit_depth : int
        Bits of the stored samples: 8, 10, 12, 16.
    color : Color
        Color space of the frames *after reading*: BT.709, or the clip's own tags when it is HDR.
    stored : Color
        Color tags of the file (guessed where they are missing).
    codec : str
        Name of the decoder.
    track : int
        Index of the picture stream in the file.
    origin : Fraction
        Container time in seconds that is defined as 0 here; other tracks are shifted by the same amount.
    mirrored : bool
        Whether the stored picture also had to be mirrored from left to right.
    interlaced : bool
        Whether the first frame is interlaced; interlaced frames are given as whole pictures.
    notes : tuple[str, ...]
        Remarks of the reader ("2 picture streams; the first is used"), printed once by the command line.
    """

    path: Path
    size: Size
    rate: Fraction
    time_base: Fraction
    start: Fraction = Fraction(0)
    count: int | None = None
    duration: Fraction | None = None
    rotation: int = 0
    pixel_aspect: Fraction = Fraction(1)
    bit_depth: int = 8
    color: Color = BT709
    stored: Color = BT709
    codec: str = ""
    track: int = 0
    origin: Fraction = Fraction(0)
    mirrored: bool = False
    interlaced: bool = False
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.rate <= 0 or self.time_base <= 0:
            raise InvalidInput(f"VideoInfo: rate {self.rate}, time base {self.time_base}; expected both > 0")

    @property
    def frames_about(self) -> int | None:
        """Number of frames, counted or estimated from the duration; None if neither is known."""
        if self.count:
            return self.count
        return round(self.duration * self.rate) if self.duration else None


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a clip.

    Parameters
    ----------
    index : int
        0 for the first frame of the clip, also if reading started later.
    time : Fraction
        Seconds from the start of the file; exact.
    image : Image
        Upright; encoded according to ``VideoInfo.color``: sRGB-like BT.709 (uint8, or uint16 for more than 8 bits), or
        PQ / HLG code values (uint16) of an HDR clip.
    seen : Image | None
        The frame as an 8-bit picture (tone-mapped when the clip is HDR), the input of depth networks. None if the
        reader was asked not to make it.
    duration : Fraction | None
        Display time in seconds according to the file, or None if not given; the next frame may end it earlier.
    """

    index: int
    time: Fraction
    image: Image
    seen: Image | None = None
    duration: Fraction | None = None

    @property
    def guide(self) -> Image:
        """``seen``, or the picture itself in 8 bits."""
        return self.seen if self.seen is not None else self.image.eight_bit()


class FrameStream(Protocol):
    """A clip that is read once from start to end in bounded memory; a context manager."""

    info: VideoInfo

    def __enter__(self) -> FrameStream: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def __iter__(self) -> Iterator[Frame]: ...
