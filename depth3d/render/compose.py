"""Composes a stereo pair into one picture on the GPU: side by side, interlaced, anaglyph."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth3d.errors import ContextError, InvalidInput
from depth3d.image import Image, Size
from depth3d.render.context import get_context, on_render_thread
from depth3d.render.shaders import make_program, set_uniforms
from depth3d.stereoformats import StereoFormat, find_format
from depth3d.stereopair import StereoPair

__all__ = ["Composer", "compose", "composed_size"]

WHOLE_PIXELS = 8_000_000  # larger eyes are composed in bands
_PACKINGS = {"side": 0, "stack": 1, "rows": 2, "columns": 3, "checker": 4}


def composed_size(size: Size, layout: StereoFormat | str) -> Size:
    """Size of the composed picture for eyes of ``size``: twice as wide for full side by side, the same for half.

    Raises ``InvalidInput`` for a format that is not a single flat picture.
    """
    layout = _flat(layout)
    part = _part(size, layout)
    if layout.packing == "side":
        return Size(2 * part.width, part.height)
    return Size(part.width, 2 * part.height) if layout.packing == "stack" else part


def compose(pair: StereoPair, format: str | StereoFormat = "anaglyph") -> Image:
    """Compose both eyes into one picture.

    Layouts copy pixels exactly (half formats average two neighbors; an odd last column or row is left
    out). Anaglyphs are mixed in linear light by published matrices (``depth3d.anaglyphs``). 8 bits stay
    8 bits, 16 bits stay 16; alpha is carried along.

    Raises ``InvalidInput`` for an unknown format or one that is not a single flat picture (mpo, quilts).

    Parameters
    ----------
    pair : StereoPair
        Left and right picture of one size.
    format : str | StereoFormat
        Any flat name of ``depth3d.stereoformats.FORMATS``: sbs, sbs-half, cross, tb, tb-half, rows, columns,
        checkerboard, anaglyph (= red-cyan), green-magenta, amber-blue ...
    """
    layout = _flat(format)
    if pair.size.pixels > WHOLE_PIXELS:
        return _composed_in_bands(pair, layout)
    with Composer(pair.size, layout) as composer:
        return composer.compose(pair)


def _composed_in_bands(pair: StereoPair, layout: StereoFormat) -> Image:
    """Compose a large pair in bands of rows, so that the GPU holds one band; every layout keeps its rows apart."""
    size = composed_size(pair.size, layout)
    channels: list[NDArray[Any]] = []
    step = max(2, WHOLE_PIXELS // 2 // pair.size.width // 2 * 2)  # even: rows and squares alternate
    for top in range(0, pair.size.height, step):
        rows = slice(top, min(top + step, pair.size.height))
        eyes = [_rows(eye, rows) for eye in (pair.left, pair.right)]
        if layout.half and layout.packing == "stack" and eyes[0].size.height < 2:
            continue  # an odd last row is left out
        with Composer(eyes[0].size, layout) as composer:
            part = composer.compose(StereoPair(eyes[0], eyes[1]))
        planes = [part.pixels] if part.alpha is None else [part.pixels, part.alpha]
        if not channels:
            channels = [np.empty((size.height, size.width, *plane.shape[2:]), plane.dtype) for plane in planes]
        for plane, target in zip(planes, channels, strict=True):
            if layout.packing == "stack":
                half = len(plane) // 2
                first = top // 2 if layout.half else top
                target[first : first + half] = plane[:half]
                target[size.height // 2 + first :][:half] = plane[half:]
            else:
                target[top : top + len(plane)] = plane
    return Image(channels[0], channels[1] if len(channels) > 1 else None)


def _rows(eye: Image, rows: slice) -> Image:
    return Image(eye.pixels[rows], None if eye.alpha is None else eye.alpha[rows])


class Composer:
    """Composes many pairs of one size, such as the frames of a clip. May be used from any thread."""

    @on_render_thread
    def __init__(self, size: Size, format: str | StereoFormat = "anaglyph") -> None:
        self.format = _flat(format)
        self.size = size
        self.composed = composed_size(size, self.format)
        self._context = get_context()
        largest = int(self._context.info["GL_MAX_TEXTURE_SIZE"])
        if max(size) > largest:
            raise ContextError(f"an eye of {size} does not fit this GPU's textures ({largest}); use a smaller size")
        # A full side-by-side picture may be larger than any target: it is drawn in tiles.
        self._tile = Size(min(self.composed.width, largest), min(self.composed.height, largest))
        self._program = self._make_program()
        self._array = self._context.vertex_array(self._program, [])
        self._eyes: list[Any] = []
        self._target: Any = None
        self._kind, self._channels = "", 0

    def __enter__(self) -> Composer:
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()

    @on_render_thread
    def compose(self, pair: StereoPair) -> Image:
        """Compose one pair. Raises ``InvalidInput`` if its size differs from this composer's."""
        if pair.size != self.size:
            raise InvalidInput(f"Composer: the pair is {pair.size}, expected {self.size}")
        deep = any(eye.pixels.dtype == np.uint16 for eye in (pair.left, pair.right))
        opaque = pair.left.alpha is None and pair.right.alpha is None
        self._prepare("nu2" if deep else "f1", 3 if opaque else 4)
        eyes = (pair.right, pair.left) if self.format.right_first else (pair.left, pair.right)
        for texture, eye in zip(self._eyes, eyes, strict=True):
            texture.write(_texels(eye, deep, opaque).data)
        self._context.disable(self._context.BLEND | self._context.DEPTH_TEST | self._context.CULL_FACE)
        for unit, texture in enumerate(self._eyes):
            texture.use(unit)
        pixels = self._draw_tiles(np.uint16 if deep else np.uint8)
        return Image(pixels) if opaque else Image(np.ascontiguousarray(pixels[..., :3]), pixels[..., 3].copy())

    @on_render_thread
    def release(self) -> None:
        """Free the GPU memory."""
        self._free_pictures()
        self._array.release()
        self._program.release()

    def _free_pictures(self) -> None:
        if self._target is not None:
            for thing in (*self._eyes, *self._target.color_attachments, self._target):
                thing.release()

    def _make_program(self) -> Any:
        layout = self.format
        if layout.anaglyph is not None:
            program = make_program(self._context, "compose.vert.glsl", "compose_anaglyph.frag.glsl")
            matrices = {"left_matrix": layout.anaglyph.left, "right_matrix": layout.anaglyph.right}
            set_uniforms(program, **{name: np.array(matrix) for name, matrix in matrices.items()})
        else:
            switches = {"PACKING": _PACKINGS[layout.packing], "HALF": layout.half}
            program = make_program(self._context, "compose.vert.glsl", "compose_layout.frag.glsl", switches)
            if layout.packing in ("side", "stack"):
                set_uniforms(program, eye=tuple(_part(self.size, layout)))
        set_uniforms(program, first=0, second=1)
        return program

    def _prepare(self, kind: str, channels: int) -> None:
        if (kind, channels) == (self._kind, self._channels):
            return
        self._free_pictures()
        context = self._context
        self._eyes = [context.texture(tuple(self.size), channels, dtype=kind, alignment=1) for _ in range(2)]
        self._target = context.framebuffer([context.texture(tuple(self._tile), 4, dtype=kind)])
        self._kind, self._channels = kind, channels

    def _draw_tiles(self, dtype: type[np.uint8] | type[np.uint16]) -> NDArray[Any]:
        channels = self._channels
        whole = np.empty((self.composed.height, self.composed.width, channels), dtype)
        self._target.use()
        for top in range(0, self.composed.height, self._tile.height):
            for left in range(0, self.composed.width, self._tile.width):
                set_uniforms(self._program, origin=(left, top))
                self._array.render(vertices=3)
                raw = self._target.read(components=channels, alignment=1, dtype=self._kind)
                tile = np.frombuffer(raw, dtype).reshape(self._tile.height, self._tile.width, channels)
                part = whole[top : top + self._tile.height, left : left + self._tile.width]
                part[...] = tile[: part.shape[0], : part.shape[1]]
        return whole


def _flat(format: str | StereoFormat) -> StereoFormat:
    layout = find_format(format)
    if not layout.flat:
        raise InvalidInput(
            f"{layout.name} is not one flat picture; depth3d.stereo(..., format={layout.name!r}) writes it"
        )
    return layout


def _part(size: Size, layout: StereoFormat) -> Size:
    """Size of one eye in the result."""
    if not layout.half:
        return size
    part = Size(size.width // 2, size.height) if layout.packing == "side" else Size(size.width, size.height // 2)
    if min(part) < 1:
        raise InvalidInput(f"{layout.name}: eyes of {size} are too small to be halved")
    return part


def _texels(eye: Image, deep: bool, opaque: bool) -> NDArray[Any]:
    """(H, W, 3) or, unless ``opaque``, (H, W, 4), contiguous; uint16 when ``deep``."""
    values = eye.pixels
    if not opaque:
        full = np.iinfo(values.dtype).max
        alpha = np.full(values.shape[:2], full, values.dtype) if eye.alpha is None else eye.alpha
        values = np.dstack([values, alpha])
    if deep and values.dtype == np.uint8:
        values = values.astype(np.uint16) * np.uint16(257)
    return np.ascontiguousarray(values)
