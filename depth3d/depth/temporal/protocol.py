"""The interface of temporal filters, and the table of available filters.

A new filter is one file ``depth/temporal/NAME.py`` with a class that follows `TemporalFilter`, and one row in
`FILTERS`; it is then selected by ``StabilizeOptions(temporal_filter="NAME")`` or ``--temporal-filter NAME``.
"""

from __future__ import annotations

import difflib
from importlib import import_module
from typing import Protocol

from depth3d.depth.temporal.flow import FlowFunction
from depth3d.depth.temporal.range import Stable
from depth3d.depth.temporal.state import State
from depth3d.depthmap import Disparity
from depth3d.errors import InvalidInput
from depth3d.image import Image
from depth3d.options import StabilizeOptions

__all__ = ["FILTERS", "TemporalFilter", "open_filter"]


class TemporalFilter(Protocol):
    """Turns the disparities of a clip into stable inverse depth, frame by frame, with a bounded delay.

    The class takes the same arguments as `Stabilizer`: ``(options, flow=, look_ahead=)``.
    """

    needs_all: bool

    @property
    def held_frames(self) -> int:
        """Return the largest number of frames held in memory at any time."""
        ...

    def push(self, frame: Image, disparity: Disparity | None) -> list[Stable]:
        """Add the next frame; return the frames that are finished now, in order: none, one or several.

        Filters whose ``needs_all`` is False accept frames without disparity, after the first one.
        """
        ...

    def flush(self) -> list[Stable]:
        """End the clip and return all remaining frames in order."""
        ...

    def to_state(self) -> State:
        """Return everything that ``restore`` needs to continue: plain values, lists, dicts and arrays."""
        ...

    def restore(self, state: State) -> None:
        """Continue from the saved state of a filter with the same options.

        Raises
        ------
        ValueError, TypeError, KeyError
            If the state does not fit.
        """
        ...


FILTERS = {
    "recursive": "depth3d.depth.temporal.stabilizer:Stabilizer",
    "none": "depth3d.depth.temporal.passthrough:PassThrough",
}
"""Name of the filter -> "module:class"."""


def open_filter(
    options: StabilizeOptions | None = None, *, flow: FlowFunction | None = None, look_ahead: int | None = None
) -> TemporalFilter:
    """Create the temporal filter that ``options.temporal_filter`` names.

    Raises
    ------
    InvalidInput
        For an unknown name or an invalid option of the filter.
    """
    settings = options or StabilizeOptions()
    place = FILTERS.get(settings.temporal_filter)
    if place is None:
        close = difflib.get_close_matches(settings.temporal_filter, FILTERS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"expected one of {', '.join(FILTERS)}"
        raise InvalidInput(f"unknown temporal filter {settings.temporal_filter!r}; {hint}")
    module, _, name = place.partition(":")
    opened: TemporalFilter = getattr(import_module(module), name)(settings, flow=flow, look_ahead=look_ahead)
    return opened
