"""The numbers of the validation table: AbsRel and delta1 after alignment in inverse depth, and ordinal accuracy."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]


class Scores(NamedTuple):
    """AbsRel (lower is better), delta1 and ordinal accuracy (higher is better)."""

    absrel: float
    delta1: float
    ordinal: float


def align(prediction: Plane, inverse: Plane) -> Plane:
    """Least-squares scale and shift of a relative inverse depth to the true one; both (K,)."""
    design = np.stack([prediction, np.ones_like(prediction)], axis=1).astype(np.float64)
    solution, *_ = np.linalg.lstsq(design, inverse.astype(np.float64), rcond=None)
    return (design @ solution).astype(np.float32)


def score(prediction: Plane, inverse: Plane, farthest: float | None = None, seed: int = 0) -> Scores:
    """Compare a prediction with true inverse depth (both (H, W); NaN = unknown, 0 = infinitely far).

    Usual practice: aligned values beyond `farthest` (in the truth's unit; None: the farthest finite true point of the
    picture) count as `farthest`. Points at infinity have no relative error and count in the ordinal accuracy only:
    the share of random pairs, at least 10 % apart in true depth, whose order is right. A tie is wrong by half.
    """
    known = np.isfinite(inverse)
    truth, guess = inverse[known], prediction[known]
    finite = truth > (1.0 / farthest if farthest else 1e-4 * truth.max())
    aligned = align(guess[finite], truth[finite])
    limit = 1.0 / farthest if farthest else float(truth[finite].min())
    depth, true_depth = 1.0 / np.maximum(aligned, limit), 1.0 / truth[finite]
    ratio = np.maximum(depth / true_depth, true_depth / depth)
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, len(truth), (2, 20000))
    apart = np.maximum(truth[first], truth[second]) >= 1.1 * np.minimum(truth[first], truth[second])
    apart &= truth[first] != truth[second]
    difference = (guess[first] - guess[second])[apart] * np.sign(truth[first] - truth[second])[apart]
    ordinal = np.mean((difference > 0) + 0.5 * (difference == 0)) if apart.any() else np.nan
    return Scores(float(np.mean(np.abs(depth - true_depth) / true_depth)), float(np.mean(ratio < 1.25)), float(ordinal))


def mean_scores(scores: list[Scores]) -> Scores:
    """Mean over pictures."""
    return Scores(*(float(np.nanmean(column)) for column in zip(*scores, strict=True)))
