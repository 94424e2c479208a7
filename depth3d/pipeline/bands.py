"""Draws the eyes of a stereo still, large photos in bands of rows, so that memory stays bounded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth3d.camera import FARTHEST_INVERSE, Camera, inverse_distance
from depth3d.depthmap import DepthMap
from depth3d.geometry.background.fill import fill_view
from depth3d.geometry.background.frame import find_frame, remove_frame, restore_frame
from depth3d.geometry.chunked import return_freed_memory, row_bands
from depth3d.geometry.edges.matte import soften_discontinuities
from depth3d.geometry.edges.outlines import SharpDepth, sharp_depth
from depth3d.geometry.mesh.layers import build_layers, layers_of_rows
from depth3d.image import Image, Size
from depth3d.layeredmesh import LayeredMesh
from depth3d.options import Quality
from depth3d.render.renderer import Renderer
from depth3d.stereopair import StereoPair, StereoRig

__all__ = ["EyeRenderer", "PairRenderer", "eye_camera"]

MESHED_PIXELS = 3_000_000
WHOLE_PIXELS = 8_000_000  # larger photos are drawn in bands
_GRID = 256  # pixels of the largest triangles
_LEAST_ROWS = 512


def eye_camera(photo: Camera, aspect: float, parallax: float, convergence: float) -> Camera:
    """Camera of an eye to the right (to the left with a negative ``parallax``) of the camera that took the photo.

    A point of depth v lands at x - W * parallax / 100 * (v - convergence): parallel axes, off-axis frustum.
    """
    focal = photo.focal(aspect)
    move = parallax / 100 / (focal * (1 - FARTHEST_INVERSE))
    shift = focal * move * inverse_distance(convergence)
    return Camera((move, 0.0, 0.0), (0.0, 0.0, 0.0), photo.field_of_view, (shift, 0.0))


class EyeRenderer:
    """Draws both eyes of one photo; what they share is computed once.

    Photos of more than ``WHOLE_PIXELS`` are meshed, drawn and filled in bands of rows: an eye shifts points along their
    row only.

    Parameters
    ----------
    image : Image
        The photo.
    depth : DepthMap
        Its depth, of the same size.
    parallax : float
        Shift between the nearest and the farthest point in one eye, percent of the width.
    convergence : float
        Depth with zero disparity.
    """

    def __init__(self, image: Image, depth: DepthMap, parallax: float, convergence: float) -> None:
        self._image = image
        self._parallax, self._convergence = abs(parallax), convergence
        # One or the other: at 100 megapixels each takes 400 MB.
        self._depth: DepthMap | SharpDepth = depth
        if image.alpha is None and image.size.pixels > WHOLE_PIXELS:
            self._depth = sharp_depth(image, depth, self._parallax)

    def eye(self, side: int) -> Image:
        """Render the right eye (``side`` 1) or the left one (-1); alpha moves with the colors."""
        image, depth = self._image, self._depth
        if isinstance(depth, SharpDepth):
            return self._in_bands(depth, side)
        if image.alpha is not None:
            colors, cover = replace(image, alpha=None), Image(np.repeat(image.alpha[..., None], 3, axis=2))
            eyes = [EyeRenderer(each, depth, self._parallax, self._convergence).eye(side)
                    for each in (colors, cover)]  # fmt: skip
            return Image(eyes[0].pixels, eyes[1].pixels[..., 0])
        # Meshing every pixel of a large photo takes gigabytes; there the alpha of the texture defines the outline.
        cut: Quality = "high" if image.size.pixels <= MESHED_PIXELS else "normal"
        ways = "right" if side > 0 else "left"
        mesh = build_layers(image, depth, parallax_percent=self._parallax, quality=cut, ways=ways, backdrop=False)
        return Image(self._drawn(mesh, side, image.size))

    def _in_bands(self, depth: SharpDepth, side: int) -> Image:
        image, ways = self._image, "right" if side > 0 else "left"
        result = np.empty_like(image.pixels)
        for band in row_bands(image.pixels.shape, _GRID, least=_LEAST_ROWS, multiple=_GRID):
            first, size = band.read.start, Size(image.size.width, band.read.stop - band.read.start)
            # No name for the mesh: its arrays are freed once they are on the GPU.
            drawn = self._drawn(layers_of_rows(image, depth, band.read, "normal", ways), side, size, first)
            result[band.rows] = drawn[band.inside]
            del drawn
            return_freed_memory()
        return Image(result)

    def _drawn(self, mesh: LayeredMesh, side: int, size: Size, first_row: int | None = None) -> NDArray[Any]:
        camera = eye_camera(mesh.camera, mesh.size.aspect, side * self._parallax, self._convergence)
        deep = self._image.pixels.dtype == np.uint16
        with Renderer(size, crisp=True, deep=deep) as renderer:
            renderer.upload(mesh)
            del mesh
            picture, seen = renderer.draw_with_depth(camera, first_row)
        filled, shift = fill_view(picture.pixels, seen * np.float32(self._parallax / 100 * size.width))
        return soften_discontinuities(filled, shift)


class PairRenderer:
    """Draws a stereo pair. The caller may free the depth map before ``draw``: of a large photo it is not kept.

    Parameters
    ----------
    image : Image
        The photo.
    depth : DepthMap
        Its depth, of any size with the same aspect ratio.
    rig : StereoRig
        Parallax, convergence and which eyes are rendered.
    """

    def __init__(self, image: Image, depth: DepthMap, rig: StereoRig) -> None:
        self._image, self._rendered = image, rig.eyes
        each = rig.parallax / 2 if rig.eyes == "both" else rig.parallax
        self._frame = find_frame(image)
        inside, depth = remove_frame(image, depth.resized(image.size), self._frame)
        self._eyes: EyeRenderer | None = EyeRenderer(inside, depth, each, rig.convergence)

    def draw(self) -> StereoPair:
        """Render the eyes; one that is not rendered is the picture itself. Once only: then the depth is freed."""
        drawn, self._eyes = self._eyes, None
        assert drawn is not None, "draw() is called once"
        image, frame = self._image, self._frame
        right = image if self._rendered == "left" else restore_frame(drawn.eye(1), image, frame)
        left = image if self._rendered == "right" else restore_frame(drawn.eye(-1), image, frame)
        return StereoPair(left, right)
