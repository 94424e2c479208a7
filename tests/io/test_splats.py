"""Splat files: the bytes mean what readers of each format take them for."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from depth3d.errors import InvalidInput, WriteError
from depth3d.io.splats import write_splats
from depth3d.splats import SplatCloud

COUNT = 50


@pytest.fixture
def cloud() -> SplatCloud:
    generator = np.random.default_rng(5)
    rotations = generator.normal(size=(COUNT, 4)).astype(np.float32)
    rotations /= np.linalg.norm(rotations, axis=1, keepdims=True)
    return SplatCloud(
        generator.uniform(-3, 3, (COUNT, 3)).astype(np.float32),
        generator.uniform(0.001, 0.02, (COUNT, 3)).astype(np.float32),
        rotations,
        generator.integers(0, 255, (COUNT, 3), np.uint8),
        generator.uniform(0.1, 0.9, COUNT).astype(np.float32),
    )


def covariance(scales: NDArray[np.floating], rotations: NDArray[np.floating]) -> NDArray[np.float64]:
    """(N, 3, 3), which is what a renderer makes of scales and rotations (w, x, y, z)."""
    w, x, y, z = (rotations / np.linalg.norm(rotations, axis=1, keepdims=True)).astype(np.float64).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    turn = np.moveaxis(np.array(rows), 2, 0) * scales[:, None, :]
    return np.asarray(turn @ turn.swapaxes(1, 2))


def test_ply_is_read_by_trimesh_and_holds_logarithms(cloud: SplatCloud, tmp_path: Path) -> None:
    import trimesh

    path = write_splats(cloud, tmp_path / "a.ply")
    table = trimesh.load(path).metadata["_ply_raw"]["vertex"]["data"]
    flip = np.array([1, -1, -1])
    places = np.column_stack([table["x"], table["y"], table["z"]])
    assert np.allclose(places, cloud.positions * flip)
    scales = np.exp(np.column_stack([table[f"scale_{k}"] for k in range(3)]))
    turns = np.column_stack([table[f"rot_{k}"] for k in range(4)])
    assert np.allclose(
        covariance(scales, turns), covariance(cloud.scales, cloud.rotations) * np.outer(flip, flip), atol=1e-9
    )
    opacity = 1 / (1 + np.exp(-table["opacity"].ravel()))
    assert np.allclose(opacity, cloud.opacities, atol=1e-5)
    red = 0.5 + 0.28209479177387814 * table["f_dc_0"].ravel()
    assert np.allclose(red * 255, cloud.colors[:, 0], atol=1e-3)


def test_splat_has_32_bytes_each_largest_first(cloud: SplatCloud, tmp_path: Path) -> None:
    data = write_splats(cloud, tmp_path / "a.splat").read_bytes()
    assert len(data) == 32 * COUNT
    floats = np.frombuffer(data, "<f4").reshape(COUNT, 8)[:, :6]
    places = floats[:, :3] * (1, -1, -1)
    order = [int(np.abs(cloud.positions - place).sum(1).argmin()) for place in places]
    assert sorted(order) == list(range(COUNT))
    bytes_ = np.frombuffer(data, np.uint8).reshape(COUNT, 32)
    assert np.array_equal(bytes_[:, 24:27], cloud.colors[order])
    assert np.allclose(bytes_[:, 27] / 255, cloud.opacities[order], atol=1 / 255)
    turns = (bytes_[:, 28:].astype(np.float64) - 128) / 128
    flip = np.array([1, -1, -1])
    wanted = covariance(cloud.scales[order], cloud.rotations[order]) * np.outer(flip, flip)
    assert np.abs(covariance(floats[:, 3:], turns) - wanted).max() < 0.03 * np.abs(wanted).max()
    areas = floats[:, 3] * floats[:, 4]
    assert (areas[:-1] * 2.1 >= areas[1:]).all()


def test_spz_decodes_as_its_specification_says(cloud: SplatCloud, tmp_path: Path) -> None:
    data = gzip.decompress(write_splats(cloud, tmp_path / "a.spz").read_bytes())
    magic, version, count, degree, bits, flags, reserved = struct.unpack_from("<IIIBBBB", data)
    assert (magic, version, count, degree, flags, reserved) == (0x5053474E, 2, COUNT, 0, 0, 0)
    body = np.frombuffer(data, np.uint8, offset=16)
    assert len(body) == COUNT * (9 + 1 + 3 + 3 + 3)
    raw = body[: 9 * COUNT].reshape(COUNT, 3, 3).astype(np.int64)
    fixed = raw[..., 0] | raw[..., 1] << 8 | raw[..., 2] << 16
    fixed = np.where(fixed >= 1 << 23, fixed - (1 << 24), fixed)
    assert np.allclose(fixed / (1 << bits), cloud.positions, atol=1.01 / (1 << bits))
    rest = body[9 * COUNT :]
    opacity, colors, scales, turns = np.split(rest, np.cumsum([COUNT, 3 * COUNT, 3 * COUNT]))
    assert np.allclose(opacity / 255, cloud.opacities, atol=1 / 255)
    harmonic = (colors.reshape(COUNT, 3) / 255 - 0.5) / 0.15
    assert np.abs((0.5 + 0.28209479177387814 * harmonic) * 255 - cloud.colors).max() < 1.5
    assert np.abs(np.exp(scales.reshape(COUNT, 3) / 16 - 10) / cloud.scales - 1).max() < 0.04
    vector = turns.reshape(COUNT, 3) / 127.5 - 1
    whole = np.column_stack([np.sqrt(np.clip(1 - (vector**2).sum(1), 0, 1)), vector])
    wanted = covariance(cloud.scales, cloud.rotations)
    assert np.abs(covariance(cloud.scales, whole) - wanted).max() < 0.05 * np.abs(wanted).max()


def test_far_scenes_use_fewer_fraction_bits_and_farther_ones_are_refused(tmp_path: Path) -> None:
    def at(distance: float) -> SplatCloud:
        ones = np.ones((1, 3), np.float32)
        turn = np.array([[1, 0, 0, 0]], np.float32)
        return SplatCloud(ones * -distance, ones, turn, np.zeros((1, 3), np.uint8), np.ones(1, np.float32))

    data = gzip.decompress(write_splats(at(50_000), tmp_path / "far.spz").read_bytes())
    bits = data[13]
    assert bits < 12
    number = int.from_bytes(data[16:19], "little") - (1 << 24)
    assert number / (1 << bits) == pytest.approx(-50_000, abs=1)
    with pytest.raises(InvalidInput, match="too far"):
        write_splats(at(9e6), tmp_path / "farther.spz")


def test_other_suffixes_and_broken_clouds_are_refused(cloud: SplatCloud, tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="unknown splat format"):
        write_splats(cloud, tmp_path / "a.sog")
    bad = np.array(cloud.scales)
    bad[0, 0] = 0
    with pytest.raises(InvalidInput, match="zero or less"):
        SplatCloud(cloud.positions, bad, cloud.rotations, cloud.colors, cloud.opacities)
    with pytest.raises(InvalidInput, match="shape"):
        SplatCloud(cloud.positions[:-1], cloud.scales, cloud.rotations, cloud.colors, cloud.opacities)
