"""Manual hints for a depth map: strokes that a person paints where the depth is wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from depth3d.errors import InvalidInput
from depth3d.image import Size, array_of
from depth3d.quantities import is_number

__all__ = ["Hints", "Stroke", "StrokeKind"]

StrokeKind = Literal["nearer", "farther", "same", "value", "plane", "cut"]
MOST_STROKES, MOST_POINTS = 500, 5000


@dataclass(frozen=True, slots=True, eq=False)
class Stroke:
    """One stroke of the brush.

    Raises ``InvalidInput`` for an unknown kind, points outside the picture, or numbers out of range.

    Parameters
    ----------
    kind : StrokeKind
        "nearer" and "farther" move the surface by ``value``; "same" gives it the depth at the stroke's first point;
        "value" gives it the depth ``value``; "plane" makes it flat; "cut" separates what lies on its two sides.
    points : NDArray[np.float32]
        (N, 2) float32 x and y in [0, 1] from the upper left; one point is a dot.
    radius : float
        Half the width of the brush, as a share of the picture's longer side, above 0 to 0.5.
    value : float
        A depth in [0, 1] or a difference of depth, by kind.
    """

    kind: StrokeKind
    points: NDArray[np.float32]
    radius: float = 0.012
    value: float = 0.1

    def __post_init__(self) -> None:
        if not isinstance(self.kind, str) or self.kind not in get_args(StrokeKind):
            raise InvalidInput(f"Stroke: kind {self.kind!r}, expected one of {', '.join(get_args(StrokeKind))}")
        told = array_of(self.points, "Stroke: points")
        if told.dtype.kind not in "fiu":
            raise InvalidInput(f"Stroke: points are {told.dtype}, expected numbers")
        with np.errstate(over="ignore"):
            points = np.array(told, np.float32)
        if points.ndim != 2 or points.shape[1] != 2 or not 1 <= len(points) <= MOST_POINTS:
            raise InvalidInput(f"Stroke: points have shape {points.shape}, expected (N, 2), N from 1 to {MOST_POINTS}")
        if not (np.isfinite(points).all() and points.min() >= 0 and points.max() <= 1):
            raise InvalidInput("Stroke: points outside the picture, expected x and y in [0, 1]")
        points.setflags(write=False)
        object.__setattr__(self, "points", points)
        for name, low, high in (("radius", 0.0, 0.5), ("value", 0.0, 1.0)):
            number = getattr(self, name)
            if not is_number(number) or not math.isfinite(number):
                raise InvalidInput(f"Stroke: {name} is {number!r}, expected a number")
            if not low <= number <= high or (name == "radius" and number == 0):
                raise InvalidInput(f"Stroke: {name} is {number:g}, expected {low:g} to {high:g}")

    def pixels(self, size: Size) -> NDArray[np.int32]:
        """Return the points as (N, 2) int32 pixels (column, row) of a picture.

        Parameters
        ----------
        size : Size
            Size of the picture.
        """
        scaled = np.floor(self.points * np.array([size.width, size.height], np.float32)).astype(np.int32)
        return np.asarray(np.clip(scaled, 0, [size.width - 1, size.height - 1]), np.int32)

    def thickness(self, size: Size) -> int:
        """Return the width of the brush in pixels of a picture, at least 1.

        Parameters
        ----------
        size : Size
            Size of the picture.
        """
        return max(1, round(2 * self.radius * max(size)))

    def facts(self) -> dict[str, Any]:
        """Return the stroke as JSON."""
        points = [[round(float(x), 5), round(float(y), 5)] for x, y in self.points]
        return {"kind": self.kind, "points": points, "radius": round(self.radius, 5), "value": round(self.value, 4)}

    @classmethod
    def of(cls, facts: Any) -> Stroke:
        """Return the stroke that ``facts`` describe, as ``facts()`` gives it. Raises ``InvalidInput``.

        Parameters
        ----------
        facts : Any
            JSON; not trusted.
        """
        if not isinstance(facts, dict) or not {"kind", "points"} <= facts.keys():
            raise InvalidInput("a stroke needs kind and points")
        known = {name: facts[name] for name in ("kind", "points", "radius", "value") if facts.get(name) is not None}
        if not isinstance(known["kind"], str):
            raise InvalidInput("a stroke's kind is a word")
        return cls(**known)


@dataclass(frozen=True, slots=True, eq=False)
class Hints:
    """The strokes of one picture in the order in which they were painted; later ones cover earlier ones.

    Raises ``InvalidInput`` for more than 500 strokes.

    Parameters
    ----------
    strokes : tuple[Stroke, ...]
        The strokes.
    painted : NDArray[np.float32] | None
        (H, W) wanted depth in [0, 1] from a picture of strokes, NaN where nothing is painted; or None.
    """

    strokes: tuple[Stroke, ...] = ()
    painted: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.strokes, tuple | list):
            raise InvalidInput(f"Hints: strokes are {type(self.strokes).__name__}, expected a tuple of Stroke objects")
        if len(self.strokes) > MOST_STROKES:
            raise InvalidInput(f"Hints: {len(self.strokes)} strokes, expected at most {MOST_STROKES}")
        if not all(isinstance(stroke, Stroke) for stroke in self.strokes):
            raise InvalidInput("Hints: expected Stroke objects")
        if self.painted is not None:
            painted = array_of(self.painted, "Hints: painted")
            if painted.ndim != 2 or painted.dtype.kind != "f":
                raise InvalidInput(f"Hints: painted is {painted.dtype} {painted.shape}, expected floats (H, W)")

    def __bool__(self) -> bool:
        """Whether there is anything painted."""
        return bool(self.strokes) or (self.painted is not None and not bool(np.isnan(self.painted).all()))
