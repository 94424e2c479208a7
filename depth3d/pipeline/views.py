"""Renders new views of one picture: the other eye, and the frames of a moving camera."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

from depth3d.camera import Camera, CameraPath
from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput
from depth3d.geometry.background.frame import find_frame, remove_frame, restore_frame
from depth3d.geometry.camera.focus import least_occlusion_path, salient_depth
from depth3d.geometry.camera.keyframes import keyframe_path
from depth3d.geometry.camera.lens import ExposedPath, Lens, with_camera_shake
from depth3d.geometry.camera.paths import named_path
from depth3d.geometry.mesh.layers import build_layers
from depth3d.image import Image, Size
from depth3d.options import AnimateOptions, Eyes, Quality, StereoOptions
from depth3d.pipeline.bands import PairRenderer, eye_camera
from depth3d.render.context import results_ahead
from depth3d.render.exposure import Exposure
from depth3d.render.renderer import Renderer
from depth3d.stereopair import DEFAULT_CONVERGENCE, StereoPair, StereoRig
from depth3d.validation import check_value

__all__ = ["animation_frames", "eye_camera", "fan_of_views", "render_path", "stereo_pair"]


def stereo_pair(
    image: Image,
    depth: DepthMap,
    parallax: float = StereoOptions.parallax,
    convergence: float = DEFAULT_CONVERGENCE,
    eyes: Eyes = StereoOptions.eyes,
    quality: Quality = StereoOptions.quality,
) -> StereoPair:
    """Render two eyes from one picture.

    For a point of depth v (0..1) in a picture W wide: with ``eyes="right"`` the left picture is the
    input, bit for bit, and the point lands in the right one at x - W * parallax/100 * (v - convergence);
    ``eyes="left"`` is the mirror image of that; ``eyes="both"`` shifts each eye by half as much.

    Raises ``InvalidInput`` for values outside these ranges.

    Parameters
    ----------
    image : Image
        The picture.
    depth : DepthMap
        Its depth, of any size with the same aspect ratio.
    parallax : float
        Difference between the disparities of the nearest and the farthest point, both eyes together, percent of the
        width.
    convergence : float
        Depth with zero disparity (on the screen), 0 (far) to 1 (near).
    eyes : Eyes
        "both", "left" or "right": which eyes are rendered; the other one is the picture itself.
    quality : Quality
        "draft", "normal" or "high".
    """
    rig = StereoRig(parallax, convergence, eyes)  # checks the values
    check_value(StereoOptions, "quality", quality)
    return PairRenderer(image, depth, rig).draw()


def fan_of_views(
    image: Image,
    depth: DepthMap,
    count: int,
    parallax: float = StereoOptions.parallax,
    convergence: float = DEFAULT_CONVERGENCE,
) -> Iterator[Image]:
    """Render ``count`` evenly spaced views from left to right, for quilts and lenticular prints.

    ``parallax`` (percent of the width) is that of the outermost two views; ``convergence`` as in ``stereo_pair``.

    Raises ``InvalidInput`` for fewer than two views, on the call.
    """
    if count < 2:
        raise InvalidInput(f"fan_of_views: {count} views, expected at least 2")
    image = image.eight_bit()
    frame = find_frame(image)
    inside, depth = remove_frame(image, depth.resized(image.size), frame)
    mesh = build_layers(inside, depth, parallax_percent=abs(parallax) / 2)

    def views() -> Iterator[Image]:
        with Renderer(image.size, crisp=True) as renderer:
            renderer.upload(mesh)
            for number in range(count):
                share = number / (count - 1) - 0.5
                view = renderer.draw(eye_camera(mesh.camera, image.size.aspect, share * parallax, convergence))
                yield restore_frame(view, image, frame)

    return views()


def render_path(
    image: Image,
    depth: DepthMap,
    path: str | CameraPath = AnimateOptions.path,
    amount: float = AnimateOptions.amount,
    seconds: float = AnimateOptions.seconds,
    fps: float | Fraction = AnimateOptions.fps,
    *,
    size: Size | None = None,
    focus: float | str = AnimateOptions.focus,
    quality: Quality = AnimateOptions.quality,
    bokeh: float = AnimateOptions.bokeh,
    shutter: float = AnimateOptions.shutter,
    vignette: float = AnimateOptions.vignette,
    shake: float = AnimateOptions.shake,
    tremble: float | None = None,
) -> Iterator[Image]:
    """Render the frames of a camera that moves through one picture; one loop of ``seconds``.

    Raises ``InvalidInput`` for values outside their ranges, on the call, not at the first frame.

    Parameters
    ----------
    image : Image
        The picture.
    depth : DepthMap
        Its depth, of any size with the same aspect ratio.
    path : str | CameraPath
        A name ("circle", "swing", "orbit", "dolly", "zoom", "push"; "auto" = the one that opens the smallest gaps), a
        JSON file of keyframes (``geometry.keyframes``), or a ``CameraPath``.
    amount : float
        Largest relative travel of the nearest against the farthest point over the path, percent of the width.
    seconds : float
        Length of the loop.
    fps : float | Fraction
        Frames per second.
    size : Size | None
        Size of the frames in pixels; default that of the picture.
    focus : float | str
        Depth that does not move, 0 (far) to 1 (near), or "auto".
    quality : Quality
        "draft", "normal" or "high".
    bokeh, shutter, vignette, shake : float
        Effects of a real camera, see ``geometry.camera.lens.Lens``; 0 = none.
    tremble : float | None
        Old name of ``shake``; deprecated.
    """
    if tremble is not None:
        warnings.warn("render_path(tremble=...) is now shake=...", DeprecationWarning, stacklevel=2)
        shake = tremble
    options = AnimateOptions(
        amount=amount,
        seconds=seconds,
        fps=cast(Fraction, fps),
        focus=cast(Any, focus),
        quality=quality,
        bokeh=bokeh,
        shutter=shutter,
        vignette=vignette,
        shake=shake,
    )
    return animation_frames(image, depth, options, path, size)


def animation_frames(
    image: Image, depth: DepthMap, options: AnimateOptions, path: str | CameraPath, size: Size | None = None
) -> Iterator[Image]:
    """Render the frames of one loop; ``path`` takes the place of ``options.path``. See ``render_path``."""
    size, focus, seconds = size or image.size, options.focus, options.seconds
    lens = Lens(options.bokeh, options.shutter, options.vignette, options.shake)
    picture, values = _cut_to(image.eight_bit(), depth, size)
    framed, frame = picture, find_frame(picture)
    picture, values = remove_frame(picture, values, frame)
    still = salient_depth(values) if focus == "auto" else float(focus)
    if path == "auto":
        path = least_occlusion_path(values)
    if not isinstance(path, CameraPath):
        path = chosen_path(path, image, size, options.amount, seconds, still)
    photo, still = Camera.of_photo(image), min(max(still, 0.0), 1.0)
    moving = with_camera_shake(path, photo, size.aspect, lens.shake, still)
    exposed = ExposedPath(moving, photo, size, lens, still, float(options.fps), options.quality)
    count = max(2, round(seconds * options.fps))
    parallax, border = exposed.largest_travel()
    mesh = build_layers(picture, values, parallax_percent=parallax, quality=options.quality, border_percent=border)

    def frames() -> Iterator[Image]:
        with Renderer(size, crisp=options.quality == "high") as renderer:
            renderer.upload(mesh)
            times = [index * moving.duration / count for index in range(count)]
            yield from (restore_frame(view, framed, frame) for view in _exposed(renderer, exposed, times))

    return frames()


def _exposed(renderer: Renderer, exposed: ExposedPath, times: list[float]) -> Iterator[Image]:
    if exposed.lens.pinhole:
        yield from results_ahead(lambda time: renderer.draw(exposed.path.at(time)), times)
        return
    views = exposed.view_count()
    with Exposure(renderer, exposed.lens.vignette) as exposure:
        yield from results_ahead(lambda time: exposure.draw(exposed.cameras(time, views)), times)


def chosen_path(name: str, image: Image, size: Size, amount: float, seconds: float, focus: float) -> CameraPath:
    """A named path, or one from a JSON file (``geometry.keyframes``)."""
    photo = Camera.of_photo(image)
    if name.lower().endswith(".json"):
        return keyframe_path(Path(name), photo, size.aspect, amount=amount, seconds=seconds, focus=focus)
    return named_path(name, photo, size.aspect, amount=amount, seconds=seconds, focus=focus)


def _cut_to(image: Image, depth: DepthMap, size: Size) -> tuple[Image, DepthMap]:
    """Resize both to ``size``; if the aspect ratio differs, crop around the center instead of stretching."""
    depth = depth.resized(image.size) if depth.size != size else depth
    wide, high = image.size
    scale = min(wide / size.width, high / size.height)
    kept = Size(max(1, min(wide, round(size.width * scale))), max(1, min(high, round(size.height * scale))))
    if abs(kept.width - wide) + abs(kept.height - high) > 2 and depth.size == image.size:
        top, left = (high - kept.height) // 2, (wide - kept.width) // 2
        part = slice(top, top + kept.height), slice(left, left + kept.width)
        alpha = None if image.alpha is None else image.alpha[part]
        image = replace(image, pixels=image.pixels[part], alpha=alpha)
        depth = DepthMap(depth.values[part])
    return image.resized(size), depth.resized(size)
