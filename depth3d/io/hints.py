"""Hint files: ``NAME_hints.png`` with gray strokes on a transparent ground, ``NAME_hints.json`` with their meaning.

The picture is what other programs (DMAG4 and its relatives) read and write: gray = wanted depth, white = near. The JSON
beside it holds the strokes themselves; it counts only as long as the picture is the one it was written with, so that a
picture edited elsewhere wins.
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from depth3d.depthmap import DepthMap
from depth3d.errors import ReadError, in_words
from depth3d.hints import Hints, Stroke
from depth3d.image import Image
from depth3d.io.atomic import atomic_path
from depth3d.io.image.read import encode_image, open_image
from depth3d.quantities import is_file

__all__ = ["hints_beside", "looks_like_strokes", "read_hints", "read_marked_json", "write_hints", "write_strokes"]

_ENDING = "_hints"
_MARK = "depth3d hints"
_LARGEST_JSON = 20_000_000  # bytes
# Strokes are thin: no opaque pixel is farther from a transparent one than this share of the longer side.
_THIN = 0.06


def hints_beside(photo: Path) -> Path | None:
    """Return the hint file beside a photo, or None."""
    found = (photo.with_name(f"{photo.stem}{_ENDING}{suffix}") for suffix in (".png", ".json"))
    return next((path for path in found if is_file(path)), None)


def looks_like_strokes(image: Image) -> bool:
    """Return True for a picture that is transparent but for some thin opaque strokes."""
    if image.alpha is None:
        return False
    opaque = image.alpha > np.iinfo(image.alpha.dtype).max // 2
    if not 0 < opaque.mean() < 0.5:
        return False
    inside = cv2.distanceTransform(np.pad(opaque, 1).astype(np.uint8), cv2.DIST_L2, 3)
    return float(inside.max()) < max(3.0, _THIN * max(image.size))


def read_hints(path: str | Path) -> Hints:
    """Read a hint file: the picture, or the JSON. Raises ``ReadError``.

    Parameters
    ----------
    path : str | Path
        ``.png`` (or another picture with transparency) or ``.json``.
    """
    path = Path(path)
    if path.suffix.lower() == ".json":
        return _from_json(path, None)
    notes = path.with_suffix(".json")
    if notes.is_file():
        found = _from_json(notes, zlib.crc32(path.read_bytes()))
        if found.strokes:
            return found
    image = open_image(path, color_managed=False)
    if image.alpha is None:
        raise ReadError(path, "has no transparency, so it is no picture of strokes; use it as a depth map (`depth`)")
    top = np.float32(np.iinfo(image.pixels.dtype).max)
    values = image.pixels.astype(np.float32).mean(2) / top
    opaque = image.alpha > np.iinfo(image.alpha.dtype).max // 2
    return Hints(painted=np.where(opaque, values, np.float32(np.nan)).astype(np.float32))


def write_hints(hints: Hints, depth: DepthMap, path: str | Path, *, force: bool = False) -> tuple[Path, Path]:
    """Write the picture and the JSON beside it; return both paths. Raises ``ExistsError`` or ``WriteError``.

    Parameters
    ----------
    hints : Hints
        The strokes.
    depth : DepthMap
        The repaired depth at the photo's size: its gray is what the strokes show.
    path : str | Path
        The picture, ``NAME_hints.png``.
    force : bool
        Replace existing files.
    """
    path = Path(path)
    size = depth.size
    mask = np.zeros((size.height, size.width), np.uint8)
    for stroke in hints.strokes:
        if stroke.kind != "cut":  # a cut has no depth; it is in the JSON only
            points = stroke.pixels(size).reshape(-1, 1, 2)
            cv2.polylines(mask, [points], False, 255, stroke.thickness(size))
    gray = np.rint(depth.values * 255).astype(np.uint8)
    data = encode_image(Image(np.repeat(np.where(mask > 0, gray, 0)[..., None], 3, axis=2), mask), ".png")
    with atomic_path(path, force=force) as temporary:
        temporary.write_bytes(data)
    return path, write_strokes(hints, path.with_suffix(".json"), picture=zlib.crc32(data), force=force)


def write_strokes(hints: Hints, path: str | Path, *, picture: int | None = None, force: bool = False) -> Path:
    """Write the strokes as JSON only; return the path. Raises ``ExistsError`` or ``WriteError``.

    Parameters
    ----------
    hints : Hints
        The strokes.
    path : str | Path
        ``.json``.
    picture : int | None
        CRC-32 of the picture beside it.
    force : bool
        Replace an existing file.
    """
    path = Path(path)
    strokes = [stroke.facts() for stroke in hints.strokes]
    text = json.dumps({"format": _MARK, "version": 1, "picture": picture, "strokes": strokes}, indent=1)
    with atomic_path(path, force=force) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
    return path


def read_marked_json(path: Path, mark: str, what: str, largest: int = _LARGEST_JSON) -> dict[str, Any]:
    """Read a JSON object whose ``format`` is ``mark``. Raises ``ReadError``.

    Parameters
    ----------
    path : Path
        The file.
    mark : str
        Expected value of ``format``.
    what : str
        What the file should be, for the message: "hint file of a clip".
    largest : int
        Bytes; larger files are refused.
    """
    try:
        if path.stat().st_size > largest:
            raise ReadError(path, f"is too large for a {what}")
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ReadError(path, f"is not a {what}: {in_words(error)}") from error
    if not isinstance(content, dict) or content.get("format") != mark:
        raise ReadError(path, f'is not a {what}: expected JSON with "format": "{mark}"')
    return content


def _from_json(path: Path, picture: int | None) -> Hints:
    """Read the JSON; no strokes if it belongs to another picture than the one with this checksum."""
    content = read_marked_json(path, _MARK, "hint file")
    if picture is not None and content.get("picture") != picture:
        return Hints()
    strokes = content.get("strokes")
    if not isinstance(strokes, list):
        raise ReadError(path, 'is not a hint file: expected a list "strokes"')
    try:
        return Hints(tuple(Stroke.of(facts) for facts in strokes))
    except (ValueError, KeyError, RecursionError) as error:
        raise ReadError(path, f"is not a hint file: {in_words(error)}") from error
