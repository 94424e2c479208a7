"""Recursive depth filter of one scene, and its fixed-lag smoother.

Forward, every pixel has a state S (inverse depth) and an age N (number of frames averaged in it). Both are warped
along the flow; a new frame, aligned to the state, changes S by a gain K = 1/(N + 1) of the difference, more where
the difference exceeds the noise. Backward, over the last few frames, the smoother (Rauch-Tung-Striebel for a random
walk) corrects each state by the ones that follow.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import cast

import cv2
import numpy as np

from depth3d.depth.temporal.align import Affine, robust_affine
from depth3d.depth.temporal.flow import Floats, Mask, Motion, pixel_grid, warp
from depth3d.depth.temporal.state import State, array_of
from depth3d.depth.temporal.zoom import NO_ZOOM, Zoom, ZoomEstimator

__all__ = ["Estimate", "SceneFilter", "look_back", "scene_units"]

STEP = 3
SCALE_LIMITS = (0.1, 10.0)
"""Range of a frame's scale relative to the scene's first frame."""
LEAK = 0.05
"""Share by which the affine map returns to the identity in every frame; bounds drift."""
DOLLY_LEAK = 0.25
"""Additional leak while the camera moves forward or back, where compensation errors accumulate."""
STRAY_MEMORY = 0.8
HOME_FRAMES = 15
OVERLAP_NEEDED, OVERLAP_GOOD = 0.2, 0.92
LARGEST_GAIN = 0.6
NOISE_GATE = 3.0
FADE_MEMORY = 2.0
UNSEEN_AGE = 0.5
"""Pixels of a smaller age have come into view since the last frame with a disparity."""
SPREAD_SHARE = 24
DOUBT = 0.35
"""Median deviation of a frame from the state (in mean deviations of depth; networks' noise is about 0.15) above which
the flow is considered unreliable: after very large motion it can be wrong and still pass the validity test."""


@dataclass(slots=True)
class Estimate:
    """Forward-filtered state of one frame, with the flow to the next frame.

    ``state`` is (H, W) inverse depth in the scene's units, ``age`` (H, W) the number of frames averaged in it,
    ``noise`` the standard deviation of a single frame. ``forward`` and ``forward_valid`` are the flow to the next frame
    and where it is valid (None until that frame is known), ``zoom`` the change of inverse depth to the next frame.
    """

    index: int
    scene: int
    state: Floats
    age: Floats
    noise: float
    forward: Floats | None = None
    forward_valid: Mask | None = None
    zoom: Zoom = NO_ZOOM

    def to_state(self) -> State:
        """Return plain values and arrays from which ``from_state`` restores this estimate."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_state(cls, state: State, shape: tuple[int, int]) -> Estimate:
        """Restore a saved estimate of maps of ``shape``; raises ``ValueError`` or ``KeyError`` if it does not fit."""
        forward, valid = state["forward"], state["forward_valid"]
        rate, zero = state["zoom"]
        return cls(
            int(state["index"]),
            int(state["scene"]),
            array_of(state["state"], np.float32, shape),
            array_of(state["age"], np.float32, shape),
            float(state["noise"]),
            None if forward is None else array_of(forward, np.float32, (*shape, 2)),
            None if valid is None else array_of(valid, np.bool_, shape),
            Zoom(float(rate), float(zero)),
        )


class SceneFilter:
    """Forward filter of one scene.

    Parameters
    ----------
    first : Floats
        (H, W) disparity of the scene's first frame; it sets the units: median 0, mean deviation 1.
    memory : float
        Largest age: the number of frames that are averaged where nothing changes.
    """

    def __init__(self, first: Floats, memory: float) -> None:
        height, width = first.shape
        self._memory = memory
        self._grid = pixel_grid(height, width)
        self._zoom = ZoomEstimator(height, width)
        self._raw = scene_units(first)
        self._affine = Affine(1.0, 0.0)
        self._stray, self._home, self._seen = np.zeros(2), np.zeros(2), 0
        self._carried = 0  # frames without disparity since the last one with it
        self.state: Floats = self._raw(first)
        self.age: Floats = np.ones_like(self.state)
        self.noise = 0.0

    def to_state(self) -> State:
        """Return plain values and arrays from which ``from_state`` restores this filter."""
        return {
            "raw": list(self._raw),
            "affine": [float(number) for number in self._affine],
            "stray": self._stray,
            "home": self._home,
            "seen": self._seen,
            "carried": self._carried,
            "state": self.state,
            "age": self.age,
            "noise": self.noise,
            "zoom": self._zoom.smooth,
        }

    @classmethod
    def from_state(cls, state: State, shape: tuple[int, int], memory: float) -> SceneFilter:
        """Restore a saved filter of maps of ``shape``; raises ``ValueError`` or ``KeyError`` if it does not fit."""
        made = cls(array_of(state["state"], np.float32, shape), memory)
        made._raw, made._affine = (
            Affine(float(scale), float(shift)) for scale, shift in (state["raw"], state["affine"])
        )
        made._stray = array_of(state["stray"], np.float64, (2,))
        made._home = array_of(state["home"], np.float64, (2,))
        made._seen, made._carried, made.noise = int(state["seen"]), int(state["carried"]), float(state["noise"])
        made.state, made.age = state["state"], array_of(state["age"], np.float32, shape)
        made._zoom.smooth = array_of(state["zoom"], np.float64, (2,))
        return made

    def advance(self, disparity: Floats | None, motion: Motion, *, fading: bool = False) -> Zoom:
        """Add the next frame, its (H, W) disparity and the motion to it; return the `Zoom` between both frames.

        Without disparity, the state is carried along the flow; pixels that come into view get age 0: `look_back` takes
        their depth from the frames that follow. With ``fading``, the previous scene is still partly visible, so that
        only a few frames are averaged.
        """
        if disparity is None:
            return self._carry(motion)
        raw = self._raw(disparity)
        valid = motion.backward_valid
        overlap = float(valid.mean())
        if overlap < OVERLAP_NEEDED:
            self._affine = _towards_raw(self._affine, 0.2, float(np.median(raw)))
            self.state, self.age = self._affine(raw), np.ones_like(raw)
            return NO_ZOOM
        places = self._grid + motion.backward
        expected = warp(self.state, places, sharp=True)
        age = np.where(valid, warp(self.age, places), np.float32(0))
        zoom = self._zoom.measure(motion.backward, valid, expected)
        if zoom.rate:
            expected = expected + zoom.change(expected)
        self._affine = self._align(raw, expected, valid, overlap)
        self._carried = 0
        aligned = self._affine(raw)
        difference = aligned - expected
        doubt = self._measure_noise(difference, valid)
        strange = _local_mean(np.abs(difference)) / np.float32(NOISE_GATE * self.noise + 1e-9) - 1
        surprise = np.clip(strange, 0, 1) * np.float32(LARGEST_GAIN)
        memory = min(self._memory, FADE_MEMORY) if fading else self._memory
        gain: Floats = np.maximum(np.float32(1) / np.minimum(age + 1, np.float32(memory)), surprise)
        gain = np.maximum(gain, np.float32(doubt * LARGEST_GAIN))
        self.state = aligned + _spread((gain - 1) * difference, valid)
        self.age = np.where(valid, np.float32(1) / gain, np.float32(1))
        return zoom

    def _carry(self, motion: Motion) -> Zoom:
        self._carried += 1
        valid, places = motion.backward_valid, self._grid + motion.backward
        expected = warp(self.state, places, sharp=True)
        zoom = self._zoom.measure(motion.backward, valid, expected)
        self.state = expected + zoom.change(expected) if zoom.rate else expected
        self.age = np.where(valid, warp(self.age, places), np.float32(0))
        return zoom

    def _align(self, raw: Floats, expected: Floats, valid: Mask, overlap: float) -> Affine:
        steep = _gradient(expected)[::STEP, ::STEP]
        use = valid[::STEP, ::STEP] & (steep <= np.percentile(steep, 80))
        x, y = raw[::STEP, ::STEP][use], expected[::STEP, ::STEP][use]
        before = self._affine
        if x.size < 50:
            return before
        steady = 1 / self._memory
        fitted = robust_affine(x, y, before, steady / (2 - steady))
        if fitted is None:
            return before
        scale = float(np.clip(fitted.scale, *SCALE_LIMITS))
        # A clamped scale must still map the middle of the points as fitted.
        center = float(np.median(x))
        fitted = Affine(scale, (fitted.scale - scale) * center + fitted.shift)
        error_before = float(np.median(np.abs(before(x) - y)))
        error_after = float(np.median(np.abs(fitted(x) - y)))
        better = float(np.clip((error_before / max(error_after, 1e-9) - 1) / 0.5, 0, 1))
        blended = Affine(*(old + better * (new - old) for old, new in zip(before, fitted, strict=True)))
        leak = LEAK + max(0.0, OVERLAP_GOOD - overlap) + min(DOLLY_LEAK, 50 * self._zoom.strength)
        frames = 1 + self._carried
        leak = 1 - (1 - min(leak, 1.0)) ** frames
        stray_memory = STRAY_MEMORY**frames
        # The correction uses the *mean* deviation, so that the jitter of a single frame does not return. Its target is
        # the mean of the scene's first frames, because the very first frame may be an outlier.
        stray = np.array([np.log(blended.scale), blended.scale * center + blended.shift - center])
        self._seen += 1
        if self._seen <= HOME_FRAMES:
            self._home += (stray - self._home) / self._seen
        self._stray = stray_memory * self._stray + (1 - stray_memory) * (stray - self._home)
        scale = blended.scale * float(np.exp(-leak * self._stray[0]))
        at_center = blended.scale * center + blended.shift - leak * float(self._stray[1])
        return Affine(scale, at_center - scale * center)

    def _measure_noise(self, difference: Floats, valid: Mask) -> float:
        """Update the noise estimate; return how unreliable the motion is, 0 (reliable) to 1."""
        sample = np.abs(difference[::STEP, ::STEP][valid[::STEP, ::STEP]])
        if not sample.size:
            return 0.0
        sigma = 1.4826 * float(np.median(sample))
        self.noise = sigma if self.noise == 0 else 0.9 * self.noise + 0.1 * sigma
        return float(np.clip(sigma / DOUBT - 1, 0, 1))


def look_back(estimates: list[Estimate], memory: float) -> list[Floats]:
    """Correct the states of consecutive frames of one scene by the frames that follow (fixed-lag smoothing).

    Every estimate except the last must know its flow to the next frame. The last state is returned unchanged.
    """
    steady = 1 / memory
    wander = steady * steady / (1 - steady)  # variance that the random walk adds per frame, in variances of the noise
    later = estimates[-1].state
    grid = pixel_grid(*later.shape)
    result = [later]
    for estimate in reversed(estimates[:-1]):
        if estimate.forward is None or estimate.forward_valid is None:
            raise ValueError(f"frame {estimate.index} has no flow to the next frame")
        promised = warp(later, grid + estimate.forward, sharp=True)
        if estimate.zoom.rate:
            promised = promised - estimate.zoom.change(promised)
        difference = promised - estimate.state
        strange = _local_mean(np.abs(difference)) / np.float32(NOISE_GATE * estimate.noise + 1e-9)
        share = np.clip(2 - strange, 0, 1) / (1 + np.float32(wander) * estimate.age)
        share = np.where(estimate.age < UNSEEN_AGE, np.float32(1), share)
        later = estimate.state + _spread(share * difference, estimate.forward_valid)
        result.append(later)
    result.reverse()
    return result


def scene_units(first: Floats) -> Affine:
    """Return the map to median 0 and mean absolute deviation 1; for a constant input it only removes the median."""
    middle = float(np.median(first))
    spread = float(np.mean(np.abs(first - np.float32(middle))))
    scale = 1 / spread if spread > 1e-6 * max(abs(middle), 1e-12) else 1.0
    return Affine(scale, -middle * scale)


def _towards_raw(affine: Affine, share: float, center: float) -> Affine:
    """Move ``affine`` by ``share`` (0..1) of the way to the identity, in log scale, around raw value ``center``."""
    scale = affine.scale ** (1 - share)
    at_center = affine.scale * center + affine.shift
    return Affine(scale, center + (1 - share) * (at_center - center) - scale * center)


def _spread(correction: Floats, valid: Mask) -> Floats:
    """Return ``correction`` where it is valid, elsewhere the local mean of valid corrections, decaying with distance.

    A pixel without valid flow takes the new frame's value. The smooth part of that frame's error, half of it or more,
    is estimated from neighboring pixels; otherwise such pixels would be visible as speckles.
    """
    side = correction.shape[1] // SPREAD_SHARE | 1
    weight = valid.astype(np.float32)
    near = cv2.blur(correction * weight, (side, side)) / (cv2.blur(weight, (side, side)) + np.float32(0.1))
    return cast(Floats, np.where(valid, correction, near))


def _local_mean(values: Floats) -> Floats:
    return cast(Floats, cv2.blur(values, (5, 5)))


def _gradient(values: Floats) -> Floats:
    across = cv2.Sobel(values, cv2.CV_32F, 1, 0, ksize=3)
    down = cv2.Sobel(values, cv2.CV_32F, 0, 1, ksize=3)
    return cast(Floats, np.abs(across) + np.abs(down))
