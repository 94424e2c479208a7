"""Pictures and depth of any kind are converted at the public border; misuse never ends in a foreign exception."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

import depth3d as d3
from depth3d.pipeline.border import as_depth, as_disparity, as_image, as_pair

torch = pytest.importorskip("torch")

PIXELS = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
RAMP = np.tile(np.linspace(0, 1, 32, dtype=np.float32), (24, 1))
IMAGE, DEPTH = d3.Image(PIXELS), d3.DepthMap(RAMP)


class Broken:
    """Its own methods fail."""

    def __array__(self, *_: object, **__: object) -> None:
        raise RuntimeError("no array")

    def __repr__(self) -> str:
        raise RuntimeError("no words")


class BrokenPath:
    def __fspath__(self) -> str:
        raise RuntimeError("no path")


MISUSE: list[Any] = [
    *(Broken(), BrokenPath(), np.broadcast_to(np.float32(0), (10**6, 10**6)), 10**5000),
    *(np.broadcast_to(np.uint8(0), (10**6, 10**6, 3)), np.zeros(3, "M8[s]")),
    *(None, 5, -1.5, True, object(), [], {}, (), "", "no such file.png", b"", b"x", "a\0b", 1j, lambda: None),
    *(np.zeros(3), np.zeros((0, 4, 3), np.uint8), np.full((4, 4), np.nan), np.array(["a"]), np.array([None])),
    *(np.full((4, 4, 3), 1e9), np.full((4, 4, 3), -1), torch.zeros(2, 3, 4, 5), torch.zeros(4, 4).to_sparse()),
    *(torch.zeros(4, 4, device="meta"), float("nan"), float("inf"), IMAGE, DEPTH, d3.Size(4, 4)),
]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hostile values are file names, too: what is written under them goes to a temporary folder."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "value",
    [
        PIXELS,
        np.dstack([PIXELS, np.full((24, 32), 255, np.uint8)]),
        PIXELS.astype(np.int64),
        PIXELS.astype(np.float64) / 255,
        torch.from_numpy(PIXELS),
        torch.from_numpy(PIXELS).permute(2, 0, 1),
        (torch.from_numpy(PIXELS).float() / 255).requires_grad_(),
        Pillow.fromarray(PIXELS),
    ],
)
def test_every_kind_of_picture(value: object) -> None:
    assert np.array_equal(as_image(value).pixels, PIXELS)


def test_bfloat16_and_booleans() -> None:
    coarse = as_image((torch.from_numpy(PIXELS).float() / 255).bfloat16()).pixels
    assert np.abs(coarse.astype(int) - PIXELS).max() <= 1
    assert set(np.unique(as_image(PIXELS[..., 0] > 99).pixels)) == {0, 255}
    assert np.abs(as_depth(torch.from_numpy(RAMP).bfloat16().requires_grad_()).values - RAMP).max() < 0.01


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "I;16"])
def test_pillow_pictures_of_every_mode(mode: str) -> None:
    if mode in ("I", "F", "I;16"):
        picture = Pillow.fromarray({"I": np.int32, "F": np.float32, "I;16": np.uint16}[mode](RAMP))
    else:
        rgb = Pillow.fromarray(PIXELS)
        picture = Pillow.new("LAB", rgb.size) if mode == "LAB" else rgb.convert(mode)
    assert picture.mode == mode
    assert as_image(picture).size == d3.Size(32, 24)


def test_depth_pairs_and_paths(tmp_path: Path) -> None:
    d3.save_image(PIXELS, tmp_path / "photo.png")  # type: ignore[arg-type]
    d3.write_depth(RAMP, str(tmp_path / "depth.npy"))  # type: ignore[arg-type]
    assert np.array_equal(as_image(tmp_path / "photo.png").pixels, PIXELS)
    assert np.array_equal(as_depth(str(tmp_path / "depth.npy")).values, RAMP)
    assert np.array_equal(as_disparity(torch.from_numpy(RAMP * 9)).values, RAMP * 9)
    assert as_pair((PIXELS, IMAGE)).size == d3.Size(32, 24)
    pair = d3.stereo_pair(str(tmp_path / "photo.png"), tmp_path / "depth.npy", eyes="right")  # type: ignore[arg-type]
    assert np.array_equal(pair.left.pixels, PIXELS)
    assert d3.compose((PIXELS, PIXELS), "sbs").size == d3.Size(64, 24)  # type: ignore[arg-type]


GOOD: dict[str, Any] = {
    **{"image": IMAGE, "left": IMAGE, "right": IMAGE, "images": [IMAGE], "frames": [IMAGE], "disparities": [DEPTH]},
    **{"depth": DEPTH, "pair": d3.StereoPair(IMAGE, IMAGE), "source": PIXELS},
}
CALLS = [
    (name, parameter)
    for name in sorted(d3._AT_BORDER)
    for parameter in inspect.signature(getattr(d3, name)).parameters
    if parameter not in ("quiet", "force", "progress", "flow", "matcher", "heatmap", "tremble")
]


@pytest.mark.parametrize(("name", "parameter"), CALLS, ids=lambda part: part)
def test_no_misuse_ends_in_a_foreign_exception(name: str, parameter: str, tmp_path: Path) -> None:
    function = getattr(d3, name)
    needed = inspect.signature(function).parameters.values()
    for value in MISUSE:
        arguments = {one.name: GOOD.get(one.name, tmp_path / "x.png") for one in needed if one.default is one.empty}
        if "model" in inspect.signature(function).parameters:
            arguments["model"] = "gradient"
        if name == "render_path":
            arguments |= {"seconds": 0.05, "fps": 30}
        try:
            result = function(**{**arguments, parameter: value})
            if hasattr(result, "__next__"):
                list(result)
        except d3.Depth3DError:
            continue


MAKERS = [d3.Image, d3.DepthMap, d3.Disparity, d3.DepthMap.from_metric, d3.DepthMap.from_gray]


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__qualname__)
def test_nouns_refuse_what_they_are_not(make: Any) -> None:
    for value in MISUSE:
        try:
            make(value)
        except d3.Depth3DError:
            continue
    for value in (None, "x", object(), np.zeros(3)):
        with pytest.raises(d3.InvalidInput):
            make(value)


def test_pairs_of_arrays_and_metric_ranges_are_refused() -> None:
    with pytest.raises(d3.InvalidInput, match="left is ndarray, expected Image"):
        d3.StereoPair(PIXELS, PIXELS)  # type: ignore[arg-type]
    for wrong in ({"near": float("nan")}, {"near": -1}, {"far": "x"}):
        with pytest.raises(d3.InvalidInput, match="expected meters > 0"):
            d3.DepthMap.from_metric(RAMP + 1, **wrong)  # type: ignore[arg-type]
