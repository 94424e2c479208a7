"""Render VR180 clips: both eyes projected onto half spheres."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from depth3d.depthmap import DepthMap
from depth3d.frames import Frame
from depth3d.image import Image, Size
from depth3d.options import StereoOptions
from depth3d.pipeline.clip.renderers import StereoRenderer, StereoStrength
from depth3d.pipeline.sphere import degrees_across, sphere_side
from depth3d.stereoformats import find_format

__all__ = ["SphereRenderer"]

# Limit of hardware decoders of headsets: 4096x2048 for both eyes together.
_CLIP_SIDE = 2048


class SphereRenderer:
    """Render both eyes and project each onto a half sphere; the rest is black.

    Parameters
    ----------
    size : Size
        Size of the clip's pictures, px.
    options : StereoOptions
        Eyes, quality and ``field_of_view``; parallax and convergence come with every frame's strength.
    """

    both_eyes = False

    def __init__(self, size: Size, options: StereoOptions) -> None:
        self._eyes = StereoRenderer(size, replace(options, format="sbs"), find_format("sbs"))
        self._across = degrees_across(options, size)
        side = sphere_side(size, self._across, _CLIP_SIDE)
        self._eye, self._side = size, Size(side, side)
        self.size = Size(2 * side, side)
        self._projector: Any = None

    def __enter__(self) -> SphereRenderer:
        from depth3d.render.warp.sphere import SphereProjector

        self._eyes.__enter__()
        self._projector = SphereProjector(self._eye, self._side, span=(180, 180), across=self._across)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._projector is not None:
            self._projector.release()
        self._eyes.__exit__(*exception)

    def prepare(self, frame: Frame, depth: DepthMap, strength: StereoStrength) -> Any:
        """Prepare the depth map for both eyes."""
        return self._eyes.prepare(frame, depth, strength)

    def draw(self, prepared: Any) -> Image:
        """Return both half spheres side by side, left eye on the left."""
        both = self._eyes.draw(prepared).eight_bit().pixels
        halves = (both[:, : self._eye.width], both[:, self._eye.width :])
        return Image(np.hstack([self._projector.project(Image(half)).pixels for half in halves]))
