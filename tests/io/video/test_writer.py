"""Writing clips: values, tags, losslessness, encoders."""

from __future__ import annotations

import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clips import frame_times, picture

from depth3d.errors import InvalidOption, VideoError
from depth3d.frames import Color, VideoInfo
from depth3d.image import Image, Size
from depth3d.io.video import encoders
from depth3d.io.video.encoders import ENCODERS, HARDWARE, check_settings, choose, settings, works
from depth3d.io.video.reader import VideoReader
from depth3d.io.video.writer import VideoWriter, even, even_size

SIZE = Size(64, 48)


def write(path: Path, images: list[Image], codec: str = "libx264", **settings: object) -> Path:
    rate = Fraction(25)
    with VideoWriter(
        path, images[0].size, rate=rate, time_base=1 / rate, encoder=ENCODERS[codec], **settings
    ) as writer:
        for n, image in enumerate(images):
            writer.write(image, n / rate)
    return path


@pytest.mark.parametrize("size", [(48, 64), (50, 64), (150, 200), (270, 478)])
def test_colors_stay_to_the_last_row_whatever_the_height(tmp_path: Path, size: tuple[int, int]) -> None:
    image = Image(np.full((*size, 3), (200, 120, 60), np.uint8))
    with VideoReader(write(tmp_path / "c.mp4", [image] * 2, crf=0)) as reader:
        found = next(iter(reader)).image.pixels.astype(int)
    assert found.shape == image.pixels.shape
    assert np.abs(found - (200, 120, 60)).max() <= 3


@pytest.mark.parametrize(
    ("rgb", "luma"), [((255, 0, 0), 63), ((0, 255, 0), 173), ((0, 0, 255), 32), ((255,) * 3, 235), ((128,) * 3, 126)]
)
def test_luma_is_that_of_bt709(tmp_path: Path, rgb: tuple[int, int, int], luma: int) -> None:
    image = Image(np.full((48, 64, 3), rgb, np.uint8))
    path = write(tmp_path / "c.mp4", [image] * 2, crf=0)
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        assert abs(int(np.frombuffer(bytes(frame.planes[0]), np.uint8)[10]) - luma) <= 1
        assert (frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc) == (1, 1, 1, 1)


@pytest.mark.parametrize(("bits", "dtype"), [(8, np.uint8), (16, np.uint16)])
def test_ffv1_loses_nothing(tmp_path: Path, bits: int, dtype: type) -> None:
    rng = np.random.default_rng(0)
    images = [Image(rng.integers(0, np.iinfo(dtype).max, (48, 64, 3), dtype, endpoint=True)) for _ in range(3)]
    path = write(tmp_path / "c.mkv", images, "ffv1", bits=bits)
    with VideoReader(path) as reader:
        for frame in reader:
            assert np.array_equal(frame.image.pixels, images[frame.index].pixels)


@pytest.mark.parametrize("codec", ["libx264", "libx265", "libsvtav1", "libvpx-vp9"])
def test_every_software_encoder_keeps_picture_and_times(tmp_path: Path, codec: str) -> None:
    images = [Image(picture(n)) for n in range(6)]
    path = write(tmp_path / f"c{ENCODERS[codec].containers[0]}", images, codec)
    with VideoReader(path) as reader:
        frames = list(reader)
        assert reader.info.stored.matrix == 1
    assert len(frames) == 6
    for frame in frames:
        assert np.abs(frame.image.pixels.astype(int) - images[frame.index].pixels).mean() < 8


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="needs Linux")
def test_encoders_leave_scheduling_and_terminal_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Run by root, libsvtav1 made the process and whatever it started real-time: nothing else on the machine ran.

    And it printed twenty lines about itself for each film.
    """

    def policies() -> set[int]:
        return {os.sched_getscheduler(int(thread.name)) for thread in Path("/proc/self/task").iterdir()}

    before = policies()
    works.cache_clear()
    assert works("libsvtav1") is None
    rate = Fraction(25)
    with VideoWriter(tmp_path / "c.mp4", SIZE, rate=rate, time_base=1 / rate, encoder=ENCODERS["libsvtav1"]) as writer:
        for n in range(3):
            writer.write(Image(picture(n)), n / rate)
            assert policies() <= before
    assert policies() <= before
    assert "Svt" not in capfd.readouterr().err


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
@pytest.mark.parametrize("count", [1, 2])
def test_decode_times_of_the_shortest_clips_are_those_of_display(tmp_path: Path, codec: str, count: int) -> None:
    """libx265 left them uninitialized: one clip in ten could not be written, others began hours late."""
    path = write(tmp_path / "c.mp4", [Image(picture(n)) for n in range(count)], codec)
    with av.open(str(path)) as container:
        times = [(packet.pts, packet.dts) for packet in container.demux(video=0) if packet.size]
    assert times == [(512 * n, 512 * n) for n in range(count)] or times == [(n, n) for n in range(count)]


def test_hdr10_metadata_is_written_and_read_back(tmp_path: Path) -> None:
    color = Color(
        9,
        16,
        9,
        mastering="G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)",
        light_level=(1000, 400),
    )
    deep = [Image(picture(n).astype(np.uint16) * 257) for n in range(3)]
    path = write(tmp_path / "c.mp4", deep, "libx265", bits=10, color=color)
    with VideoReader(path) as reader:
        assert reader.info.color == color
        assert reader.info.bit_depth == 10


def test_irregular_times_stay(tmp_path: Path) -> None:
    times = [Fraction(n, 90000) for n in (0, 3003, 9000, 9100, 40000)]
    with VideoWriter(
        tmp_path / "c.mp4", SIZE, rate=Fraction(30), time_base=Fraction(1, 90000), encoder=ENCODERS["libx264"]
    ) as writer:
        for n, time in enumerate(times):
            writer.write(Image(picture(n)), time)
    assert frame_times(tmp_path / "c.mp4") == times


def test_odd_pictures_get_an_edge() -> None:
    image = Image(picture(0, 33, 21))
    padded = even(image)
    assert padded.size == even_size(image.size) == Size(34, 22)
    assert np.array_equal(padded.pixels[:21, :33], image.pixels)
    assert np.array_equal(padded.pixels[:21, 33], image.pixels[:, 32])


def test_wrong_size_names_the_frame(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="frame 1"):
        write(tmp_path / "c.mp4", [Image(picture(0)), Image(picture(0, 32, 32))])


def info(bits: int = 8) -> VideoInfo:
    return VideoInfo(Path("c.mp4"), Size(640, 360), Fraction(25), Fraction(1, 25), bit_depth=bits)


@pytest.mark.parametrize(
    ("bits", "width", "suffix", "expected"),
    [
        (8, 1280, ".mp4", "libx264"),
        (10, 1280, ".mp4", "libx265"),
        (8, 5120, ".mp4", "libx265"),
        (8, 640, ".webm", "libvpx-vp9"),
    ],
)
def test_automatic_choice(bits: int, width: int, suffix: str, expected: str) -> None:
    assert choose("auto", info(bits), Size(width, 720), suffix)[0].name == expected


def test_the_default_preset_alone_is_tuned() -> None:
    card, _ = choose("auto", info(), SIZE, ".mp4")
    tuned = settings(card, None, None, None)
    assert (tuned["preset"], tuned["crf"], tuned["x264-params"]) == ("faster", "17", card.tuned)
    for crf, preset in ((None, "slow"), (20, "faster")):
        asked = settings(card, crf, preset, None)
        assert asked["preset"] == preset
        assert "x264-params" not in asked


def test_unknown_encoder_is_answered_with_the_nearest() -> None:
    with pytest.raises(VideoError, match="libx265"):
        choose("libx256", info(), SIZE, ".mp4")


@pytest.mark.parametrize("card", HARDWARE, ids=lambda card: card.name)
def test_hardware_is_used_only_if_one_frame_can_be_encoded(card: object) -> None:
    name = card.name  # type: ignore[attr-defined]
    trouble = works(name)
    if trouble is None:
        assert choose(name, info(), SIZE, ".mp4")[0].name == name
    else:
        with pytest.raises(VideoError, match="omit `codec`"):
            choose(name, info(), SIZE, ".mp4")


def test_a_card_with_nvenc_encodes_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a card: the encoder that would be chosen, and what it would be told."""
    monkeypatch.setattr(encoders, "works", lambda name, *_: None if "nvenc" in name else "no device")
    card, why = choose("hardware", info(), SIZE, ".mp4")
    assert (card.name, why) == ("h264_nvenc", "hardware encoder h264_nvenc")
    assert settings(card, None, None, None) == {"rc": "vbr", "cq": "20", "forced-idr": "1"}
    assert choose("hardware", replace(info(), bit_depth=10), SIZE, ".mp4")[0].name == "hevc_nvenc"


def test_encoder_settings_are_tried_before_the_work() -> None:
    check_settings("auto", ".mp4", 20, "slow")
    check_settings("libsvtav1", ".mp4", None, "4")
    check_settings("hardware", ".mp4", 20, "p4")
    with pytest.raises(InvalidOption, match="preset: 'nonsense' is not accepted by libx264"):
        check_settings("auto", ".mp4", None, "nonsense")
    for codec, best, worst in (("libx264", 0, 51), ("libx265", 0, 51), ("libsvtav1", 1, 63), ("libvpx-vp9", 0, 63)):
        check_settings(codec, ".mkv", best, None)
        check_settings(codec, ".mkv", worst, None)
        with pytest.raises(InvalidOption, match=rf"crf: {worst + 1}, expected 0 \(best\) to {worst} for {codec}"):
            check_settings(codec, ".mkv", worst + 1, None)
    with pytest.raises(InvalidOption, match="crf: ffv1 is lossless"):
        check_settings("ffv1", ".mkv", 20, None)
    with pytest.raises(InvalidOption, match="preset: libvpx-vp9 has no presets"):
        check_settings("libvpx-vp9", ".webm", None, "slow")
    with pytest.raises(VideoError, match="did you mean 'libx265'"):
        check_settings("libx25", ".mp4", None, None)
