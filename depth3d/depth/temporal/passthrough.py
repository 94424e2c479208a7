"""The temporal filter "none": disparities keep their values, and the whole clip has one depth range.

For depth that is consistent over time already, such as rendered depth.
"""

from __future__ import annotations

from depth3d.depth.temporal.align import Affine
from depth3d.depth.temporal.filter import scene_units
from depth3d.depth.temporal.flow import FlowFunction
from depth3d.depth.temporal.range import Stable
from depth3d.depth.temporal.state import State
from depth3d.depthmap import Disparity
from depth3d.errors import InvalidInput
from depth3d.image import Image
from depth3d.options import StabilizeOptions

__all__ = ["PassThrough"]


class PassThrough:
    """Return every frame immediately; the first frame sets the scale and shift for all.

    Parameters
    ----------
    options, flow, look_ahead : StabilizeOptions | None, FlowFunction | None, int | None
        Ignored; accepted because every `TemporalFilter` takes them.
    """

    held_frames = 1
    needs_all = True

    def __init__(
        self,
        options: StabilizeOptions | None = None,
        *,
        flow: FlowFunction | None = None,
        look_ahead: int | None = None,
    ) -> None:
        self._units: Affine | None = None
        self._pushed = 0
        self._shape: tuple[int, ...] = ()

    def push(self, frame: Image, disparity: Disparity | None) -> list[Stable]:
        """Return the frame in the units of the first one (median 0, mean deviation 1).

        Raises
        ------
        InvalidInput
            If the disparity is missing, or has another size than the ones before.
        """
        if disparity is None:
            raise InvalidInput(f"stabilize: frame {self._pushed} has no disparity; the filter none needs all")
        if self._units is None:
            self._units, self._shape = scene_units(disparity.values), disparity.values.shape
        if disparity.values.shape != self._shape:
            raise InvalidInput(
                f"stabilize: the disparity of frame {self._pushed} is {disparity.size}, expected"
                f" {self._shape[1]}x{self._shape[0]} as before"
            )
        self._pushed += 1
        return [Stable(self._pushed - 1, 0, self._units(disparity.values))]

    def flush(self) -> list[Stable]:
        """Return an empty list: no frame is ever held back."""
        return []

    def to_state(self) -> State:
        """Return scale, shift, frame size and the number of frames so far."""
        return {
            "units": None if self._units is None else list(self._units),
            "shape": self._shape,
            "pushed": self._pushed,
        }

    def restore(self, state: State) -> None:
        """Restore a saved state. Raises ``ValueError``, ``TypeError`` or ``KeyError`` if it does not fit."""
        self._shape, self._pushed = tuple(int(side) for side in state["shape"]), int(state["pushed"])
        if state["units"] is not None:
            scale, shift = state["units"]
            self._units = Affine(float(scale), float(shift))
