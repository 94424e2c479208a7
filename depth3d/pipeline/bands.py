"""Draws the eyes of a stereo still, large photos in bands of rows, so that memory stays bounded."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from depth3d.camera import FARTHEST_INVERSE, Camera, inverse_distance
from depth3d.depthmap import DepthMap
from depth3d.geometry.background.fill import fill_view
from depth3d.geometry.chunked import return_freed_memory, row_bands
from depth3d.geometry.edges.matte import soften_discontinuities
from depth3d.geometry.mesh.layers import SharpDepth, build_layers, layers_of_rows, sharp_depth
from depth3d.image import Image, Size
from depth3d.layeredmesh import LayeredMesh
from depth3d.options import Quality
from depth3d.render.renderer import Renderer

__all__ = ["EyeRenderer", "eye_camera"]

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
        self._image, self._depth = image, depth
        self._parallax, self._convergence = abs(parallax), convergence

    def eye(self, side: int) -> Image:
        """Render the right eye (``side`` 1) or the left one (-1); alpha moves with the colors."""
        image = self._image
        if image.alpha is not None:
            colors, cover = replace(image, alpha=None), Image(np.repeat(image.alpha[..., None], 3, axis=2))
            eyes = [EyeRenderer(each, self._depth, self._parallax, self._convergence).eye(side)
                    for each in (colors, cover)]  # fmt: skip
            return Image(eyes[0].pixels, eyes[1].pixels[..., 0])
        if image.size.pixels > WHOLE_PIXELS:
            return self._in_bands(side)
        # Meshing every pixel of a large photo takes gigabytes; there the alpha of the texture defines the outline.
        cut: Quality = "high" if image.size.pixels <= MESHED_PIXELS else "normal"
        ways = "right" if side > 0 else "left"
        mesh = build_layers(image, self._depth, parallax_percent=self._parallax, quality=cut, ways=ways, backdrop=False)
        return Image(self._drawn(mesh, side, image.size))

    @cached_property
    def _sharp(self) -> SharpDepth:
        return sharp_depth(self._image.eight_bit(), self._depth, self._parallax)

    def _in_bands(self, side: int) -> Image:
        image, ways = self._image.eight_bit(), "right" if side > 0 else "left"
        result = np.empty_like(image.pixels)
        for band in row_bands(image.pixels.shape, _GRID, least=_LEAST_ROWS, multiple=_GRID):
            first, size = band.read.start, Size(image.size.width, band.read.stop - band.read.start)
            # No name for the mesh: its arrays are freed once they are on the GPU.
            result[band.rows] = self._drawn(
                layers_of_rows(image, self._sharp, band.read, "normal", ways), side, size, first
            )[band.inside]
            return_freed_memory()
        return Image(result)

    def _drawn(self, mesh: LayeredMesh, side: int, size: Size, first_row: int | None = None) -> NDArray[np.uint8]:
        camera = eye_camera(mesh.camera, mesh.size.aspect, side * self._parallax, self._convergence)
        with Renderer(size, crisp=True) as renderer:
            renderer.upload(mesh)
            del mesh
            picture, seen = renderer.draw_with_depth(camera, first_row)
        filled, shift = fill_view(picture.pixels, seen * np.float32(self._parallax / 100 * size.width))
        return soften_discontinuities(filled, shift)
