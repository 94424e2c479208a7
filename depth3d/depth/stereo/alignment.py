"""Align the rows and match the tone of a hand-held or scanned stereo pair.

Only vertical disparity (shift, roll and scale) is corrected. The horizontal offset is kept, because it sets the depth
of the scene relative to the screen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.image import Image

__all__ = ["Alignment", "Tone", "match_tone", "measure_alignment", "measure_tone"]

_LONG_SIDE = 1000  # longer side in pixels at which features are detected; positions are precise to 0.1 px
_DRIFT = 1.5  # px; a point that is tracked farther away follows something else


@dataclass(frozen=True, slots=True)
class Alignment:
    """Geometric misalignment of the right image relative to the left one.

    Parameters
    ----------
    horizontal : float
        Median of x_left - x_right over all matches in px: the disparity of the scene as a whole.
    vertical : float
        y_right - y_left in px at the image center; positive = the right image is lower.
    roll : float
        Rotation of the right image relative to the left one in degrees, clockwise.
    scale : float
        Size of the right picture relative to the left one; 1 = equal.
    worst : float
        Largest vertical disparity within the image, px.
    matches : int
        Number of inlier matches; 0 = the shift was measured by phase correlation, the rest is not known.
    """

    horizontal: float
    vertical: float
    roll: float
    scale: float
    worst: float
    matches: int

    def apply(self, right: Image) -> Image:
        """Resample the right image so that its rows match the left one's; borders repeat edge pixels.

        Returns ``right`` itself if ``worst`` is below a third of a pixel, to avoid needless blur.
        """
        if self.worst < 1 / 3:
            return right
        width, height = right.size
        warp = self.matrix(width, height)
        pixels = cv2.warpAffine(
            right.pixels, warp, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        alpha = right.alpha
        if alpha is not None:
            alpha = cv2.warpAffine(
                alpha, warp, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
        return replace(right, pixels=pixels, alpha=alpha)

    def matrix(self, width: int, height: int) -> NDArray[np.float64]:
        """Return the (2, 3) affine matrix from the right image to the corrected one; rotation about the center."""
        angle = np.radians(self.roll)
        cosine, sine = np.cos(angle) / self.scale, np.sin(angle) / self.scale
        turn = np.array([[cosine, sine], [-sine, cosine]])
        middle = np.array([(width - 1) / 2, (height - 1) / 2])
        moved = middle + np.array([0.0, self.vertical])
        return np.column_stack([turn, middle - turn @ moved])


def measure_alignment(left: Image, right: Image) -> Alignment:
    """Measure vertical shift, roll and scale of the right picture with SIFT features (Lowe 2004).

    A plane is fitted robustly to the vertical disparities of matched features. With fewer than 16 inliers, only the
    shift is measured, by phase correlation.
    """
    size = left.size
    small = size.fit(_LONG_SIDE)
    factor = size.width / small.width
    grays = [cv2.cvtColor(eye.eight_bit().resized(small).pixels, cv2.COLOR_RGB2GRAY) for eye in (left, right)]
    from_left, from_right = _matches(grays[0], grays[1])
    if len(from_left) >= 16:
        middle = np.array([(small.width - 1) / 2, (small.height - 1) / 2])
        plane, agree = _robust_plane(from_left - middle, (from_right - from_left)[:, 1])
        if agree.sum() >= 16:
            return _from_plane(plane, from_left[agree, 0] - from_right[agree, 0], small.width, small.height, factor)
    window = cv2.createHanningWindow((small.width, small.height), cv2.CV_32F)
    (dx, dy), response = cv2.phaseCorrelate(grays[0].astype(np.float32), grays[1].astype(np.float32), window)
    if response < 0.05 or abs(dy) > 0.1 * small.height:
        return Alignment(0.0, 0.0, 0.0, 1.0, 0.0, 0)
    return Alignment(-dx * factor, dy * factor, 0.0, 1.0, abs(dy) * factor, 0)


def _from_plane(
    plane: NDArray[np.float64], disparities: NDArray[np.float64], width: int, height: int, factor: float
) -> Alignment:
    shift, per_x, per_y = (float(value) for value in plane)
    corners = [abs(shift + per_x * x * width / 2 + per_y * y * height / 2) for x in (-1, 1) for y in (-1, 1)]
    return Alignment(
        horizontal=float(np.median(disparities)) * factor,
        vertical=shift * factor,
        roll=float(np.degrees(np.arctan2(per_x, 1 + per_y))),
        scale=float(np.hypot(per_x, 1 + per_y)),
        worst=max(corners) * factor,
        matches=len(disparities),
    )


def _matches(a: NDArray[Any], b: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Match features of both images; return their points, (N, 2) each: x, y in px."""
    finder = cv2.SIFT.create(nfeatures=1500)
    points_a, words_a = finder.detectAndCompute(a, None)
    points_b, words_b = finder.detectAndCompute(b, None)
    nothing = np.zeros((0, 2))
    if words_a is None or words_b is None or len(points_a) < 2 or len(points_b) < 2:
        return nothing, nothing
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(words_a, words_b, k=2)
    good = [best for best, second in pairs if best.distance < 0.75 * second.distance]
    if not good:
        return nothing, nothing
    from_a = np.array([points_a[match.queryIdx].pt for match in good])
    from_b = np.array([points_b[match.trainIdx].pt for match in good])
    # Vertical disparity is small: a match that differs by more than a fifth of the height is wrong.
    near = np.abs(from_a[:, 1] - from_b[:, 1]) < 0.2 * a.shape[0]
    return _tracked(a, b, from_a[near], from_b[near])


def _tracked(
    a: NDArray[Any], b: NDArray[Any], from_a: NDArray[np.float64], from_b: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Refine matched points by tracking (Lucas and Kanade 1981): places of SIFT points are quantized in scale space."""
    if not len(from_a):
        return from_a, from_b
    start, guess = from_a.astype(np.float32)[:, None], from_b.astype(np.float32)[:, None]
    settings: dict[str, Any] = {"winSize": (21, 21), "maxLevel": 0, "flags": cv2.OPTFLOW_USE_INITIAL_FLOW}
    found, status, _ = cv2.calcOpticalFlowPyrLK(a, b, start, guess.copy(), **settings)
    tracked = (status.ravel() == 1) & (np.abs(found - guess).max(axis=(1, 2)) < _DRIFT)
    return from_a, np.where(tracked[:, None], found[:, 0].astype(np.float64), from_b)


def _robust_plane(points: NDArray[np.float64], heights: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Fit heights = s + p x + q y by RANSAC (fixed seed), then by least squares; return (s, p, q) and the inliers."""
    design = np.column_stack([np.ones(len(points)), points])
    random = np.random.default_rng(0)
    best = np.zeros(len(points), bool)
    for _ in range(200):
        sample = random.choice(len(points), 3, replace=False)
        plane, *_ = np.linalg.lstsq(design[sample], heights[sample], rcond=None)
        if abs(plane[1]) > 0.15 or abs(plane[2]) > 0.15:
            continue
        agree = np.abs(design @ plane - heights) < 1.5
        if agree.sum() > best.sum():
            best = agree
    if best.sum() < 3:
        return np.zeros(3), best
    for _ in range(3):
        plane, *_ = np.linalg.lstsq(design[best], heights[best], rcond=None)
        error = np.abs(design @ plane - heights)
        best = error < max(0.5, 3 * 1.4826 * float(np.median(error[best])))
    return plane, best


@dataclass(frozen=True, slots=True)
class Tone:
    """Linear map of brightness and contrast, per color channel: value -> gain * value + offset, values 0 to 1."""

    gain: tuple[float, float, float]
    offset: tuple[float, float, float]

    def apply(self, picture: Image) -> Image:
        """Return the picture with the mapped colors; alpha and everything else unchanged."""
        full = np.iinfo(picture.pixels.dtype).max
        toned = picture.floats() * np.asarray(self.gain, np.float32) + np.asarray(self.offset, np.float32)
        return replace(picture, pixels=np.clip(np.rint(toned * full), 0, full).astype(picture.pixels.dtype))


def measure_tone(reference: Image, picture: Image) -> Tone | None:
    """Measure the map that gives ``picture`` the brightness and contrast of ``reference``.

    From the 10th, 50th and 90th percentiles of each channel; None where they differ by less than 2 of 255.
    """
    marks = (10, 50, 90)
    theirs = np.percentile(reference.floats()[::2, ::2].reshape(-1, 3), marks, axis=0)
    ours = np.percentile(picture.floats()[::2, ::2].reshape(-1, 3), marks, axis=0)
    if np.abs(theirs - ours).max() < 2 / 255:
        return None
    gain = np.clip((theirs[2] - theirs[0]) / np.maximum(ours[2] - ours[0], 1e-3), 0.5, 2.0)
    offset = theirs.mean(axis=0) - gain * ours.mean(axis=0)
    return Tone(tuple(map(float, gain)), tuple(map(float, offset)))  # type: ignore[arg-type]


def match_tone(reference: Image, picture: Image) -> Image:
    """Match brightness and contrast of ``picture`` to ``reference``, per color channel (`measure_tone`)."""
    tone = measure_tone(reference, picture)
    return picture if tone is None else tone.apply(picture)
