"""Options of live 3D."""

from __future__ import annotations

from dataclasses import dataclass

from depth3d.options.shared import engine_name, percent
from depth3d.quantities import as_file
from depth3d.validation import Validated, option

__all__ = ["LiveOptions"]


@dataclass(frozen=True)
class LiveOptions(Validated):
    """A camera, screen or stream in 3D while it runs."""

    format: str = option("anaglyph", "Stereo format of clips: anaglyph, sbs, tb, rows, rgbd and more.", metavar="NAME")
    parallax: float = percent(
        2.0, "Difference in disparity between nearest and farthest point, percent of the width.", 50
    )
    convergence: float = option(0.5, "Depth at the screen plane: 0 (far) to 1 (near).", limits=(0, 1))
    width: int = option(640, "Longer side of one eye's picture, pixels.", limits=(64, 4096), unit="pixels")
    model: str = option("tiny", "Depth network (see `depth3d models`).", convert=as_file)
    engine: str = engine_name()
    seconds: float | None = option(None, "Stop after this time.", above=0, limits=(0, 1e6), unit="seconds")
    port: int = option(0, "Port on this machine; 0 takes a free one.", limits=(0, 65535))
    browser: bool = option(True, "Open the page in the browser.")
