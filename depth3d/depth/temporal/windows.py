"""Depth of a clip from a network that sees many frames at once: overlapping windows, aligned and cross-faded.

The scheme of Video-Depth-Anything (Chen et al., CVPR 2025, section 3.3, and its published code): windows of 32 frames,
a new one every 22. From the second window on, its first two inputs are key frames from the past and the next eight are
the last eight frames of the previous window. Scale and shift of each window are fitted on the key frames.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from depth3d.depth.temporal.align import Affine
from depth3d.depth.temporal.filter import scene_units
from depth3d.depth.temporal.range import Stable
from depth3d.depth.temporal.state import State, array_of
from depth3d.depthmap import Disparity
from depth3d.errors import InvalidInput
from depth3d.image import Image

__all__ = ["WindowedDepth"]

Maps = NDArray[np.float32]

WINDOW = 32
STEP = 22  # frames from the start of a window to the start of the next
OVERLAP = WINDOW - STEP
KEY_FRAMES = (0, 12, *range(24, 32))
"""Inputs of a window that become the first inputs of the next window."""
ALIGNED = 2  # number of key frames on which scale and shift are fitted
FADED = OVERLAP - ALIGNED  # number of frames that are cross-faded


class WindowedDepth:
    """Predict the disparity of a clip window by window: a `TemporalFilter` that needs no disparities.

    Memory does not grow with the clip: 10 key frames, up to 32 waiting frames and the maps of one window are held.

    Parameters
    ----------
    predict : Callable[[Sequence[Image]], Maps]
        Function of T <= 32 images of one size that returns (T, H, W) float32 disparity.
    invert : bool
        Whether the disparity is negated.
    """

    held_frames = WINDOW + FADED
    needs_all = True

    def __init__(self, predict: Callable[[Sequence[Image]], Maps], *, invert: bool = False) -> None:
        self._predict = predict
        self._sign = np.float32(-1 if invert else 1)
        self._waiting: list[NDArray[np.uint8]] = []  # pixels of frames that no window has covered
        self._keys: list[NDArray[np.uint8]] = []  # pixels of the key frames of the last window
        self._fading: Maps | None = None  # (8, H, W): the aligned last maps of the last window
        self._references: Maps | None = None  # (2, H, W): the maps to which the next window is aligned
        self._units: Affine | None = None
        self._last: NDArray[np.uint8] | None = None
        self._pushed = self._windows = self._finished = 0  # frames taken in, windows run, frames returned

    def push(self, frame: Image, disparity: Disparity | None = None) -> list[Stable]:
        """Add the next frame and return the frames that are finished now; ``disparity`` is ignored.

        Raises
        ------
        InvalidInput
            If the frame has another size than the ones before.
        """
        pixels = frame.eight_bit().pixels
        for other in (*self._waiting[:1], *self._keys[:1]):
            if other.shape != pixels.shape:
                raise InvalidInput(f"frame {self._pushed} has shape {pixels.shape}, expected {other.shape} as before")
        self._waiting.append(pixels)
        self._last, self._pushed = pixels, self._pushed + 1
        if len(self._waiting) < (STEP if self._windows else WINDOW):
            return []
        return self._stable(self._run())

    def flush(self) -> list[Stable]:
        """End the clip: run the last windows, padded with copies of the last frame, and return all remaining frames."""
        maps: list[Maps] = []
        # As in the published code, a window runs for every 22 frames or part of them, even if it only refines the last
        # frames of the previous window.
        while self._windows * STEP < self._pushed and self._last is not None:
            missing = (STEP if self._windows else WINDOW) - len(self._waiting)
            self._waiting += [self._last] * missing
            maps.append(self._run())
        if self._fading is not None:
            maps.append(self._fading)
        left = self._pushed - self._finished
        return self._stable(np.concatenate(maps)[:left]) if left else []

    def _run(self) -> Maps:
        """Run the next window and return those of its aligned maps that are finished."""
        new = STEP if self._windows else WINDOW
        self._windows += 1
        inputs = [*self._keys, *self._waiting[:new]]
        self._waiting = self._waiting[new:]
        self._keys = [inputs[index] for index in KEY_FRAMES]
        maps = self._predict([Image(pixels) for pixels in inputs])
        if self._fading is None or self._references is None:
            self._references = maps[list(KEY_FRAMES[:ALIGNED])]
            self._fading = maps[-FADED:]
            return maps[:-FADED]
        line = _fit(maps[:ALIGNED], self._references)
        aligned = np.maximum(line(maps), np.float32(0))
        self._references = np.stack([self._references[0], aligned[KEY_FRAMES[1]]])
        share = (np.arange(FADED, dtype=np.float32) / np.float32(FADED - 1))[:, None, None]
        faded = (1 - share) * self._fading + share * aligned[ALIGNED:OVERLAP]
        self._fading = aligned[-FADED:]
        return np.concatenate([faded, aligned[OVERLAP:-FADED]])

    def _stable(self, maps: Maps) -> list[Stable]:
        """Convert maps to the units in which the clip's first map has median 0 and mean deviation 1."""
        maps = maps * self._sign
        if self._units is None and len(maps):
            self._units = scene_units(maps[0])
        found = [
            Stable(self._finished + index, 0, (self._units or Affine(1, 0))(one)) for index, one in enumerate(maps)
        ]
        self._finished += len(maps)
        return found

    def to_state(self) -> State:
        """Return everything that ``restore`` needs to continue."""
        return {
            "waiting": self._waiting,
            "keys": self._keys,
            "fading": self._fading,
            "references": self._references,
            "units": None if self._units is None else list(self._units),
            "last": self._last,
            "counts": [self._pushed, self._windows, self._finished],
        }

    def restore(self, state: State) -> None:
        """Restore a saved state. Raises ``ValueError``, ``TypeError`` or ``KeyError`` if it does not fit."""
        self._waiting = [array_of(one, np.uint8, (None, None, 3)) for one in state["waiting"]]
        self._keys = [array_of(one, np.uint8, (None, None, 3)) for one in state["keys"]]
        if len(self._keys) not in (0, OVERLAP) or len(self._waiting) > WINDOW:
            raise ValueError("the saved state is of a window of another size")
        for name, count in (("fading", FADED), ("references", ALIGNED)):
            value = state[name]
            found = None if value is None else array_of(value, np.float32, (count, None, None))
            setattr(self, f"_{name}", found)
        if state["units"] is not None:
            scale, shift = state["units"]
            self._units = Affine(float(scale), float(shift))
        self._last = None if state["last"] is None else array_of(state["last"], np.uint8, (None, None, 3))
        self._pushed, self._windows, self._finished = (int(count) for count in state["counts"])


def _fit(maps: Maps, references: Maps) -> Affine:
    """Fit ``references`` = scale * ``maps`` + shift by least squares over all pixels; scale 1 for constant maps."""
    x, y = maps.ravel().astype(np.float64), references.ravel().astype(np.float64)
    x_mean, y_mean = x.mean(), y.mean()
    spread = float(((x - x_mean) ** 2).mean())
    if spread <= 1e-12 * max(1.0, float(x_mean**2)):
        return Affine(1.0, float(y_mean - x_mean))
    scale = float(((x - x_mean) * (y - y_mean)).mean()) / spread
    return Affine(scale, float(y_mean - scale * x_mean))
