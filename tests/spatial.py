"""An MV-HEVC clip (``data/spatial.hevc``) in the containers that phones and headsets write."""

from __future__ import annotations

import re
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
import numpy as np
from clips import insert_into_sample_entry
from stereoscenes import moving_square

SAMPLE = Path(__file__).parent / "data" / "spatial.hevc"
COUNT = 6
_SPS, _PPS = 33, 34


def eyes(index: int) -> tuple[np.ndarray, np.ndarray]:
    """The gray pictures (H, W) that were encoded."""
    left, right = moving_square(index)
    return left.mean(-1), right.mean(-1)


def write_spatial(path: Path, *, right_first: Literal["stream", "box"] | None = None) -> Path:
    """Write the sample as MP4 or MOV: ``hvc1`` with the parameter sets of the second layer in ``lhvC``.

    With ``right_first`` the stream, or only Apple's ``vexu`` box, says that the base view is that of the right eye.
    """
    data = SAMPLE.read_bytes()
    if right_first is not None:
        # In the message "3D reference displays" the view ids 0 (as bits 1) and 1 (as bits 010) change places.
        told, swapped = bytes.fromhex("4e01b004040d001080"), bytes.fromhex("4e01b004040a801080")
        assert told in data
        data = data.replace(told, swapped) if right_first == "stream" else data.replace(b"\0\0\1" + told, b"")
    source = path.with_suffix(".hevc")
    source.write_bytes(data)
    shown: list[int] = []
    with av.open(str(source), format="hevc") as container:
        container.streams.video[0].codec_context.copy_opaque = True
        for number, packet in enumerate(container.demux(video=0)):
            packet.opaque = [number]  # a new object each time: PyAV finds it by its address
            shown += [frame.opaque[0] for frame in packet.decode()]
    delay = max(number - shown.index(number) for number in shown)
    base = Fraction(1, 25)
    with av.open(str(source), format="hevc") as container, av.open(str(path), "w") as written:
        stream: Any = written.add_stream_from_template(container.streams.video[0])
        stream.codec_tag, stream.time_base = "hvc1", base
        for number, packet in enumerate(container.demux(video=0)):
            if packet.size:
                packet.pts, packet.dts, packet.duration = shown.index(number) + delay, number, 1
                packet.time_base, packet.stream = base, stream
                written.mux(packet)
    units = re.split(b"\0\0\0?\1", data)
    layer = {unit[0] >> 1: unit for unit in reversed(units) if len(unit) > 1 and unit[1] >> 3 == 1}
    arrays = b"".join(struct.pack(">BHH", 0x80 | kind, 1, len(layer[kind])) + layer[kind] for kind in (_SPS, _PPS))
    record = bytes.fromhex("01f000fccf02") + arrays  # ISO/IEC 14496-15, L-HEVC decoder configuration
    boxes = _box(b"lhvC", record)
    if right_first == "box":
        boxes += _box(b"vexu", _box(b"eyes", _box(b"stri", b"\0\0\0\0\x0b")))  # left, right, reversed
    insert_into_sample_entry(path, boxes, b"hvc1", b"hvcC")
    return path


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body) + 8, kind) + body
