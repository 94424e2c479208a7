"""Turns a folder, or one clip, into a gallery page: what is in it, how its eyes are arranged, thumbnails."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np

from depth3d.camera import Camera
from depth3d.errors import Depth3DError, InvalidInput
from depth3d.image import Image, Size
from depth3d.io.gallery import GalleryItem, is_page, subtitles_of
from depth3d.io.image.read import encode_image, flatten, open_image
from depth3d.io.stereo.layouts import EyeLayout, named_layout, seen_layout, side_by_side
from depth3d.io.video.suffixes import CLIP_SUFFIXES, PHOTO_SUFFIXES, is_clip
from depth3d.io.viewer import LARGEST
from depth3d.pipeline.targets import check_suffix, target_for

__all__ = ["gallery_items", "gallery_target", "is_gallery_input"]

# What current browsers show by themselves; other pictures are converted, other clips are left out.
_SHOWN = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".avif", ".bmp")
_PLAYED = (".mp4", ".m4v", ".webm", ".mov", ".mkv", ".ogv")
_LOOP_SECONDS = 15


def is_gallery_input(path: Path) -> bool:
    """Whether ``view`` makes a gallery of an input: a folder or a clip."""
    return path.is_dir() or (path.is_file() and is_clip(path))


def gallery_target(source: Path, output: str | Path | None) -> Path:
    """Return the page's file: ``gallery.html`` in the folder, NAME.html beside a clip, or ``output``."""
    if source.is_dir() and output is None:
        return source / "gallery.html"
    return check_suffix(target_for(source, output, f"{source.stem}.html"), (".html", ".htm"), "web pages")


def gallery_items(
    source: Path, *, recursive: bool = False, tell: Callable[[str], None] = lambda line: None
) -> list[GalleryItem]:
    """Return what a browser can show of a folder, by name, or the one clip.

    Raises ``InvalidInput`` if there is nothing to show, ``ReadError`` for a single clip that cannot be read.

    Parameters
    ----------
    source : Path
        A folder or a clip.
    recursive : bool
        Also take the files in subfolders.
    tell : Callable[[str], None]
        Called with one line for each file that cannot be shown.
    """
    if not source.is_dir():
        if source.suffix.lower() not in _PLAYED:
            raise InvalidInput(f"{source}: browsers do not play {source.suffix}; convert it: depth3d {source.name}")
        return [_clip(source)]
    items = []
    for path in sorted(source.rglob("*") if recursive else source.iterdir()):
        try:
            item = _item(path)
        except Depth3DError as error:
            tell(f"left out: {error}")
            continue
        if item is not None:
            items.append(item)
    if not items:
        raise InvalidInput(f"{source}: no photo, clip or 3D page in this folder")
    return items


def _item(path: Path) -> GalleryItem | None:
    from depth3d.io.depth.names import is_depth_name

    suffix = path.suffix.lower()
    if path.name.startswith(".") or not path.is_file() or is_depth_name(path):
        return None
    if suffix in (".html", ".htm"):
        return _page(path) if is_page(path) else None
    if suffix == ".gif" or (suffix in PHOTO_SUFFIXES and not is_clip(path)):
        return _photo(path)
    if suffix in CLIP_SUFFIXES and suffix not in _PLAYED:
        raise InvalidInput(f"{path.name}: browsers do not play {suffix}")
    return _clip(path) if suffix in _PLAYED else None


def _page(path: Path) -> GalleryItem:
    """A 3D page; its thumbnail is the photo of the same name, or gray."""
    for suffix in _SHOWN:
        photo = path.with_suffix(suffix)
        if photo.is_file():
            image = flatten(open_image(photo, at_most=720).eight_bit())
            return GalleryItem(path, "page", image, image.size.aspect, about="3D page")
    return GalleryItem(path, "page", Image(np.full((30, 40, 3), 90, np.uint8)), 4 / 3, about="3D page")


def _photo(path: Path) -> GalleryItem:
    from depth3d.io.stereo.detect import find_kind, find_pair

    image = flatten(open_image(path).eight_bit())
    if path.suffix.lower() not in _SHOWN or find_kind(path) in (
        "mpo",
        "jps",
        "vr-photo",
        "heic",
        "pns",
        "card",
        "pair",
    ):
        pair = find_pair(path)
        whole = image if pair is None else side_by_side(pair)
        whole = whole.resized(whole.size.fit(LARGEST))
        layout = None if pair is None else EyeLayout("side", half=False, right_first=False)
        packed = encode_image(whole.eight_bit(), ".jpg", quality=90)
        return _item_of(path, "photo", whole, layout, picture=packed)
    layout = named_layout(path, image.size, image) or (None if path.suffix.lower() == ".gif" else seen_layout(image))
    return _item_of(path, "photo", image, layout)


def _clip(path: Path) -> GalleryItem:
    from depth3d.io.video.reader import VideoReader
    from depth3d.pipeline.clip.eyes import stated_layout

    with VideoReader(path, tone_map=True, seen=False, quiet=True) as reader:
        frames = list(islice(reader, 2))
        info = reader.info
    image = frames[-1].image.eight_bit()
    image = image.resized(Size(max(1, round(image.size.width * info.pixel_aspect)), image.size.height))
    stated = stated_layout(path, image.size, image)
    layout = None if stated is None else stated[0]
    loop = info.duration is not None and info.duration <= _LOOP_SECONDS
    return _item_of(path, "clip", image, layout, loop=loop, subtitles=subtitles_of(path))


def _item_of(
    path: Path, kind: Literal["photo", "clip"], image: Image, layout: EyeLayout | None, **more: Any
) -> GalleryItem:
    """Return the item of a picture, or of a frame of a clip, with the layout of its eyes."""
    words = "clip" if kind == "clip" else "photo"
    if more.get("loop"):
        words = "loop"
    eye, aspect = image, image.size.aspect
    if layout is not None:
        eye = layout.unpack(image).left
        aspect = eye.size.aspect
        words = f"stereo {words}"
    lens = Camera.of_photo(eye)
    packing = cast(Literal["mono", "side", "stack"], "mono" if layout is None else layout.packing)
    return GalleryItem(
        path,
        kind,
        eye,
        aspect,
        field_of_view=lens.angles(aspect)[0],
        packing=packing,
        right_first=layout is not None and layout.right_first,
        about=words,
        **more,
    )
