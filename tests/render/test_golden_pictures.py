"""Pictures the renderer has drawn before, and must draw again.

The meshes are made by hand here, so that only a change of the renderer or its shaders changes these pictures. If a
change is meant, look at the new ones and keep them::

    DEPTH3D_NEW_GOLDEN=1 pytest tests/render/test_golden_pictures.py

which writes ``tests/golden/NAME.png`` and fails once, so that it cannot pass unseen.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from compare import assert_alike
from scenes import disc, step, texture

from depth3d.camera import Camera
from depth3d.image import Image, Size
from depth3d.io.image.read import open_image, save_image
from depth3d.layeredmesh import Layer, LayeredMesh
from depth3d.render.context import describe_context
from depth3d.render.renderer import Renderer

GOLDEN = Path(__file__).parents[1] / "golden"
SIZE = Size(160, 120)


def sheet(image: Image, height: Callable[[np.ndarray, np.ndarray], np.ndarray], *, cells: int = 40) -> Layer:
    """A grid of ``cells`` x ``cells`` squares a quarter larger than the picture; ``height`` gives the depth at x, y."""
    rows, columns = np.mgrid[0 : cells + 1, 0 : cells + 1]
    place = (np.stack([columns, rows], -1).reshape(-1, 2) / cells * 1.25 - 0.125).astype(np.float32)
    first = (rows[:-1, :-1] * (cells + 1) + columns[:-1, :-1]).ravel()
    below = first + cells + 1
    faces = np.concatenate([np.stack([first, below, first + 1], 1), np.stack([first + 1, below, below + 1], 1)])
    return Layer(place, height(place[:, 0], place[:, 1]), place, faces, image)


def card(image: Image, depth: float, left: float, top: float, right: float, bottom: float) -> Layer:
    """An upright rectangle at one depth that shows its part of the picture."""
    place = np.array([(left, top), (right, top), (left, bottom), (right, bottom)], np.float32)
    return Layer(place, np.full(4, depth), place, np.array([(0, 2, 1), (1, 2, 3)]), image)


def flat(depth: float) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    return lambda x, y: np.full_like(x, depth)


def wall_before_wall() -> tuple[LayeredMesh, Camera]:
    image, _ = step(SIZE, 60, 100)
    blue = Image(np.full_like(image.pixels, (20, 40, 200)))
    mesh = LayeredMesh((sheet(blue, flat(0.0)), card(image, 1.0, 0.375, 0.2, 0.625, 0.9)), SIZE)
    return mesh, Camera((0.04, 0.03, 0.0), shift=(0.02, -0.01))


def disc_with_a_soft_outline() -> tuple[LayeredMesh, Camera]:
    image, _, coverage = disc(SIZE, 35)
    board, _, _ = disc(SIZE, -5)
    red = np.broadcast_to(np.array((230, 20, 20), np.uint8), image.pixels.shape)
    front = Image(red, (coverage * 255).round().astype(np.uint8))
    mesh = LayeredMesh((sheet(board, flat(0.1)), card(front, 0.8, 0.0, 0.0, 1.0, 1.0)), SIZE)
    return mesh, Camera((-0.05, 0.02, 0.0), shift=(-0.015, 0.0))


def hills_from_the_side() -> tuple[LayeredMesh, Camera]:
    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return 0.5 + 0.3 * np.sin(9 * x) * np.cos(7 * y)

    return LayeredMesh((sheet(texture(SIZE, 3), height),), SIZE), Camera((0.1, -0.05, -0.1), (3.0, -2.0, 5.0))


def steps_walked_into() -> tuple[LayeredMesh, Camera]:
    image = texture(SIZE, 7)
    cards = [card(image, 0.3 + 0.2 * k, 0.1 + 0.12 * k, 0.2 + 0.1 * k, 0.5 + 0.12 * k, 0.7 + 0.1 * k) for k in range(4)]
    mesh = LayeredMesh((sheet(image, lambda x, y: 0.3 * y.clip(0, 1)), *cards), SIZE, Camera(field_of_view=70.0))
    return mesh, Camera((0.0, 0.0, -0.25), field_of_view=70.0, zoom=0.9)


SCENES = [wall_before_wall, disc_with_a_soft_outline, hills_from_the_side, steps_walked_into]


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_the_picture_is_the_golden_one(scene: Callable[[], tuple[LayeredMesh, Camera]]) -> None:
    mesh, camera = scene()
    with Renderer(SIZE) as renderer:
        renderer.upload(mesh)
        drawn = renderer.draw(camera)
    file = GOLDEN / f"{scene.__name__}.png"
    if os.environ.get("DEPTH3D_NEW_GOLDEN"):
        save_image(drawn, file, force=True)
        pytest.fail(f"{file.name} is written anew; look at it")
    golden = open_image(file)
    # Rasterisers differ along silhouettes; one and the same must not.
    software = "llvmpipe" in str(describe_context()["renderer"])
    assert_alike(drawn, golden, **({"flat": 1, "edge": 1, "share": 0.0} if software else {}))


def test_a_shifted_scene_is_not_the_golden_one() -> None:
    mesh, camera = hills_from_the_side()
    with Renderer(SIZE) as renderer:
        renderer.upload(mesh)
        drawn = renderer.draw(replace(camera, shift=(0.02, 0.0)))
    with pytest.raises(AssertionError):
        assert_alike(drawn, open_image(GOLDEN / "hills_from_the_side.png"))
