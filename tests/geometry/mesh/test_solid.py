"""Depth pictures to split adaptive meshes: areas, sides, counts and places known by formula."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from depth3d.camera import Camera
from depth3d.geometry.mesh.solid import Relief, place, triangulate
from depth3d.image import Image, Size

TEXTURE = Image(np.zeros((4, 4, 3), np.uint8))


def signed_areas(relief: Relief, width: int, height: int) -> NDArray[np.float64]:
    """Pixels; positive = counter-clockwise as seen (y down in the picture)."""
    a, b, c = (relief.points[relief.faces[:, i]].astype(np.float64) * (width, height) for i in range(3))
    return -((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2


def disc(height: int = 120, width: int = 160) -> NDArray[np.float32]:
    rows, columns = np.mgrid[:height, :width]
    inside = (columns - width / 2) ** 2 + (rows - height / 2) ** 2 < (height / 4) ** 2
    return np.where(inside, 0.9, 0.2 + rows / 1000).astype(np.float32)


def test_a_flat_picture_of_64_pixels_is_two_triangles() -> None:
    relief = triangulate(np.full((64, 64), 0.5, np.float32), max_step=0.05, flat=0.01)
    assert len(relief.faces) == 2
    assert sorted(map(tuple, relief.points.tolist())) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    np.testing.assert_array_equal(relief.depth, np.float32(0.5))
    np.testing.assert_array_equal(relief.uv, relief.points)


def test_never_merging_gives_two_triangles_a_pixel() -> None:
    relief = triangulate(np.full((5, 7), 0.5, np.float32), max_step=0.05, flat=-1)
    assert len(relief.faces) == 2 * 5 * 7
    assert len(relief.points) == 6 * 8


def test_the_cells_tile_the_picture_and_all_face_the_camera() -> None:
    areas = signed_areas(triangulate(disc(), max_step=0.05, flat=0.002), 160, 120)
    assert (areas > 0).all()
    assert areas.sum() == pytest.approx(160 * 120, rel=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 2**31), st.floats(0, 0.2))
def test_any_size_and_depth_is_tiled(height: int, width: int, seed: int, flat: float) -> None:
    coarse = np.random.default_rng(seed).random((height // 9 + 1, width // 9 + 1), dtype=np.float32)
    depth = np.kron(coarse, np.ones((9, 9), np.float32))[:height, :width]
    areas = signed_areas(triangulate(depth, max_step=0.1, flat=flat), width, height)
    assert (areas > 0).all()
    assert areas.sum() == pytest.approx(width * height, rel=1e-5)


def test_no_triangle_spans_a_max_step_and_none_is_lost() -> None:
    depth = disc()
    relief = triangulate(depth, max_step=0.05, flat=0.002)
    spread = relief.depth[relief.faces].max(1) - relief.depth[relief.faces].min(1)
    assert spread.max() <= 0.05
    near = relief.depth[relief.faces].mean(1) > 0.6
    areas = signed_areas(relief, 160, 120)
    assert areas[near].sum() == pytest.approx((depth > 0.6).sum(), rel=1e-6)


def test_color_at_a_max_step_comes_from_the_own_side() -> None:
    depth = np.full((16, 16), 0.2, np.float32)
    depth[:, 8:] = 0.9
    relief = triangulate(depth, max_step=0.05, flat=0.002)
    edge = relief.points[:, 0] == 0.5
    assert set(np.unique(relief.uv[edge & (relief.depth < 0.5), 0] * 16)) == {7.5}
    assert set(np.unique(relief.uv[edge & (relief.depth > 0.5), 0] * 16)) == {8.5}


def test_holes_stay_holes() -> None:
    depth = np.full((32, 32), 0.4, np.float32)
    depth[10:20, 10:20] = np.nan
    relief = triangulate(depth, max_step=np.inf, flat=0.01)
    assert signed_areas(relief, 32, 32).sum() == pytest.approx(32 * 32 - 100)
    assert np.isfinite(relief.depth).all()


def test_no_cracks_between_large_and_small_cells() -> None:
    relief = triangulate(disc(), max_step=np.inf, flat=0.002)
    edges = np.sort(np.concatenate([relief.faces[:, [0, 1]], relief.faces[:, [1, 2]], relief.faces[:, [2, 0]]]), 1)
    pairs, count = np.unique(edges, axis=0, return_counts=True)
    assert count.max() == 2
    lonely = relief.points[pairs[count == 1]]  # only the picture's own border has triangles on one side
    on_border = ((lonely == 0) | (lonely == 1)).any(2).all(1)
    assert on_border.all()


def test_error_of_merged_cells_stays_within_the_promise() -> None:
    rows, columns = np.mgrid[:64, :64]
    smooth = (0.5 + 0.4 * np.sin(columns / 20) * np.cos(rows / 30)).astype(np.float32)
    fine, coarse = triangulate(smooth, 1, -1), triangulate(smooth, 1, 0.01)
    assert len(coarse.faces) < len(fine.faces) / 20
    exact = {tuple(point): depth for point, depth in zip(fine.points.tolist(), fine.depth.tolist(), strict=True)}
    for point, depth in zip(coarse.points.tolist(), coarse.depth.tolist(), strict=True):
        if tuple(point) in exact:
            assert abs(exact[tuple(point)] - depth) <= 0.01


def test_place_puts_the_middle_ahead_and_the_corner_on_the_view_s_edge() -> None:
    relief = Relief(
        np.array([[0.5, 0.5], [1, 0.5], [0.5, 0]], np.float32),
        np.zeros((3, 2), np.float32),
        np.array([1, 0, 0.5], np.float32),
        np.array([[0, 1, 2]]),
    )
    size = Size(200, 100)
    mesh = place(relief, TEXTURE, Camera(field_of_view=90), size, "photo", near_far=(2.0, 8.0))
    np.testing.assert_allclose(mesh.vertices[0], [0, 0, -2], atol=1e-6)
    np.testing.assert_allclose(mesh.vertices[1], [8, 0, -8], rtol=1e-6)  # tan 45 degrees = 1
    middle = 1 / ((1 / 2 + 1 / 8) / 2)  # half-way in inverse distance: 3.2 m, not 5
    np.testing.assert_allclose(mesh.vertices[2], [0, middle / 2, -middle], rtol=1e-6)
    scene = place(relief, TEXTURE, Camera(), size, "photo", near_far=None)
    np.testing.assert_allclose(scene.vertices[:2, 2], [-1, -10], rtol=1e-6)
