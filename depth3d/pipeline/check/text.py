"""Convert the measurements of a stereo file to findings as sentences."""

from __future__ import annotations

from depth3d.pipeline.check.report import StereoReport
from depth3d.stereopair import CROSSED_LIMIT, EYE_DISTANCE_METERS, TOTAL_LIMIT

__all__ = ["findings"]

# Thresholds of visibility: percent of the height, degrees, Lab units, percent of the width.
_VERTICAL, _ROLL, _COLOR, _WINDOW, _FLAT, _WHOLE = 0.5, 0.5, 6.0, 0.3, 0.15, 0.7


def findings(report: StereoReport, behind_meters: float) -> tuple[str, ...]:
    """Return one sentence per problem, worst first, or a single one that starts with "good".

    ``behind_meters``: disparity of the farthest points on the viewer's screen, meters.
    """
    found: list[str] = []
    if report.swapped:
        found.append("the eyes are probably swapped: near and far are reversed; exchange left and right")
    if report.sure < 0.25:
        found.append(
            f"only {report.sure:.0%} of the picture can be matched between the eyes; this may not be a stereo picture"
        )
    if report.vertical_worst > _VERTICAL:
        turn = f", roll {report.roll:+.2f} degrees" if abs(report.roll) > 0.1 else ""
        size = f", scale {report.scale:.4f}" if abs(report.scale - 1) > 0.002 else ""
        found.append(
            f"vertical disparity of up to {report.vertical_worst:.2f} % of height{turn}{size}: this strains the eyes"
        )
    total = report.nearest - report.farthest
    if report.farthest > _WHOLE or report.nearest < -_WHOLE:
        where, off = ("in front of", report.farthest) if report.farthest > 0 else ("behind", -report.nearest)
        found.append(
            f"the whole scene lies {where} the screen, by at least {off:.1f} % of the width: shift the two pictures"
            " against each other (depth3d stereo does)"
        )
    if report.nearest > CROSSED_LIMIT:
        found.append(f"crossed disparity of {report.nearest:.2f} % of the width, comfort limit {CROSSED_LIMIT:g} %")
    if total > TOTAL_LIMIT:
        found.append(f"total disparity of {total:.2f} % of the width, comfort limit {TOTAL_LIMIT:g} %")
    if behind_meters > EYE_DISTANCE_METERS:
        found.append(
            f"on {report.screen} the farthest points are {behind_meters * 1000:.0f} mm apart, more than the distance"
            f" between the eyes ({EYE_DISTANCE_METERS * 1000:.0f} mm)"
        )
    sides = [name for name, value in zip(("left", "right"), report.window, strict=True) if value > _WINDOW]
    if sides:
        found.append(
            f"window violation: near objects are cut off at the {' and '.join(sides)} edge,"
            f" {max(report.window):.2f} % in front of the screen"
        )
    if report.color > _COLOR:
        found.append(
            f"the eyes differ in color or brightness by {report.color:.1f} (CIE Lab), which causes retinal rivalry"
        )
    if total < _FLAT and not found:
        found.append(f"nearly flat: total disparity of only {total:.2f} % of the width")
    if not found:
        found.append(f"good: {total:.2f} % of depth, {max(0.0, report.nearest):.2f} % of it in front of the screen")
    return tuple(found)
