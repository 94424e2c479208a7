"""Depth as a clip, and as a spool between two passes."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import make_clip

from depth3d.depthmap import DepthMap
from depth3d.errors import ReadError
from depth3d.image import Size
from depth3d.io.video.depth_clip import DepthClipWriter, read_depth_clip
from depth3d.io.video.spool import DepthRecord, DepthSpoolWriter, read_spool


def test_sixteen_bits_come_back_exactly(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    maps = [DepthMap(rng.integers(0, 65536, (20, 30)).astype(np.float32) / 65535) for _ in range(5)]
    with DepthClipWriter(tmp_path / "d.mkv", Size(30, 20), rate=Fraction(25), time_base=Fraction(1, 25)) as writer:
        for n, depth in enumerate(maps):
            writer.write(depth, Fraction(n, 25))
    found = [shown.depth for shown in read_depth_clip(tmp_path / "d.mkv")]
    assert len(found) == 5
    for a, b in zip(found, maps, strict=True):
        assert np.array_equal(np.round(a.values * 65535), np.round(b.values * 65535))
    rest = list(read_depth_clip(tmp_path / "d.mkv", begin=Fraction(3, 25), invert=True))
    assert [(shown.time, shown.end) for shown in rest] == [(Fraction(n, 25), Fraction(n + 1, 25)) for n in (3, 4)]
    assert np.allclose(rest[0].depth.values, 1 - maps[3].values, atol=1e-5)


def test_an_ordinary_gray_clip_is_read_by_its_brightness(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "d.mp4", count=3)
    depth = next(read_depth_clip(clip)).depth
    assert depth.size == Size(64, 48)
    # The lower rows of the test picture are greener.
    assert depth.values[44].mean() > depth.values[26].mean() > depth.values[2].mean()


def test_what_is_no_clip(tmp_path: Path) -> None:
    (tmp_path / "d.mkv").write_bytes(b"no clip")
    with pytest.raises(ReadError, match=r"d\.mkv"):
        next(read_depth_clip(tmp_path / "d.mkv"))


def test_spool_keeps_every_bit(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    records = [DepthRecord(n, n * 1001, n // 3, rng.normal(size=(9, 16)).astype(np.float16)) for n in range(7)]
    with DepthSpoolWriter(tmp_path / "a.spool") as spool:
        for record in records:
            spool.add(record)
    found = list(read_spool(tmp_path / "a.spool"))
    assert [(r.index, r.ticks, r.scene) for r in found] == [(r.index, r.ticks, r.scene) for r in records]
    assert all(np.array_equal(a.values, b.values) for a, b in zip(found, records, strict=True))


@pytest.mark.parametrize("keep", [10, 60, -1])
def test_a_cut_off_spool_is_noticed(tmp_path: Path, keep: int) -> None:
    with DepthSpoolWriter(tmp_path / "a.spool") as spool:
        spool.add(DepthRecord(0, 0, 0, np.ones((9, 16), np.float16)))
    data = (tmp_path / "a.spool").read_bytes()
    (tmp_path / "a.spool").write_bytes(data[:keep])
    with pytest.raises(ReadError, match="delete it"):
        list(read_spool(tmp_path / "a.spool"))
