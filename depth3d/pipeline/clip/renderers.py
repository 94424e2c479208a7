"""Frame renderers of clips: two eyes in any layout, a moving camera, or the depth map.

A renderer has two steps, because only the second needs OpenGL: ``prepare`` (NumPy work) may run in any thread, ``draw``
runs in the thread that owns the OpenGL context. Neither keeps state between frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput
from depth3d.frames import Frame
from depth3d.image import Image, Size
from depth3d.options import AnimateOptions, StereoOptions
from depth3d.pipeline.comfort import with_window
from depth3d.stereoformats import StereoFormat, find_format
from depth3d.stereopair import StereoPair, StereoRig

__all__ = ["DepthRenderer", "FrameRenderer", "PathRenderer", "StereoRenderer", "StereoStrength", "moving_format"]

_SAMPLES = {"draft": 1, "normal": 1, "high": 3}  # horizontal samples per pixel of an eye


@dataclass(frozen=True, slots=True)
class StereoStrength:
    """Parallax, convergence and floating window of one frame; constant within a shot.

    Parameters
    ----------
    parallax : float
        Difference of disparity between the nearest and the farthest point, percent of the width.
    convergence : float
        Depth at the screen plane, 0 (far) to 1 (near).
    window : tuple[float, float]
        Black bars at the left of the left eye and at the right of the right eye, percent of the width.
    """

    parallax: float
    convergence: float
    window: tuple[float, float] = (0.0, 0.0)


class FrameRenderer(Protocol):
    """Protocol: renders the output pictures; a context manager that owns the GPU resources.

    ``both_eyes``: whether ``prepare`` takes whole frames of a stereo clip and needs no depth.
    """

    size: Size
    both_eyes: bool

    def __enter__(self) -> FrameRenderer: ...

    def __exit__(self, *exception: object) -> None: ...

    def prepare(self, frame: Frame, depth: DepthMap, strength: StereoStrength) -> Any:
        """Do all work without GPU; may run in any thread."""
        ...

    def draw(self, prepared: Any) -> Image:
        """Render the output picture of size ``size``; always called in the same thread."""
        ...


def moving_format(name: str) -> StereoFormat:
    """Return the stereo format with this name if it supports clips.

    Raises ``InvalidInput`` otherwise, with the names of suitable formats.
    """
    from depth3d.stereoformats import FORMATS

    layout = find_format(name)
    if not layout.moving:
        able = ", ".join(card.name for card in FORMATS.values() if card.moving)
        raise InvalidInput(f"the format {layout.name} does not support clips; formats for clips: {able}")
    return layout


class StereoRenderer:
    """Render two eyes in a stereo layout, or picture and depth side by side (``rgbd``).

    Parameters
    ----------
    size : Size
        Size of the clip's pictures, px.
    options : StereoOptions
        Eyes and quality; parallax and convergence come with every frame's strength.
    """

    both_eyes = False

    def __init__(self, size: Size, options: StereoOptions, layout: StereoFormat) -> None:
        from depth3d.render.compose import composed_size

        self._eye, self._options, self._layout = size, options, layout
        self.size = Size(2 * size.width, size.height) if layout.packing == "depth" else composed_size(size, layout)
        self._composer: Any = None
        self._renderer: Any = None

    def __enter__(self) -> StereoRenderer:
        from depth3d.render.compose import Composer
        from depth3d.render.warp.stereo import StereoWarp

        if self._layout.packing != "depth":
            samples = _SAMPLES[self._options.quality]
            self._renderer = StereoWarp(self._eye, stack=self._layout.packing == "stack", samples=samples)
            if not self._plain:
                self._composer = Composer(self._eye, self._layout)
        return self

    def __exit__(self, *exception: object) -> None:
        for thing in (self._composer, self._renderer):
            if thing is not None:
                thing.release()

    @property
    def _plain(self) -> bool:
        """Whether the warp shader already draws this layout."""
        return self._layout.packing in ("side", "stack") and not self._layout.half

    def prepare(self, frame: Frame, depth: DepthMap, strength: StereoStrength) -> Any:
        """Upsample the depth to the frame size and sharpen its edges."""
        if self._layout.packing == "depth":
            return frame, _along_edges(depth, frame), strength
        return (
            frame,
            _sharp(depth, frame, max(abs(s) for s in self._shifts(strength)) * self._eye.width / 100),
            strength,
        )

    def _shifts(self, strength: StereoStrength) -> tuple[float, float]:
        """Return the disparity range of the left and the right eye between depth 0 and 1, percent of the width."""
        left, right = StereoRig(strength.parallax, strength.convergence, self._options.eyes).shares()
        return -strength.parallax * left, strength.parallax * right

    def draw(self, prepared: Any) -> Image:
        """Render both eyes and arrange them in the layout."""
        frame, depth, strength = prepared
        if self._renderer is None:
            return Image(np.hstack([frame.image.pixels, _gray(depth, frame.image.pixels.dtype)]))
        left, right = self._shifts(strength)
        swapped = self._plain and self._layout.right_first
        first, second = (right, left) if swapped else (left, right)
        both: Image = self._renderer.draw(frame.image, depth, first, second, strength.convergence)
        if self._plain and not any(strength.window):
            return both
        axis = 0 if self._layout.packing == "stack" else 1
        eyes = np.split(both.pixels, 2, axis=axis)[:: -1 if swapped else 1]
        pair = with_window(StereoPair(Image(eyes[0]), Image(eyes[1])), strength.window)
        if self._plain:
            drawn = [pair.left.pixels, pair.right.pixels][:: -1 if swapped else 1]
            return Image(np.concatenate(drawn, axis=axis))
        composed: Image = self._composer.compose(pair)
        return composed


class PathRenderer:
    """Render a clip with a moving camera, with depth of field, motion blur of the camera, and vignetting.

    Parameters
    ----------
    size : Size
        Size of the clip's pictures, px.
    options : AnimateOptions
        Camera path, amount, loop length and lens; the depth of the fixed plane is the ``convergence`` of each frame's
        strength.
    rate : float
        Frames per second, for the shutter.
    """

    both_eyes = False

    def __init__(self, size: Size, options: AnimateOptions, rate: float) -> None:
        from depth3d.geometry.camera.lens import Lens

        self.size, self._options, self._rate = size, options, rate
        self._lens = Lens(options.bokeh, options.shutter, options.vignette, options.shake)
        self._renderer: Any = None
        self._exposure: Any = None
        self._paths: dict[float, Any] = {}

    def __enter__(self) -> PathRenderer:
        from depth3d.render.exposure import Exposure
        from depth3d.render.warp.reproject import Reprojection

        self._renderer = Reprojection(self.size)
        if not self._lens.pinhole:
            self._exposure = Exposure(self._renderer, self._lens.vignette)
        return self

    def __exit__(self, *exception: object) -> None:
        for thing in (self._exposure, self._renderer):
            if thing is not None:
                thing.release()

    def prepare(self, frame: Frame, depth: DepthMap, strength: StereoStrength) -> Any:
        """Upsample the depth to the frame size and sharpen its edges."""
        travel = (self._options.amount + self._options.bokeh) / 200 * self.size.width
        sharp = _sharp(depth, frame, travel, sideways=False)
        if self._options.bokeh and travel > 0 and depth.size != frame.image.size:
            from depth3d.geometry.edges.refine import absorb_islands

            shift = absorb_islands(sharp.values * np.float32(travel))
            sharp = DepthMap(np.clip(shift / np.float32(travel), 0, 1))
        return frame, sharp, strength.convergence

    def draw(self, prepared: Any) -> Image:
        """Render the frame from the camera position at its time."""
        frame, depth, focus = prepared
        if focus not in self._paths:
            self._paths[focus] = self._make_path(frame.image, focus)
        exposed, views = self._paths[focus]
        time = float(frame.time) % exposed.path.duration
        if self._exposure is None:
            drawn: Image = self._renderer.draw(frame.image, depth, exposed.path.at(time))
            return drawn
        self._renderer.load(frame.image, depth)
        developed: Image = self._exposure.draw(exposed.cameras(time, views))
        return developed

    def _make_path(self, image: Image, still: float) -> Any:
        from depth3d.camera import Camera
        from depth3d.geometry.camera.lens import ExposedPath, with_camera_shake
        from depth3d.geometry.camera.paths import named_path

        options, photo, aspect = self._options, Camera.of_photo(image), self.size.aspect
        path = named_path(options.path, photo, aspect, amount=options.amount, seconds=options.seconds, focus=still)
        moving = with_camera_shake(path, photo, aspect, options.shake, still)
        exposed = ExposedPath(moving, photo, self.size, self._lens, still, self._rate, options.quality)
        return exposed, exposed.view_count()


class DepthRenderer:
    """Render the depth map: gray (white = near) or a heat map.

    Parameters
    ----------
    size : Size
        Size of the clip's pictures, px.
    heatmap : str | None
        Name of a color map; None = gray.
    """

    both_eyes = False

    def __init__(self, size: Size, heatmap: str | None) -> None:
        self.size, self._heatmap = size, heatmap

    def __enter__(self) -> DepthRenderer:
        return self

    def __exit__(self, *exception: object) -> None:
        return None

    def prepare(self, frame: Frame, depth: DepthMap, strength: StereoStrength) -> Any:
        """Return the finished picture; no GPU is needed."""
        values = _along_edges(depth, frame)
        if self._heatmap is not None:
            from depth3d.io.depth.colormaps import colorize

            return colorize(values, self._heatmap)
        return Image(_gray(values, np.dtype(np.uint16)))

    def draw(self, prepared: Any) -> Image:
        """Return the result of ``prepare``."""
        image: Image = prepared
        return image


def _along_edges(depth: DepthMap, frame: Frame, *, coarse: bool = False) -> DepthMap:
    """Upsample the depth to the frame size, with its edges aligned to those of the picture (``coarse``: roughly)."""
    if depth.size == frame.image.size:
        return depth
    from depth3d.depth.refine import upsample_frame

    return DepthMap(upsample_frame(depth.values, frame.guide, coarse=coarse))


def _sharp(depth: DepthMap, frame: Frame, shift_pixels: float, *, sideways: bool = True) -> DepthMap:
    """Upsample the depth, move its edges to the picture's outlines and turn them into steps.

    Depth that has the size of the frame was measured or made for it: its edges stay where they are.
    """
    from depth3d.geometry.edges.refine import align_frame
    from depth3d.geometry.edges.sharpen import sharpen_frame

    full = _along_edges(depth, frame, coarse=shift_pixels > 0)
    if depth.size != frame.image.size and shift_pixels > 0:
        shift = align_frame(full.values * np.float32(shift_pixels), frame.guide.pixels)
        shift /= np.float32(shift_pixels)
        full = DepthMap(np.clip(shift, 0, 1, out=shift))
    return sharpen_frame(full, shift_pixels, sideways=sideways)


def _gray(depth: DepthMap, dtype: np.dtype[Any]) -> Any:
    most = np.iinfo(dtype).max
    gray = np.round(depth.values * most).astype(dtype)
    return np.repeat(gray[..., None], 3, axis=2)
