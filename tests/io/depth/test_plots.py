"""Heat maps saved as plots: the map is found, and read by its color bar if there is one."""

from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from depth3d.io.depth.interpret import depth_from_picture
from depth3d.io.depth.plots import find_plot
from depth3d.io.image.read import open_image


def depth() -> np.ndarray:
    rows, columns = np.mgrid[:150, :200].astype(np.float32)
    values = 0.15 + 0.4 * rows / 150 + 0.05 * np.sin(columns / 20)
    values[(columns - 120) ** 2 + (rows - 70) ** 2 < 900] = 0.95
    values[100:140, 20:70] = 0.75
    return (values - values.min()) / np.ptp(values)


def plot(cmap: str, *, bar: str = "", title: bool = False, tight: bool = False, kind: str = "png") -> np.ndarray:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(5, 4), dpi=100)
    shown = axes.imshow(depth(), cmap=cmap)
    if bar:
        figure.colorbar(shown, orientation=bar)
    if title:
        axes.set_title("Predicted depth")
        axes.set_xlabel("x")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", bbox_inches="tight" if tight else None)
    pyplot.close(figure)
    picture = Pillow.open(buffer).convert("RGB")
    if kind == "small":
        picture = picture.resize((picture.width * 7 // 10, picture.height * 7 // 10), Pillow.Resampling.LANCZOS)
    if kind != "png":
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=88)
    return open_image(buffer.getvalue(), color_managed=False).pixels


def error(pixels: np.ndarray, **settings: Any) -> tuple[float, str]:
    from depth3d.image import Image

    found, how = depth_from_picture(Image(pixels), **settings)
    assert abs(found.size.aspect / (200 / 150) - 1) < 0.03, how
    resized = cv2.resize(found.values, (200, 150), interpolation=cv2.INTER_AREA)
    inner = np.abs(resized - depth())[4:-4, 4:-4]
    return float(np.median(inner)), how


@pytest.mark.parametrize("kind", ["png", "jpg", "small"])
@pytest.mark.parametrize("tight", [True, False])
@pytest.mark.parametrize("title", [True, False])
@pytest.mark.parametrize("cmap", ["viridis", "inferno", "turbo", "hot", "gray"])
def test_the_plot_area_is_the_map(cmap: str, title: bool, tight: bool, kind: str) -> None:
    off, how = error(plot(cmap, title=title, tight=tight, kind=kind))
    assert off < 0.03
    assert "plot cropped to its map" in how


@pytest.mark.parametrize("kind", ["png", "jpg"])
@pytest.mark.parametrize("bar", ["vertical", "horizontal"])
@pytest.mark.parametrize("cmap", ["viridis", "magma_r", "Spectral", "gnuplot2", "RdYlBu_r"])
def test_the_color_bar_is_the_scale_of_any_colors(cmap: str, bar: str, kind: str) -> None:
    off, how = error(plot(cmap, bar=bar, kind=kind))
    assert off < 0.03
    assert "color bar" in how


def test_without_a_bar_a_reversed_map_has_its_bright_end_near() -> None:
    off, _ = error(plot("viridis_r"), invert=True)
    assert off < 0.02


@pytest.mark.parametrize("margin", [3, 10, 40])
def test_a_white_margin_alone(margin: int) -> None:
    from depth3d.io.depth.colormaps import color_table

    pixels = color_table("inferno")[np.rint(depth() * 255).astype(np.uint8)]
    padded = np.pad(pixels, ((margin, margin), (margin, margin), (0, 0)), constant_values=255)
    off, _ = error(padded)
    assert off < 0.005


def test_ordinary_maps_and_photos_are_not_plots() -> None:
    gray = np.repeat(np.rint(depth() * 255).astype(np.uint8)[..., None], 3, axis=2)
    assert find_plot(gray) is None
    white_below = gray.copy()
    white_below[100:] = 255
    assert find_plot(white_below) is None
    noise = np.random.default_rng(0).integers(0, 255, (150, 200, 3), np.uint8)
    assert find_plot(noise) is None
    assert find_plot(np.full((150, 200, 3), 255, np.uint8)) is None
