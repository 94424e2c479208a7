"""The numbers of the validation table: AbsRel, delta1, ordinal accuracy and the error of depth edges."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]


EDGE_WIDTH = 320
"""Longer side, in pixels, of the maps whose depth edges are compared."""
EDGE_REACH = 10.0
"""Pixels beyond which an edge counts as missed."""


class Scores(NamedTuple):
    """AbsRel (lower is better), delta1 and ordinal accuracy (higher is better), edge error in pixels (lower)."""

    absrel: float
    delta1: float
    ordinal: float
    edge: float


def fit(values: Plane, prediction: Plane, inverse: Plane) -> Plane:
    """Apply to values the least-squares scale and shift of a prediction to true inverse depth, both (K,)."""
    design = np.stack([prediction, np.ones_like(prediction)], axis=1).astype(np.float64)
    (scale, shift), *_ = np.linalg.lstsq(design, inverse.astype(np.float64), rcond=None)
    return (scale * values + shift).astype(np.float32)


def depth_edges(inverse: Plane, low: float, high: float) -> NDArray[np.bool_]:
    """Canny edges of an inverse depth map (H, W) whose range `low` to `high` is 1: steps of about 10 % of it."""
    shades = (255 * np.clip((inverse - low) / max(high - low, 1e-9), 0, 1)).astype(np.uint8)
    return np.asarray(cv2.Canny(shades, 50, 100, L2gradient=True) > 0)


def edge_error(aligned: Plane, inverse: Plane) -> float:
    """Mean distance between true and predicted depth edges, both ways, in pixels of a map 320 wide; NaN without edges.

    The depth boundary error of Koch et al., "Evaluation of CNN-based Single-Image Depth Estimation Methods" (2018),
    section 4.3, accuracy and completeness averaged, distances cut at 10 pixels. Edges within 3 pixels of unknown
    depth (NaN) are left out on both sides.
    """
    scale = EDGE_WIDTH / max(inverse.shape)
    size = (max(round(inverse.shape[1] * scale), 1), max(round(inverse.shape[0] * scale), 1))
    truth = cv2.resize(inverse, size, interpolation=cv2.INTER_NEAREST)
    guess = cv2.resize(aligned, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    unknown = cv2.dilate(np.isnan(truth).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    low, high = (float(value) for value in np.nanquantile(truth, [0.01, 0.99]))
    edges = [depth_edges(np.nan_to_num(plane), low, high) & ~unknown for plane in (truth, guess)]
    if not edges[0].any():
        return float("nan")
    if not edges[1].any():
        return EDGE_REACH
    away = [np.minimum(cv2.distanceTransform((~edge).astype(np.uint8), cv2.DIST_L2, 5), EDGE_REACH) for edge in edges]
    return float(0.5 * (away[1][edges[0]].mean() + away[0][edges[1]].mean()))


def score(prediction: Plane, inverse: Plane, farthest: float | None = None, seed: int = 0) -> Scores:
    """Compare a prediction with true inverse depth (both (H, W); NaN = unknown, 0 = infinitely far).

    Usual practice: aligned values beyond `farthest` (in the truth's unit; None: the farthest finite true point of the
    picture) count as `farthest`. Points at infinity have no relative error and count in the ordinal accuracy only:
    the share of random pairs, at least 10 % apart in true depth, whose order is right. A tie is wrong by half.
    """
    known = np.isfinite(inverse)
    truth, guess = inverse[known], prediction[known]
    finite = truth > (1.0 / farthest if farthest else 1e-4 * truth.max())
    aligned = fit(guess[finite], guess[finite], truth[finite])
    limit = 1.0 / farthest if farthest else float(truth[finite].min())
    depth, true_depth = 1.0 / np.maximum(aligned, limit), 1.0 / truth[finite]
    ratio = np.maximum(depth / true_depth, true_depth / depth)
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, len(truth), (2, 20000))
    apart = np.maximum(truth[first], truth[second]) >= 1.1 * np.minimum(truth[first], truth[second])
    apart &= truth[first] != truth[second]
    difference = (guess[first] - guess[second])[apart] * np.sign(truth[first] - truth[second])[apart]
    ordinal = np.mean((difference > 0) + 0.5 * (difference == 0)) if apart.any() else np.nan
    error = edge_error(fit(prediction, guess[finite], truth[finite]), inverse)
    absrel = float(np.mean(np.abs(depth - true_depth) / true_depth))
    return Scores(absrel, float(np.mean(ratio < 1.25)), float(ordinal), error)


def mean_scores(scores: list[Scores]) -> Scores:
    """Mean over pictures."""
    return Scores(*(float(np.nanmean(column)) for column in zip(*scores, strict=True)))
