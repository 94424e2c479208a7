"""Windows over a clip: every frame once, one scale, constant memory, and a stopped run goes on exactly there."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from depth3d.depth.temporal.windows import KEY_FRAMES, WindowedDepth
from depth3d.image import Image


class Wandering:
    """True depth of a frame is its mean brightness plus a slope; every window has another scale and shift."""

    def __init__(self) -> None:
        self.seen: list[list[int]] = []

    def __call__(self, images: Sequence[Image]) -> np.ndarray:
        self.seen.append([int(image.pixels[0, 0, 0]) for image in images])
        rng = np.random.default_rng(len(self.seen))
        slope = np.linspace(1, 2, 6, dtype=np.float32)[None, :].repeat(4, axis=0)
        truth = np.stack([slope + image.pixels[0, 0, 0] / 50 for image in images]).astype(np.float32)
        return truth * np.float32(rng.uniform(0.5, 2)) + np.float32(rng.uniform(1, 3))


def frame(index: int) -> Image:
    return Image(np.full((4, 6, 3), index, np.uint8))


def run(count: int, stop: int | None = None) -> tuple[list[np.ndarray], list[list[int]]]:
    predict = Wandering()
    windows, found = WindowedDepth(predict), []
    for index in range(count):
        if index == stop:
            saved, windows = windows.to_state(), WindowedDepth(predict)
            windows.restore(saved)
        found += windows.push(frame(index))
    found += windows.flush()
    assert [one.index for one in found] == list(range(count))
    return [one.values for one in found], predict.seen


@pytest.mark.parametrize("count", [1, 2, 22, 23, 31, 32, 33, 50, 54, 55, 76, 120])
def test_every_frame_comes_once_and_one_scale_holds(count: int) -> None:
    found, seen = run(count)
    assert len(seen) == -(-count // 22)
    assert all(len(window) == 32 for window in seen)
    truth = [np.linspace(1, 2, 6)[None, :].repeat(4, axis=0) + index / 50 for index in range(count)]
    line = np.polyfit(np.ravel(truth), np.ravel(found), 1)
    assert np.abs(np.polyval(line, np.ravel(truth)) - np.ravel(found)).max() < 1e-3


def test_the_first_inputs_of_a_window_are_those_of_the_one_before() -> None:
    _, seen = run(80)
    for before, now in itertools.pairwise(seen):
        assert now[:10] == [before[index] for index in KEY_FRAMES]
    assert seen[1][10:] == list(range(32, 54))


@pytest.mark.parametrize("stop", [5, 32, 60])
def test_a_stopped_run_goes_on_exactly_there(stop: int) -> None:
    assert np.array_equal(run(70, stop)[0], run(70)[0])


def test_a_state_that_does_not_fit_is_refused() -> None:
    windows = WindowedDepth(Wandering())
    for index in range(40):
        windows.push(frame(index))
    saved = windows.to_state()
    for wrong in ({"keys": saved["keys"][:3]}, {"fading": np.zeros(3)}, {"waiting": ["x"]}):
        with pytest.raises((ValueError, TypeError)):
            WindowedDepth(Wandering()).restore({**saved, **wrong})
