"""Stereo pairs, and the parallax and convergence with which they are made.

Disparity is given in percent of the picture's width W: a point of depth v (0 = farthest, 1 = nearest) is
W * parallax/100 * (v - convergence) further left in the right eye's picture than in the left eye's.
The cameras have parallel axes and off-axis frusta; toe-in is never used.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from depth3d.errors import InvalidInput
from depth3d.image import Image, Size
from depth3d.options import Eyes, StereoOptions
from depth3d.quantities import length_meters
from depth3d.stereoformats import StereoFormat
from depth3d.validation import check_value

__all__ = ["StereoFormat", "StereoPair", "StereoRig", "Viewing", "unpack"]

# Comfort limits of stereo cinema, in percent of the picture's width.
CROSSED_LIMIT = 1.0
TOTAL_LIMIT = 3.0
# The eyes of most people are 60-67 mm apart; they cannot diverge.
EYE_DISTANCE_METERS = 0.063
# The number used where the options' default is "auto".
DEFAULT_CONVERGENCE = 0.5 if StereoOptions.convergence == "auto" else StereoOptions.convergence


@dataclass(frozen=True, slots=True, eq=False)
class StereoPair:
    """The pictures for the left and the right eye, of the same size.

    Raises ``InvalidInput`` for different sizes.

    Parameters
    ----------
    left, right : Image
        The two pictures, upright, same size.
    notes : tuple[str, ...]
        Remarks of the reader ("scanned card: turned by 0.4 degrees"), printed once by the command line.
    """

    left: Image
    right: Image
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, eye in (("left", self.left), ("right", self.right)):
            if not isinstance(eye, Image):
                raise InvalidInput(f"StereoPair: {name} is {type(eye).__name__}, expected Image (open_image makes one)")
        if self.left.size != self.right.size:
            raise InvalidInput(
                f"StereoPair: left is {self.left.size}, right is {self.right.size}; expected the same size"
            )

    @property
    def size(self) -> Size:
        """Width and height of one eye in pixels."""
        return self.left.size

    def _repr_html_(self) -> str:
        """HTML for Jupyter: both pictures, the left eye's on the left."""
        eyes = "".join(f'<div style="flex:1">{eye._repr_html_()}</div>' for eye in (self.left, self.right))
        return f'<div style="display:flex;gap:2px">{eyes}</div>'

    def swapped(self) -> StereoPair:
        """Return the pair with left and right exchanged."""
        return replace(self, left=self.right, right=self.left)


@dataclass(frozen=True, slots=True)
class StereoRig:
    """Parallax, convergence and rendered eyes of a stereo pair.

    Raises ``InvalidInput`` for a convergence outside [0, 1] or a parallax outside [0, 50].

    Parameters
    ----------
    parallax : float
        Difference between the disparities of the nearest and the farthest point, both eyes together, percent of the
        width, 0 to 50.
    convergence : float
        Depth with zero disparity (on the screen), 0 = farthest to 1 = nearest.
    eyes : Eyes
        Which eyes are rendered; the other one is the picture itself.
    """

    parallax: float = StereoOptions.parallax
    convergence: float = DEFAULT_CONVERGENCE
    eyes: Eyes = StereoOptions.eyes

    def __post_init__(self) -> None:
        for name in ("parallax", "convergence", "eyes"):
            checked = check_value(StereoOptions, name, getattr(self, name))
            if checked == "auto":
                raise InvalidInput("StereoRig: convergence is 'auto', expected a number, 0 (far) to 1 (near)")
            object.__setattr__(self, name, checked)

    @property
    def crossed(self) -> float:
        """Disparity of the nearest point, percent of the width, in front of the screen."""
        return self.parallax * (1 - self.convergence)

    @property
    def uncrossed(self) -> float:
        """Disparity of the farthest point, percent of the width, behind the screen."""
        return self.parallax * self.convergence

    def shares(self) -> tuple[float, float]:
        """Shares of the disparity of the left and the right eye; they sum to 1."""
        return {"both": (0.5, 0.5), "left": (1.0, 0.0), "right": (0.0, 1.0)}[self.eyes]

    def warnings(self, viewing: Viewing | None = None) -> tuple[str, ...]:
        """Return one warning per exceeded comfort limit; values are never clamped.

        Parameters
        ----------
        viewing : Viewing | None
            Size and distance of the screen; without it only the limits in percent of the width are checked.
        """
        # A tiny excess over the limit is a rounding error.
        found = []
        if self.crossed > CROSSED_LIMIT + 1e-6:
            found.append(
                f"the nearest point is {self.crossed:.2g} % of the width in front of the screen, the comfort limit is"
                f" {CROSSED_LIMIT:g} %: lower `parallax` or raise `convergence`"
            )
        if self.parallax > TOTAL_LIMIT + 1e-6:
            found.append(f"parallax {self.parallax:.2g} % exceeds the comfort limit of {TOTAL_LIMIT:g} %")
        if viewing is not None and self.uncrossed / 100 * viewing.width_meters > EYE_DISTANCE_METERS:
            found.append(
                f"on this screen the disparity of the farthest points is"
                f" {self.uncrossed * 10 * viewing.width_meters:.0f} mm, more than the eyes' own distance"
                f" ({EYE_DISTANCE_METERS * 1000:.0f} mm): lower `parallax`"
            )
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Viewing:
    """Screen width and viewing distance: converts percent of the width to arc-minutes and back.

    Parameters
    ----------
    width_meters : float
        Width of the picture on the screen.
    distance_meters : float
        Distance from the eyes to the screen.
    """

    width_meters: float
    distance_meters: float

    def __post_init__(self) -> None:
        if not (0.01 <= self.width_meters <= 100 and 0.01 <= self.distance_meters <= 1000):
            raise InvalidInput(
                f"screen {self.width_meters:g} m wide at {self.distance_meters:g} m: expected 0.01..100 and 0.01..1000"
            )

    @classmethod
    def parse(cls, screen: str, distance: str, aspect: float = 16 / 9) -> Viewing:
        """Parse "55in" (the diagonal of a 16:9 screen; also cm, m) and "2.5m" (also cm, ft).

        A picture of another ``aspect`` (width over height) is shown as large as it fits on the screen.
        """
        diagonal = length_meters(screen, "in", "screen")
        width, height = (diagonal * side / math.hypot(16, 9) for side in (16, 9))
        return cls(min(width, height * aspect), length_meters(distance, "m", "distance"))

    def arc_minutes(self, percent: float) -> float:
        """Angle in arc-minutes of ``percent`` of the width at the viewing distance."""
        return math.degrees(2 * math.atan(self.width_meters * percent / 100 / 2 / self.distance_meters)) * 60

    def percent(self, arc_minutes: float) -> float:
        """Percentage of the width that subtends this angle at the viewing distance."""
        return 200 * self.distance_meters * math.tan(math.radians(arc_minutes / 60) / 2) / self.width_meters


def unpack(image: Image, layout: StereoFormat, gap: int = 0) -> StereoPair:
    """Split a side-by-side or top-bottom picture into a stereo pair; half formats are scaled to full size.

    An odd last column (or row) is left out. Raises ``InvalidInput`` for a layout that cannot be split.

    Parameters
    ----------
    image : Image
        Both eyes in one picture.
    layout : StereoFormat
        How they are packed.
    gap : int
        Rows between stacked eyes that belong to neither.
    """
    width, height = image.size
    if layout.packing == "side" and width >= 2:
        middle = width // 2
        cuts = [(slice(None), slice(0, middle)), (slice(None), slice(middle, 2 * middle))]
        full = Size(2 * middle, height)
    elif layout.packing == "stack" and height >= gap + 2:
        middle = (height - gap) // 2
        cuts = [(slice(0, middle), slice(None)), (slice(middle + gap, 2 * middle + gap), slice(None))]
        full = Size(width, 2 * middle)
    else:
        raise InvalidInput(f"a picture of {image.size} cannot be split as {layout.name}")
    eyes = [image.cropped(*cut) for cut in cuts]
    if layout.half:
        eyes = [eye.resized(full) for eye in eyes]
    pair = StereoPair(eyes[0], eyes[1])
    return pair.swapped() if layout.right_first else pair
