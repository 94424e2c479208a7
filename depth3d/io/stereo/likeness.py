"""Compare two pictures: whether they may be the eyes of one scene."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.image import Image

__all__ = ["LONG_SIDE", "Likeness", "gray_of", "likeness"]

LONG_SIDE = 320
_NO_DEPTH, _NO_DEPTH_MOVED = 0.0034, 0.0056
_LEVEL_EYES = 0.004  # change of the vertical shift per width; more is a camera that was turned or moved forward
_SAME_TONE = 0.94
_REPEATED, _SAME_PLACE = 0.45, 0.993  # where so much is repeated, brightness must agree as on one surface
_LEVEL = 0.016  # of the height


@dataclass(frozen=True, slots=True)
class Likeness:
    """How well one picture matches another as the second eye of the same scene.

    Parameters
    ----------
    coherent : float
        Share of the distinctive blocks of the first picture that are found in the second, at one height and with about
        the disparity of their neighbors; 0..1.
    ambiguous : float
        Share of the textured blocks that fit in several places (repeated patterns), 0..1.
    blocks : int
        Number of distinctive blocks.
    dx, dy : float
        Median place in the second minus place in the first, share of the width and of the height.
    spread : float
        Between the 10th and the 90th percentile of the disparities, share of the width, without what a shifted, turned
        or enlarged copy of the picture would have; copies have 0.
    tone : float
        Correlation between the mean brightness of the blocks and of the places where they were found, -1..1. Things of
        one kind (coins, bottles) match each other by their shape, but not by their brightness.
    tilt : float
        Change of the vertical shift over one width of the picture; 0 for eyes at one height, not turned, not zoomed.
    relief : float
        Like ``spread``, between the 6th and the 94th percentile: small things before a wide wall are depth, too.
    """

    coherent: float
    ambiguous: float
    blocks: int
    dx: float
    dy: float
    spread: float
    tone: float = 1.0
    tilt: float = 0.0
    relief: float = 0.0

    @property
    def same_scene(self) -> bool:
        """True if the disparities are one coherent field, at one height, none too far away.

        Measured by ``examples/measure_stereo_detection.py``: true pairs have coherent 0.26 to 1 and tone 0.95 and more
        (0.99 where most of the picture repeats); coins have tone at most 0.97 and repeat.
        """
        clear = self.coherent >= 0.4 and self.ambiguous < 0.6
        weak = self.coherent >= 0.25 and self.ambiguous < 0.36
        return (
            self.blocks >= 12
            and (clear or weak)
            and (self.tone > _SAME_TONE or (self.coherent >= 0.85 and self.ambiguous < _REPEATED))
            and (self.ambiguous < _REPEATED or self.tone > _SAME_PLACE)
            and abs(self.dy) < 0.035
            and abs(self.dx) < 0.24
        )

    @property
    def has_depth(self) -> bool:
        """True if the disparities differ: before/after pictures and copies have one disparity everywhere."""
        return self.relief > (_NO_DEPTH if self.tilt < _LEVEL_EYES else _NO_DEPTH_MOVED)


def likeness(first: Image, second: Image, *, reach: float = 0.25, rise: float = 0.06) -> Likeness:
    """Look for blocks of ``first`` in ``second`` and measure how coherent their disparities are.

    A block is found where normalized correlation exceeds 0.75; it is ambiguous if a second place comes
    close to it.

    Parameters
    ----------
    first, second : Image
        Both pictures, of about the same size.
    reach, rise : float
        How far away a block is looked for, share of the width and of the height.
    """
    a = gray_of(first, LONG_SIDE)
    height, width = a.shape
    b = np.asarray(cv2.resize(gray_of(second, LONG_SIDE), (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    side = max(14, min(height, width) // 9)
    across, up = max(2, round(reach * width)), max(2, round(rise * height))
    border = cv2.copyMakeBorder(b, up, up, across, across, cv2.BORDER_REFLECT_101)
    tops, lefts = range(side // 2, height - side, side), range(side // 2, width - side, side)
    moves = np.full((len(tops), len(lefts), 2), np.nan)
    distinct = ambiguous = 0
    tones: list[tuple[float, float]] = []
    for row, top in enumerate(tops):
        for column, left in enumerate(lefts):
            block = a[top : top + side, left : left + side]
            if block.std() < 6:
                continue
            area = border[top : top + side + 2 * up, left : left + side + 2 * across]
            x, y, best, second_best = _peaks(cv2.matchTemplate(area, block, cv2.TM_CCOEFF_NORMED), side)
            if best > 0.75 and second_best > best - 0.12:
                ambiguous += 1
                continue
            distinct += 1
            if best > 0.75:
                moves[row, column] = (x - across) / width, (y - up) / height
                place = area[y : y + side, round(x) : round(x) + side]
                tones.append((float(block.mean()), float(place.mean())))
    places = np.stack(np.meshgrid(np.array(lefts) / width, np.array(tops) / width), axis=2)
    return replace(_coherence(moves, places, width / height, distinct, ambiguous), tone=_tone(tones))


def _peaks(score: NDArray[Any], side: int) -> tuple[float, int, float, float]:
    """Return x (to a fraction of a pixel), y and value of the highest peak, and the value of the next one."""
    _, best, _, (x, y) = cv2.minMaxLoc(score)
    fine = float(x)
    if 0 < x < score.shape[1] - 1:
        before, here, after = (float(score[y, x + step]) for step in (-1, 0, 1))
        bend = before - 2 * here + after
        fine += 0.5 * (before - after) / bend if bend < 0 else 0.0
    around = side // 2
    rest = score.copy()
    rest[max(0, y - around) : y + around + 1, max(0, x - around) : x + around + 1] = -1
    return fine, y, float(best), float(rest.max())


def _coherence(
    moves: NDArray[np.float64], places: NDArray[np.float64], aspect: float, distinct: int, ambiguous: int
) -> Likeness:
    """Measure how coherent the moves of blocks are; ``places`` holds their centers, in widths of the picture."""
    found = np.isfinite(moves[..., 0])
    share = ambiguous / max(1, ambiguous + distinct)
    if found.sum() < 4:
        return Likeness(0.0, share, distinct, 0.0, 0.0, 0.0)
    dy = float(np.median(moves[found, 1]))
    level = found & (np.abs(np.nan_to_num(moves[..., 1], nan=9.0) - dy) <= _LEVEL)
    flat = _moved_as_one(moves * (1.0, 1 / aspect), places, level)
    dx = np.where(level, moves[..., 0], np.nan)
    relief = np.where(level, moves[..., 0] - flat[..., 0], np.nan)
    padded = np.pad(dx, 1, constant_values=np.nan)
    rows, columns = dx.shape
    around = [
        np.abs(padded[1 + down : 1 + down + rows, 1 + right : 1 + right + columns] - dx)
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
        if (down, right) != (0, 0)
    ]
    # Two neighbors of about the same disparity: a surface, not a chance match.
    agreeing = (np.nan_to_num(np.stack(around), nan=9.0) < 0.02).sum(axis=0) >= 2
    middle = float(np.median(dx[level])) if level.any() else 0.0
    low, high = np.percentile(relief[level], [10, 90]) if level.any() else (0.0, 0.0)
    least, most = np.percentile(relief[level], [6, 94]) if level.any() else (0.0, 0.0)
    coherent = float((level & agreeing).sum()) / max(distinct, 1)
    tilt = _tilt(moves, places, aspect, level)
    spread, whole = float(high - low), float(most - least)
    return Likeness(coherent, share, distinct, middle, dy, spread, tilt=tilt, relief=whole)


def _tilt(moves: NDArray[np.float64], places: NDArray[np.float64], aspect: float, near: NDArray[np.bool_]) -> float:
    if near.sum() < 6:
        return 0.0
    system = np.column_stack([places[near], np.ones(int(near.sum()))])
    slopes = np.linalg.lstsq(system, moves[near][:, 1] / aspect, rcond=None)[0][:2]
    return float(np.abs(slopes).max())


def _tone(tones: list[tuple[float, float]]) -> float:
    if len(tones) < 4:
        return 0.0
    first, second = np.array(tones).T
    # Pictures of even brightness say nothing.
    return float(np.corrcoef(first, second)[0, 1]) if min(first.std(), second.std()) > 2 else 1.0


def _moved_as_one(
    moves: NDArray[np.float64], places: NDArray[np.float64], near: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the moves of a flat picture that was shifted, turned and enlarged, fitted to ``moves``.

    Two exposures of one photo differ by such a move; the eyes of a stereo picture do not, as a scene has depth.
    """
    result = np.zeros_like(moves)
    if near.sum() < 6:
        return result + (np.median(moves[near], axis=0) if near.any() else 0.0)
    kept = near.copy()
    for _ in range(3):
        x, y = places[kept].T
        ones, none = np.ones_like(x), np.zeros_like(x)
        system = np.concatenate([np.stack([x, -y, ones, none], 1), np.stack([y, x, none, ones], 1)])
        grow, turn, right, down = np.linalg.lstsq(system, np.concatenate(moves[kept].T), rcond=None)[0]
        result[..., 0] = grow * places[..., 0] - turn * places[..., 1] + right
        result[..., 1] = turn * places[..., 0] + grow * places[..., 1] + down
        away = np.abs(np.nan_to_num(moves - result, nan=9.0)).max(axis=2)
        kept = near & (away <= max(2.5 * float(np.median(away[near])), 1e-6))
        if kept.sum() < 6:
            break
    return result


def gray_of(picture: Image, long_side: int) -> NDArray[Any]:
    """Return a picture in 8-bit gray, its longer side at most ``long_side`` pixels."""
    small = picture.eight_bit().resized(picture.size.fit(long_side))
    return np.asarray(cv2.cvtColor(small.pixels, cv2.COLOR_RGB2GRAY), np.uint8)
