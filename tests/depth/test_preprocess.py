"""Network input: the official sizes exactly, the official pixels within 1e-3, other types and shapes sanely."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from depth import golden
from hypothesis import given
from hypothesis import strategies as st

from depth3d.depth import preprocess, registry
from depth3d.depth.card import InputRule
from depth3d.depth.preprocess import network_input, resize_cubic
from depth3d.image import Image, Size


def transforms(folder: Path) -> dict[str, list[str]]:
    by_transform: dict[str, list[str]] = {}
    for variant, transform in json.loads((folder / "preprocess.json").read_text())["variant_to_transform"].items():
        by_transform.setdefault(transform, []).append(variant)
    return by_transform


def test_network_sizes_are_the_official_ones(golden_folder: Path) -> None:
    stored = json.loads((golden_folder / "preprocess.json").read_text())
    count = 0
    for variant, transform in stored["variant_to_transform"].items():
        rule = registry.get(variant).input
        for height, width, net_height, net_width in stored["sizes"][transform]:
            if 0 in (net_height, net_width):
                continue  # the official code fails there; ours clamps to 32
            assert rule.net_size(Size(width, height)) == Size(net_width, net_height), (variant, width, height)
            count += 1
    assert count > 13 * 25


def test_pixels_are_the_official_ones(golden_folder: Path) -> None:
    stored = np.load(golden_folder / "preprocess.npz")
    for transform, variants in transforms(golden_folder).items():
        rule = registry.get(variants[0]).input
        for height, width in ((100, 150), (480, 640)):
            got = network_input(Image(golden.recipe(golden_folder).image(height, width)), rule)
            name = f"{transform}_{height}x{width}"
            assert got.shape == tuple(stored[f"{name}_shape"])
            assert np.abs(got[:, ::8, ::8] - stored[f"{name}_sample"]).max() < 1e-5
            assert np.abs(got[:, :8, :8] - stored[f"{name}_tl"]).max() < 1e-5
            assert np.abs(got[:, -8:, -8:] - stored[f"{name}_br"]).max() < 1e-5


def test_resize_is_cubic_convolution_without_low_pass() -> None:
    values = np.random.default_rng(5).random((53, 71, 3))
    for size in (Size(32, 64), Size(71, 53), Size(160, 96)):
        expected = cv2.resize(values, tuple(size), interpolation=cv2.INTER_CUBIC)
        assert np.abs(resize_cubic(values, size) - expected).max() < 1e-5


def test_sixteen_bit_pictures_give_the_same_input() -> None:
    pixels = np.random.default_rng(6).integers(0, 255, (90, 120, 3), dtype=np.uint8)
    rule = InputRule(256, method="upper_bound")
    eight = network_input(Image(pixels), rule)
    sixteen = network_input(Image(pixels.astype(np.uint16) * 257), rule)
    assert np.abs(eight - sixteen).max() < 1e-6


@given(
    st.integers(1, 20_000),
    st.integers(1, 20_000),
    st.sampled_from([224, 256, 384, 512]),
    st.booleans(),
    st.sampled_from(["minimal", "upper_bound"]),
)
def test_any_picture_gets_a_size_the_network_can_run(
    width: int, height: int, net: int, keep_aspect: bool, method: str
) -> None:
    rule = InputRule(net, keep_aspect=keep_aspect, method=method)  # type: ignore[arg-type]
    size = rule.net_size(Size(width, height))
    assert all(side >= 32 and side % 32 == 0 for side in size)
    if not keep_aspect:
        assert size == Size(net, net)
    elif method == "upper_bound":
        assert max(size) <= net


@pytest.mark.parametrize("size", [Size(12, 9), Size(13, 1), Size(2, 10)])
def test_rows_that_a_row_does_not_depend_on_are_left_out_of_large_reductions(size: Size) -> None:
    values = np.random.default_rng(3).integers(0, 255, (90, 121, 3), dtype=np.uint8)
    rows, columns = (
        preprocess._smooth_weights(*sides) for sides in ((90, size.height), (121, size.width))
    )  # the whole matrices
    whole = np.einsum("yr,xc,rck->yxk", rows, columns, values.astype(np.float64), optimize=True)
    assert np.allclose(preprocess.resize_smooth(values, size), whole, atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    ("old", "new"), [((64, 36), (35, 20)), ((20, 30), (64, 48)), ((5, 7), (32, 32)), ((90, 50), (30, 50))]
)
def test_few_weights_give_what_the_whole_matrix_gives(
    old: tuple[int, int], new: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.random.default_rng(2).integers(0, 256, (old[1], old[0], 3), dtype=np.uint8)
    banded = preprocess.resize_smooth(values, Size(*new))
    monkeypatch.setattr(preprocess, "_MODERATE", 0)
    np.testing.assert_allclose(banded, preprocess.resize_smooth(values, Size(*new)), atol=2e-4)
