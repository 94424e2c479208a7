"""What others do, to measure against: one elastic sheet, a ray march through a height field, pixels moved one by one.

They are written here for comparison only and are no part of the package. The ray march follows the idea
of parallax shaders: for every pixel of the new view, walk from near to far through the depth map in 85
steps until the ray is below the surface, then 13 finer ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import depth3d as d3
from depth3d.layeredmesh import Layer, LayeredMesh
from depth3d.render.context import get_context, on_render_thread
from depth3d.render.readback import read_image
from depth3d.render.upload import GL_SRGB8, make_target

COARSE, FINE = 85, 13

_VERTEX = """#version 330 core
in vec2 place;
out vec2 at;
void main() { at = place; gl_Position = vec4(place * 2.0 - 1.0, 0.0, 1.0); }
"""
_FRAGMENT = """#version 330 core
uniform sampler2D picture;
uniform sampler2D depth;
uniform vec2 travel;  // shift of depth 1 against depth 0, in widths and heights
uniform float still;  // the depth that does not move
in vec2 at;
out vec4 color;
void main() {
    float level = 1.0;
    float step_size = 1.0 / float(COARSE);
    for (int i = 0; i < COARSE; i++) {
        if (textureLod(depth, at - travel * (level - still), 0.0).r >= level) break;
        level -= step_size;
    }
    level = min(level + step_size, 1.0);
    for (int i = 0; i < FINE; i++) {
        if (textureLod(depth, at - travel * (level - still), 0.0).r >= level) break;
        level -= step_size / float(FINE);
    }
    color = vec4(textureLod(picture, at - travel * (level - still), 0.0).rgb, 1.0);
}
""".replace("COARSE", str(COARSE)).replace("FINE", str(FINE))


class RayMarch:
    """One new view per call of ``render``; ``travel`` in pixels (right, down) of depth 1 against depth 0."""

    @on_render_thread
    def __init__(self, image: d3.Image, depth: d3.DepthMap) -> None:
        context = get_context()
        self.size = image.size
        self._context = context
        self._program: Any = context.program(vertex_shader=_VERTEX, fragment_shader=_FRAGMENT)
        # sRGB, whatever the program's own textures are: a yardstick does not become faster with what it measures.
        pixels = np.ascontiguousarray(image.pixels).data
        self._picture = context.texture(tuple(image.size), 3, pixels, alignment=1, internal_format=GL_SRGB8)
        self._picture.repeat_x = self._picture.repeat_y = False
        self._depth = context.texture(tuple(depth.size), 1, depth.values.data, dtype="f4")
        self._depth.repeat_x = self._depth.repeat_y = False
        self._target = make_target(context, image.size)
        corners = np.array([[0, 0], [2, 0], [0, 2]], np.float32)
        self._array = context.vertex_array(self._program, [(context.buffer(corners.data), "2f", "place")])

    @on_render_thread
    def render(self, travel: tuple[float, float], still: float) -> None:
        self._target.use()
        self._context.enable_only(0)
        self._context.enable_direct(0x8DB9)  # sRGB framebuffer, as in the program itself
        self._picture.use(0)
        self._depth.use(1)
        self._program["picture"], self._program["depth"] = 0, 1
        self._program["travel"] = (travel[0] / self.size.width, travel[1] / self.size.height)
        self._program["still"] = still
        self._array.render()
        self._context.disable_direct(0x8DB9)

    @on_render_thread
    def draw(self, travel: tuple[float, float], still: float) -> d3.Image:
        self.render(travel, still)
        return read_image(self._target)


def rubber_sheet(image: d3.Image, depth: d3.DepthMap) -> LayeredMesh:
    """A vertex in the middle of every pixel and along the border, all connected across depth discontinuities."""
    width, height = depth.size
    x = np.concatenate([[0.0], np.arange(width) + 0.5, [width]]) / width
    y = np.concatenate([[0.0], np.arange(height) + 0.5, [height]]) / height
    place = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2).astype(np.float32)
    across = width + 2
    first = np.arange(len(place)).reshape(height + 2, across)[:-1, :-1].ravel()
    quads = np.stack([first, first + across, first + 1, first + across + 1], 1)
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [2, 1, 3]]]).astype(np.uint32)
    levels = np.pad(depth.values, 1, mode="edge").ravel()
    return LayeredMesh((Layer(place, levels, place, faces, image),), image.size)


def forward_warp(pixels: NDArray[Any], shift: NDArray[np.float32], near: NDArray[np.float32]) -> NDArray[Any]:
    """Move every pixel (H, W, C) to the left by its ``shift``, rounded; of several the one of largest ``near`` is seen.

    Holes take the color of the farther one of the two pixels beside them in their row.
    """
    height, width = shift.shape
    rows, columns = np.divmod(np.argsort(near, axis=None, kind="stable"), width)  # far ones first
    landing = np.rint(columns - shift[rows, columns]).astype(int)
    inside = (landing >= 0) & (landing < width)
    source = np.full((height, width), -1)
    source[rows[inside], landing[inside]] = columns[inside]
    place = np.arange(width)
    known = source >= 0
    left = np.maximum.accumulate(np.where(known, place, -1), axis=1)
    right = np.minimum.accumulate(np.where(known, place, width)[:, ::-1], axis=1)[:, ::-1]
    line = np.arange(height)[:, None]
    ends = ((left, left >= 0), (right, right < width))
    beside = [np.where(valid, source[line, at.clip(0, width - 1)], -1) for at, valid in ends]
    depths = [np.where(one >= 0, near[line, one], np.inf) for one in beside]
    chosen = np.where(depths[0] <= depths[1], beside[0], beside[1])
    return np.asarray(pixels[line, chosen])
