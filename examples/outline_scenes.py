"""Draws the scenes that ``measure_outlines.py`` scores: both eyes exact, and the depth spoiled as networks spoil it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["HEIGHT", "MARGIN", "WIDTH", "Scene", "drawn_scenes", "spoiled"]

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

WIDTH, HEIGHT, FINE, MARGIN = 480, 320, 4, 40


@dataclass(frozen=True)
class Layer:
    """One flat layer: linear colors and coverage on the fine canvas, disparity in pixels."""

    color: Floats
    cover: Mask
    disparity: float


@dataclass(frozen=True)
class Scene:
    """Both eyes of a stack of layers (back to front), and what the measures need."""

    name: str
    left: NDArray[np.uint8]
    right: Floats
    disparity: Floats
    front: Floats
    behind: Floats
    alpha: Floats
    straight: bool


def spoiled(disparity: Floats, seed: int, most: float = 4, spacing: int = 24) -> Floats:
    """Depth as a network gives it: thin things lost, outlines displaced, blurred, and low relief inside.

    Outlines are displaced by at most ``most`` pixels, in waves of about ``spacing``; half of the places by more than
    half of that.
    """
    random = np.random.default_rng(100 + seed)
    height, width = disparity.shape
    near = disparity - cv2.morphologyEx(disparity, cv2.MORPH_OPEN, np.ones((4, 4), np.uint8))
    thinned = disparity - near * (smooth_noise(random, height, width, 40) > 0.3)
    down, right = (most * np.tanh(3 * smooth_noise(random, height, width, spacing)) for _ in range(2))
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    bent = cv2.remap(
        thinned.astype(np.float32), columns + right, rows + down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    soft = cv2.GaussianBlur(bent, (0, 0), 2 + 2 * random.random())
    relief = 0.03 * float(np.ptp(disparity)) * smooth_noise(random, height, width, 60)
    return np.maximum(soft + relief, 0.01).astype(np.float32)


def smooth_noise(random: np.random.Generator, height: int, width: int, spacing: int) -> Floats:
    """(H, W) in [-1, 1], changing over ``spacing`` pixels."""
    coarse = random.standard_normal((height // spacing + 3, width // spacing + 3)).astype(np.float32)
    fine = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(fine / np.abs(fine).max(), np.float32)


def drawn_scenes() -> Iterator[Scene]:
    """Six scenes: a disc, posts with straight sides, thin sticks, a blob, overlapping cards, a spiky plant."""
    height, width = HEIGHT * FINE, (WIDTH + 2 * MARGIN) * FINE
    y, x = np.mgrid[:height, :width].astype(np.float32) / FINE
    x -= MARGIN
    full = np.ones((height, width), bool)
    angle = np.arctan2(y - 165, x - 235)
    radius = np.hypot(y - 165, x - 235)
    disc = (y - 160) ** 2 + (x - 230) ** 2 < 95**2
    posts = np.zeros_like(full)
    for start, slope, wide in ((70, 0.12, 46), (190, 0.0, 60), (330, -0.2, 40)):
        posts |= (x > start + slope * y) & (x < start + wide + slope * y)
    sticks = np.zeros_like(full)
    for start, slope, wide in ((60, 0.3, 3), (130, -0.1, 9), (240, 0.05, 5), (310, 0.4, 12), (420, -0.3, 7)):
        sticks |= np.abs(x - start - slope * y) < wide / 2
    blob = radius < 85 + 14 * np.sin(3 * angle + 1) + 9 * np.sin(7 * angle) + 5 * np.sin(13 * angle + 2)
    plant = radius < 60 + 45 * np.maximum(np.sin(11 * angle), 0) ** 3 + 12 * np.sin(4 * angle)
    card = (np.abs((x - 210) + 0.25 * (y - 200)) < 70) & (np.abs((y - 190) - 0.25 * (x - 210)) < 80)
    other = (np.abs((x - 300) - 0.3 * (y - 130)) < 80) & (np.abs((y - 130) + 0.3 * (x - 300)) < 70)
    low, mid, high = 2.0, 9.0, 18.0
    yield build("disc", 1, [(full, low, "leaf"), (disc, high, "cloth")])
    yield build("posts", 2, [(full, low, "sky"), (posts, high, "brick")], straight=True)
    yield build("sticks", 3, [(full, low, "leaf"), (sticks, high, "pale")])
    yield build("blob", 4, [(full, low, "sand"), (blob, high, "dark")])
    yield build("cards", 5, [(full, low, "sky"), (other, mid, "cloth"), (card, high, "leaf")])
    yield build("plant", 6, [(full, low, "brick"), (plant, high, "leaf")])


PALETTES = {
    "leaf": ((40, 80, 30), (110, 150, 60)),
    "cloth": ((150, 30, 40), (220, 90, 80)),
    "sky": ((120, 160, 210), (200, 215, 235)),
    "brick": ((110, 60, 40), (170, 110, 80)),
    "pale": ((200, 195, 180), (240, 238, 230)),
    "sand": ((180, 160, 120), (225, 205, 160)),
    "dark": ((25, 25, 35), (80, 70, 75)),
}


def build(name: str, seed: int, parts: list[tuple[Mask, float, str]], *, straight: bool = False) -> Scene:
    """Draw both eyes of a stack of (shape, disparity, palette)."""
    random = np.random.default_rng(seed)
    layers = [Layer(texture(random, shape.shape, palette), shape, disparity) for shape, disparity, palette in parts]
    left, _, disparity = composed(layers, right_eye=False)
    right, alpha, _ = composed(layers, right_eye=True)
    behind, _, _ = composed(layers[:-1], right_eye=True)
    front = layers[-1]
    alone, _, _ = composed([Layer(front.color, np.ones_like(front.cover), front.disparity)], right_eye=True)
    noisy = left + random.normal(0, 1.0, left.shape)
    pixels = np.rint(noisy).clip(0, 255).astype(np.uint8)
    return Scene(name, pixels, right, disparity, alone, behind, alpha, straight)


def texture(random: np.random.Generator, shape: tuple[int, ...], palette: str) -> Floats:
    """(H, W, 3) linear: two colors mixed by noise of many octaves, tinted patches, and grain of two pixels."""
    dark, bright = (np.array(color, np.float32) for color in PALETTES[palette])
    octaves = ((64, 0.9), (20, 0.8), (8, 0.8), (4, 0.7), (2, 0.6))
    noise = [weight * smooth_noise(random, shape[0], shape[1], spacing * FINE) for spacing, weight in octaves]
    share = (0.5 + 0.6 * np.sum(noise, axis=0)).clip(0, 1)[..., None]
    tint = np.stack([smooth_noise(random, shape[0], shape[1], 30 * FINE) for _ in range(3)], -1)
    return to_linear((dark + share * (bright - dark) + 25 * tint).clip(0, 255))


def composed(layers: list[Layer], *, right_eye: bool) -> tuple[Floats, Floats, Floats]:
    """Levels (H, W, 3), coverage of the last layer (H, W), and the disparity seen at each pixel's center."""
    shape = (HEIGHT * FINE, WIDTH * FINE)
    color = np.zeros((*shape, 3), np.float32)
    disparity, top = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for layer in layers:
        start = MARGIN * FINE + (round(layer.disparity * FINE) if right_eye else 0)
        cover, paint = (part[:, start : start + shape[1]] for part in (layer.cover, layer.color))
        color[cover], disparity[cover] = paint[cover], layer.disparity
        top = cover.astype(np.float32)
    # A lens draws no outline sharper than about a pixel.
    color = cv2.GaussianBlur(color, (0, 0), 0.5 * FINE)
    small = cv2.resize(color, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    alpha = cv2.resize(top, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    middle = FINE // 2
    return to_levels(small), np.asarray(alpha, np.float32), np.ascontiguousarray(disparity[middle::FINE, middle::FINE])


def to_linear(levels: Floats) -> Floats:
    return np.asarray((levels / 255) ** 2.2, np.float32)


def to_levels(linear: Floats) -> Floats:
    return np.asarray(255 * linear ** (1 / 2.2), np.float32)
