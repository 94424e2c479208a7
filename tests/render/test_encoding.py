"""Opaque surfaces are encoded by the shader, translucent ones by the framebuffer: both as the photo is."""

import numpy as np
import pytest

from depth3d.camera import Camera
from depth3d.image import Image, Size
from depth3d.layeredmesh import Layer, LayeredMesh
from depth3d.render.renderer import Renderer


def _plane(image: Image) -> LayeredMesh:
    place = np.array([(0, 0), (1, 0), (0, 1), (1, 1)], np.float32)
    layer = Layer(place, np.full(4, 0.5, np.float32), place, np.array([(0, 2, 1), (1, 2, 3)], np.uint32), image)
    return LayeredMesh((layer,), image.size)


def test_every_level_comes_back_as_it_was() -> None:
    levels = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 8, 0).repeat(3, 2)
    opaque, clear = Image(levels), Image(levels, np.full(levels.shape[:2], 254, np.uint8))
    with Renderer(Size(256, 8)) as renderer:
        renderer.upload(_plane(opaque))
        solid = renderer.draw(Camera()).pixels
        renderer.upload(_plane(clear))
        blended = renderer.draw(Camera()).pixels
    assert np.array_equal(solid, levels)
    assert np.abs(blended.astype(int) - levels).max() <= 1


@pytest.mark.parametrize("size", [Size(61, 37), Size(64, 48), Size(333, 257)])
def test_texels_at_rest_are_their_own(size: Size) -> None:
    # Pixel centers fall on texel centers, where the least rounding takes a neighbor.
    image = Image(np.random.default_rng(0).integers(0, 256, (size.height, size.width, 3), np.uint8))
    with Renderer(size) as renderer:
        renderer.upload(_plane(image))
        assert np.array_equal(renderer.draw(Camera()).pixels, image.pixels)
