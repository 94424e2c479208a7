from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image as Pillow

from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput
from depth3d.image import Image
from depth3d.io.depth.colormaps import HEATMAPS, color_table, colorize, read_heat_map

COLORED = [name for name in HEATMAPS if name != "gray"]


def scene() -> np.ndarray:
    """(H, W) uint8: a slanted ground and a near box with sharp sides."""
    rows, columns = np.mgrid[:120, :160]
    values = (rows * 1.2 + columns * 0.3).astype(np.uint8)
    values[30:90, 50:120] = 240
    return values


def as_jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Pillow.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return np.asarray(Pillow.open(buffer))


@pytest.mark.parametrize("name", COLORED)
def test_colors_go_back_to_the_very_values(name: str) -> None:
    decoded = read_heat_map(color_table(name)[scene()])
    assert decoded is not None
    assert decoded.name == name
    off = np.abs(decoded.values * 255 - scene())
    # Jet has runs of equal colors at its ends; every other map tells all 256 levels apart, give or take one.
    assert off.max() <= (4 if name == "jet" else 1)


@pytest.mark.parametrize("quality", [60, 90])
@pytest.mark.parametrize("name", COLORED)
def test_jpeg_noise_is_tolerated(name: str, quality: int) -> None:
    decoded = read_heat_map(as_jpeg(color_table(name)[scene()], quality))
    assert decoded is not None
    assert decoded.name == name
    off = np.abs(decoded.values * 255 - scene())
    inside = np.ones_like(off, bool)
    inside[24:96, 44:126] = False
    inside[36:84, 56:114] = True
    assert off[inside].max() <= 16, "away from edges"
    assert off[inside].mean() < 1.5


def test_no_spikes_along_an_edge() -> None:
    """The colors that JPEG mixes between far and near may lie on the map's other side; none may stay there."""
    values = np.full((64, 96), 10, np.uint8)
    values[:, 48:] = 120
    decoded = read_heat_map(as_jpeg(color_table("jet")[values], 75))
    assert decoded is not None
    assert decoded.values.max() * 255 < 140


@pytest.mark.parametrize("seed", range(3))
def test_a_photo_is_no_heat_map(seed: int) -> None:
    generator = np.random.default_rng(seed)
    coarse = Pillow.fromarray(generator.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    assert read_heat_map(np.asarray(coarse.resize((160, 120)))) is None


def test_tables_are_those_of_matplotlib() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    for name in COLORED:
        theirs = matplotlib.colormaps["Spectral_r" if name == "spectral" else name](np.arange(256), bytes=True)
        assert np.abs(color_table(name).astype(int) - theirs[:, :3]).max() <= 1, name


def test_writing_puts_the_bright_end_near() -> None:
    for name in ("gray", "inferno", "magma", "viridis", "plasma", "cividis"):
        far, near = color_table(name)[[0, 255]].astype(int).sum(axis=1)
        assert near > far
    picture = colorize(DepthMap(np.array([[0.0, 1.0]], np.float32)), "turbo")
    assert isinstance(picture, Image)
    assert picture.pixels[0].tolist() == color_table("turbo")[[0, 255]].tolist()
    with pytest.raises(InvalidInput, match="inferno"):
        color_table("rainbows")
