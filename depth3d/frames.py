"""Clips: what is known about one, and its frames. Times and rates are fractions, never floats."""

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
    """How the numbers of a clip's pixels are meant, as code points of ITU-T H.273.

    Parameters
    ----------
    primaries, transfer, matrix : int
        1 = BT.709; 9 = BT.2020 primaries or matrix; 16 = PQ, 18 = HLG.
    full_range : bool
        0..255 instead of 16..235.
    mastering : str | None
        Of an HDR10 clip, as x265 writes it: ``G(x,y)B(x,y)R(x,y)WP(x,y)L(max,min)``.
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
    """What a clip is, after rotation.

    Parameters
    ----------
    path : Path
        Where it lies.
    size : Size
        Of the upright picture in (possibly not square) pixels.
    rate : Fraction
        Average frames per second; exact (30000/1001, never 29.97).
    time_base : Fraction
        Seconds per tick of the clip's own clock; every frame's time is a multiple of it.
    start : Fraction
        Time of the first frame, seconds from the start of the file (sound may begin earlier).
    count : int | None
        Number of frames as far as the file says, or None.
    duration : Fraction | None
        Seconds, or None.
    rotation : int
        Degrees counter-clockwise by which the stored picture had to be turned: 0, 90, 180, 270.
    pixel_aspect : Fraction
        Width of a pixel over its height; 1 = square.
    bit_depth : int
        Of the stored samples: 8, 10, 12, 16.
    color : Color
        What the frames' pixels mean *after reading*: BT.709, or the clip's own tags when it is HDR.
    stored : Color
        How the file is tagged (guessed where it is not).
    codec : str
        Name of the decoder.
    track : int
        Index of the picture stream in the file.
    origin : Fraction
        Time of the container's clock, seconds, that counts as 0 here; other tracks are shifted by as much.
    mirrored : bool
        Whether the stored picture also had to be mirrored from left to right.
    interlaced : bool
        Whether the first frame is interlaced; interlaced frames are given as whole pictures.
    notes : tuple[str, ...]
        What a user wants told once ("2 picture streams; the first is used").
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
        """Number of frames, counted or estimated from the duration; None when nothing is known."""
        if self.count:
            return self.count
        return round(self.duration * self.rate) if self.duration else None


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a clip.

    Parameters
    ----------
    index : int
        0 for the first frame of the clip, however the reading began.
    time : Fraction
        Seconds from the start of the file; exact.
    image : Image
        Upright; coded as ``VideoInfo.color`` says: sRGB-like BT.709 (uint8, or uint16 for more than 8 bits), or PQ /
        HLG code values (uint16) of an HDR clip.
    seen : Image | None
        The same as an ordinary 8-bit picture (tone-mapped when the clip is HDR): what a depth network should look at.
        None when the reader was told not to make it.
    duration : Fraction | None
        Seconds that the file wants it to be shown, or None where it does not say; the next frame ends it earlier.
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
    """A clip being read: a context manager, read once from front to back, in bounded memory."""

    info: VideoInfo

    def __enter__(self) -> FrameStream: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def __iter__(self) -> Iterator[Frame]: ...
