"""Solid plates: closed, turned outwards, and of the volume that the heights have."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from depth3d.errors import InvalidInput
from depth3d.geometry.mesh.plate import solid_plate


@pytest.mark.parametrize(("rows", "columns"), [(2, 2), (2, 7), (9, 5), (31, 40)])
def test_plates_are_watertight_and_face_outwards(rows: int, columns: int) -> None:
    heights = np.random.default_rng(rows).uniform(0.5, 6, (rows, columns)).astype(np.float32)
    plate = solid_plate(heights, 80)
    solid = trimesh.Trimesh(plate.vertices, plate.faces, process=False)
    assert solid.is_watertight
    assert solid.is_winding_consistent
    assert solid.volume > 0
    np.testing.assert_allclose(solid.bounds[0], 0, atol=1e-6)
    assert solid.bounds[1] == pytest.approx([80, 80 * (rows - 1) / (columns - 1), heights.max()], rel=1e-5)
    assert (np.bincount(plate.faces.ravel().astype(int), minlength=len(plate.vertices)) > 0).all()


def test_the_volume_of_a_slope_and_the_upright_picture() -> None:
    ramp = np.repeat(np.linspace(4, 1, 31, dtype=np.float32)[:, None], 41, axis=1)  # row 0, the upper side, is highest
    plate = solid_plate(ramp, 40)
    solid = trimesh.Trimesh(plate.vertices, plate.faces, process=False)
    assert solid.volume == pytest.approx(40 * 30 * 2.5, rel=1e-5)
    top = plate.vertices[plate.vertices[:, 2] > 3.99]
    assert (top[:, 1] == 30).all()


def test_heights_that_make_no_solid_are_refused() -> None:
    for heights in (np.zeros((4, 4)), np.full((4, 4), np.nan), np.ones((1, 4))):
        with pytest.raises(InvalidInput, match="heights of a plate"):
            solid_plate(heights.astype(np.float32), 10)
