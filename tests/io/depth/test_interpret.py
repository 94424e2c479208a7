from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput
from depth3d.image import Image
from depth3d.io.depth.interpret import depth_from_numbers, depth_from_picture, polarity_hint


def gray(values: object, dtype: type = np.uint8) -> Image:
    return Image(np.repeat(np.array(values, dtype)[..., None], 3, axis=2))


@pytest.mark.parametrize(("dtype", "top"), [(np.uint8, 255), (np.uint16, 65535)])
def test_white_is_near_and_values_are_exact(dtype: type, top: int) -> None:
    depth, how = depth_from_picture(gray([[0, top // 5, top]], dtype))
    assert np.allclose(depth.values, [[0, 0.2, 1]], atol=1e-6)
    assert "white = near" in how
    inverted, how = depth_from_picture(gray([[0, top // 5, top]], dtype), invert=True)
    assert np.allclose(inverted.values, [[1, 0.8, 0]], atol=1e-6)
    assert "black = near" in how


def test_a_narrow_range_is_stretched_and_told() -> None:
    ramp = np.tile(np.arange(40, 72, dtype=np.uint8), (8, 1))
    depth, how = depth_from_picture(gray(ramp))
    assert depth.values.min() == 0
    assert depth.values.max() == 1
    assert "stretched" in how


def test_half_the_range_is_left_alone() -> None:
    ramp = np.tile(np.arange(60, 188, dtype=np.uint8), (8, 1))
    depth, how = depth_from_picture(gray(ramp))
    assert depth.values.min() == pytest.approx(60 / 255)
    assert "stretched" not in how


def test_a_flat_map_stays_flat() -> None:
    depth, _ = depth_from_picture(gray(np.full((4, 4), 90)))
    assert np.ptp(depth.values) == 0


def test_colors_of_no_heat_map_are_refused() -> None:
    colors = np.zeros((8, 8, 3), np.uint8)
    colors[..., 1] = 255
    with pytest.raises(InvalidInput, match="save the depth map as gray"):
        depth_from_picture(Image(colors))


def test_a_depth_cameras_millimeters() -> None:
    """0 = no measurement: filled from the farther side; distance d becomes normalized 1/d."""
    row = [1000, 1000, 0, 0, 2000, 4000, 4000, 4000]
    below = np.linspace(1000, 4000, 8 * 19).reshape(19, 8)
    depth, how = depth_from_picture(gray(np.vstack([[row], below]), np.uint16), invert=True)
    wanted = [
        (1 / max(d, 1) - 1 / 4000) / (1 / 1000 - 1 / 4000) for d in [1000, 1000, 2000, 2000, 2000, 4000, 4000, 4000]
    ]
    assert np.allclose(depth.values[0], wanted, atol=1e-3)
    assert "no measurement" in how
    assert "unknown" in how


def test_numbers_from_0_to_1_are_taken_as_they_are() -> None:
    values = np.array([[0.1, 0.5], [0.7, 0.9]], np.float32)
    assert np.array_equal(depth_from_numbers(values)[0].values, values)
    assert np.allclose(depth_from_numbers(values, invert=True)[0].values, 1 - values)


def test_other_numbers_are_disparity() -> None:
    values = np.array([[-3.0, 0.0], [2.0, 7.0]])
    depth, how = depth_from_numbers(values)
    assert np.allclose(depth.values, (values + 3) / 10)
    assert "from -3 to 7, larger = nearer" in how
    assert np.allclose(depth_from_numbers(values, invert=True)[0].values, (7 - values) / 10)


def test_distances_are_inverted_and_sky_is_farthest() -> None:
    values = np.array([[2.0, 4.0, 8.0, 1e10, np.inf, 65504.0]])
    depth, how = depth_from_numbers(values, distances=True)
    assert np.allclose(depth.values, [[1, 1 / 3, 0, 0, 0, 0]], atol=2e-3)
    assert "larger = farther" in how
    again, _ = depth_from_numbers(values[:, :3], invert=True)
    assert np.allclose(again.values, depth.values[:, :3], atol=2e-3)
    other, _ = depth_from_numbers(values[:, :3], distances=True, invert=True)
    assert np.allclose(other.values, [[0, 1 / 3, 1]])


def test_unknown_values_take_the_farther_neighbor() -> None:
    nan = np.nan
    values = np.array([[10, nan, 2, nan], [nan, nan, nan, nan], [nan, 6, nan, 4]])
    depth, how = depth_from_numbers(values)
    assert np.allclose(depth.values * 8 + 2, [[10, 2, 2, 2], [6, 2, 2, 2], [6, 6, 4, 4]])
    assert "unknown and filled" in how
    with pytest.raises(InvalidInput, match="no number"):
        depth_from_numbers(np.full((3, 3), nan))


@settings(max_examples=60, deadline=None)
@given(
    values=arrays.arrays(
        np.float32, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.floats(width=32, allow_nan=True)
    ),
    distances=st.booleans(),
    invert=st.booleans(),
)
def test_any_numbers_give_a_depth_map_or_one_error(values: np.ndarray, distances: bool, invert: bool) -> None:
    try:
        depth, _ = depth_from_numbers(values, distances=distances, invert=invert)
    except InvalidInput:
        assert not (np.isfinite(values) & (values > 1e-9) & (values < 1e9) & (values != 65504)).any()
    else:
        assert depth.values.shape == values.shape


def test_the_hint_asks_only_where_the_ground_is_far() -> None:
    ramp = np.tile(np.linspace(0, 1, 50, dtype=np.float32)[:, None], (1, 4))
    assert polarity_hint(DepthMap(ramp)) == ""
    assert "`invert_depth=True`" in polarity_hint(DepthMap(ramp[::-1]))
    assert polarity_hint(DepthMap(ramp[::-1]), "if these are distances, use `invert_depth=True`") == ""
    assert polarity_hint(DepthMap(np.full((5, 5), 0.5, np.float32))) == ""


@pytest.mark.parametrize(("holes", "highest", "camera"), [(1, 52000, False), (8, 52000, True), (1, 9000, True)])
def test_one_area_of_zeros_is_the_background_of_a_cut_out_object(holes: int, highest: int, camera: bool) -> None:
    rows = np.linspace(0.3, 1, 120)[:, None] * np.linspace(0.9, 1, 160)
    values = np.rint(rows * highest).astype(np.uint16)
    for number in range(holes):
        values[20:40, 15 * number + 5 : 15 * number + 12] = 0
    depth, how = depth_from_picture(gray(values, np.uint16))
    assert ("depth camera" in how) == camera
    assert (depth.values[-1].mean() > depth.values[0].mean()) != camera


def test_meters_with_nan_are_asked_about() -> None:
    values = np.linspace(0.5, 8, 64).reshape(8, 8)
    assert "if these are distances" not in depth_from_numbers(values)[1]
    values[3, 4] = np.nan
    assert "if these are distances, use `invert_depth=True`" in depth_from_numbers(values)[1]
    assert "if these" not in depth_from_numbers(values, invert=True)[1]
