"""The one table of file names: how depth maps beside a photo are called, and how our own results are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from depth3d.io.depth.registry import depth_suffixes
from depth3d.stereoformats import FORMATS

__all__ = ["DEPTH_ENDINGS", "RESULT_ENDINGS", "depth_files", "is_depth_name", "is_fixed_name", "is_result_name"]

# The first is Facebook's and ours; the rest are habits of other tools. Compared in lower case.
DEPTH_ENDINGS = (
    *("_depth", "-depth", ".depth", "_depthmap", "-depthmap", "_depth_map", "_dmap"),
    *("_disparity", "-disparity", "_disp", "-disp", "-dpt", "_dpt", "_midas", "_zdepth", "_z"),
)
# MiDaS and its relatives append the network: NAME-dpt_beit_large_512.png.
_DEPTH_WITH_NETWORK = ("-dpt_", "_dpt_", "-midas_", "-openvino_", "_depth_anything")
# What this program writes beside a photo or clip.
RESULT_ENDINGS = (
    *("_3d", "_depth_preview", "_stereo_check", "_wiggle", "_gdepth", "_dynamic", "_facebook"),
    *("_lrf_full_sbs", "_lr", "_tbf_fulltb", "_tb", "_180x180_lr", "_redcyan", "_greenmagenta", "_amberblue", "_rgbd"),
    *("_full_sbs", "_xview", "_preview", "_hints"),
)
# Results whose names may also be a user's own: they are results only if the picture they come from is beside them.
_PARTS = ("_left", "_photo", "_original", "_l", "_r")
_PHOTO_ENDINGS = ("-image", "_image", "-rgb", "_rgb", "-color", "_color", "_left", "_photo", "_original")
_PICTURES = (*(".jpg", ".jpeg", ".png", ".webp", ".heic", ".tif", ".tiff", ".bmp"), *(".mpo", ".jps", ".jfif", ".avif"))
_NUMBERS = (".npy", ".npz", ".pfm", ".exr")  # under the photo's own name can hardly be anything else


def is_depth_name(path: Path) -> bool:
    """Return True if a file is called like a depth map: in a folder of photos it is none of them.

    Parameters
    ----------
    path : Path
        Only its name counts.
    """
    stem = path.stem.lower()
    if any(stem.endswith(ending) and len(stem) > len(ending) for ending in DEPTH_ENDINGS if ending != "_z"):
        return True
    return any(word in stem[1:] for word in _DEPTH_WITH_NETWORK)


def is_result_name(path: Path) -> bool:
    """Return True if a file is called like a result of this program.

    Names that users choose as well (NAME_left, NAME_R, NAME_cross) count only if NAME is a picture in the same folder.

    Parameters
    ----------
    path : Path
        Its name counts, and the names of the files beside it.
    """
    stem = path.stem.lower()
    if any(stem.endswith(ending) and len(stem) > len(ending) for ending in RESULT_ENDINGS):
        return True
    tags = (*_PARTS, *(card.tag.lower() for card in FORMATS.values() if card.tag))
    bases = {stem.removesuffix(tag) for tag in tags} - {stem, ""}
    names = _listing(path.parent) if bases else {}
    return any(f"{base}{suffix}" in names for base in bases for suffix in _PICTURES)


def is_fixed_name(path: Path) -> bool:
    """Return True if a file is called like a result of ``depth3d fix``: NAME_fixed, and a tag of its layout.

    Parameters
    ----------
    path : Path
        Only its name counts.
    """
    stem, _, tag = path.stem.lower().rpartition("_fixed")
    tags = ("", *_PARTS, *(card.tag.lower() for card in FORMATS.values()))
    return bool(stem) and tag in tags


def depth_files(photo: Path) -> Iterator[Path]:
    """Yield the files beside a photo that are called like its depth map, most usual names first.

    Names are compared without regard to case.

    Parameters
    ----------
    photo : Path
        The photo.
    """
    names = _listing(photo.parent)
    stem = photo.stem.lower()
    stems = [stem, *(stem[: -len(end)] for end in _PHOTO_ENDINGS if stem.endswith(end) and len(stem) > len(end))]
    suffixes = depth_suffixes()
    for one in stems:
        for ending in DEPTH_ENDINGS:
            for suffix in suffixes:
                if f"{one}{ending}{suffix}" in names:
                    yield photo.with_name(names[f"{one}{ending}{suffix}"])
        heads = tuple(f"{one}{word}" for word in _DEPTH_WITH_NETWORK)
        yield from (
            photo.with_name(name)
            for low, name in sorted(names.items())
            if low.startswith(heads) and low.endswith(suffixes)
        )
    for suffix in _NUMBERS:
        if f"{stem}{suffix}" in names:
            yield photo.with_name(names[f"{stem}{suffix}"])


def _listing(folder: Path) -> dict[str, str]:
    """Return lower-case name -> name of the files in a folder."""
    try:
        changed = os.stat(folder).st_mtime_ns
    except OSError:
        return {}
    return _listing_of(folder, changed)


@lru_cache(maxsize=4)
def _listing_of(folder: Path, _changed: int) -> dict[str, str]:
    try:
        return {name.lower(): name for name in sorted(os.listdir(folder))}
    except OSError:
        return {}
