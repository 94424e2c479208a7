"""Options of stereo pictures and of their check."""

from dataclasses import dataclass
from typing import Literal

from depth3d.errors import InvalidOption
from depth3d.options.shared import QualityOptions, eye_layout, file_name, percent, refuse_two_places
from depth3d.quantities import as_canvas, as_length
from depth3d.validation import Validated, option

__all__ = ["CheckOptions", "Eyes", "StereoOptions"]

Eyes = Literal["both", "left", "right"]


@dataclass(frozen=True)
class StereoOptions(QualityOptions):
    """Two eyes from one picture. A point of depth v in a picture W wide appears
    W * parallax/100 * (v - convergence) further left to the right eye than to the left eye."""

    format: str = option(
        "sbs", "sbs, anaglyph, tb, mpo and more, several with commas (see `list_formats`).", metavar="NAME[,NAME]"
    )
    parallax: float = percent(
        2.0, "Difference in disparity between nearest and farthest point, percent of the width.", 50
    )
    convergence: float | Literal["auto"] = option(
        0.5, "Depth at the screen plane: 0 (far) to 1 (near), or auto.", metavar="0..1|auto", limits=(0, 1)
    )
    eyes: Eyes = option("both", "Which eye is rendered: both, left or right; the other eye is the input itself.")
    screen: str | None = option(None, "Diagonal of the viewer's screen, as 55in or 140cm.", convert=as_length("in"))
    distance: str | None = option(None, "Distance between viewer and screen, as 2.5m.", convert=as_length("m"))
    arc_minutes: float | None = option(
        None,
        "Parallax as a visual angle instead of `parallax` (needs `screen` and `distance`).",
        limits=(0, 600),
        unit="arc minutes",
    )
    floating_window: bool = option(False, "Black borders where near objects touch the frame.")
    canvas: str | None = option(
        None,
        "Screen of each eye, as 16:9 or 1920x1080: the picture keeps its shape, black fills up the rest.",
        metavar="W:H|WxH",
        convert=as_canvas,
    )
    own_eyes: bool = option(
        True, "For stereo input: keep the two eyes in the file, or render new ones (photos) or take it as flat (clips)."
    )
    field_of_view: float | None = option(
        None,
        "Degrees across the longer side, for VR formats (default: from EXIF, else 53).",
        limits=(1, 170),
        unit="degrees",
    )
    views: int | None = option(
        None, "Lenticular prints: number of views (default: dpi divided by lpi).", media="photo", limits=(2, 256)
    )
    lpi: float = option(
        60.0, "Lenticular prints: lenses per inch, as measured with the pitch test.", media="photo", limits=(1, 1000)
    )
    dpi: float = option(600.0, "Lenticular prints: dots per inch of the printer.", media="photo", limits=(30, 10000))
    print_width: str = option("6in", "Lenticular prints: width on paper.", media="photo", convert=as_length("in"))

    def __post_init__(self) -> None:
        Validated.__post_init__(self)
        if (self.screen is None) != (self.distance is None):
            raise InvalidOption("screen", "belongs together with `distance`, as 55in and 2.5m; give both or none")
        if self.arc_minutes is not None and self.screen is None:
            raise InvalidOption("arc_minutes", "needs `screen` and `distance`, as 55in and 2.5m")


@dataclass(frozen=True)
class CheckOptions(Validated):
    """Where the viewer sits, how many frames of a clip are measured, how the eyes are laid out."""

    screen: str = option("55in", "Diagonal of the viewer's screen, as 55in or 140cm.", convert=as_length("in"))
    distance: str = option("2.5m", "Distance between viewer and screen, as 2.5m.", convert=as_length("m"))
    frames: int = option(12, "Clips: number of frames to measure.", limits=(1, 100_000))
    layout: str | None = eye_layout()
    second_eye: str | None = file_name("File of the right eye.", media="photo")

    def __post_init__(self) -> None:
        Validated.__post_init__(self)
        refuse_two_places(self.second_eye, self.layout)
