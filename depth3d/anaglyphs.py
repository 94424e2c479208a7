"""Anaglyph matrices as data, each with its source.

An anaglyph color is ``left @ left_rgb + right @ right_rgb``. depth3d multiplies in linear light, clips to [0, 1] and
encodes as sRGB. The least-squares matrices are computed for linear light; mixing coded values makes the picture too
dark.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ANAGLYPHS", "Anaglyph", "Matrix"]

Row = tuple[float, float, float]
Matrix = tuple[Row, Row, Row]

_NONE: Row = (0.0, 0.0, 0.0)
_RED: Row = (1.0, 0.0, 0.0)
_GREEN: Row = (0.0, 1.0, 0.0)
_BLUE: Row = (0.0, 0.0, 1.0)
_LUMA: Row = (0.299, 0.587, 0.114)  # ITU-R BT.601, as all published gray and half-color anaglyphs use it

_WIMMER = "P. Wimmer, Anaglyph Methods Comparison (3dtv.at)"
_DUBOIS = "E. Dubois, University of Ottawa, least-squares matrices for LCD screens"


@dataclass(frozen=True, slots=True)
class Anaglyph:
    """Color matrices that mix two eyes into one picture for colored glasses (left glass named first).

    Parameters
    ----------
    glasses : str
        Colors of the left and the right glass.
    left, right : Matrix
        3x3; rows = red, green and blue of the result, columns = red, green and blue of that eye.
    source : str
        Where the numbers were published.
    """

    glasses: str
    left: Matrix
    right: Matrix
    source: str


def _split(glasses: str, left: Matrix, right: Matrix, source: str = _WIMMER) -> Anaglyph:
    return Anaglyph(glasses, left, right, source)


ANAGLYPHS: dict[str, Anaglyph] = {
    "red-cyan": Anaglyph(
        "red-cyan",
        ((0.437, 0.449, 0.164), (-0.062, -0.062, -0.024), (-0.048, -0.050, -0.017)),
        ((-0.011, -0.032, -0.007), (0.377, 0.761, 0.009), (-0.026, -0.093, 1.234)),
        f"{_DUBOIS}, 'LeastSquaresHowToPhotoshop' (2009)",
    ),
    "red-cyan-crt": Anaglyph(
        "red-cyan",
        (
            (0.4561, 0.500484, 0.176381),
            (-0.0400822, -0.0378246, -0.0157589),
            (-0.0152161, -0.0205971, -0.00546856),
        ),
        (
            (-0.0434706, -0.0879388, -0.00155529),
            (0.378476, 0.73364, -0.0184503),
            (-0.0721527, -0.112961, 1.2264),
        ),
        "W. Sanders and D. McAllister, 'Producing anaglyphs from synthetic images' (2003), after E. Dubois (2001)",
    ),
    "red-cyan-color": _split("red-cyan", (_RED, _NONE, _NONE), (_NONE, _GREEN, _BLUE)),
    "red-cyan-half": _split("red-cyan", (_LUMA, _NONE, _NONE), (_NONE, _GREEN, _BLUE)),
    "red-cyan-gray": _split("red-cyan", (_LUMA, _NONE, _NONE), (_NONE, _LUMA, _LUMA)),
    "red-cyan-optimized": _split("red-cyan", ((0.0, 0.7, 0.3), _NONE, _NONE), (_NONE, _GREEN, _BLUE)),
    "green-magenta": Anaglyph(
        "green-magenta",
        ((-0.062, -0.158, -0.039), (0.284, 0.668, 0.143), (-0.015, -0.027, 0.021)),
        ((0.529, 0.705, 0.024), (-0.016, -0.015, -0.065), (0.009, 0.075, 0.937)),
        _DUBOIS,
    ),
    "green-magenta-color": _split("green-magenta", (_NONE, _GREEN, _NONE), (_RED, _NONE, _BLUE)),
    "green-magenta-half": _split("green-magenta", (_NONE, _LUMA, _NONE), (_RED, _NONE, _BLUE)),
    "green-magenta-gray": _split("green-magenta", (_NONE, _LUMA, _NONE), (_LUMA, _NONE, _LUMA)),
    "amber-blue": Anaglyph(
        "amber-blue",
        ((1.062, -0.205, 0.299), (-0.026, 0.908, 0.068), (-0.038, -0.173, 0.022)),
        ((-0.016, -0.123, -0.017), (0.006, 0.062, -0.017), (0.094, 0.185, 0.911)),
        _DUBOIS,
    ),
    "amber-blue-color": _split("amber-blue", (_RED, _GREEN, _NONE), (_NONE, _NONE, _BLUE)),
    "amber-blue-half": _split("amber-blue", (_RED, _GREEN, _NONE), (_NONE, _NONE, _LUMA)),
    "amber-blue-gray": _split("amber-blue", (_LUMA, _LUMA, _NONE), (_NONE, _NONE, _LUMA)),
}
