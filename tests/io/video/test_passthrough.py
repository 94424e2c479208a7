"""Edit lists, negative and late times, gaps: the shown frames are those of ``ffmpeg -fps_mode passthrough``."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from clips import FFMPEG, ffmpeg

from depth3d.io.video.reader import VideoReader

WIDTH, HEIGHT = 64, 48
# A clip whose every frame has another brightness.
SOURCE = f"color=gray:s={WIDTH}x{HEIGHT}:r=25:d=3,format=yuv420p,geq=lum='40+2*N':cb=128:cr=128"
BASE = ["-f", "lavfi", "-i", SOURCE]
X264 = ["-c:v", "libx264", "-crf", "4", "-bf", "2", "-g", "20"]
GAP = ["-vf", "select='not(between(n,20,45))'", "-fps_mode", "passthrough"]
FRAGMENTS = ["-movflags", "frag_keyframe+empty_moov"]
# name -> how to encode it; then, if given, how to copy that.
KINDS: dict[str, list[list[str]]] = {
    "edit between key frames.mp4": [X264, ["-ss", "1.3"]],
    "edit between key frames.mov": [X264, ["-ss", "1.3"]],
    "cut.mkv": [X264, ["-ss", "1.3"]],
    "negative.mp4": [X264, ["-output_ts_offset", "-0.5", "-avoid_negative_ts", "disabled"]],
    "late.mp4": [X264, ["-output_ts_offset", "3"]],
    "late.ts": [X264, ["-output_ts_offset", "3"]],
    "fragments with a gap.mp4": [[*GAP, *X264, *FRAGMENTS]],
    "fragments.mp4": [X264, FRAGMENTS],
    "gap.mkv": [[*GAP, *X264]],
    "old.avi": [["-c:v", "mpeg4", "-q:v", "2", "-bf", "2", "-g", "20"]],
    "old.mpg": [["-c:v", "mpeg1video", "-q:v", "2", "-bf", "2"]],
    "several edits.mp4": [X264],
}


def with_edits(path: Path) -> None:
    """Replace the only edit by three: a second from 0.5 s on, half a second of nothing, and the part from 2.2 s on."""
    data = bytearray(path.read_bytes())
    place = data.index(b"elst") - 4
    assert struct.unpack_from(">I", data, place + 12) == (1,)
    (start,) = struct.unpack_from(">i", data, place + 20)
    movie, media = (struct.unpack_from(">I", data, data.index(kind) + 16)[0] for kind in (b"mvhd", b"mdhd"))
    edits = [(movie, start + media // 2), (movie // 2, -1), (movie * 3 // 4, start + media * 11 // 5)]
    box = struct.pack(">I4sII", 16 + 12 * len(edits), b"elst", 0, len(edits))
    box += b"".join(struct.pack(">IiI", length, begin, 0x10000) for length, begin in edits)
    for kind in (b"moov", b"trak", b"edts"):
        parent = data.index(kind) - 4
        struct.pack_into(">I", data, parent, struct.unpack_from(">I", data, parent)[0] + len(box) - 28)
    data[place : place + 28] = box
    path.write_bytes(data)


def shown_by_ffmpeg(path: Path) -> tuple[list[float], list[float]]:
    """Times, seconds, and mean brightness of the frames that ffmpeg shows."""
    words = [FFMPEG, "-v", "error", "-i", str(path), "-map", "0:v:0", "-fps_mode", "passthrough"]
    gray = ["-vf", "format=gray", "-c:v", "rawvideo", "-f"]
    said = subprocess.run(
        [*words, "-enc_time_base", "1/90000", *gray, "framecrc", "-"], capture_output=True, check=True
    )
    rows = [row.split(b",") for row in said.stdout.splitlines() if row[:1] not in (b"#", b"")]
    raw = subprocess.run([*words, *gray, "rawvideo", "-"], capture_output=True, check=True).stdout
    pictures = np.frombuffer(raw, np.uint8).reshape(len(rows), -1)
    return [int(row[2]) / 90000 for row in rows], [float(mean) for mean in pictures.mean(axis=1)]


@pytest.mark.parametrize("name", KINDS)
def test_the_shown_frames_and_their_times(tmp_path: Path, name: str) -> None:
    suffix = Path(name).suffix
    made, clip = tmp_path / f"made{'.mp4' if len(KINDS[name]) > 1 else suffix}", tmp_path / f"clip{suffix}"
    ffmpeg(*BASE, *KINDS[name][0], str(made))
    for words in KINDS[name][1:]:
        seek = words[:2] if words[0] == "-ss" else []
        ffmpeg(*seek, "-i", str(made), "-c", "copy", *words[len(seek) :], str(clip))
    clip = clip if clip.exists() else made
    if name.startswith("several"):
        with_edits(clip)
    times, bright = shown_by_ffmpeg(clip)
    with VideoReader(clip) as reader:
        frames = list(reader)
        found = [float(frame.time) for frame in frames]
        assert len(frames) == len(times) > 30
        assert max(abs((a - found[0]) - (b - times[0])) for a, b in zip(found, times, strict=True)) < 0.0015
        # RGB is full range, ffmpeg's gray keeps the limited one here or not: only the order of pictures counts.
        ours = [float(frame.image.pixels.mean()) for frame in frames]
        assert np.corrcoef(ours, bright)[0, 1] > 0.9999
        for place in (0, len(frames) // 3, len(frames) - 1):
            again = next(reader.frames(place, frames[place].time))
            assert (again.time, float(again.image.pixels.mean())) == (frames[place].time, ours[place])


def test_frames_with_equal_times_are_spread_over_the_gap_behind_them(tmp_path: Path) -> None:
    """Players show the last of three frames at 0.76 s only; each gets a part of the time up to the next one."""
    made, clip = tmp_path / "made.mkv", tmp_path / "clip.mkv"
    ffmpeg(*BASE, "-c:v", "mpeg4", "-q:v", "2", str(made))
    ffmpeg("-i", str(made), "-c", "copy", "-bsf:v", "setts=ts='if(between(N,20,21),PREV_OUTPTS,TS)'", str(clip))
    times, bright = shown_by_ffmpeg(clip)
    assert [round(time, 2) for time in times[18:24]] == [0.72, 0.76, 0.76, 0.76, 0.88, 0.92]
    with VideoReader(clip) as reader:
        frames = list(reader)
        ours = [float(frame.image.pixels.mean()) for frame in frames]
        assert np.corrcoef(ours, bright)[0, 1] > 0.9999
        assert [float(frame.time) for frame in frames] == pytest.approx([n / 25 for n in range(75)], abs=0.001)
        again = next(reader.frames(21, frames[21].time))
        assert float(again.image.pixels.mean()) == ours[21]
