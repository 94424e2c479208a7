"""For every container that ffmpeg's muxers make: frames, times and tracks beside what ffprobe says."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from clips import ffmpeg

from depth3d.io.video.reader import VideoReader
from depth3d.io.video.tracks import list_tracks

# Container -> its sound, None = pictures only.
CONTAINERS = {
    **dict.fromkeys(("mp4", "mov", "m4v", "mkv", "ts", "m2ts", "flv", "f4v", "nut", "3gp", "3g2"), "aac"),
    **{"webm": "libopus", "ogv": "libvorbis", "wmv": "wmav2", "asf": "wmav2", "avi": "mp3", "divx": "mp3"},
    **{"mpg": "mp2", "vob": "ac3", "mxf": "pcm_s16le", "dv": None},
    **dict.fromkeys(("gif", "apng", "y4m", "ivf", "m2v", "h264", "hevc", "mjpeg"), None),
}
_CODECS = {
    **{
        "m4v": ["-c:v", "libx264"],
        "f4v": ["-f", "flv"],
        "divx": ["-f", "avi"],
        "apng": ["-plays", "0"],
        "y4m": ["-pix_fmt", "yuv420p"],
    },
    **{"ivf": ["-c:v", "libvpx-vp9", "-cpu-used", "8"], "m2v": ["-f", "mpeg2video"]},
    **{"dv": ["-s", "720x576", "-pix_fmt", "yuv420p"], "mxf": ["-c:v", "mpeg2video"]},
}


def shown_by_ffmpeg(path: Path) -> tuple[list[float], list[str]]:
    """Times of the shown frames from the first one on, and kinds of all streams."""
    program = shutil.which("ffprobe")
    if program is None:
        pytest.skip("needs ffprobe as the other witness")
    words = [
        "-show_frames",
        "-select_streams",
        "v:0",
        "-show_entries",
        "frame=best_effort_timestamp_time:stream=codec_type",
    ]
    command = [program, "-v", "error", "-of", "json", *words, str(path)]
    found: Any = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    times = [float(frame.get("best_effort_timestamp_time", "nan")) for frame in found["frames"]]
    kinds = subprocess.run(
        [program, "-v", "error", "-of", "csv=p=0", "-show_entries", "stream=codec_type", str(path)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    return [time - times[0] for time in times], [kind.strip(",") for kind in kinds if kind.strip(",")]


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_frames_times_and_tracks_are_those_of_ffmpeg(tmp_path: Path, suffix: str) -> None:
    clip = tmp_path / f"a.{suffix}"
    sound = CONTAINERS[suffix]
    words = ["-f", "lavfi", "-i", "testsrc=s=176x144:r=25:d=2"]
    if sound is not None:
        words += ["-f", "lavfi", "-i", "sine=r=48000:d=2", "-c:a", sound]
    ffmpeg(*words, *_CODECS.get(suffix, []), str(clip))
    times, kinds = shown_by_ffmpeg(clip)
    with VideoReader(clip) as reader:
        frames = list(reader)
        info = reader.info
    assert len(frames) == len(times) == 50
    assert [track.kind for track in list_tracks(clip)] == (["audio"] if sound else [])
    assert kinds.count("audio") >= (sound is not None)
    found = [float(frame.time - frames[0].time) for frame in frames]
    if suffix in ("h264", "hevc", "m2v"):  # streams without times: ffprobe has none either, or guesses
        assert all(abs(time - n / 25) < 0.0015 for n, time in enumerate(found))
    else:
        assert max(abs(a - b) for a, b in zip(found, times, strict=True)) < 0.0015
    assert float(info.start) < 0.1
    with VideoReader(clip) as reader:
        for place in (0, 13, 49):
            assert next(reader.frames(place, frames[place].time)).time == frames[place].time
