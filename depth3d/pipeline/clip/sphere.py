"""Render VR clips: both eyes of flat clips projected onto half spheres, and both eyes of spherical clips."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from depth3d.depthmap import DepthMap
from depth3d.frames import Frame
from depth3d.image import Image, Size
from depth3d.io.image.panorama import Sphere
from depth3d.options import StereoOptions
from depth3d.pipeline.clip.own_eyes import EyesComposer
from depth3d.pipeline.clip.renderers import StereoRenderer, StereoStrength
from depth3d.pipeline.sphere import continued, degrees_across, sphere_side, toward_poles
from depth3d.stereoformats import StereoFormat, find_format
from depth3d.stereopair import StereoPair

__all__ = ["SphereRenderer", "SphericalRenderer"]

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


class SphericalRenderer:
    """Render both eyes of a 360 or 180 degree clip, shifted as ``sphere_pair`` does for photos.

    Parameters
    ----------
    size : Size
        Size of the clip's pictures, px.
    options : StereoOptions
        Eyes and quality; the parallax of every frame's strength is that of the nearest point in percent of a view of 90
        degrees. The farthest point has none.
    layout : StereoFormat
        How both eyes are arranged.
    sphere : Sphere
        The part of the sphere that the pictures cover.
    """

    both_eyes = False

    def __init__(self, size: Size, options: StereoOptions, layout: StereoFormat, sphere: Sphere) -> None:
        self._size, self._sphere = size, sphere
        self._share = 90 / sphere.across
        # Shot lists may raise the parallax; beyond this continuation, the seam would show.
        most = max(options.parallax, 10.0) * self._share / 100
        self._more = round(size.width * (2 * most + 0.05)) if sphere.closed else 0
        self._whole = Size(size.width + 2 * self._more, size.height)
        self._eyes = StereoRenderer(self._whole, replace(options, format="tb"), find_format("tb"))
        self._composer = EyesComposer(size, find_format("sbs") if layout.packing == "sphere" else layout)
        self.size = self._composer.size

    def __enter__(self) -> SphericalRenderer:
        self._eyes.__enter__()
        self._composer.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._composer.__exit__(*exception)
        self._eyes.__exit__(*exception)

    def prepare(self, frame: Frame, depth: DepthMap, strength: StereoStrength) -> Any:
        """Continue picture and depth over the seam, calm the poles, and prepare the depth map."""
        values = depth.values * toward_poles(self._sphere, depth.size.height)
        more = round(self._more * depth.size.width / self._size.width)
        wide = DepthMap(np.pad(values, ((0, 0), (more, more)), mode="wrap"))
        seen = None if frame.seen is None else continued(frame.seen, self._more)
        whole = replace(frame, image=continued(frame.image, self._more), seen=seen)
        parallax = strength.parallax * self._share * self._size.width / self._whole.width
        return self._eyes.prepare(whole, wide, StereoStrength(parallax, 0.0))

    def draw(self, prepared: Any) -> Image:
        """Return both eyes in the layout."""
        both = self._eyes.draw(prepared).pixels[:, self._more : self._more + self._size.width]
        upper, lower = (Image(np.ascontiguousarray(eye)) for eye in np.split(both, 2, axis=0))
        return self._composer.compose(StereoPair(upper, lower))
