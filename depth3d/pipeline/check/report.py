"""The report on a stereo file: its numbers, and a picture of its disparities."""

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
    """What was measured. Percent of one eye's width; positive = in front of the screen (crossed).

    Parameters
    ----------
    path, layout : str
        The file, and what it was taken for.
    width, height : int
        Of one eye, px.
    frames : int
        How many were looked at (1 for a picture).
    disparity : dict[str, float]
        Percentile ("1" .. "99") -> percent, over all frames.
    arc_minutes : dict[str, float]
        The same as angles, seen on ``screen``.
    nearest, farthest : float
        99th and 1st percentile of the loudest frame, percent.
    vertical : float
        Y of the right eye less that of the left at the middle of the picture, percent of the height.
    vertical_worst : float
        The largest in the picture, with roll (degrees) and scale (right over left).
    color : float
        Mean difference of the eyes' colors, CIE Lab; below 2 nobody sees it.
    window : tuple[float, float]
        How far things at the left and right edge stand in front of the screen, percent (0 = none).
    swapped : bool
        Whether left and right seem to be exchanged.
    sure : float
        Share of the picture that both eyes see and agree on.
    verdict : tuple[str, ...]
        Findings in words, worst first; one that begins with "good" if there is nothing to say.
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
        """For JSON, without the histogram."""
        facts = asdict(self)
        del facts["histogram"]
        return facts


def report_picture(report: StereoReport) -> Image:
    """A histogram of the disparities with the comfortable range, the percentiles and the verdict."""
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
