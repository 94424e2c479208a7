"""Report on a stereo file: measured values and a histogram picture of its disparities."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.image import Image
from depth3d.stereopair import CROSSED_LIMIT, TOTAL_LIMIT

__all__ = ["StereoReport", "report_picture"]


@dataclass(frozen=True, slots=True)
class StereoReport:
    """Measured values of a stereo file. Disparities in percent of one eye's width; positive = in front of the screen.

    Parameters
    ----------
    path, layout : str
        The file and its detected layout.
    width, height : int
        Size of one eye, px.
    frames : int
        Number of measured frames (1 for a picture).
    disparity : dict[str, float]
        Percentile ("1" .. "99") -> percent, over all frames.
    arc_minutes : dict[str, float]
        The same as visual angles on ``screen``.
    screen : str
        Screen and viewing distance of the angles, in words.
    nearest, farthest : float
        99th and 1st percentile of the most extreme frame, percent.
    vertical : float
        Vertical disparity (right minus left) at the center, percent of the height.
    vertical_worst : float
        Largest vertical disparity in the picture, percent of the height.
    roll, scale : float
        Rotation of the right eye against the left one, degrees, and its size over that of the left one.
    color : float
        Median color difference of the eyes, CIE Lab; below 2 is invisible.
    window : tuple[float, float]
        Crossed disparity at the left and right edge (window violation), percent; 0 = none.
    swapped : bool
        Whether left and right are probably swapped.
    sure : float
        Fraction of the picture that is matched reliably between the eyes.
    verdict : tuple[str, ...]
        Findings as sentences, worst first; a single one starting with "good" if there are no problems.
    histogram : tuple[int, ...]
        Counts of disparities from -8 to 8 percent in steps of 0.05.
    """

    path: str
    layout: str
    width: int
    height: int
    frames: int
    disparity: dict[str, float]
    arc_minutes: dict[str, float]
    screen: str
    nearest: float
    farthest: float
    vertical: float
    vertical_worst: float
    roll: float
    scale: float
    color: float
    window: tuple[float, float]
    swapped: bool
    sure: float
    verdict: tuple[str, ...] = ()
    histogram: tuple[int, ...] = field(default=(), repr=False)

    def facts(self) -> dict[str, Any]:
        """Return all fields as a dict, without the histogram; for JSON."""
        facts = asdict(self)
        del facts["histogram"]
        return facts


def report_picture(report: StereoReport) -> Image:
    """Draw the disparity histogram with the comfort range, the extremes and the findings (1000 x 520 px)."""
    width, height, left, top, base = 1000, 520, 60, 60, 330
    picture = np.full((height, width, 3), 255, np.uint8)
    counts = np.array(report.histogram, np.float64)
    edges = np.linspace(-8, 8, len(counts) + 1)
    reach = float(np.clip(max(abs(report.nearest), abs(report.farthest)) * 1.4, 2.0, 8.0))

    def place(percent: float) -> int:
        return round(left + (percent + reach) / (2 * reach) * (width - 2 * left))

    low = place(max(-reach, CROSSED_LIMIT - TOTAL_LIMIT))
    cv2.rectangle(picture, (low, top), (place(CROSSED_LIMIT), base), (226, 243, 226), -1)
    for count, first, last in zip(counts / max(counts.max(), 1), edges[:-1], edges[1:], strict=True):
        if count > 0 and first >= -reach and last <= reach:
            color = (190, 90, 40) if first >= 0 else (50, 90, 170)
            cv2.rectangle(
                picture, (place(first), base - round(count * (base - top))), (place(last) - 1, base), color, -1
            )
    cv2.line(picture, (place(0), top - 8), (place(0), base + 8), (0, 0, 0), 2)
    for tick in range(-int(reach), int(reach) + 1):
        cv2.line(picture, (place(tick), base), (place(tick), base + 6), (0, 0, 0), 1)
        _text(picture, f"{tick:+d} %" if tick else "screen", (place(tick) - 22, base + 24))
    _text(picture, f"{report.path[-70:]}   {report.width}x{report.height}, {report.frames} frame(s)", (left, 24))
    _text(picture, "behind the screen", (left, 48), (50, 90, 170))
    _text(picture, "in front of it", (width - left - 130, 48), (190, 90, 40))
    _text(
        picture,
        f"nearest {report.nearest:+.2f} %, farthest {report.farthest:+.2f} % (green: comfortable)",
        (left, base + 56),
    )
    for number, line in enumerate(report.verdict[:4]):
        _text(picture, f"- {line}"[:118], (left, base + 86 + 24 * number))
    return Image(picture)


def _text(
    picture: NDArray[np.uint8], text: str, place: tuple[int, int], color: tuple[int, int, int] = (0, 0, 0)
) -> None:
    plain = text.encode("ascii", "replace").decode()
    cv2.putText(picture, plain, place, cv2.FONT_HERSHEY_SIMPLEX, 0.46, color, 1, cv2.LINE_AA)
