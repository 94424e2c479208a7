"""Renders and writes one photo in one stereo format."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from depth3d.image import Image, Size
from depth3d.options import StereoOptions
from depth3d.pipeline.canvas import canvas_pair
from depth3d.pipeline.comfort import floating_window
from depth3d.pipeline.multiview import (
    QUILT_SIZES,
    fit_into,
    interlace,
    lenticular_size,
    pitch_test,
    quilt,
    quilt_grid,
)
from depth3d.pipeline.sphere import sphere_pair
from depth3d.quantities import length_meters
from depth3d.stereoformats import StereoFormat
from depth3d.stereopair import StereoPair, StereoRig
from depth3d.validation import check_value

if TYPE_CHECKING:
    from depth3d.depthmap import DepthMap
    from depth3d.io.image.panorama import Sphere
    from depth3d.io.stereo.registry import StereoFile
    from depth3d.pipeline.bands import PairRenderer

__all__ = ["Subject", "write_format"]

# Wiggle pictures: views per second and duration; the rate is chosen so that both views fuse to a 3D impression.
_WIGGLE_RATE = Fraction(7)
_WIGGLE_SECONDS = 4


@dataclass(frozen=True)
class Subject:
    """Input of the stereo writers: a photo with depth, parallax and convergence, and its own stereo pair if it has one.

    Parameters
    ----------
    image : Image
        The photo.
    depth : DepthMap | None
        Its depth; None if only the eyes will be written.
    rig : StereoRig
        Parallax, convergence and rendered eyes.
    options : StereoOptions
        Further settings of the formats.
    own : StereoPair | None
        The aligned pair of a stereo picture, shown instead of new eyes, or None.
    sphere : Sphere | None
        The part of the sphere that an equirectangular photo covers, or None.
    renderer : PairRenderer | None
        Draws the eyes where the depth was freed, or None.
    """

    image: Image
    depth: DepthMap | None
    rig: StereoRig
    options: StereoOptions
    own: StereoPair | None = None
    sphere: Sphere | None = None
    renderer: PairRenderer | None = None

    def eyes_only(self) -> Subject:
        """Return a subject for formats that show nothing but eyes: of a large photo, its depth map is freed."""
        if self.own is None and (self.sphere is not None or self.options.floating_window):
            return self
        renderer = None if self.own is not None else self._pair_renderer()
        return replace(self, depth=None, renderer=renderer)

    def _pair_renderer(self) -> PairRenderer:
        from depth3d.pipeline.bands import PairRenderer

        check_value(StereoOptions, "quality", self.options.quality)
        return PairRenderer(self.image, self.known_depth, self.rig)

    @property
    def known_depth(self) -> DepthMap:
        """The depth, for the formats that need it."""
        assert self.depth is not None, "eyes_only() is for formats that show nothing but the eyes"
        return self.depth

    @cached_property
    def pair(self) -> StereoPair:
        """Both eyes, rendered once for all formats, on their canvas."""
        return canvas_pair(self._eyes(), self.options.canvas)

    def _eyes(self) -> StereoPair:
        if self.own is not None:
            return self.own
        if self.sphere is not None:
            return sphere_pair(self.image, self.known_depth, self.sphere, self.options)
        pair = (self.renderer or self._pair_renderer()).draw()
        if not self.options.floating_window:
            return pair
        rig, size = self.rig, self.image.size
        depth = self.known_depth.resized(size).values
        return floating_window(
            pair, (depth - np.float32(rig.convergence)) * np.float32(rig.parallax / 100 * size.width)
        )

    def forget_eyes(self) -> None:
        """Free the rendered eyes."""
        self.__dict__.pop("pair", None)

    def fan(self, size: Size, count: int) -> Iterator[Image]:
        """Views of the photo at ``size``, leftmost first."""
        from depth3d.pipeline.views import fan_of_views

        image = self.image.resized(size)
        return fan_of_views(image, self.known_depth, count, self.rig.parallax, self.rig.convergence)

    @property
    def across(self) -> float:
        """Degrees that the photo covers across its width."""
        from depth3d.pipeline.sphere import degrees_across

        return degrees_across(self.options, self.image.size, self.image)


def write_format(
    subject: Subject, layout: StereoFormat, target: Path, *, force: bool, last: bool = False
) -> list[Path]:
    """Write ``subject`` in one format; returns the paths (two for separate eyes). ``last``: its eyes are freed."""
    from depth3d.io.image.read import save_image
    from depth3d.io.stereo.registry import stereo_file

    kind = stereo_file(target, layout.name)
    if kind is not None:
        return [_write_file(subject, kind, target, force=force)]
    if layout.packing == "pair":
        eyes = zip((subject.pair.left, subject.pair.right), eye_files(target), strict=True)
        return [save_image(eye, file, force=force) for eye, file in eyes]
    if layout.packing == "wiggle":
        return [_write_wiggle(subject.pair, target, force=force)]
    draw = _PICTURES.get(layout.packing, _composed)
    picture = draw(subject, layout)
    if last:  # encoding a picture of 200 megapixels takes 2 GB by itself
        subject.forget_eyes()
    dpi = subject.options.dpi if layout.packing in ("print", "strip") else None
    return [save_image(picture, target, force=force, dpi=dpi)]


def eye_files(target: Path) -> tuple[Path, Path]:
    """The names of the left and right file of the format "pair"."""
    return target.with_name(f"{target.stem}_L{target.suffix}"), target.with_name(f"{target.stem}_R{target.suffix}")


def _write_file(subject: Subject, kind: StereoFile, target: Path, *, force: bool) -> Path:
    if kind.write_sphere is not None:
        pair, degrees = _projected(subject)
        return kind.write_sphere(pair, target, degrees, force)
    assert kind.write is not None, "stereo_file returns only kinds that can be written"
    return kind.write(subject.pair, target, force)


def _composed(subject: Subject, layout: StereoFormat) -> Image:
    from depth3d.render.compose import compose

    return compose(subject.pair, layout)


def _picture_and_depth(subject: Subject, layout: StereoFormat) -> Image:
    image = subject.image.eight_bit()
    depth = np.rint(subject.known_depth.resized(image.size).values * 255).astype(np.uint8)
    return Image(np.hstack([image.pixels, np.repeat(depth[..., None], 3, axis=2)]))


def _pitch_test(subject: Subject, layout: StereoFormat) -> Image:
    options = subject.options
    width = length_meters(options.print_width, "in", "print_width")
    return pitch_test(width, lpi=options.lpi, dpi=options.dpi)


def _lenticular(subject: Subject, layout: StereoFormat) -> Image:
    options = subject.options
    count = options.views or max(2, round(options.dpi / options.lpi))
    width = length_meters(options.print_width, "in", "print_width")
    size = lenticular_size(subject.image.size, width, options.dpi)
    # Only every count-th column of a view is used, so it is not rendered larger than the photo.
    drawn = subject.image.size.fit(max(size))
    return interlace(subject.fan(drawn, count), count, size, lpi=options.lpi, dpi=options.dpi)


def _quilt(subject: Subject, layout: StereoFormat) -> Image:
    columns, rows, aspect = quilt_grid(layout)
    whole = QUILT_SIZES[layout.name]
    tile = Size(whole.width // columns, whole.height // rows)
    # Tiles may differ from the display's aspect ratio: the picture is fitted to the display, then scaled to the tile.
    shown = Size(round(tile.height * aspect), tile.height)
    fitted, (x, y) = fit_into(subject.image, shown)
    squeeze = tile.width / shown.width
    size = Size(min(tile.width, max(1, round(fitted.size.width * squeeze))), fitted.size.height)
    views = (view.resized(size) for view in subject.fan(fitted.size, columns * rows))
    return quilt(views, columns, rows, tile, (min(round(x * squeeze), tile.width - size.width), y))


def _half_spheres(subject: Subject, layout: StereoFormat) -> Image:
    from depth3d.pipeline.sphere import sphere_side
    from depth3d.render.compose import compose
    from depth3d.render.warp.sphere import SphereProjector

    if subject.sphere is not None:
        return compose(_front(subject.pair, subject.sphere), "sbs")
    across = subject.across
    photo = subject.pair.size
    side = sphere_side(photo, across)
    with SphereProjector(photo, Size(side, side), span=(180, 180), across=across) as sphere:
        eyes = [sphere.project(eye) for eye in (subject.pair.left, subject.pair.right)]
    return compose(StereoPair(eyes[0], eyes[1]), "sbs")


def _front(pair: StereoPair, sphere: Sphere) -> StereoPair:
    """Return the middle 180 degrees of spherical eyes."""
    width = pair.size.width
    kept = min(width, round(width * 180 / sphere.across))
    columns = slice((width - kept) // 2, (width - kept) // 2 + kept)
    left, right = (Image(np.ascontiguousarray(eye.pixels[:, columns])) for eye in (pair.left, pair.right))
    return StereoPair(left, right)


def _projected(subject: Subject) -> tuple[StereoPair, float]:
    """Return the eyes projected on a sphere, and the degrees that they cover across."""
    if subject.sphere is not None:
        return subject.pair, subject.sphere.across
    from depth3d.render.warp.sphere import SphereProjector

    across, photo = subject.across, subject.pair.size
    down = math.degrees(2 * math.atan(math.tan(math.radians(across) / 2) / photo.aspect))
    size = Size(photo.width, max(1, round(photo.width * down / across)))
    with SphereProjector(photo, size, span=(across, down), across=across) as sphere:
        eyes = [sphere.project(eye) for eye in (subject.pair.left, subject.pair.right)]
    return StereoPair(eyes[0], eyes[1]), across


def _write_wiggle(pair: StereoPair, target: Path, *, force: bool) -> Path:
    from depth3d.io.animation import animation_format, write_animation

    kind = animation_format(target)
    size = pair.size.fit(kind.long_side)
    size = size.even() if kind.even else size
    eyes = [eye.eight_bit().resized(size) for eye in (pair.left, pair.right)]
    # An MP4 does not loop by itself, so it repeats the two views; animated pictures loop.
    count = 2 if not kind.even else 2 * round(_WIGGLE_SECONDS * _WIGGLE_RATE / 2)
    frames = (eyes[number % 2] for number in range(count))
    return write_animation(frames, target, fps=_WIGGLE_RATE, size=size, count=count, force=force)


# Packing -> the picture that is written; all others are composed of two eyes.
_PICTURES: dict[str, Callable[[Subject, StereoFormat], Image]] = {
    "quilt": _quilt,
    "print": _lenticular,
    "strip": _pitch_test,
    "depth": _picture_and_depth,
    "sphere": _half_spheres,
}
