"""What a measured stereo file means, in words."""

from __future__ import annotations

from depth3d.pipeline.check.report import StereoReport
from depth3d.stereopair import CROSSED_LIMIT, EYE_DISTANCE_METRES, TOTAL_LIMIT

__all__ = ["findings"]

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
