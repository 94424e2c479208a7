"""Depth at the picture's size: steps where the picture has them, and better than bicubic where truth is known."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from depth3d.depth import refine
from depth3d.errors import InvalidInput
from depth3d.image import Image, Size
from depth3d.io.image.read import save_image

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def measurement() -> ModuleType:
    path = EXAMPLES / "measure_upsampling.py"
    if not path.is_file():
        pytest.skip("examples are not here")
    spec = importlib.util.spec_from_file_location("measure_upsampling", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def gain(measurement: ModuleType, scene: object) -> tuple[float, float]:
    plain = measurement.measure(scene, lambda values: refine.bicubic(values, scene.image.size))
    ours = measurement.measure(scene, lambda values: refine.upsample(values, scene.image))
    return plain["edges"] / ours["edges"], plain["all"] / ours["all"]


def test_five_times_better_near_edges_on_the_synthetic_scene(measurement: ModuleType) -> None:
    near, everywhere = gain(measurement, measurement.synthetic())
    assert near > 20
    assert everywhere > 20


@pytest.mark.parametrize("name", ["art", "cones", "motorcycle", "tsukuba"])
def test_better_on_every_real_scene(
    measurement: ModuleType, request: pytest.FixtureRequest, tmp_path: Path, name: str
) -> None:
    if name == "motorcycle":  # scikit-image carries it
        left, _, truth = pytest.importorskip("skimage.data").stereo_motorcycle()
        save_image(Image(left), tmp_path / "left.png")
        np.save(tmp_path / "disp_left.npy", np.where(np.isfinite(truth), truth, np.nan))
        folder = tmp_path
    else:
        folder = request.getfixturevalue("shared") / "data" / "stereo" / name
    near, everywhere = gain(measurement, measurement.load(folder))
    assert near > 1.6
    assert everywhere > 1.5


def half_red(width: int, height: int, edge: int) -> Image:
    pixels = np.full((height, width, 3), 40, np.uint8)
    pixels[:, :edge] = (200, 60, 60)
    return Image(pixels)


def test_a_blurred_step_becomes_a_step_at_the_color_edge() -> None:
    guide = half_red(320, 240, 150)
    truth = np.zeros((240, 320), np.float32)
    truth[:, :150] = 1
    network = cv2.resize(cv2.GaussianBlur(truth, (0, 0), 6), (80, 60), interpolation=cv2.INTER_AREA)
    found = refine.upsample(network, guide)
    assert found.dtype == np.float32
    assert found.shape == (240, 320)
    assert found[:, :149].min() > 0.98
    assert found[:, 151:].max() < 0.02


def test_a_slope_without_edges_stays_a_slope() -> None:
    random = np.random.default_rng(1)
    guide = Image(random.integers(0, 255, (240, 320, 3), dtype=np.uint8))
    network = np.broadcast_to(np.linspace(2, 5, 60, dtype=np.float32)[:, None], (60, 80)).copy()
    found = refine.upsample(network, guide)
    rows = (np.arange(240) + 0.5) / 4 - 0.5
    expected = 2 + 3 * np.clip(rows, 0, 59) / 59
    assert np.abs(found - expected[:, None]).max() < 0.05


def test_the_range_stays() -> None:
    random = np.random.default_rng(2)
    network = cv2.GaussianBlur(random.random((24, 32)).astype(np.float32), (0, 0), 2) * 900 - 100
    found = refine.upsample(network, Image(random.integers(0, 255, (97, 131, 3), dtype=np.uint8)))
    assert found.min() >= network.min() - 1e-3
    assert found.max() <= network.max() + 1e-3


@pytest.mark.parametrize("size", [Size(1, 1), Size(3, 500), Size(7, 5), Size(64, 48), Size(20, 12)])
def test_any_size_even_smaller_than_the_network(size: Size) -> None:
    random = np.random.default_rng(3)
    network = random.random((48, 64)).astype(np.float32)
    found = refine.upsample(network, Image(random.integers(0, 65535, (size.height, size.width, 3), dtype=np.uint16)))
    assert found.shape == (size.height, size.width)
    assert np.isfinite(found).all()


def test_a_flat_map_stays_flat() -> None:
    found = refine.upsample(np.full((6, 8), 3.0, np.float32), half_red(40, 30, 20))
    assert (found == 3.0).all()


def test_wrong_shapes_are_told() -> None:
    with pytest.raises(InvalidInput, match=r"\(3, 4, 5\)"):
        refine.upsample(np.zeros((3, 4, 5), np.float32), half_red(4, 4, 2))


def test_large_photos_are_solved_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refine, "SOLVER_PIXELS", 10_000)
    truth = np.zeros((240, 320), np.float32)
    truth[:, :150] = 1
    network = cv2.resize(cv2.GaussianBlur(truth, (0, 0), 6), (80, 60), interpolation=cv2.INTER_AREA)
    found = refine.upsample(network, half_red(320, 240, 150))
    assert found[:, :145].min() > 0.95
    assert found[:, 155:].max() < 0.05


def test_frames_of_clips_get_the_same_depth_in_fewer_rounds() -> None:
    network = np.where(np.arange(64) < 30, 0.2, 0.9).astype(np.float32)[None].repeat(48, 0)
    guide = half_red(320, 240, 150)
    photo, frame = refine.upsample(network, guide), refine.upsample_frame(network, guide)
    assert frame.min() >= 0
    assert frame.max() <= 1
    assert np.abs(frame - photo).max() < 0.02


def step(width: int, height: int) -> np.ndarray:
    """(height, width) float32 inverse depth: a slope, and before it a disc that is 0.5 nearer."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32) / np.float32(width)
    disc = np.hypot(rows - 0.35, columns - 0.5) < 0.2
    return np.asarray(0.3 * rows + 0.5 * disc, np.float32)


def test_details_of_a_larger_input_sharpen_depth_in_its_own_unit() -> None:
    exact = step(320, 224)
    coarse = cv2.resize(cv2.GaussianBlur(exact, (0, 0), 5), (160, 112), interpolation=cv2.INTER_AREA)
    for scale, shift in ((1.0, 0.0), (40.0, -3.0)):  # the unit of the details does not matter
        joined = refine.add_detail(7 * coarse + 2, scale * exact + shift)
        assert joined.dtype == np.float32
        assert joined.shape == exact.shape
        enlarged = 7 * refine.bicubic(coarse, Size(320, 224)) + 2
        truth = 7 * exact + 2
        before, after = (float(np.sqrt(np.mean((found - truth) ** 2))) for found in (enlarged, joined))
        assert after < 0.4 * before


@pytest.mark.parametrize("flat", ["coarse", "detailed", "both"])
def test_depth_without_details_stays(flat: str) -> None:
    coarse, detailed = cv2.GaussianBlur(step(80, 64), (0, 0), 2), step(160, 128)
    coarse = np.full_like(coarse, 0.4) if flat != "detailed" else coarse
    detailed = np.zeros_like(detailed) if flat != "coarse" else detailed
    joined = refine.add_detail(coarse, detailed)
    assert joined.shape == (128, 160)
    np.testing.assert_allclose(joined, refine.bicubic(coarse, Size(160, 128)), atol=0.02)
