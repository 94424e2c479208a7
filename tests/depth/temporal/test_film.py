"""Stable depth of small made films: contrast over a long clip, a dolly, moving things, cuts, memory."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator

import cv2
import numpy as np

from depth3d.depth.temporal.stabilizer import Stabilizer, stabilize
from depth3d.depthmap import Disparity
from depth3d.image import Image

HEIGHT, WIDTH = 72, 128


def texture(seed: int, height: int, width: int) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 255, (height // 5, width // 5, 3), np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def noisy(truth: np.ndarray, rng: np.random.Generator, strength: float = 1.0) -> np.ndarray:
    """One frame as a network says it: another scale and shift each time, soft patches, pixel noise."""
    field = cv2.resize(rng.normal(0, 0.03 * strength, (4, 6)), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    patchy = truth + (field + rng.normal(0, 0.01 * strength, truth.shape)) * np.ptp(truth)
    return np.float32(1000 * (np.exp(rng.normal(0, 0.06 * strength)) * patchy + rng.normal(0, 0.05 * strength)))


def slope_of(out: np.ndarray, truth: np.ndarray) -> float:
    return float(np.polyfit(truth.ravel(), out.ravel(), 1)[0])


def steps(depth: np.ndarray) -> float:
    return float(np.abs(np.diff(depth, axis=0)).mean() / np.subtract(*np.percentile(depth, [99, 1])))


def run(frames: list[np.ndarray], raw: list[np.ndarray]) -> np.ndarray:
    return np.stack([d.values for d in stabilize(map(Image, frames), map(Disparity, raw))])


def room() -> np.ndarray:
    truth = np.repeat(np.linspace(0.1, 0.3, HEIGHT, dtype=np.float32)[:, None], WIDTH, axis=1)
    truth[20:53, 40:80] = 0.4
    return truth


def test_contrast_stays_over_three_hundred_frames_and_flicker_goes() -> None:
    rng, truth, frame = np.random.default_rng(0), room(), texture(1, HEIGHT, WIDTH)
    raw = [noisy(truth, rng) for _ in range(300)]
    out = run([frame] * 300, raw)
    assert 0.9 < slope_of(out[-20:].mean(axis=0), truth) / slope_of(out[:20].mean(axis=0), truth) < 1.1
    assert steps(out) < steps(np.stack(raw)) / 12


def dolly(frames: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """A camera that goes towards a wall and a board before it: picture and true inverse depth."""
    walls = [(texture(3, 260, 420), 8.0), (texture(4, 80, 110), 4.0)]
    for k in range(frames):
        picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        inverse = np.zeros((HEIGHT, WIDTH), np.float32)
        for pixels, distance in walls:
            now = distance - 0.04 * k
            scale = distance / now * 0.45
            middle = (pixels.shape[1] / 2, pixels.shape[0] / 2)
            place = np.array([[scale, 0, WIDTH / 2 - scale * middle[0]], [0, scale, HEIGHT / 2 - scale * middle[1]]])
            shown = cv2.warpAffine(pixels, place, (WIDTH, HEIGHT), flags=cv2.INTER_AREA)
            covers = cv2.warpAffine(np.ones(pixels.shape[:2], np.uint8), place, (WIDTH, HEIGHT)) > 0
            picture[covers], inverse[covers] = shown[covers], 1 / now
        yield picture, inverse


def test_a_dolly_keeps_its_growing_depth() -> None:
    rng = np.random.default_rng(5)
    frames, truth = zip(*dolly(50), strict=True)
    out = run(list(frames), [noisy(one, rng, 0.5) for one in truth])
    start, end = (slope_of(out[part], np.stack(truth[part])) for part in (slice(0, 8), slice(42, 50)))
    assert end / start > 0.7  # without the zoom's compensation 0.35


def test_nothing_stays_behind_a_moving_thing() -> None:
    rng, board = np.random.default_rng(6), texture(7, 24, 16)
    background = room()
    frames, truth = [], []
    for k in range(30):
        frame, depth = texture(1, HEIGHT, WIDTH).copy(), background.copy()
        x = 2 + 2 * k
        frame[20:44, x : x + 16], depth[20:44, x : x + 16] = board, 0.7
        frames.append(frame)
        truth.append(depth)
    out = run(frames, [noisy(one, rng, 0.5) for one in truth])
    stacked = np.stack(truth)
    scale, shift = np.polyfit(out.ravel(), stacked.ravel(), 1)
    error = (out * scale + shift - stacked) / np.ptp(stacked)
    behind = [error[k, 22:42, 2 * k - 4 : 2 * k].mean() for k in range(8, 26)]
    assert abs(float(np.mean(behind))) < 0.06


def test_after_a_cut_depth_is_that_of_the_new_scene_alone() -> None:
    rng = np.random.default_rng(8)
    first = [noisy(room(), rng, 0.5) for _ in range(20)]
    second = [noisy(room()[::-1].copy(), rng, 0.5) for _ in range(20)]
    a, b = texture(1, HEIGHT, WIDTH), texture(2, HEIGHT, WIDTH)
    together = run([a] * 20 + [b] * 20, first + second)
    assert np.array_equal(together[:20], run([a] * 20, first))
    assert np.array_equal(together[20:], run([b] * 20, second))


def test_something_near_that_enters_does_not_move_the_rest() -> None:
    rng, frame = np.random.default_rng(9), texture(1, HEIGHT, WIDTH)
    frames, raw = [], []
    for k in range(40):
        picture, depth = frame.copy(), room()
        if 15 <= k < 30:
            picture[10:50, 60:90], depth[10:50, 60:90] = texture(7, 40, 30), 1.5
        frames.append(picture)
        # Each frame normalized by itself, as networks half do: all else seems to move when the near thing comes.
        one = noisy(depth, rng, 0.3)
        raw.append(one / np.float32(one.std()))
    still = run(frames, raw)[:, 10:50, :25]
    assert np.abs(np.diff(still.mean(axis=(1, 2)))).max() < 0.01


def test_the_first_pass_needs_no_more_memory_for_a_longer_clip() -> None:
    frame, truth = Image(texture(1, HEIGHT, WIDTH)), room()
    stabilizer = Stabilizer(look_ahead=4)
    disparity = Disparity(truth)

    def held(count: int) -> int:
        """The most bytes held after any of the last ten of ``count`` frames."""
        most = 0
        for k in range(count):
            stabilizer.push(frame, disparity)
            if k >= count - 10:
                gc.collect()
                most = max(most, tracemalloc.get_traced_memory()[0])
        return most

    tracemalloc.start()
    try:
        short = held(40)  # everything is filled now
        # A frame of the window more or less is 160 kB; one byte a pixel, kept of every frame, would be 1.8 MB.
        assert held(200) < short + 200 * 2000
    finally:
        tracemalloc.stop()
