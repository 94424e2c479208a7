"""Depth of field, motion blur and vignetting, against the formula."""

from __future__ import annotations

import numpy as np
import pytest
from scenes import disc, plane, texture

import depth3d as d3
from depth3d.camera import Camera, CameraPath
from depth3d.geometry.camera.lens import ExposedPath, Lens, lens_points, with_camera_shake
from depth3d.geometry.camera.paths import largest_travel, named_path
from depth3d.geometry.mesh.layers import build_layers
from depth3d.image import Image, Size
from depth3d.render.exposure import Exposure
from depth3d.render.renderer import Renderer

SIZE = Size(200, 120)


def white_line(column: int = 100) -> Image:
    pixels = np.zeros((SIZE.height, SIZE.width, 3), np.uint8)
    pixels[:, column] = 255
    return Image(pixels)


def light(image: Image) -> np.ndarray:
    """Linear light of the green channel."""
    coded = image.pixels[..., 1] / 255
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


def width_of_line(image: Image) -> float:
    """The width of an even band of the same spread of light."""
    row = light(image)[SIZE.height // 2]
    columns = np.arange(SIZE.width)
    middle = (row * columns).sum() / row.sum()
    return float(np.sqrt(12 * (row * (columns - middle) ** 2).sum() / row.sum()))


def frame(image: Image, depth: d3.DepthMap, path: str = "circle", **changes: float) -> Image:
    settings = {"amount": 0.0, "seconds": 1.0, "fps": 2.0, "focus": 0.5} | changes
    return next(d3.render_path(image, depth, path, **settings))  # type: ignore[arg-type]


def test_all_off_is_what_the_pinhole_sees_bit_for_bit() -> None:
    image, depth, _ = disc(SIZE, 30)
    frames = list(d3.render_path(image, depth, amount=4.0, seconds=1, fps=3, focus=0.3))
    path = named_path("circle", Camera(), SIZE.aspect, amount=4.0, seconds=1.0, focus=0.3)
    parallax, border = largest_travel(path, Camera(), SIZE.aspect)
    with Renderer(SIZE) as renderer, Exposure(renderer) as exposure:
        renderer.upload(build_layers(image, depth, parallax_percent=parallax, border_percent=border))
        for number, seen in enumerate(frames):
            camera = path.at(number / 3)
            assert np.array_equal(seen.pixels, renderer.draw(camera).pixels)
            # Nor do many equal views, added up and divided, lose or gain a gray level.
            assert np.array_equal(seen.pixels, exposure.draw([camera] * 5).pixels)


def test_at_the_focus_all_stays_sharp() -> None:
    image = texture(SIZE)
    seen = frame(image, plane(SIZE, 0.5), bokeh=8.0)
    assert np.abs(seen.pixels.astype(int) - image.pixels).max() <= 1


@pytest.mark.parametrize(("depth", "percent"), [(1.0, 8.0), (0.0, 8.0), (0.75, 16.0), (1.0, 16.0)])
def test_off_focus_a_point_blurs_to_the_promised_disc(depth: float, percent: float) -> None:
    seen = frame(white_line(), plane(SIZE, depth), bokeh=percent)
    promised = percent / 100 * SIZE.width * 0.5 * (2 * abs(depth - 0.5))
    # A line blurred by a disc of width d spreads like an even band of width d * sqrt(3) / 2.
    assert width_of_line(seen) == pytest.approx(promised * np.sqrt(3) / 2, rel=0.1, abs=0.3)
    row = light(seen)[SIZE.height // 2]
    assert not row[: int(100 - promised / 2 - 1)].any()
    assert not row[int(100 + promised / 2 + 2) :].any()
    assert row.sum() == pytest.approx(1.0, rel=0.05)  # no light is lost: the mean is of light, not of codes


def test_a_blurred_background_leaves_the_outline_in_focus_sharp() -> None:
    image, depth, coverage = disc(SIZE, 30)
    seen = frame(image, depth, focus=1.0, bokeh=6.0).pixels.astype(int)
    assert np.abs(seen - image.pixels)[coverage == 1].max() <= 2
    around = (coverage == 0) & (np.hypot(*(np.mgrid[0:120, 0:200] + 0.5 - [[[60]], [[100]]])) < 60)
    assert seen[around][:, 1].std() < 0.5 * image.pixels[around][:, 1].std()  # the board is blurred
    away = (coverage == 0) & (np.hypot(*(np.mgrid[0:120, 0:200] + 0.5 - [[[60]], [[100]]])) > 32)
    assert (seen[away][:, 0] - seen[away][:, 1]).max() <= 3  # and no red runs into it


@pytest.mark.parametrize("degrees", [90.0, 180.0, 360.0])
def test_the_shutter_blurs_over_the_way_of_its_opening(degrees: float) -> None:
    # Swing at its fastest: x = amount / 2 * sin(2 pi t / seconds) of the width, here for depth 1, focus 0.
    amount, seconds, fps = 20.0, 4.0, 5.0
    seen = frame(
        white_line(), plane(SIZE, 1.0), "swing", amount=amount, seconds=seconds, fps=fps, focus=0.0, shutter=degrees
    )
    opened = degrees / 360 / fps
    way = 2 * amount / 200 * SIZE.width * np.sin(2 * np.pi * opened / 2 / seconds)
    assert width_of_line(seen) == pytest.approx(np.hypot(way, 1.0), rel=0.06, abs=0.4)


def test_what_stands_still_does_not_blur() -> None:
    image = texture(SIZE)
    seen = frame(image, plane(SIZE, 0.5), "swing", amount=10.0, shutter=360.0)
    assert np.abs(seen.pixels.astype(int) - image.pixels).max() <= 1


def test_vignette_takes_the_promised_light_from_the_corners() -> None:
    image = Image(np.full((120, 200, 3), 200, np.uint8))
    seen = light(frame(image, plane(SIZE, 0.5), vignette=40.0)) / light(image)
    assert seen[0, 0] == pytest.approx(0.6, abs=0.02)
    assert seen[60, 100] == pytest.approx(1.0, abs=0.01)
    assert np.allclose(seen, seen[::-1, ::-1])


def test_shake_moves_the_near_against_the_focus_and_stays_in_its_bounds() -> None:
    photo = Camera()
    still = with_camera_shake(
        named_path("swing", photo, SIZE.aspect, amount=0.0, focus=0.5, seconds=6.0), photo, SIZE.aspect, 3.0, 0.5
    )
    travel, _ = largest_travel(still, photo, SIZE.aspect)
    assert 0.8 < travel <= 3.0 * np.sqrt(2)
    image = texture(SIZE)
    frames = list(d3.render_path(image, plane(SIZE, 1.0), amount=0.0, seconds=1, fps=5, focus=0.5, shake=3.0))
    assert any(np.abs(one.pixels.astype(int) - image.pixels).max() > 8 for one in frames)
    held = list(d3.render_path(image, plane(SIZE, 0.5), amount=0.0, seconds=1, fps=5, focus=0.5, shake=3.0))
    assert all(np.abs(one.pixels.astype(int) - image.pixels).max() <= 1 for one in held)


@pytest.mark.parametrize("path", ["orbit", "dolly", "zoom", "push", "circle"])
def test_from_anywhere_on_the_lens_the_focus_stays_in_place(path: str) -> None:
    photo = Camera(field_of_view=60.0)
    moving = named_path(path, photo, SIZE.aspect, amount=10.0, focus=0.4, seconds=6.0)
    exposed = ExposedPath(moving, photo, SIZE, Lens(bokeh=10.0), 0.4, 30.0)
    point = np.array([0.0, 0.0, -1 / (0.1 + 0.9 * 0.4), 1.0])
    for time in (0.0, 1.1, 3.7):
        landed = np.array([camera.matrix(SIZE.aspect) @ point for camera in exposed.cameras(time, 16)])
        places = landed[:, :2] / landed[:, 2:]
        assert np.ptp(places, axis=0).max() < 1e-9
        assert len({camera.position for camera in exposed.cameras(time, 16)}) == 16


def test_lens_points_fill_the_disc_evenly() -> None:
    points = lens_points(200)
    radii = np.hypot(*points.T)
    assert radii.max() <= 1.02
    assert np.allclose(points.mean(0), 0)
    assert (radii**2).mean() == pytest.approx(0.5, abs=0.02)


def test_more_blur_takes_more_views_up_to_a_bound() -> None:
    path = CameraPath(6.0, lambda phase: Camera())
    counts = [
        ExposedPath(path, Camera(), Size(1920, 1080), Lens(bokeh=b), 0.5, 30).view_count() for b in (0.1, 1, 2, 20)
    ]
    assert counts == sorted(counts)
    assert counts[0] == 7
    assert counts[-1] == 64
    assert ExposedPath(path, Camera(), SIZE, Lens(vignette=30), 0.5, 30).view_count() == 1


@pytest.mark.parametrize("wrong", [{"bokeh": -1}, {"shutter": 400}, {"vignette": 100}, {"shake": float("nan")}])
def test_wrong_values_are_told_at_once(wrong: dict[str, float]) -> None:
    with pytest.raises(d3.InvalidInput, match=next(iter(wrong))):
        d3.render_path(texture(SIZE), plane(SIZE, 0.5), **wrong)  # type: ignore[arg-type]
