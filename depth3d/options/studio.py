"""Options of the studio."""

from __future__ import annotations

from dataclasses import dataclass

from depth3d.options.depth import DepthOptions
from depth3d.quantities import as_file
from depth3d.validation import Validated, option

__all__ = ["StudioOptions"]


@dataclass(frozen=True)
class StudioOptions(Validated):
    """The local page: where it listens, where results go."""

    port: int = option(0, "Port on this machine; 0 takes a free one.", limits=(0, 65535))
    results: str | None = option(
        None,
        "Folder for all results (default: beside each file; of files dropped into the page: Downloads).",
        metavar="FOLDER",
        convert=as_file,
    )
    model: str = option(
        DepthOptions.model, "Depth network of the page at the start (see `depth3d models`).", convert=as_file
    )
    browser: bool = option(True, "Open the page in the browser.")
    largest: float = option(
        20.0, "Largest file that can be dropped into the page, GB.", above=0, limits=(0, 1000), unit="GB"
    )
