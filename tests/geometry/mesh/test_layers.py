"""Tears, adaptive triangles, hidden surfaces, fills and edges."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import disc, plane, step, texture

from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput
from depth3d.geometry.background.disocclusion import ALL_WAYS, FROM_LEFT, FROM_RIGHT, extend_background
from depth3d.geometry.background.fill import fill_view, pull_push, relax
from depth3d.geometry.edges.discontinuities import corner_depths, corner_means, find_discontinuities
from depth3d.geometry.edges.sharpen import SOFT_SHARE, dilate_foreground, sharpen, softness
from depth3d.geometry.mesh.displace import SLICE_PIXELS, mesh_cells
from depth3d.geometry.mesh.layers import build_layers
from depth3d.image import Image, Size


def area(sheet: object) -> float:
    a, b, c = (sheet.corners[sheet.faces[:, i]] for i in range(3))  # type: ignore[attr-defined]
    cross = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    assert (cross < 0).all()  # counter-clockwise as seen, rows downwards
    return float(-cross.sum() / 2)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 1000), st.floats(0.0, 3.0))
def test_a_sheet_covers_every_cell_once(height: int, width: int, seed: int, tolerance: float) -> None:
    depth = np.random.default_rng(seed).random((height, width), np.float32) * 3
    sheet = mesh_cells(depth, find_discontinuities(depth, 1.0), tolerance)
    # Large triangles may reach beyond the picture; torn cells are two triangles each.
    middles = sheet.corners[sheet.faces].mean(1)
    inside = (middles < (width, height)).all(1)
    single = np.zeros((height, width))
    assert area(sheet) >= height * width - 1e-3
    torn = find_discontinuities(depth, 1.0).beside()
    rows, columns = np.floor(middles[inside]).astype(int)[:, ::-1].T
    np.add.at(single, (rows, columns), 1)
    assert (single[torn] == 2).all()


def test_a_flat_sheet_needs_few_triangles_and_a_torn_one_keeps_its_depths() -> None:
    flat = mesh_cells(np.ones((256, 256), np.float32), find_discontinuities(np.ones((256, 256), np.float32), 1.0), 0.1)
    assert len(flat.faces) <= 4 * 64
    depth = np.zeros((64, 64), np.float32)
    depth[:, 32:] = 9
    torn = mesh_cells(depth, find_discontinuities(depth, 1.0), 0.1)
    assert set(np.unique(torn.depth)) == {0.0, 9.0}
    spread = np.ptp(torn.depth[torn.faces], axis=1)
    assert spread.max() == 0
    assert area(torn) == 64 * 64


def test_faces_come_far_to_near() -> None:
    depth = np.random.default_rng(0).random((40, 40), np.float32) * 20
    sheet = mesh_cells(depth, find_discontinuities(depth, 1.0), 0.1)
    nearest = sheet.depth[sheet.faces].max(1)
    assert (np.diff(np.floor(nearest / SLICE_PIXELS)) >= 0).all()


def test_the_far_side_of_a_tear_does_not_look_across_it() -> None:
    depth = np.zeros((6, 8), np.float32)
    depth[:, 4:] = 9
    sheet = mesh_cells(depth, find_discontinuities(depth, 1.0), 0.1)
    aside = sheet.texels - sheet.corners
    at_tear = sheet.corners[:, 0] == 4
    assert np.array_equal(aside[~at_tear], np.zeros_like(aside[~at_tear]))
    assert np.array_equal(aside[at_tear & (sheet.depth == 9)], np.zeros((7, 2)))
    far = aside[at_tear & (sheet.depth == 0)]
    assert np.allclose(far[:, 0], -0.5)
    assert np.allclose(far[1:-1, 1], 0)


def test_pixels_halfway_up_a_step_join_the_side_of_their_color() -> None:
    depth = np.zeros((12, 40), np.float32)
    depth[:, 10:20] = 8
    depth[:, 25:30] = 6  # steps without anything between: the map is sharp
    depth[:6, 9] = 3  # left by resizing
    depth[6:, 9] = 5
    assert softness(depth) < SOFT_SHARE
    pixels = np.full((12, 40, 3), 40, np.uint8)
    pixels[:, 10:] = 200
    pixels[:, 9] = np.where(np.arange(12) % 2, 170, 70)[:, None]
    found = sharpen(depth, pixels)
    assert np.array_equal(found[:, 9], np.where(np.arange(12) % 2, 8, 0))
    assert np.array_equal(np.delete(found, 9, axis=1), np.delete(depth, 9, axis=1))
    gentle = np.tile(np.linspace(0, 9, 40, dtype=np.float32), (12, 1))  # a slope is none
    assert np.array_equal(sharpen(gentle, pixels), gentle)


def test_the_rim_of_what_is_hidden_lies_behind_the_front() -> None:
    image, depth, _ = disc(Size(120, 80), 20)
    for quality in ("high", "normal"):
        mesh = build_layers(image, depth, parallax_percent=6.0, quality=quality, ways="right", backdrop=False)
        *hidden, front = mesh.layers
        assert hidden
        near = front.depth.max()
        for layer in hidden:
            assert layer.depth.max() < near - 0.5  # the disc is the near side: nothing hidden reaches its depth


def test_corners_are_means_of_connected_pixels() -> None:
    depth = np.array([[0, 0.5], [9, 0.7]], np.float32)
    group, mean = corner_depths(depth, find_discontinuities(depth, 1.0), np.array([1, 0, 2]), np.array([1, 1, 0]))
    assert mean[[0, 1, 3], 0] == pytest.approx((0 + 0.5 + 0.7) / 3)
    assert mean[2, 0] == 9
    assert group[:, 0].tolist() == [0, 0, 2, 0]
    assert group[:, 1].tolist() == [255, 255, 2, 2]  # on the upper border
    assert mean[2:, 1] == pytest.approx((0 + 0.5) / 2)
    assert group[:, 2].tolist() == [255, 1, 255, 255]  # the lower left corner of the picture
    assert mean[1, 2] == 9
    np.testing.assert_allclose(corner_means(depth), [[0, 0.25, 0.5], [4.5, 2.55, 0.6], [9, 4.85, 0.7]], rtol=1e-6)


def test_the_far_side_is_continued_as_far_as_a_gap_can_open() -> None:
    seen = np.zeros((20, 60), np.float32)
    seen[:, 10:50] = 8
    right, more = extend_background(seen, seen, 1.0, FROM_RIGHT)
    assert not len(more.places)
    assert right.mask[10].nonzero()[0].tolist() == list(range(39, 50))
    assert (right.depth[right.mask] == 0).all()
    assert (right.source[10, 39:50] == 10 * 60 + 50).all()
    both, _ = extend_background(seen, seen, 1.0, ALL_WAYS)
    assert both.mask[10].sum() == 22


def test_a_small_step_in_the_foreground_does_not_stop_the_background_behind_it() -> None:
    seen = np.zeros((6, 60), np.float32)
    seen[:, :20], seen[:, 20:30] = 14, 12
    first, deeper = extend_background(seen, seen, 1.0, FROM_RIGHT)
    second = deeper.over(copy.deepcopy(first))
    # Behind the step of 2 goes on what is 12 near, and behind that what is 0 near, as far as 14 can open.
    assert first.depth[3, 15:20].tolist() == [12] * 5
    assert (first.depth[3, 20:30] == 0).all()
    assert second.mask[3].nonzero()[0].tolist() == list(range(15, 20))
    assert (second.depth[3, 15:20] == 0).all()
    assert (first.source[3, 20:30] == 3 * 60 + 30).all()
    assert np.array_equal(second.depth[~second.mask], first.depth[~second.mask])


def test_relaxing_keeps_to_surfaces_of_like_depth() -> None:
    colors = np.zeros((9, 9, 3), np.float32)
    colors[:, :4] = 100
    depth = np.zeros((9, 9), np.float32)
    depth[:, :4] = 50
    unknown = np.zeros((9, 9), bool)
    unknown[4, 4:6] = True
    colors[unknown] = 33
    relax(colors, depth, unknown, steps=200)
    assert colors[unknown].max() < 1e-3
    assert (colors[:, :4] == 100).all()


def test_holes_in_a_view_are_filled_from_the_far_side() -> None:
    picture = np.zeros((8, 30, 3), np.uint8)
    picture[:, :10], picture[:, 20:] = 250, 80
    depth = np.full((8, 30), np.nan, np.float32)
    depth[:, :10], depth[:, 20:] = 9, 1
    filled, levels = fill_view(picture, depth)
    assert (filled[:, 10:20] == 80).all()
    assert (levels[:, 10:20] == 1).all()
    assert (filled[:, :10] == 250).all()


def test_pull_push_leaves_the_known_and_fills_the_rest() -> None:
    values = np.random.default_rng(0).random((33, 47, 3)).astype(np.float32)
    known = np.random.default_rng(1).random((33, 47)) < 0.1
    filled = pull_push(values, known)
    assert np.array_equal(filled[known], values[known])
    assert np.isfinite(filled).all()
    assert filled.min() >= values[known].min() - 1e-5
    assert filled.max() <= values[known].max() + 1e-5


def test_soft_edges_become_steps_where_the_colors_part() -> None:
    size = Size(160, 60)
    image, depth = step(size, 50, 110)
    import cv2

    soft = cv2.GaussianBlur(depth.values * 12, (0, 0), 2.5)
    assert softness(soft) > 0.5
    assert softness(depth.values * 12) == 0
    sharp = sharpen(soft, image.pixels)
    between = (sharp > 2) & (sharp < 10)
    assert between[10:-10].mean() < 0.005
    assert np.abs((sharp[30] > 6).sum() - 60) <= 2
    assert np.array_equal(sharpen(depth.values * 12, image.pixels), depth.values * 12)


def test_growing_sideways_only_grows_sideways() -> None:
    depth = np.zeros((9, 9), np.float32)
    depth[4, 4] = 1
    assert dilate_foreground(depth, 1, sideways_only=True).sum() == 3
    assert dilate_foreground(depth, 1).sum() == 5


def test_a_plane_is_one_layer() -> None:
    size = Size(64, 48)
    mesh = build_layers(texture(size), plane(size, 0.5), parallax_percent=4.0)
    assert len(mesh.layers) == 1
    assert np.allclose(mesh.layers[0].depth, 0.5)


@pytest.mark.parametrize("quality", ["draft", "normal", "high"])
def test_layers_lie_back_to_front(quality: str) -> None:
    image, depth, _ = disc(Size(160, 120), 40)
    mesh = build_layers(image, depth, parallax_percent=4.0, quality=quality)  # type: ignore[arg-type]
    assert len(mesh.layers) == 3
    assert mesh.layers[0].depth.max() < 0.5 < mesh.layers[-1].depth.max()


def test_the_same_every_time() -> None:
    image, depth, _ = disc(Size(160, 120), 40)
    one, other = (build_layers(image, depth, parallax_percent=4.0) for _ in range(2))
    for a, b in zip(one.layers, other.layers, strict=True):
        assert np.array_equal(a.faces, b.faces)
        assert np.array_equal(a.texture.pixels, b.texture.pixels)


def test_sizes_must_agree() -> None:
    with pytest.raises(InvalidInput, match="64x48"):
        build_layers(Image(np.zeros((48, 64, 3), np.uint8)), DepthMap(np.zeros((5, 5), np.float32)), parallax_percent=1)


def test_a_surface_behind_two_layers_goes_on_behind_them() -> None:
    # Left to right: far ground, a middle post, a nearer post, the near front. All are extended to the right; where the
    # two posts take both layers the ground has no room, and is needed again beyond them.
    seen = np.repeat(np.float32([0, 4, 8, 20]), [20, 3, 3, 34])[None].repeat(5, 0)
    first, deeper = extend_background(seen, seen, 1.0, FROM_LEFT)
    second = deeper.over(copy.deepcopy(first))
    assert (first.depth[2, 26:34] == 8).all()
    depths = np.minimum(first.depth, second.depth)[2]
    assert (depths[23:40] >= 0).all()
    deepest = np.where(first.mask | second.mask, np.minimum(first.depth, second.depth), np.inf)[2]
    assert (deepest[41:43] == 0).all(), "the ground's run ended at the posts"


def test_rim_cells_of_a_layer_show_the_background() -> None:
    height, width = 60, 120
    front = np.zeros((height, width), bool)
    front[10:50, 30:80] = True
    picture = np.where(front[..., None], np.uint8([250, 0, 0]), np.uint8([0, 0, 250]))
    depth = DepthMap(front.astype(np.float32))
    for quality in ("normal", "high"):
        mesh = build_layers(Image(picture), depth, parallax_percent=8, quality=quality, backdrop=False)  # type: ignore[arg-type]
        *background, _ = mesh.layers
        assert background
        for layer in background:
            texture = layer.texture.pixels
            size = np.array(texture.shape[1::-1])
            used = np.rint(layer.uv[np.unique(layer.faces)] * size - 0.5).astype(int).clip(0, size - 1)
            assert texture[used[:, 1], used[:, 0], 0].max() < 128, quality


def test_a_camera_at_the_nearest_point_costs_no_more_than_one_that_moves_a_quarter_of_the_width() -> None:
    """It asks for a parallax of 60,000 %; without a bound the background is extended pixel by pixel for hours."""
    rng = np.random.default_rng(0)
    depth = np.zeros((40, 60), np.float32)
    depth[10:30, 20:40] = 1
    image = Image(rng.integers(0, 256, (40, 60, 3), np.uint8))
    quarter, beyond = (build_layers(image, DepthMap(depth), parallax_percent=one) for one in (25, 60_000))
    for one, other in zip(quarter.layers, beyond.layers, strict=True):
        np.testing.assert_array_equal(one.positions, other.positions)
        assert one.texture.size == other.texture.size
        assert max(one.texture.size) <= 60 + 2 * 32
