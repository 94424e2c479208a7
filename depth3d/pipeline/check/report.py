"""What a measurement of a stereo file means, in words; and the picture of its disparities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.image import Image
from depth3d.stereopair import CROSSED_LIMIT, EYE_DISTANCE_METRES, TOTAL_LIMIT

if TYPE_CHECKING:
    from depth3d.pipeline.check.measure import StereoReport

__all__ = ["findings", "report_picture"]

# What most people begin to notice: percent of the height, degrees, Lab units, percent of the width.
_VERTICAL, _ROLL, _COLOUR, _WINDOW, _FLAT, _WHOLE = 0.5, 0.5, 6.0, 0.3, 0.15, 0.7


def findings(report: StereoReport, behind_metres: float) -> tuple[str, ...]:
    """Sentences on what is wrong, worst first; one that begins with "good" if nothing is.

    ``behind_metres``: how far the farthest points part on the viewer's screen.
    """
    found: list[str] = []
    if report.swapped:
        found.append("the eyes seem to be exchanged: near and far are reversed; swap left and right")
    if report.sure < 0.25:
        found.append(f"only {report.sure:.0%} of the picture is seen alike by both eyes; are these two eyes at all?")
    if report.vertical_worst > _VERTICAL:
        turn = f", roll {report.roll:+.2f} degrees" if abs(report.roll) > 0.1 else ""
        size = f", scale {report.scale:.4f}" if abs(report.scale - 1) > 0.002 else ""
        found.append(
            f"rows are off by up to {report.vertical_worst:.2f} % of the height{turn}{size}: this tires the eyes"
        )
    total = report.nearest - report.farthest
    if report.farthest > _WHOLE or report.nearest < -_WHOLE:
        where, off = ("in front of", report.farthest) if report.farthest > 0 else ("behind", -report.nearest)
        found.append(
            f"the whole scene stands {where} the screen, by {off:.1f} % of the width at least: move the eyes' pictures"
            " against each other (depth3d stereo does)"
        )
    if report.nearest > CROSSED_LIMIT:
        found.append(f"comes {report.nearest:.2f} % of the width out of the screen, comfortable is {CROSSED_LIMIT:g} %")
    if total > TOTAL_LIMIT:
        found.append(f"near and far part by {total:.2f} % of the width, comfortable is {TOTAL_LIMIT:g} %")
    if behind_metres > EYE_DISTANCE_METRES:
        found.append(
            f"on {report.screen} the farthest points part by {behind_metres * 1000:.0f} mm, more than the eyes"
            f" stand apart ({EYE_DISTANCE_METRES * 1000:.0f} mm)"
        )
    sides = [name for name, value in zip(("left", "right"), report.window, strict=True) if value > _WINDOW]
    if sides:
        found.append(
            f"window violation: near things are cut at the {' and '.join(sides)} edge,"
            f" {max(report.window):.2f} % in front of the screen"
        )
    if report.colour > _COLOUR:
        found.append(
            f"the eyes differ in colour or brightness by {report.colour:.1f} (Lab), which flickers in the head"
        )
    if total < _FLAT and not found:
        found.append(f"nearly flat: near and far part by {total:.2f} % of the width only")
    if not found:
        found.append(f"good: {total:.2f} % of depth, {max(0.0, report.nearest):.2f} % of it in front of the screen")
    return tuple(found)


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
            colour = (190, 90, 40) if first >= 0 else (50, 90, 170)
            cv2.rectangle(
                picture, (place(first), base - round(count * (base - top))), (place(last) - 1, base), colour, -1
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
    picture: NDArray[np.uint8], text: str, place: tuple[int, int], colour: tuple[int, int, int] = (0, 0, 0)
) -> None:
    plain = text.encode("ascii", "replace").decode()
    cv2.putText(picture, plain, place, cv2.FONT_HERSHEY_SIMPLEX, 0.46, colour, 1, cv2.LINE_AA)
