"""New views of video frames, fast: one fixed grid, two depths per corner, outlines cut in the shader.

For stills the mesh of ``geometry.layers`` looks better; this builds nothing per frame but a few small
arrays, and leaves the rest to the GPU.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.camera import FARTHEST_INVERSE, Camera
from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput
from depth3d.image import Image, Size
from depth3d.render.context import get_context
from depth3d.render.readback import read_image
from depth3d.render.renderer import GL_FRAMEBUFFER_SRGB, photo_to_view
from depth3d.render.shaders import make_program, set_uniforms
from depth3d.render.upload import GL_SRGB8, make_target

__all__ = ["VideoWarp"]

CELL = 8  # pixels of the frame
FILL_SCALE = 4  # the completed background is this much smaller than the frame
TOLERANCE_PIXELS = 1.0  # a smaller spread of shifts within a cell is one surface


class VideoWarp:
    """Views of frames of ``size``. Use from one thread; a context manager that frees the GPU memory.

    >>> with VideoWarp(Size(1280, 720)) as warp:             # doctest: +SKIP
    ...     warp.load(frame, depth, parallax_percent=2.0)
    ...     right = warp.draw(eye_camera(Camera(), size.aspect, 2.0, 0.5))

    Parameters
    ----------
    size: of frames and views.
    border_percent: how far views may look beyond the frame's border, percent of the width.
    """

    def __init__(self, size: Size, border_percent: float = 5.0) -> None:
        if min(size) < 1:
            raise InvalidInput(f"VideoWarp: size is {size}, expected at least 1x1")
        self.size = size
        self._context = context = get_context()
        self._program = make_program(context, "warp.vert.glsl", "warp.frag.glsl")
        self._target = make_target(context, size)
        self._margin = math.ceil(border_percent / 100 * size.width / CELL) + 1
        self._columns, self._rows = (math.ceil(side / CELL) + 1 + 2 * self._margin for side in size)
        places, faces = _grid(self._columns, self._rows, self._margin, size)
        self._ranges = context.buffer(reserve=8 * len(places), dynamic=True)
        self._buffers = (context.buffer(places.data), context.buffer(faces.data))
        self._faces = faces
        self._far_faces = context.buffer(reserve=faces.nbytes, dynamic=True)
        self._far_count = 0
        content = [(self._buffers[0], "2f", "place"), (self._ranges, "2f", "range")]
        self._array = context.vertex_array(self._program, content, index_buffer=self._buffers[1])
        self._far_array = context.vertex_array(self._program, content, index_buffer=self._far_faces)
        small = Size(max(1, size.width // FILL_SCALE), max(1, size.height // FILL_SCALE))
        self._picture = context.texture(tuple(size), 3, alignment=1, internal_format=GL_SRGB8)
        self._background = context.texture(tuple(small), 3, alignment=1, internal_format=GL_SRGB8)
        self._depth = context.texture(tuple(size), 1, alignment=1, dtype="f1")
        for texture in (self._picture, self._background, self._depth):
            texture.repeat_x = texture.repeat_y = False
        self._tolerance = 1.0
        self._loaded = False

    def __enter__(self) -> VideoWarp:
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()

    def load(self, image: Image, depth: DepthMap, *, parallax_percent: float) -> None:
        """Take one frame and its depth (any size; its edges should be those of the frame).

        Raises ``InvalidInput`` if the frame has another size.
        """
        if image.size != self.size:
            raise InvalidInput(f"VideoWarp.load: the frame is {image.size}, expected {self.size}")
        values = depth.values if depth.size == self.size else cv2.resize(depth.values, tuple(self.size))
        # Grown by a pixel: photos mix both sides' colours along an outline.
        levels = cv2.dilate(cv2.convertScaleAbs(values, alpha=255.0), np.ones((3, 3), np.uint8))
        travel = max(parallax_percent / 100 * self.size.width, 1e-3)
        self._tolerance = min(1.0, TOLERANCE_PIXELS / travel + 1 / 255)
        far, near = _pooled(levels, CELL)
        # The background reaches as far behind the foreground as a gap can open.
        cells = math.ceil(travel / 2 / CELL)
        far = cv2.erode(far, np.ones((2 * cells + 1, 2 * cells + 1), np.uint8))
        flat = near.astype(np.float32) - far < self._tolerance * 255
        middle = _sampled(levels, CELL)
        range_ = np.stack([np.where(flat, middle, far), np.where(flat, middle, near)], -1).astype(np.float32) / 255
        padded = np.pad(range_, ((self._margin,) * 2, (self._margin,) * 2, (0, 0)), mode="edge")
        self._ranges.write(np.ascontiguousarray(padded).data)
        # The far pass covers only cells that hold two surfaces.
        split = (padded[..., 1] > padded[..., 0]).ravel()
        far_faces = np.ascontiguousarray(self._faces[split[self._faces].any(1)])
        self._far_count = far_faces.size
        if far_faces.size:
            self._far_faces.write(far_faces.data)
        self._picture.write(np.ascontiguousarray(image.eight_bit().pixels).data)
        self._depth.write(np.ascontiguousarray(levels).data)
        small = Size(*self._background.size)
        self._background.write(_completed(image.eight_bit().pixels, levels, far, small, self._tolerance).data)
        self._loaded = True

    def draw(self, camera: Camera, photo: Camera | None = None) -> Image:
        """The loaded frame seen by ``camera``; ``photo`` took it (default: an unmoved one of the same view).

        Raises ``InvalidInput`` if nothing was loaded.
        """
        self.render(camera, photo)
        return read_image(self._target)

    def render(self, camera: Camera, photo: Camera | None = None) -> None:
        """Draw into the framebuffer without reading it back."""
        if not self._loaded:
            raise InvalidInput("VideoWarp.draw: no frame yet; call load(image, depth) first")
        context, aspect = self._context, self.size.aspect
        matrix = photo_to_view(photo or Camera(field_of_view=camera.field_of_view), camera, aspect)
        set_uniforms(self._program, photo_to_view=matrix, inverse_range=(FARTHEST_INVERSE, 1 - FARTHEST_INVERSE))
        set_uniforms(self._program, picture=0, background=1, depth=2, tolerance=self._tolerance)
        self._target.use()
        self._target.clear()
        context.enable_direct(GL_FRAMEBUFFER_SRGB)
        context.enable_only(context.BLEND | context.DEPTH_TEST)
        context.blend_func = context.ONE, context.ONE_MINUS_SRC_ALPHA
        for unit, texture in enumerate((self._picture, self._background, self._depth)):
            texture.use(unit)
        set_uniforms(self._program, nearest=False)
        if self._far_count:
            self._far_array.render(vertices=self._far_count)
        set_uniforms(self._program, nearest=True)
        self._array.render()
        context.disable_direct(GL_FRAMEBUFFER_SRGB)

    def release(self) -> None:
        """Free the GPU memory. The context stays: the process has only one."""
        textures = (self._picture, self._background, self._depth, *self._target.color_attachments)
        things = (
            self._array,
            self._far_array,
            self._far_faces,
            self._ranges,
            *self._buffers,
            *textures,
            self._target.depth_attachment,
        )
        for thing in (*things, self._target, self._program):
            thing.release()


def _grid(columns: int, rows: int, margin: int, size: Size) -> tuple[NDArray[np.float32], NDArray[np.uint32]]:
    y, x = np.divmod(np.arange(rows * columns), columns)
    places = ((np.stack([x, y], 1) - margin) * CELL / np.array(size)).astype(np.float32)
    first = np.arange(rows * columns).reshape(rows, columns)[:-1, :-1].ravel()
    quads = np.stack([first, first + columns, first + 1, first + columns + 1], 1)
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [2, 1, 3]]])
    return np.ascontiguousarray(places), np.ascontiguousarray(faces, np.uint32)


def _pooled(levels: NDArray[np.uint8], cell: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Least and largest level in the square of two cells round each corner of the grid."""
    pooled = []
    for how, border in ((np.minimum, cv2.BORDER_REPLICATE), (np.maximum, cv2.BORDER_REPLICATE)):
        height, width = levels.shape
        framed = cv2.copyMakeBorder(levels, cell, cell + -height % cell, cell, cell + -width % cell, border)
        rows = how.reduceat(framed, np.arange(0, framed.shape[0], cell), axis=0)
        cells = how.reduceat(rows, np.arange(0, framed.shape[1], cell), axis=1)
        pairs = how(cells[:-1], cells[1:])
        pooled.append(np.ascontiguousarray(how(pairs[:, :-1], pairs[:, 1:])))
    return pooled[0], pooled[1]


def _sampled(levels: NDArray[np.uint8], cell: int) -> NDArray[np.float32]:
    """Level at each corner of the grid: the mean of the cell round it."""
    height, width = levels.shape
    half = cell // 2
    framed = cv2.copyMakeBorder(levels, half, half + -height % cell, half, half + -width % cell, cv2.BORDER_REPLICATE)
    size = (framed.shape[1] // cell, framed.shape[0] // cell)
    return np.asarray(cv2.resize(framed, size, interpolation=cv2.INTER_AREA), np.float32)


def _completed(
    pixels: NDArray[np.uint8], levels: NDArray[np.uint8], far: NDArray[np.uint8], size: Size, tolerance: float
) -> NDArray[np.uint8]:
    """The frame without its foreground, small: unknown places take averages of the far pixels round them."""
    small = cv2.resize(pixels, tuple(size), interpolation=cv2.INTER_AREA).astype(np.float32)
    height, width = size.height, size.width
    nearest = cv2.resize(cv2.dilate(levels, np.ones((FILL_SCALE + 1,) * 2, np.uint8)), (width, height))
    behind = cv2.resize(far, (width, height), interpolation=cv2.INTER_LINEAR)
    known = (nearest.astype(np.int16) - behind < tolerance * 255 + 8).astype(np.float32)
    total, weight = small * known[..., None], known
    result, done = total.copy(), known > 0
    scale = 1
    while not done.all() and scale < max(size):
        # Wider and wider means: each unknown pixel takes the first that holds anything known.
        scale *= 2
        down = (max(1, width // scale), max(1, height // scale))
        mass = cv2.resize(weight, down, interpolation=cv2.INTER_AREA)
        mean = cv2.resize(total, down, interpolation=cv2.INTER_AREA)
        mass_up = cv2.resize(mass, (width, height), interpolation=cv2.INTER_LINEAR)
        mean_up = cv2.resize(mean.reshape(*mass.shape, 3), (width, height), interpolation=cv2.INTER_LINEAR)
        fresh = ~done & (mass_up > 0.05)
        result[fresh] = mean_up[fresh] / mass_up[fresh][:, None]
        done |= fresh
        if down == (1, 1):
            break
    result[~done] = small[~done]
    return np.ascontiguousarray(np.clip(result + 0.5, 0, 255).astype(np.uint8))
