"""What tells a player that a clip is 3D: container marks, sample aspect, file name."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from depth3d.io.video.mp4_boxes import Layout, mark_stereo
from depth3d.stereoformats import StereoFormat

__all__ = ["Marks", "marks_of", "write_marks"]

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


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of one output.

    Parameters
    ----------
    pixel_aspect : Fraction
        Of the stored picture: pixels of a half format are twice as wide (or high).
    stereo_mode : str | None
        Matroska's name of the layout, or None.
    container_aspect : Fraction | None
        Factor on the display shape that Matroska alone needs: its players halve the width of column-interleaved and
        the height of row-interleaved pictures.
    box : Layout | None
        Layout for MP4's boxes, or None.
    vr180 : bool
        Equirectangular half spheres.
    """

    pixel_aspect: Fraction
    stereo_mode: str | None = None
    container_aspect: Fraction | None = None
    box: Layout | None = None
    vr180: bool = False


def marks_of(layout: StereoFormat, pixel_aspect: Fraction, target: Path) -> Marks:
    """The marks for a clip in this layout whose source has pixels of this aspect."""
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
    return Marks(
        aspect,
        mode if suffix in _MATROSKA else None,
        container,
        box if suffix in _MP4 else None,
        layout.packing == "sphere",
    )


def write_marks(path: Path, marks: Marks) -> None:
    """Patch the boxes into a finished MP4; other containers got theirs when they were muxed."""
    if marks.box is not None:
        mark_stereo(path, marks.box, vr180=marks.vr180)
