"""Frames whose depth is predicted, and the depth of the others along the flow."""

from __future__ import annotations

import numpy as np
import pytest

from depth3d.depth.temporal.rate import frames_to_predict
from depth3d.depth.temporal.stabilizer import Stabilizer, stabilize
from depth3d.depthmap import Disparity
from depth3d.errors import InvalidInput
from depth3d.image import Image


def picture(seed: int = 0) -> np.ndarray:
    import cv2

    noise = np.random.default_rng(seed).integers(0, 255, (20, 40, 3), np.uint8)
    return cv2.resize(noise, (320, 160), interpolation=cv2.INTER_CUBIC)


def view(pixels: np.ndarray, left: int) -> np.ndarray:
    return np.ascontiguousarray(pixels[:72, left : left + 128])


def test_every_so_many_frames_are_counted_from_the_start_of_the_clip() -> None:
    block = [Image(picture())] * 4
    assert frames_to_predict(block, 0, 1) == [True] * 4
    assert frames_to_predict(block, 4, 3) == [False, False, True, False]


def test_frames_are_predicted_where_the_picture_moves_or_changes() -> None:
    still, other = Image(view(picture(), 0)), Image(view(picture(1), 0))
    assert frames_to_predict([still] * 4, 0, "auto") == [True, False, False, False]
    assert frames_to_predict([still, still, other, other], 0, "auto") == [True, False, True, False]
    fast = [Image(view(picture(), 8 * number)) for number in range(4)]
    assert frames_to_predict(fast, 0, "auto") == [True] * 4


def stabilized(frames: list[np.ndarray], depths: list[np.ndarray], every: int) -> np.ndarray:
    told = [None if number % every else Disparity(depth) for number, depth in enumerate(depths)]
    return np.stack([depth.values for depth in stabilize([Image(frame) for frame in frames], told)])


def test_depth_between_predicted_frames_follows_the_motion() -> None:
    """A pan over a relief: what comes into view takes its depth from the next predicted frame."""
    relief = np.repeat(np.linspace(0.2, 1, 320, dtype=np.float32)[None], 160, axis=0)
    frames = [view(picture(), 3 * number) for number in range(13)]
    depths = [view(relief, 3 * number) for number in range(13)]
    every, third = stabilized(frames, depths, 1), stabilized(frames, depths, 3)
    assert np.abs(every - third).mean() < 0.01
    assert np.abs(every - third)[:, 10:-10, 10:-10].max() < 0.05


def test_a_scene_whose_first_frame_has_no_depth_takes_that_of_the_next() -> None:
    first, second = view(picture(), 0), view(picture(5), 0)
    depths = [np.full((72, 128), value, np.float32) for value in (1, 2)]
    for depth in depths:
        depth[20:50, 40:80] += 1
    frames, maps = [first] * 5 + [second] * 5, [depths[0]] * 5 + [depths[1]] * 5
    found = stabilized(frames, maps, 3)  # frame 5 starts a scene, frame 6 is the next with a depth
    assert found.shape == (10, 72, 128)
    assert np.abs(found[5] - found[9]).max() < 0.02


def test_a_stopped_stabilizer_continues_between_predicted_frames() -> None:
    frames = [view(picture(), 2 * number) for number in range(30)]
    depth = np.repeat(np.linspace(0.2, 1, 72, dtype=np.float32)[:, None], 128, axis=1)

    def push(stabilizer: Stabilizer, numbers: range) -> list[np.ndarray]:
        told = [stabilizer.push(Image(frames[n]), None if n % 4 else Disparity(depth)) for n in numbers]
        return [one.values for done in told for one in done]

    whole, begun = Stabilizer(), Stabilizer()
    expected = push(whole, range(30)) + [one.values for one in whole.flush()]
    found = push(begun, range(26))
    state = begun.to_state()
    resumed = Stabilizer()
    resumed.restore(state)
    found += push(resumed, range(26, 30)) + [one.values for one in resumed.flush()]
    assert np.array_equal(np.stack(expected), np.stack(found))


def test_the_first_frame_needs_a_depth() -> None:
    with pytest.raises(InvalidInput, match="first frame has no disparity"):
        next(stabilize([Image(picture())], [None]))
