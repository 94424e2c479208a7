"""Renders and writes one photo in one stereo format."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from depth3d.image import Image, Size
from depth3d.options import StereoOptions
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
from depth3d.pipeline.scene import Scene
from depth3d.pipeline.sphere import sphere_pair
from depth3d.quantities import length_meters
from depth3d.stereoformats import StereoFormat
from depth3d.stereopair import StereoPair, StereoRig

if TYPE_CHECKING:
    from depth3d.io.image.panorama import Sphere

__all__ = ["Subject", "write_format"]

# Wiggle pictures: views per second and duration; the rate is chosen so that both views fuse to a 3D impression.
_WIGGLE_RATE = Fraction(7)
_WIGGLE_SECONDS = 4
# Distance between an adult's eyes, the baseline that cameras write for pictures at life-size scale.
_BASELINE_METERS = 0.065


@dataclass(frozen=True)
class Subject:
    """Input of the stereo writers: a photo with depth, parallax and convergence, and its own stereo pair if it has one.

    Parameters
    ----------
    scene : Scene
        The photo and its depth.
    rig : StereoRig
        Parallax, convergence and rendered eyes.
    options : StereoOptions
        Further settings of the formats.
    own : StereoPair | None
        The aligned pair of a stereo picture, shown instead of new eyes, or None.
    sphere : Sphere | None
        The part of the sphere that an equirectangular photo covers, or None.
    """

    scene: Scene
    rig: StereoRig
    options: StereoOptions
    own: StereoPair | None = None
    sphere: Sphere | None = None

    @cached_property
    def pair(self) -> StereoPair:
        """Both eyes, rendered once for all formats."""
        if self.own is not None:
            return self.own
        if self.sphere is not None:
            return sphere_pair(self.scene.image, self.scene.depth, self.sphere, self.options)
        from depth3d.pipeline.views import stereo_pair

        rig = self.rig
        pair = stereo_pair(
            self.scene.image, self.scene.depth, rig.parallax, rig.convergence, rig.eyes, self.options.quality
        )
        if not self.options.floating_window:
            return pair
        size = self.scene.image.size
        depth = self.scene.depth.resized(size).values
        return floating_window(
            pair, (depth - np.float32(rig.convergence)) * np.float32(rig.parallax / 100 * size.width)
        )

    def fan(self, size: Size, count: int) -> Iterator[Image]:
        """Views of the photo at ``size``, leftmost first."""
        from depth3d.pipeline.views import fan_of_views

        image = self.scene.image.resized(size)
        return fan_of_views(image, self.scene.depth, count, self.rig.parallax, self.rig.convergence)

    @property
    def across(self) -> float:
        """Degrees that the photo covers across its width."""
        from depth3d.pipeline.sphere import degrees_across

        return degrees_across(self.options, self.scene.image.size, self.scene.image)


def write_format(subject: Subject, layout: StereoFormat, target: Path, *, force: bool) -> list[Path]:
    """Write ``subject`` in one format; returns the paths (two for separate eyes)."""
    from depth3d.io.image.read import save_image

    if layout.flat and target.suffix.lower() not in (".jps", ".pns"):
        from depth3d.render.compose import compose

        return [save_image(compose(subject.pair, layout), target, force=force)]
    if layout.packing == "views":
        return [save_image(_many_views(subject, layout), target, force=force)]
    if layout.packing == "depth":
        return [save_image(_picture_and_depth(subject.scene), target, force=force)]
    if layout.packing == "sphere":
        return [save_image(_half_spheres(subject), target, force=force)]
    return _write_container(subject, layout, target, force=force)


def eye_files(target: Path) -> tuple[Path, Path]:
    """The names of the left and right file of the format "pair"."""
    return target.with_name(f"{target.stem}_L{target.suffix}"), target.with_name(f"{target.stem}_R{target.suffix}")


def _write_container(subject: Subject, layout: StereoFormat, target: Path, *, force: bool) -> list[Path]:
    pair = subject.pair
    if layout.name == "mpo":
        from depth3d.io.stereo.mpo import write_mpo

        return [write_mpo([pair.left, pair.right], target, baseline_meters=_BASELINE_METERS, force=force)]
    if layout.packing == "side":
        from depth3d.io.stereo.jps import write_jps
        from depth3d.io.stereo.pns import write_pns
        from depth3d.render.compose import compose

        write = write_pns if target.suffix.lower() == ".pns" else write_jps
        return [write(compose(pair, layout), target, right_first=layout.right_first, force=force)]
    if layout.name == "heic":
        from depth3d.io.stereo.heic import write_spatial_heic

        return [write_spatial_heic(pair, target, force=force)]
    if layout.name == "vr-photo":
        return [_write_vr_photo(subject, target, force=force)]
    if layout.name == "pair":
        from depth3d.io.image.read import save_image

        files = eye_files(target)
        return [save_image(eye, file, force=force) for eye, file in zip((pair.left, pair.right), files, strict=True)]
    return [_write_wiggle(pair, target, force=force)]


def _picture_and_depth(scene: Scene) -> Image:
    image = scene.image.eight_bit()
    depth = np.rint(scene.depth.resized(image.size).values * 255).astype(np.uint8)
    return Image(np.hstack([image.pixels, np.repeat(depth[..., None], 3, axis=2)]))


def _many_views(subject: Subject, layout: StereoFormat) -> Image:
    options = subject.options
    if layout.name in ("lenticular", "pitch-test"):
        width = length_meters(options.print_width, "in", "print_width")
        if layout.name == "pitch-test":
            return pitch_test(width, lpi=options.lpi, dpi=options.dpi)
        count = options.views or max(2, round(options.dpi / options.lpi))
        size = lenticular_size(subject.scene.image.size, width, options.dpi)
        # Only every count-th column of a view is used, so it is not rendered larger than the photo.
        drawn = subject.scene.image.size.fit(max(size))
        return interlace(subject.fan(drawn, count), count, size, lpi=options.lpi, dpi=options.dpi)
    columns, rows, aspect = quilt_grid(layout)
    whole = QUILT_SIZES[layout.name]
    tile = Size(whole.width // columns, whole.height // rows)
    # Tiles may differ from the display's aspect ratio: the picture is fitted to the display, then scaled to the tile.
    shown = Size(round(tile.height * aspect), tile.height)
    fitted, (x, y) = fit_into(subject.scene.image, shown)
    squeeze = tile.width / shown.width
    size = Size(min(tile.width, max(1, round(fitted.size.width * squeeze))), fitted.size.height)
    views = (view.resized(size) for view in subject.fan(fitted.size, columns * rows))
    return quilt(views, columns, rows, tile, (min(round(x * squeeze), tile.width - size.width), y))


def _half_spheres(subject: Subject) -> Image:
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


def _write_vr_photo(subject: Subject, target: Path, *, force: bool) -> Path:
    from depth3d.io.stereo.vrphoto import write_vr_photo
    from depth3d.render.warp.sphere import SphereProjector

    if subject.sphere is not None:
        return write_vr_photo(subject.pair, target, degrees=subject.sphere.across, force=force)

    across, photo = subject.across, subject.pair.size
    down = math.degrees(2 * math.atan(math.tan(math.radians(across) / 2) / photo.aspect))
    size = Size(photo.width, max(1, round(photo.width * down / across)))
    with SphereProjector(photo, size, span=(across, down), across=across) as sphere:
        eyes = [sphere.project(eye) for eye in (subject.pair.left, subject.pair.right)]
    return write_vr_photo(StereoPair(eyes[0], eyes[1]), target, degrees=across, force=force)


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
