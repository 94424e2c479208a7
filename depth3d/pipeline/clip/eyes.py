"""Stereo clips as input: detect the layout of the two eyes in a frame and separate them.

The layout comes from the container's stereo metadata, from the file name, or from the frames themselves. Names and
frames can mislead (``trip_LR.mp4``, a wall of windows): without metadata, the two halves must show the same scene.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from depth3d.errors import FlatError, ReadError
from depth3d.frames import Frame, VideoInfo
from depth3d.image import Image, Size
from depth3d.io.stereo.layouts import EyeLayout, likeness, named_layout, seen_layout
from depth3d.io.video.reader import VideoReader
from depth3d.io.video.stereo_metadata import is_tagged_anaglyph, read_stereo_metadata
from depth3d.io.video.views import has_views
from depth3d.options import DepthOptions
from depth3d.pipeline.eyes import NOTHING_TO_SWAP
from depth3d.stereoformats import find_format
from depth3d.stereopair import StereoPair

__all__ = [
    "JOINED_VIEWS",
    "choose_layout",
    "eye_info",
    "find_layout",
    "flat_clip",
    "given_layout",
    "left_eye",
    "plain_stem",
    "sample_frames",
    "stated_layout",
    "unpack_eyes",
]

JOINED_VIEWS = EyeLayout("side", half=False, right_first=False)
"""Layout of the frames of an MV-HEVC clip whose two views are read (``VideoReader(views=True)``)."""

_SAMPLES = 5  # frames that are examined
_NEEDED = 3  # frames that must show a layout if neither metadata nor the name states it
_FRAME_PACKED = ((1920, 2205), (1280, 1470))  # HDMI 1.4: two eyes of 1080 or 720 rows with 45 or 30 between them
_ANAGLYPH = re.compile(r"(?<![a-z])anaglyph(?![a-z])", re.IGNORECASE)
_TAGS = "lrf|rlf|tbf|lr|rl|tb|ou|h?sbs|fsbs|hou|htb|full|half|fulltb|3dhf?|3dvf?|cross|spatial"
_TAG = re.compile(rf"[ _.-]+({_TAGS})$", re.IGNORECASE)


def find_layout(path: Path, info: VideoInfo) -> tuple[EyeLayout, str] | None:
    """Detect the layout of a stereo clip; return it with a phrase that says how it was found, or None for a flat clip.

    Raises ``ReadError`` for an anaglyph: its eyes are mixed and cannot be separated.

    Parameters
    ----------
    path : Path
        The clip; image sequences are always flat.
    info : VideoInfo
        Properties of the clip with both eyes in a frame (of an MV-HEVC clip: with both views).
    """
    if not path.is_file():
        return None
    tagged = is_tagged_anaglyph(path)
    if tagged or _ANAGLYPH.search(path.stem):
        where = "container" if tagged else "name"
        raise ReadError(
            path, f"the {where} says anaglyph, whose eyes cannot be separated; use --no-own-eyes if it is a flat clip"
        )
    if has_views(path):
        return JOINED_VIEWS, "MV-HEVC, the other eye is its second layer"
    stated = stated_layout(path, info.size)
    if stated is not None and stated[0].gap:
        return stated[0], "its size is that of HDMI frame packing"
    if stated is not None and stated[1]:
        return stated[0], "its container says so"
    frames = sample_frames(path, info)
    if stated is not None:
        alike = [likeness(*_halves(frame, stated[0])).same_scene for frame in frames]
        return (stated[0], "its name says so") if any(alike) else None
    seen = Counter(layout for layout in map(seen_layout, frames) if layout is not None)
    if seen and seen.most_common(1)[0][1] >= min(_NEEDED, len(frames)):
        return seen.most_common(1)[0][0], "both halves show the same scene"
    return None


def stated_layout(path: Path, size: Size, image: Image | None = None) -> tuple[EyeLayout, bool] | None:
    """Return the layout that a clip's stereo metadata or name state, and whether it is the metadata; None without both.

    Metadata (MP4 st3d and vexu, Matroska StereoMode, the stream's frame packing) do not distinguish half from full, a
    name with the same packing may. Where neither does, two full eyes side by side are wider than 2.2 to 1. The two
    sizes of HDMI frame packing state their layout.

    Parameters
    ----------
    path : Path
        The clip.
    size : Size
        Of a frame with both eyes.
    image : Image | None
        Such a frame, for names that leave half or full open.
    """
    if tuple(size) in _FRAME_PACKED:
        return EyeLayout("stack", half=False, right_first=False, gap=True), True
    found, named = read_stereo_metadata(path), named_layout(path, size, image)
    if named is not None and (found is None or found[0] == named.packing):
        return named, found is not None
    if found is None:
        return None
    half = size.aspect < 2.2 if found[0] == "side" else size.aspect > 1.1
    return EyeLayout(found[0], half, found[1]), True


def choose_layout(
    source: Path, info: VideoInfo, depth: DepthOptions, own_eyes: bool
) -> tuple[EyeLayout | None, tuple[str, ...]]:
    """Return the layout of a clip's eyes by the options, None = a flat clip, and what the user is told about it.

    Raises ``FlatError`` if there are no two eyes that could be swapped.

    Parameters
    ----------
    source : Path
        The clip.
    info : VideoInfo
        Its properties, see ``find_layout``.
    depth : DepthOptions
        ``stereo``, ``layout`` and ``swap_eyes`` are used.
    own_eyes : bool
        Look for eyes where no layout is given.
    """
    if depth.layout is not None:
        found: tuple[EyeLayout, str] | None = (given_layout(depth.layout), "as asked")
    else:
        found = find_layout(source, info) if own_eyes else None
    if found is None:
        if depth.swap_eyes:
            raise FlatError(source, NOTHING_TO_SWAP)
        return None, ()
    eyes, how = found
    packing = "top-bottom" if eyes.packing == "stack" else "side by side"
    note = f"a stereo clip, {packing}, {'half' if eyes.half else 'full'} ({how})"
    if depth.layout is None:
        note += "; `stereo=False` treats it as a flat one"
    if not depth.swap_eyes:
        return eyes, (note,)
    return replace(eyes, right_first=not eyes.right_first), (note, "eyes swapped")


def given_layout(name: str) -> EyeLayout:
    """Return the layout with this name: sbs, sbs-half, cross, tb, tb-half."""
    found = find_format(name)
    return EyeLayout(found.packing, found.half, found.right_first)


def eye_info(info: VideoInfo, layout: EyeLayout) -> VideoInfo:
    """Return the properties of one eye's clip; half formats are restored to full size with square pixels."""
    side, (width, height) = layout.packing == "side", info.size
    height -= layout.gap_rows(height)
    full = Size(width // 2 * 2, height) if side else Size(width, height // 2 * 2)
    if not layout.half:
        return replace(info, size=Size(width // 2, height) if side else Size(width, height // 2))
    squeezed = Fraction(2) if side else Fraction(1, 2)
    aspect = info.pixel_aspect / squeezed if abs(float(info.pixel_aspect / squeezed) - 1) < 0.1 else info.pixel_aspect
    return replace(info, size=full, pixel_aspect=aspect)


def unpack_eyes(image: Image, layout: EyeLayout, size: Size | None = None) -> StereoPair:
    """Separate the two eyes of a frame; resize them to ``size`` if given."""
    pair = layout.unpack(image)
    return pair if size is None else StereoPair(pair.left.resized(size), pair.right.resized(size))


def left_eye(frame: Frame, layout: EyeLayout, size: Size | None = None) -> Frame:
    """Return the frame with the left eye only, resized to ``size`` if given."""
    seen = None if frame.seen is None else unpack_eyes(frame.seen, layout, size).left
    return replace(frame, image=unpack_eyes(frame.image, layout, size).left, seen=seen)


def flat_clip(path: Path) -> FlatError:
    """Return the error for a clip without a second eye where two are needed."""
    return FlatError(path, "no second eye found in this clip; set `layout` (sbs, sbs-half, tb ...)")


def plain_stem(stem: str) -> str:
    """Remove the tags of stereo layouts from a file name: "film_LRF_Full_SBS" -> "film"."""
    shorter = _TAG.sub("", stem)
    return stem if not shorter else shorter if shorter == stem else plain_stem(shorter)


def sample_frames(path: Path, info: VideoInfo) -> list[Image]:
    """Return five frames spread over the clip, in 8 bits."""
    length = info.duration or Fraction(info.count or 1) / info.rate
    found = []
    with VideoReader(path, tone_map=True, quiet=True) as reader:
        for number in range(_SAMPLES):
            frame = next(reader.around(info.start + length * (2 * number + 1) / (2 * _SAMPLES)), None)
            if frame is not None:
                found.append(frame.image.eight_bit())
    return found


def _halves(image: Image, layout: EyeLayout) -> tuple[Image, Image]:
    pair = layout.unpack(image)
    return pair.left, pair.right
