"""Stereo material known by formula: a textured scene seen by two eyes, and a scan of a stereo card made of it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.image import Image
from depth3d.stereopair import StereoPair

CLIP_WIDTH, CLIP_HEIGHT, CLIP_NEAR = 256, 144, 12  # px; the last is the disparity of the moving square


def texture(width: int, height: int, seed: int = 0) -> NDArray[np.uint8]:
    """Blurred noise with structure at two scales: matchable everywhere."""
    random = np.random.default_rng(seed)
    fine = cv2.GaussianBlur(random.uniform(0, 255, (height, width, 3)).astype(np.float32), (0, 0), 1.2)
    coarse = cv2.GaussianBlur(random.uniform(0, 255, (height, width, 3)).astype(np.float32), (0, 0), 8)
    return np.clip(127 + (fine - 127) * 2 + (coarse - 127) * 8, 0, 255).astype(np.uint8)


def scene_pair(width: int = 320, height: int = 240, near: int = 8, far: int = -3) -> StereoPair:
    """A near square before a far wall; disparities in px, positive = in front of the screen."""
    wall, square = texture(width + 60, height, 1), texture(width // 3, height // 2, 2)
    left, right = wall[:, 30 : 30 + width].copy(), wall[:, 30 + far : 30 + far + width].copy()
    x, y = width // 3, height // 4
    left[y : y + square.shape[0], x : x + square.shape[1]] = square
    right[y : y + square.shape[0], x - near : x - near + square.shape[1]] = square
    return StereoPair(Image(left), Image(right))


def moving_square(index: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Both eyes: a wall at the screen's depth, a square before it whose right picture is ``CLIP_NEAR`` further left."""
    dice = np.random.default_rng(7)
    wall = dice.integers(0, 255, (CLIP_HEIGHT // 4, CLIP_WIDTH // 4, 3), dtype=np.uint8).repeat(4, 0).repeat(4, 1)
    square = dice.integers(0, 255, (16, 20, 3), dtype=np.uint8).repeat(4, 0).repeat(4, 1)
    left, right = wall.copy(), wall.copy()
    x = 80 + 2 * index
    left[40:104, x : x + 80] = square
    right[40:104, x - CLIP_NEAR : x - CLIP_NEAR + 80] = square
    return left, right


def card_scan(
    pair: StereoPair,
    *,
    angle: float = 1.5,
    mount: tuple[int, int, int] = (196, 170, 120),
    lid: tuple[int, int, int] | None = None,
    arch: bool = False,
    gap: int = 14,
    lower: int = 3,
) -> Image:
    """A scan of an old card: faded brown prints on cardboard, the right one a little lower, turned clockwise."""
    width, height = pair.size
    random = np.random.default_rng(0)
    beside, above, below = int(0.16 * width), int(0.06 * width), int(0.09 * width)
    card = np.empty((height + above + below, 2 * width + gap + 2 * beside, 3), np.float32)
    card[:] = mount
    card += cv2.GaussianBlur(random.normal(0, 12, card.shape[:2]).astype(np.float32), (0, 0), 1.5)[..., None]
    y, x = np.mgrid[:height, :width]
    curve = (x - width / 2) ** 2 / (width / 2) ** 2 + np.minimum(y - height / 4, 0) ** 2 / (height / 4) ** 2
    shown = (curve < 1 if arch else np.ones_like(curve, bool))[..., None]
    for eye, left, top, fading in (
        (pair.left, beside, above, 1.0),
        (pair.right, beside + width + gap, above + lower, 0.9),
    ):
        gray = eye.pixels.astype(np.float32) @ np.array([0.3, 0.59, 0.11], np.float32)
        brown = gray[..., None] * np.array([0.85, 0.75, 0.58], np.float32) * fading + 25
        place = card[top : top + height, left : left + width]
        place[...] = np.where(shown, brown, place)
    letters = np.clip(card, 0, 255).astype(np.uint8)
    cv2.putText(letters, "VIEW 123", (width, letters.shape[0] - 6), cv2.FONT_HERSHEY_COMPLEX, 0.5, (60, 40, 30), 1)
    rim = 40
    ground = lid or mount
    scan = cv2.copyMakeBorder(letters, rim, rim, rim, rim, cv2.BORDER_CONSTANT, value=ground)
    warp = cv2.getRotationMatrix2D((scan.shape[1] / 2, scan.shape[0] / 2), -angle, 1)
    scan = cv2.warpAffine(scan, warp, scan.shape[1::-1], borderMode=cv2.BORDER_CONSTANT, borderValue=ground)
    noisy = scan + random.normal(0, 2, scan.shape)
    return Image(np.clip(noisy, 0, 255).astype(np.uint8))
