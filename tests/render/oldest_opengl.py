"""Draws one picture with every shader and saves them: ``python oldest_opengl.py FILE.npz``; see test_context.py."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from scenes import disc, texture

from depth3d.camera import Camera
from depth3d.geometry.mesh.layers import build_layers
from depth3d.image import Image, Size
from depth3d.render import context, shaders
from depth3d.render.compose import compose
from depth3d.render.exposure import Exposure
from depth3d.render.renderer import Renderer
from depth3d.render.warp.reproject import Reprojection
from depth3d.render.warp.sphere import SphereProjector
from depth3d.render.warp.stereo import StereoWarp
from depth3d.stereoformats import FORMATS
from depth3d.stereopair import StereoPair


def pictures() -> dict[str, Image]:
    """One picture of every renderer, layout and anaglyph."""
    size = Size(96, 64)
    image, depth, _ = disc(size, 20)
    moved = Camera((0.03, 0.02, 0.01), (1.0, 2.0, 0.5))
    made: dict[str, Image] = {}
    for crisp in (False, True):
        with Renderer(size, crisp=crisp) as renderer:
            renderer.upload(build_layers(image, depth, parallax_percent=5))
            made[f"mesh {crisp}"] = renderer.draw_with_depth(moved)[0]
            with Exposure(renderer, 20) as exposure:
                made[f"mesh exposure {crisp}"] = exposure.draw([moved, Camera()])
    deep = Image(image.pixels.astype(np.uint16) * 257)
    for name, frame in (("8", image), ("16", deep)):
        with Reprojection(size) as reprojection:
            made[f"reprojection {name}"] = reprojection.draw(frame, depth, moved)
            with Exposure(reprojection, 20) as exposure:
                made[f"reprojection exposure {name}"] = exposure.draw([moved, Camera()])
        for stack in (False, True):
            with StereoWarp(size, stack=stack) as warp:
                made[f"stereo warp {name} {stack}"] = warp.draw(frame, depth, -2.0, 2.0, 0.5)
        for card in FORMATS.values():
            if card.flat:
                made[f"{card.name} {name}"] = compose(StereoPair(frame, frame), card)
    with SphereProjector(size, Size(64, 64), span=(180, 180), across=60) as sphere:
        made["sphere"] = sphere.project(texture(size))
    return made


def main(path: str) -> None:
    """Save the pictures, the OpenGL version and the names of the shader files that were compiled."""
    used: set[str] = set()
    load = shaders.load_source

    def loaded(*arguments: Any, **named: Any) -> shaders.Source:
        source = load(*arguments, **named)
        used.update(source.files)
        return source

    shaders.load_source = loaded
    made = {name: image.pixels for name, image in pictures().items()}
    np.savez(path, version=context.describe_context()["version"], shaders=sorted(used), **made)  # type: ignore[arg-type]


if __name__ == "__main__":
    main(sys.argv[1])
