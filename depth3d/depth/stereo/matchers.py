"""Stereo matchers: find the disparity of every pixel of the left image.

A matcher has one method. ``register_matcher`` adds a factory to ``MATCHERS``; ``--matcher NAME`` or ``--matcher
NAME:/path/of/its/weights`` then selects it.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.depth.flow_networks import FLOW_CARDS, open_flow
from depth3d.depth.stereo.consistency import agreement, without_specks
from depth3d.errors import InvalidInput

__all__ = ["MATCHERS", "FlowMatcher", "InverseSearch", "Matcher", "SemiGlobal", "find_matcher", "register_matcher"]

Pixels = NDArray[np.uint8]
Map = NDArray[np.float32]


class Matcher(Protocol):
    """Finds disparity between two pictures whose rows are aligned."""

    def disparity(self, left: Pixels, right: Pixels) -> Map:
        """Return the disparity of the left picture: (H, W) float32 px, positive = nearer (or negative), NaN = unknown.

        Parameters
        ----------
        left, right : Pixels
            (H, W, 3) uint8 RGB of one size.
        """
        ...


class FlowMatcher:
    """Use any optical flow as a matcher: ``flow(a, b)`` returns (H, W, 2) float32 px from ``a`` to ``b``."""

    def __init__(self, flow: Callable[[Pixels, Pixels], Map]) -> None:
        self._flow = flow

    def disparity(self, left: Pixels, right: Pixels) -> Map:
        """Return the negated horizontal flow, (H, W) float32 px."""
        return np.ascontiguousarray(-self._flow(left, right)[..., 0], dtype=np.float32)


class InverseSearch:
    """Dense inverse search flow (Kroeger et al. 2016): fast, needs no disparity range, soft at edges."""

    def disparity(self, left: Pixels, right: Pixels) -> Map:
        """Match as ``Matcher`` describes; the common horizontal offset is removed first."""
        a, b = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (left, right))
        low, high = search_range(left, right)
        middle = round((low + high) / 2)
        moved, still = np.roll(b, middle, axis=1), np.zeros((*a.shape, 2), np.float32)
        flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(a, moved, still)
        disparity = np.asarray(middle - flow[..., 0], dtype=np.float32)
        target = np.arange(a.shape[1], dtype=np.float32)[None, :] - disparity
        disparity[(target < 0) | (target > a.shape[1] - 1)] = np.nan
        return disparity


class SemiGlobal:
    """Semi-global matching (Hirschmueller 2008) of single pixels; a coarse pass finds the disparity range."""

    def disparity(self, left: Pixels, right: Pixels) -> Map:
        """Match as ``Matcher`` describes."""
        return _semi_global(left, right, *search_range(left, right))


def _semi_global(left: NDArray[Any], right: NDArray[Any], low: float, high: float) -> Map:
    start = int(np.floor(low))
    count = max(16, int(np.ceil((high - start + 1) / 16)) * 16)
    # Blocks of one pixel keep corners sharp; smoothness comes from the paths alone. P1 and P2 are the penalties
    # for disparity steps of one and of more; three color channels make matching costs three times as large.
    matcher = cv2.StereoSGBM.create(
        minDisparity=start,
        numDisparities=count,
        blockSize=1,
        P1=8 * 3,
        P2=24 * 3,
        preFilterCap=31,
        uniquenessRatio=0,
        mode=cv2.STEREO_SGBM_MODE_SGBM_3WAY,
    )
    # OpenCV skips columns whose disparity range leaves the picture: a border on both sides makes room for the range.
    before, after = max(0, start + count), max(0, -start)
    padded = [cv2.copyMakeBorder(p, 0, 0, before, after, cv2.BORDER_REPLICATE) for p in (left, right)]
    found = matcher.compute(padded[0], padded[1])[:, before : before + left.shape[1]]
    disparity = found.astype(np.float32) / 16
    disparity[found < start * 16] = np.nan
    return np.ascontiguousarray(cv2.medianBlur(disparity, 3))


def search_range(left: Pixels, right: Pixels) -> tuple[float, float]:
    """Find the smallest and largest disparity in px by matching at a width of 256 px, within 40 % of the width.

    A tenth of the range is added at both ends. Without consistent matches the result is -2 % to 8 % of the width.
    """
    height, width = left.shape[:2]
    scale = min(1.0, 256 / width)
    small = (max(16, round(width * scale)), max(8, round(height * scale)))
    a, b = (cv2.resize(picture, small, interpolation=cv2.INTER_AREA) for picture in (left, right))
    reach = 0.4 * small[0]
    forth = _semi_global(a, b, -reach, reach)
    back = mirrored(_semi_global(mirrored(b), mirrored(a), -reach, reach))
    sure = without_specks(np.nan_to_num(forth), agreement(forth, back), max(4, forth.size // 1500))
    per_pixel = width / small[0]
    if sure.sum() < forth.size // 100:
        return -0.02 * width, 0.08 * width
    low, high = np.percentile(forth[sure], (0.2, 99.8))
    margin = 0.1 * (high - low) + 1.5
    return float((low - margin) * per_pixel), float((high + margin) * per_pixel)


def mirrored(values: NDArray[Any]) -> NDArray[Any]:
    """Flip horizontally (contiguous in memory), so that a matcher for left images works on right ones."""
    return np.ascontiguousarray(values[:, ::-1])


def _flow_network(name: str) -> Callable[[str | None], Matcher]:
    return lambda path: FlowMatcher(open_flow(f"{name}:{path or ''}"))


# Name -> factory; the factory gets the text after the colon of "name:text", or None.
MATCHERS: dict[str, Callable[[str | None], Matcher]] = {
    "sgm": lambda _: SemiGlobal(),
    "dis": lambda _: InverseSearch(),
    **{name: _flow_network(name) for name in FLOW_CARDS},
}


def register_matcher(name: str, factory: Callable[[str | None], Matcher]) -> None:
    """Register a matcher under ``name``; ``factory`` gets the text after the colon of "name:text", or None."""
    MATCHERS[name] = factory


def find_matcher(name: str) -> Matcher:
    """Return the matcher called ``name`` ("sgm", "dis", "pwcnet:/path").

    Raises ``InvalidInput`` for an unknown name.
    """
    kind, _, rest = name.partition(":")
    factory = MATCHERS.get(kind)
    if factory is None:
        close = difflib.get_close_matches(kind, MATCHERS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"expected one of {', '.join(MATCHERS)}"
        raise InvalidInput(f"unknown matcher {name!r}; {hint}")
    return factory(rest or None)
