"""Views of scenes known by formula."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from compare import assert_alike
from scenes import disc, plane, step, texture

import depth3d as d3
from depth3d.depthmap import DepthMap
from depth3d.geometry.mesh.layers import build_layers
from depth3d.image import Image, Size
from depth3d.layeredmesh import LayeredMesh
from depth3d.render.renderer import Renderer

SIZE = Size(160, 96)


@pytest.mark.parametrize(("depth", "convergence"), [(0.5, 0.0), (1.0, 0.0), (0.25, 0.75), (1.0, 0.5)])
@pytest.mark.parametrize("eyes", ["right", "left"])
def test_a_plane_shifts_by_exactly_the_promised_pixels(depth: float, convergence: float, eyes: str) -> None:
    image = texture(SIZE)
    parallax = 10.0  # 16 pixels
    pair = d3.stereo_pair(image, plane(SIZE, depth), parallax, convergence, eyes=eyes)
    shift = round(SIZE.width * parallax / 100 * (depth - convergence)) * (1 if eyes == "right" else -1)
    new = pair.right if eyes == "right" else pair.left
    low, high = max(0, shift), SIZE.width + min(0, shift)
    expected = image.pixels[:, low:high].astype(int)
    seen = new.pixels[:, low - shift : high - shift].astype(int)
    assert np.abs(seen - expected).max() <= 1


@pytest.mark.parametrize("eyes", ["right", "left"])
def test_the_other_eye_is_the_input_bit_for_bit(eyes: str) -> None:
    image, depth = step(SIZE, 60, 100)
    pair = d3.stereo_pair(image, depth, 4.0, 0.5, eyes=eyes)
    other = pair.left if eyes == "right" else pair.right
    assert np.array_equal(other.pixels, image.pixels)


def test_a_step_hides_and_shows_exactly_its_parallax() -> None:
    image, depth = step(SIZE, 60, 100)
    pair = d3.stereo_pair(image, depth, 10.0, 0.0, eyes="right")
    red = (pair.right.pixels[..., 0] > 128).sum(1)
    # The wall keeps its width (and the pixel by which the foreground grows), and stands 16 pixels further left.
    assert np.abs(red - 40).max() <= 1
    row = pair.right.pixels[SIZE.height // 2]
    assert (row[45:83, 0] > 200).all()
    assert (row[:42, 2] > 150).all()
    assert (row[86:, 2] > 150).all()


def test_left_and_right_eye_are_mirror_images() -> None:
    image, depth = step(SIZE, 50, 90)
    mirrored = Image(image.pixels[:, ::-1].copy()), d3.DepthMap(depth.values[:, ::-1].copy())
    right = d3.stereo_pair(image, depth, 8.0, 0.3, eyes="right").right
    left = d3.stereo_pair(*mirrored, 8.0, 0.3, eyes="left").left
    assert_alike(Image(left.pixels[:, ::-1].copy()), right)


@pytest.mark.parametrize("path", ["circle", "swing", "orbit", "dolly", "zoom", "push", "auto"])
def test_zero_amount_returns_the_picture(path: str) -> None:
    image = texture(SIZE)
    depth = d3.DepthMap(np.random.default_rng(1).random((SIZE.height, SIZE.width), np.float32))
    for frame in d3.render_path(image, depth, path, amount=0.0, seconds=1, fps=3):
        assert np.abs(frame.pixels.astype(int) - image.pixels).max() <= 1


@pytest.mark.parametrize("quality", ["draft", "normal", "high"])
def test_no_view_has_a_hole(quality: str) -> None:
    # A picture without any dark pixel: whatever is dark in a view is a hole or a black border.
    image, depth, _ = disc(SIZE, 30)
    for path in ("circle", "push", "dolly"):
        for frame in d3.render_path(image, depth, path, amount=6.0, seconds=1, fps=4, quality=quality):
            assert frame.pixels.max(2).min() > 40


def test_no_foreground_color_outside_the_silhouette() -> None:
    image, depth, _ = disc(Size(240, 160), 40)
    parallax = 5.0  # 12 pixels
    seen = d3.stereo_pair(image, depth, parallax, 0.0, eyes="right").right.pixels.astype(int)
    tinted = seen[..., 0] - seen[..., 1] > 12
    rows, columns = np.nonzero(tinted)
    away = np.hypot(rows + 0.5 - 80, columns + 0.5 - (120 - 12))
    assert away.max() <= 40 + 1.0 + 0.5


@pytest.mark.parametrize("eyes", ["left", "right"])
@pytest.mark.parametrize("light", [True, False])
def test_no_dots_beside_outlines(eyes: str, light: bool) -> None:
    """A disc on a plain ground, colors and depths mixed along the outline, as resizing mixes them."""
    size, fine = Size(180, 120), 8
    rows, columns = np.mgrid[0 : size.height * fine, 0 : size.width * fine] / fine
    inside = np.hypot(rows - 60, columns - 90) < 38.3
    share = cv2.resize(inside.astype(np.float32), tuple(size), interpolation=cv2.INTER_AREA)[..., None]
    ground, front = (12.0, 235.0) if light else (235.0, 12.0)
    image = Image(np.rint(share * front + (1 - share) * ground).astype(np.uint8).repeat(3, axis=2))
    depth = d3.DepthMap(0.1 + 0.8 * share[..., 0])
    pair = d3.stereo_pair(image, depth, 4.0, 0.5, eyes=eyes)
    seen = (pair.left if eyes == "left" else pair.right).pixels
    dots = np.abs(cv2.medianBlur(seen, 3).astype(int) - seen).max(2) > 36
    assert not dots.any()


def test_the_background_behind_the_disc_is_filled_with_background() -> None:
    image, depth, _ = disc(Size(240, 160), 40)
    seen = d3.stereo_pair(image, depth, 5.0, 0.0, eyes="right").right.pixels.astype(int)
    rows, columns = np.mgrid[0:160, 0:240]
    opened = (np.hypot(rows + 0.5 - 80, columns + 0.5 - 120) < 38) & (
        np.hypot(rows + 0.5 - 80, columns + 0.5 - 108) > 42
    )
    assert opened.any()
    gray = np.abs(seen[opened] - seen[opened].mean(1, keepdims=True)).max()
    assert gray <= 12


def test_sizes_of_another_shape_are_cut_not_stretched() -> None:
    pixels = np.full((100, 100, 3), 200, np.uint8)
    pixels[40:60, 40:60] = (10, 10, 10)
    image, depth = Image(pixels), plane(Size(100, 100), 0.5)
    frame = next(d3.render_path(image, depth, amount=0.0, seconds=1, fps=2, size=Size(100, 50)))
    dark = frame.pixels[..., 0] < 100
    assert dark.any(0).sum() == dark.any(1).sum() == 20


@pytest.mark.parametrize("shape", [(1, 1), (2, 5), (3, 300), (300, 3)])
def test_odd_little_pictures(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    image = Image(rng.integers(0, 256, (*shape, 3), dtype=np.uint8))
    depth = d3.DepthMap(rng.random(shape, np.float32))
    assert d3.stereo_pair(image, depth, 3.0).right.size == image.size
    assert all(frame.size == image.size for frame in d3.render_path(image, depth, seconds=1, fps=2))


def test_wrong_values_are_told_at_once() -> None:
    image, depth = step(SIZE, 50, 90)
    with pytest.raises(d3.InvalidInput, match="eyes"):
        d3.stereo_pair(image, depth, eyes="middle")  # type: ignore[arg-type]
    with pytest.raises(d3.InvalidInput, match="path"):
        d3.render_path(image, depth, path="spiral")
    with pytest.raises(d3.InvalidInput, match="focus"):
        d3.render_path(image, depth, focus=1.5)
    with pytest.raises(d3.InvalidInput, match="amount"):
        d3.render_path(image, depth, amount=float("nan"))


def test_stills_are_read_sharper_than_by_bilinear_interpolation() -> None:
    noise = np.random.default_rng(0).normal(128, 90, (SIZE.height, SIZE.width, 3)).astype(np.float32)
    fine = np.clip(cv2.GaussianBlur(noise, (0, 0), 1.0), 0, 255)
    image = Image(np.rint(fine).astype(np.uint8))
    view = d3.stereo_pair(image, plane(SIZE, 1.0), 100 * 2.5 / SIZE.width, 0.0, eyes="right").right
    # Half a pixel between columns: the exact value by the Fourier transform of the row, mirrored to be periodic.
    mirrored = np.concatenate([image.pixels, image.pixels[:, ::-1]], 1)
    turn = np.exp(2j * np.pi * np.fft.fftfreq(2 * SIZE.width) * 2.5)[None, :, None]
    exact = np.fft.ifft(np.fft.fft(mirrored, axis=1) * turn, axis=1).real
    linear = (image.pixels[:, 2:-1].astype(float) + image.pixels[:, 3:]) / 2
    middle = slice(8, SIZE.width - 16)
    wrong = np.abs(view.pixels[:, middle] - exact[:, middle]).mean()
    assert wrong < 0.5 * np.abs(linear[:, middle] - exact[:, middle]).mean()


def test_a_sharp_line_between_two_tones_gets_no_halo() -> None:
    row = np.where(np.arange(SIZE.width) < 80, 60, 180).astype(np.uint8)
    image = Image(np.broadcast_to(row[None, :, None], (SIZE.height, SIZE.width, 3)).copy())
    view = d3.stereo_pair(image, plane(SIZE, 1.0), 100 * 2.5 / SIZE.width, 0.0, eyes="right").right
    assert view.pixels.min() >= 60 - 1
    assert view.pixels.max() <= 180 + 1


def overlapping_discs() -> tuple[Image, DepthMap]:
    """24 discs, each of another depth and color, before a wall."""
    rng = np.random.default_rng(0)
    values = np.full((240, 320), 0.1, np.float32)
    pixels = np.full((240, 320, 3), 128, np.uint8)
    for level in np.linspace(0.2, 1, 24):
        at, radius = (int(rng.integers(320)), int(rng.integers(240))), int(rng.integers(8, 50))
        cv2.circle(values, at, radius, float(level), -1)
        cv2.circle(pixels, at, radius, rng.integers(0, 256, 3).tolist(), -1)
    return Image(pixels), DepthMap(values)


def test_the_third_layer_never_covers_the_second() -> None:
    """Its cells were means over other pixels than the second's, and came out in front of it: blots beside outlines."""
    image, depth = overlapping_discs()
    mesh = build_layers(image, depth, parallax_percent=6.0, backdrop=False)
    assert len(mesh.layers) == 3
    seen = []
    with Renderer(image.size) as renderer:
        for layers in (mesh.layers[1:2], mesh.layers[:2]):
            renderer.upload(LayeredMesh(layers, mesh.size, mesh.camera))
            seen.append(renderer.draw_with_depth(mesh.camera)[1])
    covered = np.isfinite(seen[0])
    assert covered.mean() > 0.1
    assert (seen[1] - seen[0])[covered].max() < 1e-4


def test_from_its_own_place_a_photo_stays_as_it_is_where_surfaces_cross() -> None:
    """Cells of a nearer thing were cut out of one behind it, and showed what lies behind both: dashes."""
    image, depth = overlapping_discs()
    with Renderer(image.size) as renderer:
        renderer.upload(build_layers(image, depth, parallax_percent=6.0))
        drawn = renderer.draw(d3.Camera())
    other = np.abs(drawn.pixels.astype(int) - image.pixels).max(2) > 60
    assert other.sum() < 100  # 51 are, 417 were
