"""Reading clips: times, turning, colors, seeking, odd inputs."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clips import RATE, ffmpeg, frame_times, make_clip, picture
from PIL import Image as Pillow

from depth3d.errors import ReadError
from depth3d.image import Size
from depth3d.io.video.reader import VideoReader, probe
from depth3d.io.video.suffixes import is_clip


def flat_clip(path: Path, yuv: tuple[int, int, int], size: tuple[int, int] = (64, 48), **tags: int) -> Path:
    """Lossless frames of one YUV value, tagged as told."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"qp": "0"})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for name, value in tags.items():
            setattr(stream.codec_context, name, value)
        frame = av.VideoFrame(*size, "yuv420p")
        for plane, value in zip(frame.planes, yuv, strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        for name, value in tags.items():
            setattr(frame, name, value)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def first_pixel(path: Path) -> tuple[int, ...]:
    with VideoReader(path) as reader:
        return tuple(int(v) for v in next(iter(reader)).image.pixels[20, 20])


@pytest.mark.parametrize(
    ("yuv", "tags", "size"),
    [
        ((63, 102, 240), {"colorspace": 1, "color_range": 1}, (64, 48)),  # BT.709, said so
        ((81, 90, 240), {"colorspace": 5, "color_range": 1}, (64, 48)),  # BT.601, said so
        ((81, 90, 240), {}, (64, 48)),  # untagged and small: BT.601
        ((63, 102, 240), {}, (1280, 720)),  # untagged and large: BT.709
        ((54, 99, 255), {"colorspace": 1, "color_range": 2}, (64, 48)),  # full range
        ((76, 85, 255), {"colorspace": 6, "color_range": 2}, (64, 48)),
    ],
)
def test_red_is_red_whatever_the_coding(
    tmp_path: Path, yuv: tuple[int, int, int], tags: dict[str, int], size: tuple[int, int]
) -> None:
    clip = flat_clip(tmp_path / "red.mp4", yuv, size, **tags)
    assert first_pixel(clip) == pytest.approx((255, 0, 0), abs=4)


def test_frames_come_with_exact_times_and_pictures(tmp_path: Path) -> None:
    times = [Fraction(n, 1000) for n in (0, 40, 90, 400, 410, 900)]
    clip = make_clip(tmp_path / "vfr.mp4", count=6, times=times, time_base=Fraction(1, 90000))
    with VideoReader(clip) as reader:
        frames = list(reader)
    assert [frame.time for frame in frames] == times
    assert [frame.index for frame in frames] == list(range(6))
    for frame in frames:
        assert np.abs(frame.image.pixels.astype(int) - picture(frame.index)).mean() < 4


def test_rate_is_a_fraction(tmp_path: Path) -> None:
    assert probe(make_clip(tmp_path / "c.mp4", rate=Fraction(60000, 1001))).rate == Fraction(60000, 1001)


def test_reading_goes_on_from_any_frame(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "c.mp4", count=40, options={"crf": "12", "g": "12", "bf": "3"})
    with VideoReader(clip) as reader:
        whole = list(reader)
        for place in (0, 1, 13, 39):
            rest = list(reader.frames(place, whole[place].time))
            assert [frame.index for frame in rest] == list(range(place, 40))
            assert all(np.array_equal(a.image.pixels, b.image.pixels) for a, b in zip(rest, whole[place:], strict=True))


def test_samples_are_key_frames_or_decoded_on_from_one(tmp_path: Path) -> None:
    """Key frames at 0, 20 and 40; no B-frames, so that every frame is a reference frame."""
    options = {"g": "20", "keyint_min": "20", "sc_threshold": "0", "bf": "0", "crf": "12"}
    clip = make_clip(tmp_path / "clip.mp4", count=60, options=options)
    with VideoReader(clip) as reader:
        for places, expected in (([13, 33, 59], [0, 20, 40]), ([3, 13, 47], [3, 13, 40]), ([21], [20]), ([], [])):
            found = list(reader.sampled([place / RATE for place in places]))
            assert len(found) == len(expected)
            for frame, number in zip(found, expected, strict=True):
                assert np.abs(frame.image.pixels.astype(int) - picture(number)).mean() < 3, (places, number)
    sequence = tmp_path / "img_%04d.png"
    for number in range(4):
        Pillow.fromarray(picture(number)).save(tmp_path / f"img_{number:04d}.png")
    with VideoReader(sequence) as reader:
        (found_one,) = reader.sampled([Fraction(2, 25)])
    assert np.array_equal(found_one.image.pixels, picture(2))


def test_start_and_end_cut_out_the_half_open_span(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "c.mp4", rate=Fraction(25))
    with VideoReader(clip, start=Fraction(1, 5), end=Fraction(3, 5)) as reader:
        times = [frame.time for frame in reader]
    assert times == [Fraction(n, 25) for n in range(5, 15)]


@pytest.mark.parametrize(("angle", "turns"), [(90, 1), (180, 2), (270, 3)])
def test_rotation_is_applied_as_ffmpeg_does(tmp_path: Path, angle: int, turns: int) -> None:
    plain, turned, shown = tmp_path / "a.mp4", tmp_path / "b.mp4", tmp_path / "c.png"
    make_clip(plain, count=1)
    ffmpeg("-display_rotation", str(angle), "-i", str(plain), "-c", "copy", str(turned))
    ffmpeg("-i", str(turned), "-frames:v", "1", str(shown))
    with VideoReader(turned) as reader:
        frame = next(iter(reader))
        assert reader.info.rotation == angle
    expected = np.asarray(Pillow.open(shown).convert("RGB")).astype(int)
    assert frame.image.pixels.shape == expected.shape
    assert np.abs(frame.image.pixels - expected).mean() < 6
    assert np.abs(frame.image.pixels.astype(int) - np.rot90(picture(0), turns)).mean() < 6


def test_gif_and_sequence(tmp_path: Path) -> None:
    stills = [Pillow.fromarray(picture(n)) for n in range(5)]
    stills[0].save(tmp_path / "a.gif", save_all=True, append_images=stills[1:], duration=40)
    for n, still in enumerate(stills):
        still.save(tmp_path / f"s_{n:03d}.png")
    stills[0].save(tmp_path / "still.gif")
    assert is_clip(tmp_path / "a.gif")
    assert not is_clip(tmp_path / "still.gif")
    with VideoReader(tmp_path / "a.gif") as reader:
        assert [frame.time for frame in reader] == [Fraction(n, 25) for n in range(5)]
    for pattern in ("s_%03d.png", "s_*.png"):
        with VideoReader(tmp_path / pattern, sequence_rate=Fraction(24000, 1001)) as reader:
            frames = list(reader)
            assert reader.info.rate == Fraction(24000, 1001)
        assert len(frames) == 5
        assert np.array_equal(frames[3].image.pixels, picture(3))


def test_size_is_of_the_upright_picture(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "c.mp4", count=2)
    with VideoReader(clip, size=Size(32, 24)) as reader:
        assert reader.info.size == (32, 24)
        assert next(iter(reader)).image.size == (32, 24)


def test_what_is_no_clip_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"nothing of the kind" * 50)
    with pytest.raises(ReadError, match=r"a\.mp4"):
        VideoReader(tmp_path / "a.mp4")
    with pytest.raises(ReadError, match="does not exist"):
        VideoReader(tmp_path / "b.mp4")
    ffmpeg("-f", "lavfi", "-t", "0.1", "-i", "sine", str(tmp_path / "sound.mp4"))
    with pytest.raises(ReadError, match="no video stream"):
        VideoReader(tmp_path / "sound.mp4")


def test_a_cut_off_clip_gives_what_is_there(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "c.mkv", count=60, options={"crf": "1", "g": "5"})
    data = clip.read_bytes()
    clip.write_bytes(data[: len(data) // 2])
    with VideoReader(clip) as reader:
        assert 10 < len(list(reader)) < 60


def test_ten_bits_stay(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "c.mkv", count=2, codec="ffv1", pix_fmt="yuv420p10le", options={})
    with VideoReader(clip) as reader:
        frame = next(iter(reader))
        assert reader.info.bit_depth == 10
    assert frame.image.pixels.dtype == np.uint16
    assert np.abs(frame.guide.pixels.astype(int) - picture(0)).mean() < 4


def test_every_clip_of_the_data_folder(shared: Path) -> None:
    known = {
        "vfr_dropped.mp4": (67, Size(640, 360), 0, Fraction(1)),
        "rot90_metadata.mp4": (92, Size(540, 960), 90, Fraction(1)),
        "sar_4_3.mp4": (48, Size(640, 360), 0, Fraction(4, 3)),
        "odd_321x181_yuv444.mp4": (60, Size(321, 181), 0, Fraction(1)),
    }
    for name, (count, size, rotation, aspect) in known.items():
        path = shared / "data/video/derived" / name
        with VideoReader(path) as reader:
            times = [frame.time for frame in reader]
            info = reader.info
        assert (len(times), info.size, info.rotation, info.pixel_aspect) == (count, size, rotation, aspect), name
        assert times == frame_times(path), name


def test_hdr_is_kept_and_seen_toned(shared: Path) -> None:
    for name, transfer in (("hdr10_pq.mp4", 16), ("hlg10_audio.mp4", 18)):
        with VideoReader(shared / "data/video/derived" / name) as reader:
            frame = next(iter(reader))
            info = reader.info
        assert info.rate == RATE
        assert (info.color.transfer, info.color.primaries, info.bit_depth) == (transfer, 9, 10)
        assert frame.image.pixels.dtype == np.uint16
        assert frame.seen is not None
        # PQ packs a white wall into the middle of its range: the toned picture has more contrast.
        assert frame.guide.pixels.std() > frame.image.eight_bit().pixels.std() * 1.1
        if transfer == 16:
            assert info.color.mastering == "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
            assert info.color.light_level == (1000, 400)


def test_animated_webp_and_apng_are_read_with_their_times(tmp_path: Path) -> None:
    stills = [Pillow.fromarray(picture(n)) for n in range(4)]
    for suffix, more in (("webp", {"lossless": True}), ("png", {})):
        path = tmp_path / f"a.{suffix}"
        stills[0].save(path, save_all=True, append_images=stills[1:], duration=[40, 80, 40, 1000], **more)
        with VideoReader(path) as reader:
            frames = list(reader)
        assert [frame.time for frame in frames] == [Fraction(n, 1000) for n in (0, 40, 120, 160)]
        assert all(np.array_equal(frame.image.pixels, picture(frame.index)) for frame in frames)
        if suffix == "webp":
            assert frames[-1].duration == 1


def test_frames_of_more_than_8k_are_refused(tmp_path: Path) -> None:
    """A small file must not take gigabytes: 15000x15000 in 1.4 MB did."""
    width, height = 8192, 4400
    with av.open(str(tmp_path / "large.avi"), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuvj420p"
        container.mux(stream.encode(av.VideoFrame(width, height, "yuvj420p")))
    with pytest.raises(ReadError, match=r"frames of 8192x4400 pixels, more than 8K"):
        probe(tmp_path / "large.avi")
