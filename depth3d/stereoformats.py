"""Table of stereo formats: layout of the eyes, file suffix, and the file name tag that players detect."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal

from depth3d.anaglyphs import ANAGLYPHS, Anaglyph
from depth3d.errors import InvalidInput

__all__ = ["FORMATS", "Packing", "StereoFormat", "find_format", "find_formats"]

Packing = Literal[
    "side",
    "stack",
    "rows",
    "columns",
    "checker",
    "anaglyph",
    "file",
    "pair",
    "wiggle",
    "depth",
    "quilt",
    "print",
    "strip",
    "sphere",
]


@dataclass(frozen=True, slots=True)
class StereoFormat:
    """One stereo format: how two or more views are arranged in a file.

    Parameters
    ----------
    name : str
        Name of the format in options.
    packing : Packing
        "side" = next to each other, "stack" = one above the other, "rows", "columns" and "checker" = interlaced,
        "anaglyph" = mixed through colored glasses, "file" = a kind of stereo file (``depth3d/io/stereo``), "pair" = two
        files, "wiggle" = one after the other, "depth" = picture and depth side by side, "quilt" = many views in tiles,
        "print" = many views interlaced, "strip" = the pitch test of a print, "sphere" = VR180.
    tag : str
        Added to the file's stem; players detect the layout by it.
    suffix : str
        Suffix of the file for photos.
    about : str
        One line of help.
    half : bool
        Each eye is squeezed to half its width (or height), so that the whole keeps the photo's size.
    right_first : bool
        The right eye's picture comes first (on the left, on top, or in the first row).
    moving : bool
        Clips can have this format, too.
    anaglyph : Anaglyph | None
        The matrices, for the packing "anaglyph".
    """

    name: str
    packing: Packing
    tag: str
    suffix: str
    about: str
    half: bool = False
    right_first: bool = False
    moving: bool = False
    anaglyph: Anaglyph | None = None

    @property
    def flat(self) -> bool:
        """Whether ``compose`` can make the format: two eyes of the same size in one flat picture."""
        return self.packing in ("side", "stack", "rows", "columns", "checker", "anaglyph")


def _anaglyph(name: str, card: Anaglyph) -> StereoFormat:
    about = f"Anaglyph for {card.glasses} glasses; {card.source}."
    tag = "_" + name.replace("-", "", 1).replace("-", "_")
    return StereoFormat(name, "anaglyph", tag, ".png", about, moving=True, anaglyph=card)


_CARDS = (
    StereoFormat("sbs", "side", "_LRF_Full_SBS", ".jpg", "Full side by side: headsets, TVs.", moving=True),
    StereoFormat("sbs-half", "side", "_LR", ".jpg", "Half side by side: 3D TVs.", half=True, moving=True),
    StereoFormat("cross", "side", "_cross", ".jpg", "Side by side for crossed eyes.", right_first=True, moving=True),
    StereoFormat("tb", "stack", "_TBF_fulltb", ".jpg", "Full top-bottom, left eye on top.", moving=True),
    StereoFormat("tb-half", "stack", "_TB", ".jpg", "Half top-bottom: 3D TVs.", half=True, moving=True),
    StereoFormat("rows", "rows", "_rows", ".png", "Row interlaced: passive screens, left eye first.", moving=True),
    StereoFormat(
        "rows-right", "rows", "_rows_RL", ".png", "Row interlaced, right eye first.", right_first=True, moving=True
    ),
    StereoFormat("columns", "columns", "_columns", ".png", "Column interlaced: parallax barriers.", moving=True),
    StereoFormat(
        "columns-right",
        "columns",
        "_columns_RL",
        ".png",
        "Column interlaced, right eye first.",
        right_first=True,
        moving=True,
    ),
    StereoFormat("checkerboard", "checker", "_checkerboard", ".png", "Checkerboard: DLP sets.", moving=True),
    *(_anaglyph(name, card) for name, card in ANAGLYPHS.items()),
    StereoFormat("wiggle-gif", "wiggle", "_wiggle", ".gif", "Wiggle picture, GIF: 3D without glasses."),
    StereoFormat("wiggle-webp", "wiggle", "_wiggle", ".webp", "Wiggle picture, WebP."),
    StereoFormat("wiggle-mp4", "wiggle", "_wiggle", ".mp4", "Wiggle picture, MP4."),
    StereoFormat("mpo", "file", "", ".mpo", "MPO: 3D cameras, TVs, Nintendo 3DS (CIPA DC-007)."),
    StereoFormat("jps", "side", "", ".jps", "JPS: side-by-side JPEG for crossed eyes.", right_first=True),
    StereoFormat("pns", "side", "", ".pns", "PNS: side-by-side PNG for crossed eyes.", right_first=True),
    StereoFormat("pair", "pair", "", ".jpg", "Two files, NAME_L and NAME_R."),
    StereoFormat(
        "rgbd", "depth", "_RGBD", ".png", "Picture left, depth right (white = near): Looking Glass.", moving=True
    ),
    StereoFormat("quilt-portrait", "quilt", "_qs8x6a0.75", ".png", "Looking Glass Portrait, 8x6 views."),
    StereoFormat("quilt-go", "quilt", "_qs11x6a0.5625", ".png", "Looking Glass Go, 11x6 views."),
    StereoFormat("quilt-16", "quilt", "_qs7x7a1.78", ".png", "Looking Glass 16 inch landscape, 7x7 views."),
    StereoFormat("quilt-32", "quilt", "_qs5x9a1.78", ".png", "Looking Glass 32 inch landscape, 5x9 views."),
    StereoFormat("lenticular", "print", "_lenticular", ".png", "Interlaced print for a lenticular sheet."),
    StereoFormat(
        "pitch-test", "strip", "_pitch_test", ".png", "Test strip that finds a lenticular sheet's true pitch."
    ),
    StereoFormat(
        "vr180", "sphere", "_180x180_LR", ".jpg", "VR180: equirectangular half spheres side by side.", moving=True
    ),
    StereoFormat(
        "vr360", "stack", "_360_TB", ".jpg", "360 degrees: both eyes top-bottom, equirectangular.", moving=True
    ),
    StereoFormat("vr-photo", "file", "", ".vr.jpg", "Google VR photo (Cardboard Camera)."),
    StereoFormat("heic", "file", "_spatial", ".heic", "Spatial photo for Apple devices; experimental."),
)
_ALIASES = {
    "anaglyph": "red-cyan",
    "full-sbs": "sbs",
    "half-sbs": "sbs-half",
    "hsbs": "sbs-half",
    "crossed": "cross",
    "top-bottom": "tb",
    "half-tb": "tb-half",
    "interlaced": "rows",
    "wiggle": "wiggle-gif",
    "quilt": "quilt-portrait",
    "spatial": "heic",
}

# Name -> format. Programs may add their own flat layouts.
FORMATS: dict[str, StereoFormat] = {card.name: card for card in _CARDS}


def find_format(name: str | StereoFormat) -> StereoFormat:
    """The format of this name or alias ("anaglyph" = "red-cyan").

    Raises ``InvalidInput``, which suggests the most similar names, for an unknown name.
    """
    if isinstance(name, StereoFormat):
        return name
    wanted = name.strip().lower().replace("_", "-")
    card = FORMATS.get(_ALIASES.get(wanted, wanted))
    if card is None:
        known = [*FORMATS, *_ALIASES]
        close = difflib.get_close_matches(wanted, known, n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(known)}"
        raise InvalidInput(f"stereo format {name!r} is unknown; {hint}")
    return card


def find_formats(names: str) -> tuple[StereoFormat, ...]:
    """Parse a comma-separated list of formats, without duplicates; raises ``InvalidInput`` if empty or unknown."""
    cards = dict.fromkeys(find_format(name) for name in names.split(",") if name.strip())
    if not cards:
        raise InvalidInput("no stereo format given; try sbs, anaglyph, mpo ...")
    return tuple(cards)
