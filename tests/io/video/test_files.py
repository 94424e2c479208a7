"""Names of local files are never URLs, and nothing that a clip refers to is fetched."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from clips import frame_times, make_clip

from depth3d.errors import ReadError
from depth3d.io.video.encoders import ENCODERS
from depth3d.io.video.mux import Film, finish
from depth3d.io.video.reader import VideoReader
from depth3d.io.video.tracks import list_tracks
from depth3d.io.video.writer import VideoWriter

pytestmark = pytest.mark.security


@pytest.fixture
def listener() -> Iterator[tuple[int, list[bytes]]]:
    """A server that notes every connection; its port, and what came."""
    came: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            came.append(connection.recv(200))
            connection.close()

    threading.Thread(target=accept, daemon=True).start()
    yield server.getsockname()[1], came
    server.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows allows no colons in names")
@pytest.mark.parametrize("name", ["12:30.mp4", "http:clip.mp4", "-i.mp4", "50% %d off.mp4", "caf\udce9.mp4"])
def test_odd_names_are_files(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(make_clip(tmp_path / "plain.mp4", count=5), tmp_path / name)
    monkeypatch.chdir(tmp_path)
    with VideoReader(name) as reader:
        frames = list(reader)
    assert len(frames) == 5
    with VideoWriter(
        tmp_path / "piece.nut",
        frames[0].image.size,
        rate=Fraction(25),
        time_base=Fraction(1, 25),
        encoder=ENCODERS["ffv1"],
    ) as writer:
        for number, frame in enumerate(frames):
            writer.write(frame.image, Fraction(number, 25))
    output = name.replace(".mp4", "_3d.mkv")
    times = [Fraction(n, 25) for n in range(5)]
    finish(Film((Path("piece.nut"),), times, Fraction(1, 25), Fraction(1, 5), "ffv1", Path(name)), Path(output))
    assert len(frame_times(tmp_path / "plain.mp4")) == 5
    assert os.path.getsize(output) > 0
    assert list_tracks(output) == []


def test_a_name_like_a_url_sends_no_request(
    tmp_path: Path, listener: tuple[int, list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, came = listener
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "http:" / f"127.0.0.1:{port}"
    folder.mkdir(parents=True)
    make_clip(tmp_path / "a.mp4", count=3).rename(folder / "a.mp4")
    with VideoReader(f"http://127.0.0.1:{port}/a.mp4") as reader:  # a relative path, once the slashes are joined
        assert len(list(reader)) == 3
    with pytest.raises(ReadError, match="does not exist"):
        VideoReader(f"http://127.0.0.1:{port}/b.mp4")
    assert came == []


def test_a_playlist_fetches_nothing(tmp_path: Path, listener: tuple[int, list[bytes]]) -> None:
    port, came = listener
    address = f"http://127.0.0.1:{port}/a.ts"
    hls = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{address}\n#EXT-X-ENDLIST\n"
    for name, text in {"a.m3u8": hls, "b.mp4": hls, "c.mp4": f"ffconcat version 1.0\nfile '{address}'\n"}.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(ReadError, match=name):
            VideoReader(tmp_path / name)
        assert list_tracks(tmp_path / name) == []
    assert came == []
