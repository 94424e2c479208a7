"""Options of corrections of stereo material."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from depth3d.errors import InvalidOption
from depth3d.options.shared import eye_layout, file_name, refuse_two_places
from depth3d.validation import Validated, option

__all__ = ["FixOptions"]


@dataclass(frozen=True)
class FixOptions(Validated):
    """What ``fix`` corrects in a stereo photo or clip, and how the result is laid out."""

    format: str | None = option(None, "Stereo format of the result (default: that of the source).", metavar="NAME")
    order: Literal["auto", "keep", "swap"] = option(
        "auto", "Order of the eyes: auto exchanges swapped eyes, keep never does, swap always."
    )
    align: bool = option(True, "Remove vertical disparity: shift, rotation and scale of the right eye.")
    color: bool = option(True, "Match brightness and contrast of the right eye to the left one.")
    convergence: float | Literal["auto", "keep"] = option(
        "auto",
        "Depth on the screen: 0 (far) to 1 (near); auto moves a scene only as far as comfort needs; keep never.",
        metavar="0..1|auto|keep",
        limits=(0, 1),
        numeric_text=True,
    )
    comfort: bool = option(True, "Render the right eye anew where the total disparity exceeds 3 % of the width.")
    floating_window: bool = option(True, "Black borders where near objects touch the frame.")
    frames: int = option(12, "Clips: number of frames to measure before and after.", limits=(1, 100_000))
    layout: str | None = eye_layout()
    second_eye: str | None = file_name("File of the right eye.", media="photo")

    def __post_init__(self) -> None:
        Validated.__post_init__(self)
        if self.format is not None and "," in self.format:
            raise InvalidOption("format", f"{self.format!r} is several; the result has one")
        refuse_two_places(self.second_eye, self.layout)
