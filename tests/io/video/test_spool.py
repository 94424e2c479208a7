"""The stored depth of a clip: exact, and never larger in memory than its header promises."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest

from depth3d.errors import ReadError
from depth3d.io.video.spool import DepthRecord, DepthSpoolWriter, read_spool

HEADER = struct.Struct("<qqiHHI")
END = HEADER.pack(-1, 0, 0, 0, 0, 0)


def test_records_come_back_exactly(tmp_path: Path) -> None:
    values = np.random.default_rng(0).uniform(0, 1, (6, 8)).astype(np.float16)
    with DepthSpoolWriter(tmp_path / "depth") as spool:
        spool.add(DepthRecord(3, 40, 1, values))
    (record,) = read_spool(tmp_path / "depth")
    assert (record.index, record.ticks, record.scene) == (3, 40, 1)
    np.testing.assert_array_equal(record.values, values)


@pytest.mark.security
@pytest.mark.parametrize(("height", "width"), [(2, 2), (65535, 65535)])
def test_a_made_record_cannot_fill_the_memory(height: int, width: int, tmp_path: Path) -> None:
    bomb = zlib.compress(bytes(300_000_000), 9)
    (tmp_path / "depth").write_bytes(HEADER.pack(0, 0, 0, height, width, len(bomb)) + bomb + END)
    tracemalloc.start()
    with pytest.raises(ReadError, match="is damaged"):
        list(read_spool(tmp_path / "depth"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50e6
