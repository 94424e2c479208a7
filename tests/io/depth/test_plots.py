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


def figure_of(style: str, cmap: str, bar: str | None) -> bytes:
    """A figure as people make them: dark, transparent, half transparent, beside its photo, on a colored ground."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    with pyplot.style.context("dark_background" if style == "dark" else "default"):
        figure, axes = pyplot.subplots(1, 2 if style == "subplots" else 1, figsize=(6, 4), dpi=90)
        if style == "subplots":
            photo = np.random.default_rng(1).integers(0, 255, (15, 20, 3), np.uint8)
            axes[0].imshow(cv2.resize(photo, (200, 150)))
            axes[0].set_title("Photo")
            axes = axes[1]
        shown = axes.imshow(depth() * 80, cmap=cmap, alpha=0.8 if style == "alpha" else None)
        if bar:
            figure.colorbar(shown, location=bar, shrink=0.8)
        axes.set_title("Depth")
        if style == "ground":
            figure.patch.set_facecolor("#202030")
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", transparent=style == "transparent")
        pyplot.close(figure)
    return buffer.getvalue()


@pytest.mark.parametrize("style", ["dark", "transparent", "alpha", "subplots", "ground"])
@pytest.mark.parametrize(
    ("cmap", "bar"), [("magma", None), ("viridis_r", "left"), ("gist_heat", "bottom"), ("jet", "right")]
)
def test_figures_of_all_styles(style: str, cmap: str, bar: str | None) -> None:
    whole = open_image(figure_of(style, cmap, bar), color_managed=False)
    found, how = depth_from_picture(whole)
    assert "plot cropped to its map" in how
    assert abs(found.size.aspect / (200 / 150) - 1) < 0.03, how
    resized = cv2.resize(found.values, (200, 150), interpolation=cv2.INTER_AREA)
    assert np.median(np.abs(resized - depth())[4:-4, 4:-4]) < 0.03
    assert ("color bar" in how) == (bar is not None)


@pytest.mark.parametrize("cmap", ["gray", "inferno", "viridis", "turbo", "spectral", "jet"])
def test_a_box_before_a_far_wall_is_not_a_plot(cmap: str) -> None:
    from depth3d.io.depth.colormaps import color_table

    for far, inside in ((0.0, 0.2 + 0.7 * depth()), (0.1, np.full((150, 200), 0.8)), (1.0, 0.5 * depth())):
        values = np.full((260, 320), far)
        values[60:210, 70:270] = inside
        assert find_plot(color_table(cmap)[np.rint(values * 255).astype(np.uint8)]) is None or (
            far == 1 and cmap == "gray"
        )


def with_white(kind: str) -> np.ndarray:
    """Values of which the near end, white in some maps, reaches into a corner, across the map, or nowhere."""
    values = 0.8 * depth()
    if kind == "corner":
        values[90:, 130:] = 1
    elif kind == "top":
        values[:60, 60:140] = 1
    elif kind == "across":
        rows, columns = np.mgrid[:150, :200]
        values[np.abs(rows - columns * 0.75) < 14] = 1
    return values


def drawn(values: np.ndarray, cmap: str, *, style: str, spines: str, bar: str | None) -> np.ndarray:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    with pyplot.style.context(style):
        figure, axes = pyplot.subplots(figsize=(5, 4), dpi=80)
        shown = axes.imshow(values * 10, cmap=cmap)
        axes.grid(visible=spines == "grid")
        if spines == "axis off":
            axes.axis("off")
        elif spines == "none":
            axes.spines[:].set_visible(False)
        if bar:
            figure.colorbar(shown, location=bar).outline.set_visible(spines != "none")
        axes.set_title("Depth")
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", bbox_inches="tight")
        pyplot.close(figure)
    picture = Pillow.open(buffer).convert("RGB")
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=80)
    return open_image(buffer.getvalue(), color_managed=False).pixels


@pytest.mark.parametrize(
    ("white", "cmap", "style", "spines", "bar"),
    [
        ("corner", "Blues_r", "default", "axis off", "right"),
        ("corner", "hot", "default", "none", None),
        ("top", "gist_heat", "default", "axis off", None),
        ("across", "magma", "default", "none", "bottom"),
        ("across", "gist_heat", "default", "axis off", "right"),
        ("none", "gray", "fivethirtyeight", "none", None),
        ("none", "gray", "dark_background", "frame", "right"),
        ("corner", "pink", "dark_background", "axis off", "right"),
        ("none", "cool_r", "default", "frame", "bottom"),
        ("none", "terrain", "fivethirtyeight", "frame", "top"),
        ("none", "RdBu", "default", "none", "right"),
        ("none", "Blues", "ggplot", "grid", "left"),
        ("none", "viridis", "seaborn-v0_8", "grid", None),
    ],
)
def test_all_of_the_map_and_nothing_else_is_read(
    white: str, cmap: str, style: str, spines: str, bar: str | None
) -> None:
    from depth3d.image import Image

    truth = with_white(white)
    pixels = drawn(truth, cmap, style=style, spines=spines, bar=bar)
    found, how = depth_from_picture(Image(pixels))
    assert "plot cropped to its map" in how
    assert ("color bar" in how) == (bar is not None), how
    resized = cv2.resize(found.values, (200, 150), interpolation=cv2.INTER_AREA)
    least = 0.95 if spines == "grid" else 0.97
    assert np.corrcoef(resized.ravel(), truth.ravel())[0, 1] > least, how
