from __future__ import annotations

import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image as Pillow

from depth3d.errors import ExistsError, InvalidInput, VideoError, WriteError
from depth3d.image import Image, Size
from depth3d.io.animation import write_animation

SIZE = Size(64, 48)
ALL = ["clip.mp4", "clip.webm", "clip.gif", "clip.webp", "clip.png"]


def bars(count: int, size: Size = SIZE) -> Iterator[Image]:
    """A vertical edge that walks from left to right: red on its left, gray on its right."""
    for index in range(count):
        pixels = np.full((size.height, size.width, 3), 128, np.uint8)
        pixels[:, : 8 + 4 * index] = (200, 30, 30)
        yield Image(pixels)


def decoded(path: Path) -> list[np.ndarray]:
    if path.suffix in (".webp", ".png", ".gif"):
        with Pillow.open(path) as file:
            frames = []
            for index in range(file.n_frames):
                file.seek(index)
                frames.append(np.asarray(file.convert("RGB")))
            return frames
    with av.open(str(path)) as file:
        return [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]


@pytest.mark.parametrize("name", ALL)
def test_every_format_gives_the_frames_back(tmp_path: Path, name: str) -> None:
    path = write_animation(bars(10), tmp_path / name, fps=Fraction(30), size=SIZE, count=10)
    frames = decoded(path)
    assert len(frames) == 10
    for index, (frame, wanted) in enumerate(zip(frames, bars(10), strict=True)):
        # Away from the edge, where 4:2:0 and dithering have no say.
        edge = 8 + 4 * index
        for part in (slice(0, edge - 4), slice(edge + 4, None)):
            off = np.abs(frame[:, part].mean((0, 1)) - wanted.pixels[:, part].mean((0, 1))).max()
            assert off < 6, f"frame {index} is off by {off}"
    assert [item.name for item in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["clip.mp4", "clip.webm"])
def test_video_is_tagged_and_converted_as_bt709(tmp_path: Path, name: str) -> None:
    colors = {(255, 0, 0): 63, (0, 255, 0): 173, (0, 0, 255): 32, (255, 255, 255): 235, (128, 128, 128): 126}
    for color, luma in colors.items():
        flat = Image(np.full((48, 64, 3), color, np.uint8))
        path = write_animation(iter([flat] * 2), tmp_path / name, fps=Fraction(25), size=SIZE, count=2, force=True)
        with av.open(str(path)) as file:
            frame = next(file.decode(video=0))
            assert abs(float(frame.to_ndarray()[:48].mean()) - luma) <= 1.5
            context = file.streams.video[0].codec_context
            assert (context.color_primaries, context.color_trc, context.color_range) == (1, 1, 1)
            assert (int(frame.colorspace), context.pix_fmt) == (1, "yuv420p")


def test_mp4_has_its_index_in_front_and_an_exact_rate(tmp_path: Path) -> None:
    rate = Fraction(30000, 1001)
    path = write_animation(bars(10), tmp_path / "clip.mp4", fps=rate, size=SIZE, count=10)
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(str(path)) as file:
        assert file.streams.video[0].average_rate == rate


@pytest.mark.parametrize("name", ["clip.gif", "clip.webp", "clip.png"])
def test_pictures_loop_for_ever_at_the_right_speed(tmp_path: Path, name: str) -> None:
    path = write_animation(bars(10), tmp_path / name, fps=Fraction(30), size=SIZE, count=10)
    with Pillow.open(path) as file:
        assert file.info["loop"] == 0
        total = 0.0
        for index in range(file.n_frames):
            file.seek(index)
            file.load()
            total += file.info["duration"]
    assert total == pytest.approx(1000 / 3, abs=10)


def test_a_gif_keeps_one_palette_and_stays_small(tmp_path: Path) -> None:
    path = write_animation(bars(10), tmp_path / "clip.gif", fps=Fraction(20), size=SIZE, count=10)
    assert path.stat().st_size < 6000


def test_frames_are_drawn_in_the_callers_thread_one_by_one(tmp_path: Path) -> None:
    threads, ahead, seen = set(), [], []

    def frames() -> Iterator[Image]:
        for index, frame in enumerate(bars(12)):
            threads.add(threading.current_thread())
            ahead.append(index + 1 - len(seen))
            yield frame

    write_animation(frames(), tmp_path / "clip.mp4", fps=Fraction(30), size=SIZE, count=12, progress=seen.append)
    assert threads == {threading.current_thread()}
    assert seen == list(range(1, 13))
    assert max(ahead) == 1


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("failure", [KeyboardInterrupt, RuntimeError])
def test_nothing_is_left_when_drawing_stops(tmp_path: Path, name: str, failure: type[BaseException]) -> None:
    def frames() -> Iterator[Image]:
        yield from bars(5)
        raise failure

    with pytest.raises(failure):
        write_animation(frames(), tmp_path / name, fps=Fraction(30), size=SIZE, count=10)
    assert list(tmp_path.iterdir()) == []
    assert not [thread for thread in threading.enumerate() if thread.name == "encode"]


def test_an_encoder_failure_reaches_the_caller_and_stops_the_drawing(tmp_path: Path, monkeypatch) -> None:
    from depth3d.io import animation

    def broken(frames: Iterator[np.ndarray], *_: object) -> None:
        next(frames)
        raise ValueError("no such profile")

    kind = animation.AnimationFormat(broken, True, 1920)
    monkeypatch.setitem(animation.FORMATS, ".mp4", kind)
    drawn = []
    with pytest.raises(VideoError, match="no such profile"):
        write_animation(
            bars(1000), tmp_path / "clip.mp4", fps=Fraction(30), size=SIZE, count=1000, progress=drawn.append
        )
    assert len(drawn) < 20
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    def write(name: str, count: int = 3, size: Size = SIZE, rate: Fraction = Fraction(30)) -> None:
        write_animation(bars(3, size), tmp_path / name, fps=rate, size=size, count=count)

    with pytest.raises(WriteError, match=r"\.mp4"):
        write("clip.xyz")
    with pytest.raises(InvalidInput, match="even"):
        write("clip.mp4", size=Size(63, 48))
    with pytest.raises(InvalidInput, match="rate"):
        write("clip.mp4", rate=Fraction(0))
    with pytest.raises(VideoError, match="got 3 frames, expected 4"):
        write("clip.mp4", count=4)
    with pytest.raises(InvalidInput, match="frame 0 is 64x48, expected 32x32"):
        write_animation(bars(3), tmp_path / "clip.gif", fps=Fraction(30), size=Size(32, 32), count=3)
    assert list(tmp_path.iterdir()) == []
    write("clip.gif", size=Size(63, 47))
    with pytest.raises(ExistsError):
        write("clip.gif", size=Size(63, 47))
