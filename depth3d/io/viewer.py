"""Writes the 3D page: one HTML file with the photo, its depth, and the viewer program.

The page contains pictures, not a mesh: the photo with its depth, and the filled background behind the foreground with
its own depth. The viewer displaces them and splits them at depth discontinuities (``depth3d/viewer/source``).
"""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput
from depth3d.image import Image, data_address
from depth3d.io.atomic import atomic_path
from depth3d.io.image.read import encode_image

__all__ = ["LARGEST", "Page", "RgbdImage", "fill_template", "page_html", "page_scene", "write_page"]

# Longest side of a picture in the page in pixels: the texture size that every phone's GPU supports.
LARGEST = 4096
_PHOTO_QUALITY, _HIDDEN_QUALITY = 90, 80


@dataclass(frozen=True, slots=True, eq=False)
class RgbdImage:
    """One picture with depth for the page. Their sizes may differ, but not their aspect ratios.

    Parameters
    ----------
    picture : Image
        The colors; without alpha.
    depth : DepthMap
        1 = nearest.
    present : NDArray[np.bool_] | None
        (H, W) bool of the depth's size, the pixels to draw; None = all.
    jpeg : bytes | None
        The picture's own JPEG bytes, upright and sRGB, to be used as they are; None = encode it.
    """

    picture: Image
    depth: DepthMap
    present: NDArray[np.bool_] | None = None
    jpeg: bytes | None = None

    def __post_init__(self) -> None:
        expected = (self.depth.size.height, self.depth.size.width)
        if self.present is not None and self.present.shape != expected:
            raise InvalidInput(f"RgbdImage: present has shape {self.present.shape}, expected {expected}")


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """Content and settings of the page.

    Parameters
    ----------
    photo : RgbdImage
        The photo with its depth; it is split where neighbors differ by more than ``max_step``.
    background : RgbdImage | None
        The disoccluded background behind the photo, or None.
    field_of_view : float
        Vertical, degrees.
    near, far : float
        Distances of depth 1 and 0, in meters if ``metric``, else in any unit.
    amount : float
        Initial relative travel of the nearest against the farthest point, percent of the width.
    max_amount : float
        Maximum of the slider for ``amount``.
    focus : float
        Initial depth in [0, 1] that does not move.
    title, description : str
        Texts for the browser's tab and for screen readers.
    """

    photo: RgbdImage
    background: RgbdImage | None
    field_of_view: float
    near: float
    far: float
    max_step: float
    amount: float = 2.0
    max_amount: float = 6.0
    focus: float = 0.5
    metric: bool = False
    title: str = "3D photo"
    description: str = "A photo in 3D. Move the pointer, drag, or use the arrow keys to look around."


def page_html(page: Page) -> str:
    """Return the page as HTML text. All pictures and scripts are embedded; the page loads no other files."""
    parts = {
        "title": html.escape(page.title),
        "description": html.escape(page.description),
        "most": f"{page.max_amount:g}",
        # "</" would end the script element that contains the text.
        "scene": json.dumps(page_scene(page), allow_nan=False).replace("</", "<\\/"),
    }
    return fill_template("template.html", parts, "viewer.min.js")


def fill_template(template: str, parts: dict[str, str], program: str) -> str:
    """Return a page of ``depth3d/viewer`` with its program and the texts for its placeholders."""
    parts = {**parts, "script": _resource(program).replace("</script", "<\\/script")}
    # One pass over the template's placeholders, so that text inside an inserted part is not taken for a placeholder.
    pieces = _resource(template).split("{{")
    filled = [pieces[0]]
    for piece in pieces[1:]:
        name, rest = piece.split("}}", 1)
        filled += [parts[name], rest]
    return "".join(filled)


def page_scene(page: Page) -> dict[str, Any]:
    """Return what the viewer program needs as JSON: settings, and the pictures as data addresses."""
    return {
        "aspect": page.photo.picture.size.aspect,
        "fieldOfView": page.field_of_view,
        "near": page.near,
        "far": page.far,
        "maxStep": page.max_step,
        "amount": page.amount,
        "focus": page.focus,
        "metric": page.metric,
        "photo": _pictures(page.photo, _PHOTO_QUALITY),
        "background": page.background and _pictures(page.background, _HIDDEN_QUALITY),
    }


def write_page(page: Page, path: str | Path, *, force: bool = False) -> Path:
    """Write the page as one HTML file; return the path. Raises ``ExistsError`` or ``WriteError``."""
    path = Path(path)
    text = page_html(page)
    with atomic_path(path, force=force) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def _pictures(sheet: RgbdImage, quality: int) -> dict[str, str]:
    jpeg = sheet.jpeg
    if jpeg is None:
        picture = sheet.picture.eight_bit().resized(sheet.picture.size.fit(LARGEST))
        jpeg = encode_image(picture, ".jpg", quality=quality)
    return {"picture": data_address("image/jpeg", jpeg), "depth": data_address("image/png", _depth_png(sheet))}


def _depth_png(sheet: RgbdImage) -> bytes:
    """Encode depth as 8-bit gray, white = near; with ``present`` the value 0 means "no surface", depth starts at 1."""
    import cv2

    gray = np.rint(sheet.depth.values * 255).astype(np.uint8)
    if sheet.present is not None:
        gray = np.where(sheet.present, np.maximum(gray, 1), 0).astype(np.uint8)
    done, data = cv2.imencode(".png", gray, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if not done:
        raise InvalidInput(f"a depth map of {sheet.depth.size} cannot be encoded as PNG")
    return bytes(data)


@cache
def _resource(name: str) -> str:
    return files("depth3d").joinpath("viewer", name).read_text(encoding="utf-8")
