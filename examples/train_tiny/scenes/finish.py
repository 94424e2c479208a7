"""Post-processing of rendered scenes: depth of field, vignetting, night, drawing, painting, conversion to 8 bits."""

import cv2
import numpy as np
from numpy.typing import NDArray

Generator = np.random.Generator
Plane = NDArray[np.float32]


def defocus(color: Plane, inverse: Plane, rng: Generator) -> Plane:
    """Blur in proportion to the distance, in inverse depth, from a random plane in focus."""
    near = inverse / max(float(inverse.max()), 1e-6)
    focus = float(rng.choice(near[::8, ::8].ravel()))
    circle = np.abs(near - focus) * rng.uniform(1.0, 6.0)
    circle = cv2.GaussianBlur(circle, (0, 0), 1.5)
    result, sharper = color.copy(), 0.0
    for sigma in (1.0, 2.0, 4.0):
        soft = cv2.GaussianBlur(color, (0, 0), sigma)
        share = np.clip((circle - sharper) / (sigma - sharper), 0, 1)[:, :, None]
        result, sharper = result + (soft - result) * share, sigma
    return np.asarray(result, np.float32)


def night(color: Plane, inverse: Plane, rng: Generator) -> Plane:
    """Turn day into night: dark, bluish or orange, with random lights."""
    tone = np.array([0.6, 0.75, 1.0] if rng.random() < 0.6 else [1.0, 0.75, 0.45], np.float32)
    dark = color ** rng.uniform(1.0, 1.6) * tone * rng.uniform(0.08, 0.4)
    rows, columns = inverse.shape
    for _ in range(int(rng.integers(2, 30))):
        place = (int(rng.integers(columns)), int(rng.integers(rows * 3 // 4)))
        lamp = np.zeros((rows, columns), np.float32)
        radius = int(rng.integers(1, 4))
        cv2.circle(lamp, place, radius, 1.0, -1, cv2.LINE_AA)
        glow = cv2.GaussianBlur(lamp, (0, 0), radius * rng.uniform(1.0, 4.0))
        lamp = np.clip(lamp + glow * rng.uniform(1.0, 3.0), 0, 1)
        warm = np.array([1.0, rng.uniform(0.6, 1.0), rng.uniform(0.2, 1.0)], np.float32)
        dark = dark + (warm - dark) * (lamp * rng.uniform(0.5, 1.0))[:, :, None]
    return np.asarray(np.clip(dark, 0, 1), np.float32)


def drawing(color: Plane, inverse: Plane, rng: Generator) -> Plane:
    """Turn a scene into a line drawing of depth edges and texture edges on paper, at times hatched or tinted."""
    gray = cv2.GaussianBlur(color.mean(axis=2), (0, 0), 0.8)
    slope_y, slope_x = np.gradient(gray)
    texture_lines = np.hypot(slope_x, slope_y) * rng.uniform(1.0, 6.0)
    near = np.log(np.maximum(inverse, 1e-4 * inverse.max() + 1e-9)).astype(np.float32)
    step = cv2.morphologyEx(near, cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8))
    outlines = np.clip((step - 0.04) * 8, 0, 1)
    ink = np.clip(np.maximum(texture_lines, outlines), 0, 1)
    if rng.random() < 0.4:
        y, x = np.mgrid[0 : gray.shape[0], 0 : gray.shape[1]].astype(np.float32)
        hatch = 0.5 + 0.5 * np.sin((x + y * rng.uniform(-1, 1)) * rng.uniform(1.2, 2.5))
        ink = np.maximum(ink, hatch * np.clip(0.7 - gray, 0, 0.7))
    paper = np.clip(rng.uniform(0.85, 1.0) * np.array([1.0, rng.uniform(0.94, 1), rng.uniform(0.85, 1)]), 0, 1)
    ground = paper.astype(np.float32) * np.ones_like(color)
    if rng.random() < 0.5:
        flat = cv2.medianBlur((np.clip(color, 0, 1) * 255).astype(np.uint8), 7).astype(np.float32) / 255.0
        ground = ground + (flat - ground) * rng.uniform(0.2, 0.9)
    return np.asarray(ground * (1.0 - ink * rng.uniform(0.7, 1.0))[:, :, None], np.float32)


def painting(color: Plane, rng: Generator) -> Plane:
    """Turn a scene into a painting: median filters and canvas grain."""
    size = int(rng.choice([5, 7, 9]))
    flat = cv2.medianBlur(cv2.medianBlur((np.clip(color, 0, 1) * 255).astype(np.uint8), size), size)
    grain = cv2.GaussianBlur(rng.standard_normal(color.shape[:2], np.float32), (0, 0), 1.0) * 0.08
    return np.clip(flat.astype(np.float32) / 255.0 * (1.0 + grain[:, :, None]) * rng.uniform(0.9, 1.1), 0, 1)


def develop(color: Plane, inverse: Plane, rng: Generator, least: float = 0.0) -> NDArray[np.uint8]:
    """Convert colors (H, W, 3) in [0, 1] to an 8-bit picture, with one of the effects of this module.

    `least` leaves out effects in their order: 0.07 without night, 0.14 without drawings and paintings.
    """
    look = least + (1.0 - least) * rng.random()
    if look < 0.07:
        color = night(color, inverse, rng)
    elif look < 0.11:
        color = drawing(color, inverse, rng)
    elif look < 0.14:
        color = painting(color, rng)
    elif look < 0.4:
        color = defocus(color, inverse, rng)
    height, width = inverse.shape
    if rng.random() < 0.3:
        y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        color = color * (1.0 - rng.uniform(0.05, 0.3) * (x * x + y * y))[:, :, None]
    return np.clip(color * 255.0 + 0.5, 0, 255).astype(np.uint8)
