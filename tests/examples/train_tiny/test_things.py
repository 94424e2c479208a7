"""Scenes of 3D models: depth that is known by formula, things that rest on their surface, determinism."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest


def _lamp() -> Any:
    from raster import Lamp

    level = np.full(3, 0.5)
    return Lamp(np.array([0.0, 1.0, 0.2]), level, level, level, 0.001, np.full((8, 16, 3), 128, np.uint8))


def _raster() -> Any:
    from raster import Raster

    from depth3d.errors import ContextError

    try:
        return Raster()
    except ContextError as error:
        pytest.skip(f"no OpenGL: {error}")


def _store() -> Any:
    from catalog import Model
    from meshes import Part, box
    from stage import Store
    from textures import Shelf

    size = np.array([0.2, 0.1, 0.3], np.float32)
    mesh = [Part(box(size), np.full(3, 0.5, np.float32))]
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (60, 80, 3), dtype=np.uint8) for _ in range(3)]
    large = size * 4
    models = [Model("Cup", "Kitchen", size, mesh), Model("Oven", "Kitchen", large, [Part(box(large), mesh[0].color)])]
    return Store([*models, Model("Chair", "Office", large, models[1].mesh)], Shelf(pictures))


def test_a_wall_and_a_box_have_their_depth() -> None:
    """A wall 4 m away, seen straight, has one inverse depth; a box before it that of its front; a floor is a ramp."""
    from meshes import Part, box, rectangle
    from raster import Camera, Thing

    white, eye = np.ones(3, np.float32), np.array([0, 1.5, 4.0])
    sides = [
        rectangle(np.array([-9.0, -9, 0]), np.array([18.0, 0, 0]), np.array([0, 18.0, 0])),
        box(np.array([0.4, 0.4, 2.0]), np.array([0, 1.3, 0])),
        rectangle(np.array([-9.0, 0, 4]), np.array([18.0, 0, 0]), np.array([0, 0, -8.0])),
    ]
    things = [Thing([Part(corners, white)], np.eye(4, dtype=np.float32)) for corners in sides]
    _, inverse = _raster().draw(things, Camera(eye, np.array([0, 1.5, 0]), 0.0, 1.4), _lamp(), 60, 80)
    assert inverse[10, 10] == pytest.approx(1 / 4, rel=1e-4)
    assert inverse[30, 40] == pytest.approx(1 / 3, rel=1e-4)
    focal = 40 / np.tan(0.7)
    assert inverse[55, 5] == pytest.approx((55.5 - 30) / (focal * 1.5), rel=1e-3)


def test_shadows_fall_away_from_the_lamp() -> None:
    from meshes import Part, box, rectangle
    from raster import Camera, Lamp, Thing

    white = np.ones(3, np.float32)
    floor = rectangle(np.array([-2.0, 0, 2]), np.array([4.0, 0, 0]), np.array([0, 0, -4.0]))
    things = [
        Thing([Part(corners, white)], np.eye(4, dtype=np.float32), gloss=0.0)
        for corners in (floor, box(np.array([0.2, 0.5, 0.2])))
    ]
    lamp = _lamp()
    lamp = Lamp(np.array([0.7, 0.7, 0.0]), *lamp[1:])
    view = Camera(np.array([0, 2.5, 1.5]), np.zeros(3), 0.0, 0.8)
    color, _ = _raster().draw(things, view, lamp, 60, 80)
    assert color[32, 30].mean() < 0.8 * color[32, 50].mean()


def test_things_rest_on_their_surface() -> None:
    from stage import Stage

    for seed in range(5):
        stage = Stage(np.random.default_rng(seed), _store())
        stage.scatter(10, (-1, 1, -1, 1), 0.7, (0.1, 0.4), 0.5)
        lowest = []
        for thing in stage.things:
            points = np.vstack([part.vertices[:, :3] for part in thing.mesh])
            lowest.append(float((points @ thing.matrix[1, :3] + thing.matrix[1, 3]).min()))
        assert min(lowest) > 0.69
        assert np.median(lowest) == pytest.approx(0.7, abs=0.01)


def test_every_family_is_deterministic() -> None:
    from things import FAMILIES, scene

    raster = _raster()
    for name in FAMILIES:
        first, again = (scene(3, 1, _store(), raster, 48, 64, name) for _ in range(2))
        np.testing.assert_array_equal(first[0], again[0])
        np.testing.assert_array_equal(first[1], again[1])
        assert first[1].min() > 0
        assert first[0].std() > 2


def test_models_are_saved_and_read(tmp_path: Path) -> None:
    from catalog import Model, load_catalog, save_model
    from meshes import Part, box

    texture = np.random.default_rng(0).integers(0, 256, (4, 6, 4), dtype=np.uint8)
    size = np.array([1, 2, 3], np.float32)
    mesh = [Part(box(size), size / 4, texture), Part(box(size), size / 3)]
    save_model(Model("Trunk", "Bedroom", size, mesh), tmp_path / "trunk.npz")
    (model,) = load_catalog(tmp_path)
    assert (model.name, model.category) == ("Trunk", "Bedroom")
    np.testing.assert_array_equal(model.mesh[0].vertices, mesh[0].vertices)
    np.testing.assert_array_equal(model.mesh[0].texture, texture)
    assert model.mesh[1].texture is None
