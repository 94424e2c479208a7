"""What can be wrong beside an outline, in numbers. Used by ``measure_outlines.py`` and ``outline_clips.py``."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from outline_scenes import HEIGHT, MARGIN, WIDTH, Scene

__all__ = ["MEASURES", "NEAR_PIXELS", "SPECK_LEVELS", "ghost", "measured", "moved", "near_pixels", "psnr", "specks"]

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

MEASURES = ("all", "outline", "ghost", "specks", "ragged", "bent")
SPECK_LEVELS = 24.0
NEAR_PIXELS = 12
TEXTURE_PIXELS, NOISE_LEVELS = 6, 4.0  # what is smaller is texture; noise and rounding
CONTRAST = 60.0  # levels: front and background must differ by more for ghost and raggedness


def measured(scene: Scene, picture: Floats) -> list[float]:
    """The ``MEASURES`` of one right view."""
    inside = np.zeros((HEIGHT, WIDTH), bool)
    inside[:, : WIDTH - MARGIN] = True  # what lies beyond the left frame is no outline
    edge = (scene.alpha > 0) & (scene.alpha < 1) | step_mask(scene.alpha)
    near = near_pixels(edge, NEAR_PIXELS)
    error = ((picture - scene.right) ** 2).mean(2)
    across = scene.front - scene.behind
    contrast = (across**2).sum(2)
    clear = contrast > CONTRAST**2
    share = ((picture - scene.behind) * across).sum(2) / np.maximum(contrast, 1)
    true_share = ((scene.right - scene.behind) * across).sum(2) / np.maximum(contrast, 1)
    behind = near & inside & clear & ~near_pixels(scene.alpha > 0, 1)
    own = specks(scene.left.astype(np.float32))
    levels = [np.full_like(scene.disparity, level) for level in np.unique(scene.disparity)]
    true_specks = near_pixels(np.any([specks(scene.right), *(moved(own, level) for level in levels)], axis=0), 1)
    displaced = share.clip(0, 1) - true_share.clip(0, 1)
    apart = front_share(scene, picture, near) - front_share(scene, scene.right, near)
    return [
        psnr(error[inside]),
        psnr(error[inside & near]),
        ghost(picture, scene.front, scene.behind, behind),
        float((specks(picture) & ~true_specks & inside).sum()),
        *(raggedness(scene, each, inside & clear) if scene.straight else float("nan") for each in (displaced, apart)),
    ]


def ghost(picture: Floats, front: Floats, behind: Floats, where: Mask) -> float:
    """Percent of the front's color in the pixels of the background where both colors differ clearly; NaN if nowhere."""
    across = front - behind
    contrast = (across**2).sum(2)
    where = where & (contrast > CONTRAST**2)
    share = ((picture - behind) * across).sum(2) / np.maximum(contrast, 1)
    away = np.abs(picture - behind - share[..., None] * across).max(2)
    left_over = np.where((away < SPECK_LEVELS) & (share**2 * contrast > SPECK_LEVELS**2), share.clip(0, 1), 0)
    return 100 * float(left_over[where].mean()) if where.any() else float("nan")


def front_share(scene: Scene, picture: Floats, near: Mask) -> Floats:
    """(H, W) in [0, 1]: the front's share in each pixel, by a linear discriminant (Fisher 1936).

    Background that the left eye did not see is invented. Where its texture differs from the true one, the front has
    not moved: front and background are told apart by what the background's own texture varies least in.
    """
    texture = (scene.behind - cv2.GaussianBlur(scene.behind, (0, 0), TEXTURE_PIXELS))[near]
    spread = np.cov(texture.T) + NOISE_LEVELS**2 * np.eye(3)
    across = scene.front - scene.behind
    weights = across @ np.linalg.inv(spread)
    share = ((picture - scene.behind) * weights).sum(2) / np.maximum((across * weights).sum(2), 1e-6)
    return np.asarray(share.clip(0, 1), np.float32)


def raggedness(scene: Scene, excess: Floats, valid: Mask) -> float:
    """RMS over rows of each upright outline's distance from a line.

    Displaced by as many pixels as the sum of ``excess``, front color too much, around it; the best line through these
    displacements is the outline's place and lean, not its raggedness.
    """
    edges = (scene.alpha[:, 1:] >= 0.5) != (scene.alpha[:, :-1] >= 0.5)
    rows, columns = np.nonzero(edges)
    numbers = (np.cumsum(edges, axis=1) - 1)[rows, columns]  # from the left, in each row
    reach = np.arange(-NEAR_PIXELS // 2, NEAR_PIXELS // 2 + 1)
    kept = (columns + reach[0] >= 0) & (columns + reach[-1] < WIDTH)
    window = (rows[kept, None], columns[kept, None] + reach)
    whole = valid[window].all(1)
    displaced, rows, numbers = excess[window][whole].sum(1), rows[kept][whole], numbers[kept][whole]
    found = []
    for number in np.unique(numbers):
        y, x = rows[numbers == number], displaced[numbers == number]
        if len(y) > 2:
            found.append(x - np.polyval(np.polyfit(y, x, 1), y))
    return float(np.sqrt((np.concatenate(found) ** 2).mean())) if found else float("nan")


def specks(picture: Floats) -> Mask:
    """Pixels that differ from their 5x5 median by more than ``SPECK_LEVELS`` in some channel."""
    whole = np.rint(picture).clip(0, 255).astype(np.uint8)
    difference = np.abs(whole.astype(np.int16) - cv2.medianBlur(whole, 5).astype(np.int16))
    found: Mask = difference.max(2) > SPECK_LEVELS
    return found


def moved(mask: Mask, disparity: Floats) -> Mask:
    """Where the pixels of the left picture's ``mask`` land in the right one."""
    rows, columns = np.nonzero(mask)
    landing = np.rint(columns - disparity[rows, columns]).astype(int)
    result = np.zeros_like(mask)
    inside = (landing >= 0) & (landing < mask.shape[1])
    result[rows[inside], landing[inside]] = True
    return result


def step_mask(alpha: Floats) -> Mask:
    step = np.zeros(alpha.shape, bool)
    step[:, 1:] |= np.abs(np.diff(alpha, axis=1)) > 0.5
    step[1:] |= np.abs(np.diff(alpha, axis=0)) > 0.5
    return step


def near_pixels(mask: Mask, reach: int) -> Mask:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), disc(reach)) > 0)


def disc(reach: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)), np.uint8)


def psnr(error: Floats) -> float:
    return float(10 * np.log10(255**2 / max(float(error.mean()), 1e-6)))
