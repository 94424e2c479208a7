"""Matroska files whose numbers lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from depth3d.io.video.matroska import video_settings

HEAD = b"\x1a\x45\xdf\xa3\x80"
SEGMENT = b"\x18\x53\x80\x67\x01" + b"\xff" * 7
CLUSTER = b"\x1f\x43\xb6\x75\x80"


def seek_head(position: int) -> bytes:
    seek = b"\x53\xab\x84\x16\x54\xae\x6b" + b"\x53\xac\x88" + position.to_bytes(8, "big")
    entry = b"\x4d\xbb" + bytes([0x80 | len(seek)]) + seek
    return b"\x11\x4d\x9b\x74" + bytes([0x80 | len(entry)]) + entry


@pytest.mark.security
@pytest.mark.parametrize(
    "body",
    [
        b"\xec\x01" + b"\xff" * 7 + CLUSTER,  # an element longer than any disk
        seek_head(2**64 - 1) + CLUSTER,
        seek_head(2**62) + CLUSTER,
        seek_head(0) + CLUSTER,  # the track list is where the seek head is
    ],
    ids=["length", "position", "position beyond all disks", "circle"],
)
def test_positions_beyond_the_file_and_in_circles_end(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "a.mkv"
    path.write_bytes(HEAD + SEGMENT + body)
    assert video_settings(path) == {}
