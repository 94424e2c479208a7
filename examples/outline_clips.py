"""Clips with both true eyes, and how clean and steady their outlines are when a network spoils every frame's depth.

Used by ``measure_outlines.py --clips``. Rendered by ``temporal_clips.py``: things that walk before a still camera and
before a hand-held one, and a camera that slides past thin posts. The depth loses thin things, is blurred, displaced at
edges, scaled and shifted anew in every frame, and is then stabilized as in every conversion.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

import cv2
import numpy as np
from network_noise import network_noise
from numpy.typing import NDArray
from outline_measures import NEAR_PIXELS, SPECK_LEVELS, disc, ghost, moved, near_pixels, psnr, specks
from outline_scenes import smooth_noise
from temporal_clips import Array, Pose, place, scene, view, visible
from yardsticks import forward_warp

from depth3d.camera import Camera
from depth3d.depth.temporal.stabilizer import stabilize
from depth3d.depthmap import DepthMap, Disparity
from depth3d.frames import Frame
from depth3d.geometry.edges.discontinuities import find_discontinuities
from depth3d.image import Image
from depth3d.options import AnimateOptions, StereoOptions
from depth3d.pipeline.bands import eye_camera
from depth3d.pipeline.clip.renderers import PathRenderer, StereoRenderer, StereoStrength
from depth3d.render.warp.reproject import Reprojection
from depth3d.stereoformats import find_format

__all__ = [
    "CLIP_MEASURES",
    "KINDS",
    "PairClip",
    "Views",
    "depth_of",
    "drawn",
    "measured",
    "pair_clip",
    "seen_by_frame",
    "spoiled",
]

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Views = list[Floats]
"""One picture (H, W, 3) in levels per frame."""

KINDS = ("walkers", "handheld", "posts")
CLIP_MEASURES = ("outline", "hidden", "ghost", "specks", "jumps")
BASELINE_METERS = 0.15
NETWORK_SHARE = 0.4  # of the clip's width: the network's
LENS_BLUR = 0.6  # pixels
STEP = 2 / 640  # of the width, in one eye: an outline
SIGNS = (-0.5, 0.5)  # the eyes' places, in distances between them: left, right


@dataclass(frozen=True)
class Eye:
    """What one eye truly sees: color (T, H, W, 3) in levels, shift against the clip's frame (T, H, W) in pixels (to the
    left in the right eye), flow (T, H, W, 2) to the frame before; seen (T, H, W) = in the frame before too."""

    color: Floats
    shift: Floats
    flow: Floats
    seen: Mask


@dataclass(frozen=True)
class PairClip:
    """A clip from the middle between two eyes, its disparity (T, H, W) in pixels between them, and both eyes."""

    name: str
    frames: list[Image]
    disparity: Floats
    eyes: tuple[Eye, Eye]


def pair_clip(kind: str, count: int, width: int, height: int) -> PairClip:
    random = np.random.default_rng([0, len(kind)])
    surfaces, camera, focal = scene(kind, count, random)
    scale = np.array([focal(k) for k in range(count)], np.float32)[:, None, None] * width * BASELINE_METERS
    color, depth, *_ = view(surfaces, camera, focal, count, width, height, LENS_BLUR)
    noisy = np.rint(color + random.normal(0, 1, color.shape)).clip(0, 255).astype(np.uint8)
    eyes = []
    for sign in SIGNS:
        aside = place(-sign * BASELINE_METERS, 0, 0)
        moved_camera = partial(_seen_from, aside, camera)
        picture, away, flow, owner = view(surfaces, moved_camera, focal, count, width, height, LENS_BLUR)
        eyes.append(Eye(picture, sign * scale / away, flow, visible(away, flow, owner)))
    return PairClip(kind, [Image(one) for one in noisy], scale / depth, (eyes[0], eyes[1]))


def _seen_from(aside: Array, camera: Pose, frame: int) -> Array:
    return np.asarray(aside @ camera(frame))


def spoiled(disparity: Floats, seed: int) -> Floats:
    """(T, h, w) as a network gives it, at its size, larger = nearer: thin things come and go, and `network_noise`."""
    random = np.random.default_rng(300 + seed)
    height, width = disparity.shape[1:]
    size = (round(width * NETWORK_SHARE), round(height * NETWORK_SHARE))
    side = round(width / 120)
    lost, change = smooth_noise(random, height, width, 40), np.zeros((height, width), np.float32)
    small = []
    for one in disparity:
        change = 0.6 * change + 0.8 * smooth_noise(random, height, width, 40)
        thin = one - cv2.morphologyEx(one, cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
        small.append(cv2.resize(one - thin * (lost + 0.5 * change > 0.2), size, interpolation=cv2.INTER_AREA))
    return network_noise(1 / np.stack(small), seed)


def depth_of(clip: PairClip, raw: Floats) -> list[DepthMap]:
    """The stabilized depth of each frame at the network's size, with the disparity of the truth.

    One scale and shift for the whole clip; depth 1 is the clip's largest disparity.
    """
    maps = np.stack([one.values for one in stabilize(clip.frames, map(Disparity, raw))])
    size = raw.shape[:0:-1]
    truth = np.stack([cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in clip.disparity])
    scale, shift = np.polyfit(maps.ravel(), truth.ravel(), 1)
    most = float(clip.disparity.max())
    return [DepthMap(np.clip((scale * one + shift) / most, 0, 1).astype(np.float32)) for one in maps]


def drawn(clip: PairClip, maps: list[DepthMap]) -> dict[str, tuple[Views, Views]]:
    """Both eyes of every frame by each method; the moving camera stands where the left and where the right eye is."""
    size, most = clip.frames[0].size, float(clip.disparity.max())
    strength = StereoStrength(100 * most / size.width, 0.0)
    found: dict[str, tuple[Views, Views]] = {name: ([], []) for name in ("forward warp", "depth3d", "moving camera")}
    moving = PathRenderer(size, AnimateOptions(amount=strength.parallax), rate=25)
    with StereoRenderer(size, StereoOptions(), find_format("sbs")) as stereo, Reprojection(size) as camera:
        for number, (image, depth) in enumerate(zip(clip.frames, maps, strict=True)):
            frame = Frame(number, Fraction(number, 25), image)
            both = stereo.draw(stereo.prepare(frame, depth, strength)).pixels
            sharp = moving.prepare(frame, depth, strength)[1]
            plain = cv2.resize(depth.values, tuple(size), interpolation=cv2.INTER_LINEAR)
            for eye, sign in enumerate(SIGNS):
                aside = eye_camera(Camera.of_photo(image), size.aspect, sign * strength.parallax, 0.0)
                pictures = {
                    "forward warp": forward_warp(image.pixels, np.float32(sign * most) * plain, plain),
                    "depth3d": both[:, eye * size.width :][:, : size.width],
                    "moving camera": camera.draw(image, sharp, aside).pixels,
                }
                for name, pixels in pictures.items():
                    found[name][eye].append(pixels.astype(np.float32))
    return found


def measured(clip: PairClip, pictures: tuple[Views, Views]) -> list[float]:
    """The ``CLIP_MEASURES``, means over both eyes and all frames."""
    margin = int(np.ceil(float(clip.disparity.max()) / 2)) + 1
    values = [value for eye in (0, 1) for value in _of_eye(clip, eye, pictures[eye], margin)]
    seen, hidden, *others = (np.array(column, np.float32) for column in zip(*values, strict=True))
    return [psnr(seen), psnr(hidden), *(float(np.nanmean(one)) for one in others)]


def _of_eye(clip: PairClip, number: int, pictures: Views, margin: int) -> Iterator[tuple[float, ...]]:
    """The measures of each frame, squared errors in place of the dB; jumps are NaN in the first."""
    eye = clip.eyes[number]
    inside = np.zeros(clip.disparity.shape[1:], bool)
    inside[:, margin : inside.shape[1] - margin] = True  # what lies beyond the clip's frame is no outline
    before, step = None, STEP * inside.shape[1]
    for index, picture in enumerate(pictures):
        truth, shift = eye.color[index], np.abs(eye.shift[index])
        near = near_pixels(find_discontinuities(shift, step).beside(), NEAR_PIXELS) & inside
        error = picture - truth
        wide = (error**2).mean(2)
        both = seen_by_frame(eye.shift[index], SIGNS[number] * clip.disparity[index])
        own = moved(specks(clip.frames[index].pixels.astype(np.float32)), SIGNS[number] * clip.disparity[index])
        wrong = specks(picture) & (np.abs(error).max(2) > SPECK_LEVELS) & ~near_pixels(specks(truth) | own, 1) & inside
        jumps = np.nan
        if before is not None:
            # Along the true motion: what is wrong in the same way in both frames does not flicker.
            change = np.abs(error - _led(before, eye.flow[index])).max(2)
            jumps = 100 * float((change > SPECK_LEVELS)[near & eye.seen[index]].mean())
        before = error
        front, behind = _front(truth, shift, near, step)
        dots = float(wrong.sum())
        yield (
            float(wide[near & both].mean()),
            float(wide[near & ~both].mean()),
            ghost(picture, front, truth, behind),
            dots,
            jumps,
        )


def seen_by_frame(shift: Floats, of_frame: Floats) -> Mask:
    """Pixels of an eye that the clip's frame shows, too: the same shift leads there and back."""
    rows, columns = np.mgrid[: shift.shape[0], : shift.shape[1]].astype(np.float32)
    there = cv2.remap(of_frame.astype(np.float32), columns + shift, rows, cv2.INTER_NEAREST)
    return np.asarray(np.abs(there - shift) < STEP / 2 * shift.shape[1])


def _front(color: Floats, shift: Floats, near: Mask, step: float) -> tuple[Floats, Mask]:
    """The color of the nearest pixel well inside what is in front, and the pixels of the background that have one."""
    window = disc(NEAR_PIXELS)
    high, low = cv2.dilate(shift, window), cv2.erode(shift, window)
    behind, front = high - shift > step, (shift - low > step) & (high - shift < step / 2)
    sure = cv2.erode(front.astype(np.uint8), np.ones((3, 3), np.uint8))
    _, labels = cv2.distanceTransformWithLabels(1 - sure, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    place = np.zeros(int(labels.max()) + 1, np.int64)
    place[labels[sure > 0]] = np.flatnonzero(sure)
    nearest = place[labels]
    higher = shift.ravel()[nearest] - shift > step
    return color.reshape(-1, 3)[nearest], near & behind & higher & ~near_pixels(front, 1)


def _led(values: Floats, flow: Floats) -> Floats:
    """What lay at the same thing in the frame before."""
    rows, columns = np.mgrid[: flow.shape[0], : flow.shape[1]].astype(np.float32)
    return np.asarray(cv2.remap(values, columns + flow[..., 0], rows + flow[..., 1], cv2.INTER_LINEAR), np.float32)
