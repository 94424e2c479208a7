"""Live 3D: a clip in real time and streams over 127.0.0.1, dropped pictures counted, the page behind its token."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import FFMPEG, make_clip
from commandline import run

import depth3d.depth.estimator
import depth3d.pipeline.live as live_module
from depth3d.depthmap import Disparity
from depth3d.errors import InvalidInput, ModelError, ReadError
from depth3d.image import Image
from depth3d.io.video.capture import Capture
from depth3d.options import LiveOptions
from depth3d.pipeline.live import LiveDepth, LiveReport, run_live


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 frames, 2 seconds."""
    return make_clip(tmp_path_factory.mktemp("live") / "clip.mp4", count=60, size=(128, 96))


@contextmanager
def streaming(clip: Path, *output: str) -> Iterator[None]:
    """The clip, sent again and again in real time by ffmpeg."""
    command = [FFMPEG, "-nostdin", "-v", "error", "-re", "-stream_loop", "-1", "-i", str(clip), *output]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.kill()


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def shown(source: str, count: int, format: str = "anaglyph", parallax: float = 2.0) -> tuple[list[Image], LiveReport]:
    pictures: list[Image] = []

    def show(image: Image, _report: LiveReport) -> bool:
        pictures.append(image)
        return len(pictures) < count

    return pictures, run_live(source, LiveOptions(model="gradient", width=64, format=format, parallax=parallax), show)


def test_a_clip_plays_at_its_own_speed_and_slow_work_drops_pictures(clip: Path) -> None:
    began = time.monotonic()
    taken = 0
    with Capture(str(clip)) as capture:
        while capture.take() is not None:
            taken += 1
            time.sleep(0.1)
        assert time.monotonic() - began >= 1.9
        assert capture.received == 60
        assert taken + capture.dropped == 60
        assert capture.dropped >= 30


def test_every_picture_becomes_a_pair(clip: Path) -> None:
    pictures, report = shown(str(clip), 6, "sbs", 6.0)
    assert all(image.pixels.shape == (48, 128, 3) for image in pictures)
    assert 1 <= len(pictures) == report.frames
    assert 0 < report.latency < 30
    left, right = np.split(pictures[-1].pixels.astype(int), 2, axis=1)
    assert np.abs(left - right).mean() > 0.5
    assert re.fullmatch(r"[\d.]+ frames/s, latency \d+ ms, \d+ dropped", report.line())


def test_the_last_picture_ends_it(clip: Path) -> None:
    _, report = shown(str(clip), 1000)
    assert 1 <= report.frames <= 60


@pytest.mark.parametrize("scheme", ["udp", "tcp", "http"])
def test_streams(clip: Path, scheme: str) -> None:
    port = free_port(socket.SOCK_DGRAM if scheme == "udp" else socket.SOCK_STREAM)
    address = f"{scheme}://127.0.0.1:{port}"
    sent = {
        "udp": ["-c:v", "mpeg2video", "-g", "5", "-f", "mpegts", f"{address}?pkt_size=1316"],
        "tcp": ["-c:v", "mpeg2video", "-g", "5", "-f", "mpegts", f"{address}?listen=1"],
        "http": ["-c:v", "mjpeg", "-f", "mpjpeg", "-listen", "1", address],
    }[scheme]
    with streaming(clip, *sent):
        for _ in range(40):  # ffmpeg needs a moment to listen
            try:
                pictures, _ = shown(address, 3)
                break
            except ReadError:
                time.sleep(0.25)
    assert len(pictures) == 3
    assert pictures[0].pixels.max() > 100


def test_only_asked_protocols_and_clear_words(tmp_path: Path) -> None:
    for source in ("file:///etc/passwd", "concat://a.mp4", "data://x", "gopher://127.0.0.1:1"):
        with pytest.raises(InvalidInput, match="is not a protocol of streams"):
            Capture(source)
    with pytest.raises(ReadError, match="no such file; expected camera"):
        Capture("camra")
    photo = tmp_path / "photo.png"
    cv2.imwrite(str(photo), np.zeros((32, 32, 3), np.uint8))
    with pytest.raises(InvalidInput, match="is not a clip; expected camera"):
        Capture(str(photo))
    with pytest.raises(ReadError, match="cannot be opened"):
        Capture("camera:97")
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(ReadError):  # a file does not open addresses
        Capture(str(tmp_path / "list.m3u8"))


def test_a_stream_that_nobody_sends_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("depth3d.io.video.capture._OPEN_SECONDS", 0.5)
    with pytest.raises(ReadError, match=r"nothing came in 0.5 s; is it being sent\?"):
        Capture(f"udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}")


@pytest.mark.parametrize("source", ["camra", "ftp://127.0.0.1/a.mp4"])
def test_no_page_is_opened_for_what_cannot_be_a_source(source: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("uvicorn", reason='needs pip install "depth3d[studio]"')
    assert run("live", source, "--no-browser") == 1
    told = capsys.readouterr().err
    assert "http://localhost" not in told
    assert "screen --" not in told
    assert len(told.splitlines()) == 1


def test_depth_is_steady_where_nothing_moves_and_starts_again_at_a_cut() -> None:
    dice = np.random.default_rng(0)
    wall = np.linspace(0, 1, 64, dtype=np.float32)[None].repeat(48, 0)
    still = Image(dice.integers(0, 120, (48, 64, 3), dtype=np.uint8))
    live = LiveDepth()
    raw, steady = [], []
    for _ in range(20):
        noisy = wall + dice.normal(0, 0.03, wall.shape).astype(np.float32)
        raw.append(noisy)
        steady.append(live.push(still, Disparity(noisy)).values)
    assert np.diff(steady[5:], axis=0).std() < 0.6 * np.diff(raw[5:], axis=0).std()
    other = Image(255 - still.pixels)
    turned = np.ascontiguousarray(wall[:, ::-1])
    cut = live.push(other, Disparity(turned * 7 + 3)).values
    np.testing.assert_allclose(cut, turned, atol=0.05)  # the ends of the range are percentiles of every fourth pixel


def test_the_command_serves_the_page_behind_its_token(clip: Path) -> None:
    pytest.importorskip("uvicorn", reason='needs pip install "depth3d[studio]"')
    words = ["live", str(clip), "--model", "gradient", "--width", "64", "--no-browser", "--json"]
    with subprocess.Popen(
        [sys.executable, "-m", "depth3d", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        address = process.stderr.readline().split()[0]
        assert re.fullmatch(r"http://localhost:\d+/[\w-]{32}/", address)
        jpeg = b""
        with urllib.request.urlopen(f"{address}pictures", timeout=60) as answer:
            assert "multipart/x-mixed-replace" in answer.headers["Content-Type"]
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(f"{address[:-4]}xxx/pictures", timeout=20)
            while b"\xff\xd9" not in jpeg:
                jpeg += answer.read1(65536)
        begin, end = jpeg.index(b"\xff\xd8"), jpeg.index(b"\xff\xd9") + 2
        assert cv2.imdecode(np.frombuffer(jpeg[begin:end], np.uint8), 1).shape == (48, 64, 3)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    facts = json.loads(out)
    assert facts["frames"] >= 1
    assert facts["frames"] + facts["dropped"] <= 60
    assert "frames/s, latency" in err


@pytest.mark.parametrize("reason", ["missing", "fails", "works"])
def test_the_engine_is_openvino_where_it_works(reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    class Network:
        def __init__(self, engine: str) -> None:
            self.engine = engine

        def predict(self, images: list[Image]) -> None:
            if reason == "fails":
                raise ModelError("conversion failed")

    def open_one(_model: str, *, engine: str, quiet: bool, many: bool = False) -> Network:
        opened.append(engine)
        return Network(engine)

    monkeypatch.setattr(depth3d.depth.estimator, "open_estimator", open_one)
    monkeypatch.setattr(live_module, "find_spec", lambda _: None if reason == "missing" else object())
    found = live_module._open_network(LiveOptions())
    assert found.engine == ("openvino" if reason == "works" else "auto")
    assert opened == {"missing": ["auto"], "fails": ["openvino", "auto"], "works": ["openvino"]}[reason]
    assert live_module._open_network(LiveOptions(engine="torch")).engine == "torch"
