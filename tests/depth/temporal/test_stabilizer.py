"""Stable depth of clips: answers known by formula, then properties of the stream."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depth3d.depth.temporal.stabilizer import SceneRanges, Stabilizer, stabilize, state_bytes
from depth3d.depthmap import Disparity
from depth3d.errors import InvalidInput
from depth3d.image import Image
from depth3d.options import StabilizeOptions

HEIGHT, WIDTH = 72, 128


def picture(seed: int = 0, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    import cv2

    noise = np.random.default_rng(seed).integers(0, 255, (height // 6 + 2, width // 6 + 2, 3), np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


def slope(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """A floor with a box on it: inverse depth 0.2 .. 1, the box 1.5."""
    depth = np.repeat(np.linspace(0.2, 1, height, dtype=np.float32)[:, None], width, axis=1)
    depth[height // 4 : height // 2, width // 3 : width // 2] = 1.5
    return depth


def run(frames: list[np.ndarray], values: list[np.ndarray], **options: object) -> np.ndarray:
    chosen = StabilizeOptions(**options)  # type: ignore[arg-type]
    maps = stabilize([Image(f) for f in frames], [Disparity(v) for v in values], options=chosen)
    return np.stack([one.values for one in maps])


def test_a_still_scene_under_wandering_scale_and_shift_stands_still() -> None:
    rng = np.random.default_rng(1)
    truth, frame = slope(), picture()
    values = [float(rng.uniform(0.7, 1.4)) * truth * 900 + float(rng.uniform(-100, 300)) for _ in range(20)]
    out = run([frame] * 20, values)
    raw = np.stack([(one - one.min()) for one in values]) / (values[0].max() - values[0].min())
    assert np.abs(np.diff(out, axis=0)).mean() < np.abs(np.diff(raw, axis=0)).mean() / 50
    for one in out:  # affinely the same as the truth: nothing bent, nothing clipped
        fitted = np.polyval(np.polyfit(truth.ravel(), one.ravel(), 1), truth)
        assert np.abs(one - fitted).max() < 2e-3


def test_noise_falls_as_the_square_root_of_the_frames_averaged() -> None:
    rng = np.random.default_rng(2)
    truth, frame = slope(), picture()
    noisy = [truth + rng.normal(0, 0.03, truth.shape).astype(np.float32) for _ in range(24)]
    raw = np.std(np.diff(noisy, axis=0)) / 1.3
    assert np.std(np.diff(run([frame] * 24, noisy), axis=0)) < raw / 8


@pytest.mark.parametrize("memory", [0, 0.5, 1])
def test_without_memory_each_frame_is_alone(memory: float) -> None:
    rng = np.random.default_rng(2)
    noisy = [slope() + rng.normal(0, 0.03, slope().shape).astype(np.float32) for _ in range(8)]
    found = run([picture()] * 8, noisy, memory=memory)
    ranges = [np.polyfit(one.ravel(), raw.ravel(), 1) for one, raw in zip(found, noisy, strict=True)]
    rest = [np.std(np.polyval(fit, one) - raw) for fit, one, raw in zip(ranges, found, noisy, strict=True)]
    assert max(rest) < 0.012  # of 0.03: the frame's own noise stays; averaged over 10 frames 0.028 is lost


def test_one_frame_is_normalized_to_the_unit_range() -> None:
    truth = slope()
    out = run([picture()], [truth * 1000])
    assert out.shape == (1, HEIGHT, WIDTH)
    assert (out.min(), out.max()) == (0, 1)
    assert np.abs(out[0] - (truth - 0.2) / 1.3).max() < 1e-3


def test_a_flat_scene_is_all_far() -> None:
    assert not run([picture()] * 5, [np.full((HEIGHT, WIDTH), 7, np.float32)] * 5).any()


def test_the_stream_follows_a_panning_picture() -> None:
    wide, depth = picture(3, HEIGHT, 300), slope(HEIGHT, 300)
    starts = [2 * k for k in range(20)]
    frames = [wide[:, x : x + WIDTH] for x in starts]
    rng = np.random.default_rng(4)
    values = [depth[:, x : x + WIDTH] * float(rng.uniform(0.8, 1.2)) for x in starts]
    out = run(frames, values)
    moved = out[1:, :, 8:-10] - out[:-1, :, 10:-8]
    assert np.abs(moved).mean() < 0.01


def test_pictures_larger_than_the_disparities_give_depth_of_the_disparities_size() -> None:
    frames = [picture(0, 2 * HEIGHT + 1, 2 * WIDTH + 3)] * 3
    assert run(frames, [slope()] * 3).shape == (3, HEIGHT, WIDTH)


def test_sixteen_bit_frames_are_taken() -> None:
    frames = [picture().astype(np.uint16) * 257] * 3
    assert run(frames, [slope()] * 3).shape == (3, HEIGHT, WIDTH)


@settings(max_examples=25, deadline=None)
@given(
    count=st.integers(1, 14),
    height=st.integers(1, 50),
    width=st.integers(1, 50),
    look_ahead=st.integers(0, 6),
    scale=st.sampled_from([1e-4, 1.0, 1e5]),
    seed=st.integers(0, 9),
)
def test_same_count_and_order_whatever_comes(
    count: int, height: int, width: int, look_ahead: int, scale: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    frames = [rng.integers(0, 255, (height, width, 3), np.uint8) for _ in range(count)]
    values = [(rng.normal(5, 1, (height, width)) * scale).astype(np.float32) for _ in range(count)]
    out = run(frames, values, look_ahead=look_ahead)
    assert out.shape == (count, height, width)
    assert out.min() >= 0
    assert out.max() <= 1


def test_the_first_pass_gives_every_index_once_in_order_and_holds_no_more_than_it_says() -> None:
    stabilizer, ranges = Stabilizer(StabilizeOptions(look_ahead=4)), SceneRanges()
    indices: list[int] = []
    for k in range(40):
        for stable in stabilizer.push(Image(picture()), Disparity(slope())):
            ranges.add(stable)
            indices.append(stable.index)
        assert k + 1 - len(indices) <= stabilizer.held_frames
    indices += [stable.index for stable in stabilizer.flush()]
    assert indices == list(range(40))
    assert len(ranges) == 1


def test_differing_numbers_of_frames_and_disparities_are_refused() -> None:
    with pytest.raises(InvalidInput, match="differ in number after 2"):
        run([picture()] * 2, [slope()] * 3)


def test_a_disparity_of_another_size_is_refused_by_number() -> None:
    with pytest.raises(InvalidInput, match=r"frame 1 is 64x72, expected 128x72"):
        run([picture()] * 2, [slope(), slope()[:, ::2]])


def test_look_ahead_below_zero_is_refused() -> None:
    with pytest.raises(InvalidInput, match="look_ahead is -1"):
        Stabilizer(look_ahead=-1)


@pytest.mark.parametrize("look_ahead", [0, 3, 12])
@pytest.mark.parametrize("frames", [4, 16, 70])
def test_the_size_of_the_saved_state_is_known_before(look_ahead: int, frames: int) -> None:
    """A dry run tells what the work folder needs: two such states at a time."""

    def size(value: object) -> int:
        if isinstance(value, np.ndarray):
            return value.nbytes
        if isinstance(value, dict):
            return sum(map(size, value.values()))
        return sum(map(size, value)) if isinstance(value, list | tuple) else 0

    made = Stabilizer(StabilizeOptions(look_ahead=look_ahead))
    largest = 0
    for _ in range(frames):
        if made.push(Image(picture(1)), Disparity(slope())) or frames < 40:
            largest = max(largest, size(made.to_state()))
    told = state_bytes(HEIGHT * WIDTH, look_ahead, frames)
    assert told == pytest.approx(largest, rel=0.2, abs=20 * HEIGHT * WIDTH)
