"""Read-back returns the framebuffer's pixels, whatever its width."""

from __future__ import annotations

import numpy as np
import pytest

from depth3d.image import Image
from depth3d.render.readback import read_image


class Target:
    """A framebuffer of these texels."""

    def __init__(self, texels: np.ndarray) -> None:
        self.size = texels.shape[1::-1]
        self._texels = texels

    def read(self, *, components: int, alignment: int) -> bytes:
        assert (components, alignment) == (4, 1)
        return self._texels.tobytes()


@pytest.mark.parametrize("shape", [(1, 1), (3, 70_000), (700, 301)])
def test_every_band_is_read(shape: tuple[int, int]) -> None:
    texels = np.random.default_rng(0).integers(0, 256, (*shape, 4), np.uint8)
    assert np.array_equal(read_image(Target(texels)).pixels, texels[..., :3])
    both: Image = read_image(Target(texels), alpha=True)
    assert both.alpha is not None
    assert np.array_equal(np.dstack([both.pixels, both.alpha]), texels)
