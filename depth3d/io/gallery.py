"""Writes the gallery page: thumbnails and a player for photos, loops and stereo clips, on the page and in a headset.

The page refers to the files beside it; its player is ``depth3d/viewer/source/player``.
"""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from depth3d.image import Image, data_address
from depth3d.io.atomic import atomic_path
from depth3d.io.image.read import encode_image
from depth3d.io.video.files import ffmpeg_command, ffmpeg_input
from depth3d.io.viewer import fill_template

__all__ = ["GalleryItem", "gallery_html", "is_gallery", "is_page", "subtitles_of", "write_gallery"]

_THUMBNAIL = 360
_SECONDS = 60.0  # for ffmpeg to find all subtitles of a film


@dataclass(frozen=True, slots=True, eq=False)
class GalleryItem:
    """One file of a gallery.

    Parameters
    ----------
    path : Path
        The file that the page shows.
    kind : Literal["photo", "clip", "page"]
        "page" = a 3D page of ``depth3d view``, opened in a tab of its own.
    thumbnail : Image
        One eye.
    aspect : float
        Width over height of one eye as it is meant to be seen.
    field_of_view : float
        Horizontal, degrees, for the life-size screen of a headset.
    packing : Literal["mono", "side", "stack"]
        How two eyes are arranged.
    right_first : bool
        Whether the right eye comes first.
    about : str
        One or two words about it.
    subtitles : str | None
        WebVTT.
    loop : bool
        Whether a clip starts again at its end.
    picture : bytes | None
        A JPEG that is put into the page, for files that browsers cannot show.
    """

    path: Path
    kind: Literal["photo", "clip", "page"]
    thumbnail: Image
    aspect: float
    field_of_view: float = 50.0
    packing: Literal["mono", "side", "stack"] = "mono"
    right_first: bool = False
    about: str = ""
    subtitles: str | None = None
    loop: bool = False
    picture: bytes | None = None


def gallery_html(items: Sequence[GalleryItem], addresses: Sequence[str], title: str) -> str:
    """Return the page as HTML text; ``addresses``: where the page finds each file."""
    entries = [_entry(item, address) for item, address in zip(items, addresses, strict=True)]
    return fill_template(
        "player.html",
        {
            "title": html.escape(title),
            # "</" would end the script element that contains the text.
            "gallery": json.dumps({"items": entries}, allow_nan=False).replace("</", "<\\/"),
        },
        "player.min.js",
    )


def write_gallery(items: Sequence[GalleryItem], path: Path, title: str, *, force: bool = False) -> Path:
    """Write the page, which refers to the files by their place relative to it; return the path."""
    addresses = [quote(os.fsencode(os.path.relpath(item.path, path.parent).replace(os.sep, "/"))) for item in items]
    text = gallery_html(items, [f"./{address}" for address in addresses], title)
    with atomic_path(path, force=force) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def _entry(item: GalleryItem, address: str) -> dict[str, Any]:
    small = item.thumbnail.resized(item.thumbnail.size.fit(_THUMBNAIL))
    return {
        "name": item.path.name,
        "about": item.about,
        "kind": item.kind,
        "url": address if item.picture is None else data_address("image/jpeg", item.picture),
        "packing": item.packing,
        "rightFirst": item.right_first,
        "aspect": item.aspect,
        "fieldOfView": item.field_of_view,
        "subtitles": item.subtitles,
        "loop": item.loop,
        "thumbnail": data_address("image/jpeg", encode_image(small, ".jpg", quality=80)),
    }


def is_page(path: Path) -> bool:
    """Whether a file is a 3D page of one photo, by its mark."""
    return _mark(path) == "depth3d"


def is_gallery(path: Path) -> bool:
    """Whether a file is a page that ``write_gallery`` wrote, by its mark."""
    return _mark(path) == "depth3d gallery"


def _mark(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            found = re.search(rb'<meta name="generator" content="([^"]*)"', file.read(1000))
    except OSError:
        return None
    return found[1].decode(errors="replace") if found else None


def subtitles_of(clip: Path) -> str | None:
    """Return the subtitles of a clip as WebVTT: NAME.vtt or NAME.srt beside it, else its first track of text."""
    beside = [clip.with_suffix(suffix) for suffix in (".vtt", ".srt")]
    source = next((file for file in beside if file.is_file()), clip)
    command = [*ffmpeg_command(), *ffmpeg_input(source), "-map", "0:s:0", "-f", "webvtt", "-"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return None
    text = done.stdout.decode("utf-8", "replace")
    return text if done.returncode == 0 and "-->" in text else None
