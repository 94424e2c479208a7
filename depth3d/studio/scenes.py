"""Short tasks of the worker: look at a file, estimate its depth, give the page what it draws in 3D."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from depth3d.camera import FARTHEST_INVERSE, Camera
from depth3d.depthmap import DepthMap
from depth3d.geometry.camera.focus import least_occlusion_path, salient_depth
from depth3d.image import Image, data_address
from depth3d.io.depth.names import is_depth_name
from depth3d.io.depth.picture import gray_picture
from depth3d.io.depth.read import read_depth
from depth3d.io.hints import hints_beside, read_hints
from depth3d.io.image.read import encode_image, flatten, open_image
from depth3d.io.video.hints import clip_hints_beside, read_clip_hints
from depth3d.io.video.reader import VideoReader, probe
from depth3d.io.viewer import Page, RgbdImage, page_scene
from depth3d.options import DepthOptions, ViewOptions
from depth3d.pipeline.comfort import border_depth
from depth3d.pipeline.inputs import media_of
from depth3d.pipeline.page import MAX_AMOUNT, view_page
from depth3d.pipeline.scene import Scene, load_scene, with_relief
from depth3d.studio.worker import Report

__all__ = ["TASKS", "cached_scene", "depth_address", "picture_address"]

_THUMBNAIL = 256
_NUMBERS = (".npy", ".npz", ".pfm", ".exr")  # depth files that are no pictures
_SCENES_KEPT = 4
_cache: OrderedDict[tuple[Any, ...], Scene] = OrderedDict()


def cached_scene(path: Path, options: DepthOptions) -> Scene:
    """Return the photo with its depth; the last few are kept, so that several formats share one prediction.

    Parameters
    ----------
    path : Path
        The photo.
    options : DepthOptions
        Source of the depth.
    """
    files = [Path(name) for name in (path, options.depth, options.hints) if name not in (None, "none")]
    plain = replace(options, relief=0.0)  # so that the slider of the relief asks for no new prediction
    key = (*((str(file), file.stat().st_mtime_ns) for file in files), astuple(plain))
    found = _cache.pop(key, None) or load_scene(path, plain)
    _cache[key] = found
    while len(_cache) > _SCENES_KEPT:
        _cache.popitem(last=False)
    return with_relief(found, options.relief)


def picture_address(picture: Image) -> str:
    """Return a picture as a JPEG data address for the page."""
    return data_address("image/jpeg", encode_image(picture.eight_bit(), ".jpg", quality=88))


def depth_address(depth: DepthMap) -> str:
    """Return depth as an 8-bit gray PNG data address, white = near."""
    done, data = cv2.imencode(".png", np.rint(depth.values * 255).astype(np.uint8), [cv2.IMWRITE_PNG_COMPRESSION, 1])
    assert done
    return data_address("image/png", data.tobytes())


def _warm(arguments: dict[str, Any], report: Report) -> dict[str, Any]:
    """Load the network and make the OpenGL context before the first photo comes."""
    from depth3d.depth.estimator import estimate_depth, open_estimator
    from depth3d.render.context import describe_context

    model = arguments["model"]
    estimate_depth(Image(np.zeros((48, 64, 3), np.uint8)), model)  # before the context: see depth3d.render.context
    return {"network": open_estimator(model).card.name, "renderer": describe_context()["renderer"]}


def _open(arguments: dict[str, Any], report: Report) -> dict[str, Any]:
    """Say what a file is, with a thumbnail."""
    path = Path(arguments["path"])
    if path.suffix.lower() in _NUMBERS or is_depth_name(path):
        shown = gray_picture(read_depth(path))
        return {"kind": "depth", **_size(shown), "thumbnail": _thumbnail(shown)}
    if media_of(path) == "clip":
        info = probe(path)
        with VideoReader(path, tone_map=True) as reader:
            first = next(iter(reader)).image
        seconds = float(info.duration or 0)
        facts: dict[str, Any] = {
            "seconds": seconds,
            "rate": float(info.rate),
            "frames": info.count or round(seconds * info.rate),
        }
        painted = clip_hints_beside(path)
        keys = () if painted is None else read_clip_hints(painted)
        facts["frames_painted"] = [
            {"time": float(key.time), "strokes": [stroke.facts() for stroke in key.hints.strokes]} for key in keys
        ]
        return {"kind": "clip", **facts, **_size(first), "thumbnail": _thumbnail(first)}
    image = open_image(path)
    beside = hints_beside(path)
    strokes = [] if beside is None else [stroke.facts() for stroke in read_hints(beside).strokes]
    return {
        "kind": "photo",
        "strokes": strokes,
        **_size(image),
        "notes": list(image.notes),
        "thumbnail": _thumbnail(image),
    }


def _size(image: Image) -> dict[str, int]:
    return {"width": image.size.width, "height": image.size.height}


def _thumbnail(image: Image) -> bytes:
    small = flatten(image.eight_bit())
    return encode_image(small.resized(small.size.fit(_THUMBNAIL)), ".jpg", quality=85)


def _scene(arguments: dict[str, Any], report: Report) -> dict[str, Any]:
    """Return the page's scene: a draft at once (one sheet, nothing behind it), or both layers as the renderer has."""
    path, detail = Path(arguments["path"]), int(arguments["detail"])
    scene = cached_scene(path, DepthOptions(**arguments["depth"]))
    if arguments["draft"]:
        page = _draft(scene, detail)
    else:
        page = view_page(replace(scene, file=None), ViewOptions(detail=detail), source=path)
    depth = scene.depth.resized(scene.depth.size.fit(512))
    image = scene.image
    facts = {
        "how": scene.how,
        "part": scene.part,
        "notes": list(image.notes),
        **_size(image),
        "viewDegrees": Camera.of_photo(image).field_of_view,
        "focus": round(salient_depth(depth), 3),
        "borders": border_depth(depth),
        "bestPath": least_occlusion_path(depth),
        "distances": scene.distances,
        "flatDepth": depth_address(depth),
    }
    return {"scene": page_scene(page), "facts": facts}


def _draft(scene: Scene, detail: int) -> Page:
    image = flatten(scene.image.eight_bit())
    small = image.resized(image.size.fit(1600))
    depth = scene.depth.resized(image.size.fit(detail))
    near, far = scene.distances or (1.0, 1 / FARTHEST_INVERSE)
    return Page(
        RgbdImage(small, depth),
        None,
        field_of_view=Camera.of_photo(scene.image).angles(image.size.aspect)[1],
        near=near,
        far=far,
        max_step=2.0,  # steps are at most 1: one connected sheet, so that no gap opens before the background is there
        max_amount=MAX_AMOUNT,
    )


TASKS = {"warm": _warm, "open": _open, "scene": _scene}
