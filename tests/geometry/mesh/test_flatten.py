"""Layers back to pictures."""

from __future__ import annotations

import numpy as np

from depth3d.geometry.mesh.flatten import flatten_layer
from depth3d.geometry.mesh.solid import triangulate
from depth3d.image import Image, Size
from depth3d.layeredmesh import Layer


def layer_of(depth: np.ndarray, pixels: np.ndarray, flat: float) -> Layer:
    relief = triangulate(depth, max_step=0.05, flat=flat)
    return Layer(relief.points, relief.depth, relief.uv, relief.faces.astype(np.uint32), Image(pixels))


def test_a_torn_mesh_gives_its_depth_and_colors_back() -> None:
    rows, columns = np.mgrid[:60, :80]
    depth = np.where((columns - 40) ** 2 + (rows - 30) ** 2 < 300, 0.9, 0.1).astype(np.float32)
    pixels = np.random.default_rng(1).integers(0, 256, (60, 80, 3), np.uint8)
    for flat in (-1.0, 0.01):
        seen = flatten_layer(layer_of(depth, pixels, flat), Size(80, 60))
        np.testing.assert_allclose(seen.depth, depth, atol=1e-6)
    inside = slice(2, -2)
    plain = flatten_layer(layer_of(np.full((60, 80), 0.5, np.float32), pixels, -1), Size(80, 60))
    difference = plain.picture.pixels[inside, inside].astype(int) - pixels[inside, inside]
    assert np.abs(difference).max() <= 1


def test_a_slope_is_interpolated_at_another_size() -> None:
    rows = np.linspace(0, 1, 33, dtype=np.float32)
    depth = np.repeat(rows[:, None], 40, 1)
    seen = flatten_layer(layer_of(depth, np.zeros((33, 40, 3), np.uint8), 0.001), Size(90, 70)).depth
    at = (np.arange(70) + 0.5) / 70 * 33 - 0.5
    expected = np.clip(at, 0, 32) / 32
    np.testing.assert_allclose(seen[2:-2], np.repeat(expected[2:-2, None], 90, 1), atol=2e-3)


def test_what_is_not_covered_is_nan() -> None:
    triangle = np.array([[0, 0], [0, 1], [1, 0]], np.float32)
    layer = Layer(triangle, np.full(3, 0.5), triangle, np.array([[0, 1, 2]]), Image(np.zeros((2, 2, 3), np.uint8)))
    seen = flatten_layer(layer, Size(50, 50)).depth
    rows, columns = np.mgrid[:50, :50]
    assert np.isnan(seen[rows + columns > 50]).all()
    np.testing.assert_allclose(seen[rows + columns < 49], 0.5, atol=1e-6)


def test_beyond_the_border_nothing_happens() -> None:
    square = np.array([[-1, -1], [-1, 2], [2, 2], [2, -1]], np.float32)
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    layer = Layer(square, np.full(4, 0.25), square / 2, faces, Image(np.full((2, 2, 3), 9, np.uint8)))
    seen = flatten_layer(layer, Size(21, 13))
    np.testing.assert_allclose(seen.depth, 0.25, atol=1e-6)
    assert (seen.picture.pixels == 9).all()
