"""For every container that ffmpeg's muxers make: frames, times, sound and tracks beside what ffmpeg itself reads."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest
from clips import FFMPEG

from depth3d.io.video.companions import Span, extract_tracks
from depth3d.io.video.reader import VideoReader
from depth3d.io.video.suffixes import is_clip
from depth3d.io.video.tracks import list_tracks


@dataclass(frozen=True)
class Row:
    """How a clip of a muxer is made: its suffix, the codec of its sound (None = pictures only), words for ffmpeg."""

    suffix: str
    sound: str | None = None
    words: str = ""
    size: str = "128x96"
    rate: int = 25
    sound_rate: int = 48000
    stream: int = 0  # the one of its video streams that moves


_DNXHD = "-c:v dnxhd -pix_fmt yuv422p -b:v 60M"
_D10 = (
    "-c:v mpeg2video -pix_fmt yuv422p -intra_vlc 1 -non_linear_quant 1 -g 1 -qmin 1 -qmax 12 -minrate 50M -maxrate 50M"
    " -b:v 50M -bufsize 2000k -rc_init_occupancy 2000k -flags +ildct+low_delay -dc 10"
)
_Y4M = Row("y4m", words="-pix_fmt yuv420p")
MUXERS = {
    **{"mp4": Row("mp4", "aac"), "mov": Row("mov", "aac"), "ipod": Row("m4v", "aac"), "ismv": Row("ismv", "aac")},
    **{"psp": Row("psp", "aac"), "3gp": Row("3gp", "aac"), "3g2": Row("3g2", "aac"), "f4v": Row("f4v", "aac")},
    **{"matroska": Row("mkv", "aac"), "webm": Row("webm", "libopus", "-cpu-used 8"), "nut": Row("nut", "aac")},
    **{"flv": Row("flv", "aac"), "avi": Row("avi", "mp3"), "asf": Row("wmv", "wmav2"), "wtv": Row("wtv", "ac3")},
    **{"ogg": Row("ogg", "libvorbis"), "ogv": Row("ogv", "libvorbis")},
    **{"mpegts": Row("ts", "aac"), "mpeg": Row("mpg", "mp2"), "dvd": Row("dvd", "mp2"), "svcd": Row("mpg", "mp2")},
    **{"vob": Row("vob", "ac3"), "vcd": Row("mpg", "mp2", size="352x288"), "rm": Row("rm", "ac3", "-c:v rv20")},
    **{"mxf": Row("mxf", "pcm_s16le"), "mxf_d10": Row("mxf", "pcm_s16le", _D10, size="720x576")},
    **{"mxf_opatom": Row("mxf", None, _DNXHD, "960x720"), "gxf": Row("gxf", "pcm_s16le", size="720x576")},
    **{"dv": Row("dv", None, "-pix_fmt yuv420p", "720x576"), "hls": Row("m3u8", "aac")},
    **{"swf": Row("swf", "mp3", sound_rate=44100), "avm2": Row("swf", "mp3", sound_rate=44100)},
    **{"film_cpk": Row("cpk", "pcm_s16be_planar", "-c:v cinepak"), "smjpeg": Row("smjpeg", "pcm_s16le")},
    "amv": Row("amv", "adpcm_ima_amv", "-strict -1 -block_size 882 -ac 1", "160x120", sound_rate=22050),
    "roq": Row("roq", "roq_dpcm", "-strict -2", "256x128", 30, sound_rate=22050),
    **{"gif": Row("gif"), "apng": Row("apng", words="-plays 0"), "webp": Row("webp"), "yuv4mpegpipe": _Y4M},
    **{"avif": Row("avif", None, "-c:v libsvtav1", stream=1), "ivf": Row("ivf", None, "-c:v libvpx-vp9 -cpu-used 8")},
    **{
        "pdv": Row("pdv", None, "-strict -2 -pix_fmt monob -max_frames 50", "400x240"),
        "filmstrip": Row("flm", words="-pix_fmt rgba"),
    },
    # Bare streams, without times: their codec may tell the rate, else it is taken for 25.
    **{
        "h264": Row("h264", rate=30),
        "hevc": Row("hevc", None, "-preset ultrafast", rate=30),
        "m4v": Row("m4v", rate=30),
    },
    **{"mpeg1video": Row("m1v", rate=30), "mpeg2video": Row("m2v", rate=30), "h263": Row("h263", rate=30)},
    **{"h261": Row("h261", None, "", "176x144", 30), "vvc": Row("vvc", None, "-preset faster", rate=30)},
    **{"mjpeg": Row("mjpeg"), "mpjpeg": Row("mjpg"), "dirac": Row("drc", None, "-c:v vc2", rate=30)},
    **{"obu": Row("obu", None, "-c:v libsvtav1"), "dnxhd": Row("dnxhd", None, _DNXHD, "960x720")},
    "apv": Row("apv", size="320x240"),
}
# Two suffixes more of the same muxers, which read differently.
ROWS = {**MUXERS, "mpegts (192 bytes)": Row("m2ts", "ac3"), "avi (divx)": Row("divx", "mp3", "-f avi")}
# The other muxers that take pictures, and why there is no clip to read.
OTHERS = {
    "covers of sound files": "aiff flac mp3",
    "single pictures": "fits ico image2 image2pipe",
    "checksums and lists": "crc framecrc framehash framemd5 hash md5 mkvtimestamp_v2 null streamhash uncodedframecrc",
    "devices and networks": "fbdev rtp rtp_mpegts rtsp sap v4l2 video4linux2 whip xv sdl sdl,sdl2 caca opengl",
    "manifests: the segments are MP4 or FLV files": "dash hds smoothstreaming webm_chunk",
    "ffmpeg has no reader": "a64 asf_stream",
    "pixels without size and rate": "rawvideo",
    "no encoder, or no decoder, in ffmpeg builds": "avs2 avs3 cavsvideo evc vc1 vc1test",
}


def test_the_table_is_complete() -> None:
    said = subprocess.run([FFMPEG, "-hide_banner", "-muxers"], check=True, capture_output=True, text=True).stdout
    names = [line.split()[1] for line in said.split("---\n")[-1].splitlines()]
    known = {*MUXERS, *(name for line in OTHERS.values() for name in line.split())}
    unknown = []
    for name in (one for line in names for one in line.split(",") if one not in known):
        command = [FFMPEG, "-hide_banner", "-h", f"muxer={name}"]
        if "Default video codec" in subprocess.run(command, check=True, capture_output=True, text=True).stdout:
            unknown.append(name)
    assert unknown == []


def made(folder: Path, muxer: str) -> Path:
    """A clip of two seconds by this muxer; skipped where this ffmpeg lacks the muxer or an encoder."""
    row = ROWS[muxer]
    clip = folder / f"a.{row.suffix}"
    words = ["-f", "lavfi", "-i", f"testsrc=s={row.size}:r={row.rate}:d=2"]
    if row.sound:
        words += ["-f", "lavfi", "-i", f"sine=r={row.sound_rate}:d=2", "-ar", str(row.sound_rate), "-c:a", row.sound]
    words += [*row.words.split(), *(["-f", muxer] if muxer in MUXERS else []), str(clip)]
    found = subprocess.run(
        [FFMPEG, "-nostdin", "-v", "error", "-y", *words], check=False, capture_output=True, text=True
    )
    if found.returncode and re.search(
        "Unknown encoder|Encoder not found|not a suitable output|not known", found.stderr
    ):
        pytest.skip(f"this ffmpeg cannot make it: {found.stderr.splitlines()[0]}")
    assert found.returncode == 0, found.stderr
    return clip


def read_by_ffmpeg(clip: Path, stream: int) -> tuple[list[float], list[float], list[str]]:
    """Times of the shown frames and of the packets of the first sound, seconds, and the kinds of all streams."""
    words = [
        "-copyts",
        "-i",
        str(clip),
        "-map",
        f"0:v:{stream}",
        "-map",
        "0:a:0?",
        "-c:a",
        "copy",
        "-fps_mode",
        "passthrough",
    ]
    words += ["-enc_time_base", "demux", "-f", "framecrc", "-"]
    found = subprocess.run([FFMPEG, "-nostdin", "-hide_banner", *words], capture_output=True, text=True, check=False)
    lines = found.stdout.splitlines()
    bases = [Fraction(line.split(": ")[1]) for line in lines if line.startswith("#tb")]
    times: list[list[float]] = [[], []]
    for line in lines:
        if not line.startswith("#"):
            place, _, stamp = line.split(",")[:3]
            times[int(place)].append(float(int(stamp) * bases[int(place)]))
    kinds = re.findall(r"Stream #0:\d+.*?: (Video|Audio|Data|Subtitle)", found.stderr.split("Output #0")[0])
    return times[0], times[1], [kind.lower() for kind in kinds]


@pytest.mark.parametrize("muxer", ROWS)
def test_frames_times_sound_and_tracks_are_those_of_ffmpeg(tmp_path: Path, muxer: str) -> None:
    row, clip = ROWS[muxer], made(tmp_path, muxer)
    times, sound, kinds = read_by_ffmpeg(clip, row.stream)
    assert is_clip(clip)
    with VideoReader(clip) as reader:
        frames = list(reader)
        info = reader.info
    assert len(frames) == len(times) == 2 * row.rate
    found = [float(frame.time - frames[0].time) for frame in frames]
    wanted = [time - times[0] for time in times]
    assert max(abs(a - b) for a, b in zip(found, wanted, strict=True)) < 0.0015
    assert float(info.start) < 0.1
    tracks = list_tracks(clip)
    assert [track.kind for track in tracks] == [kind for kind in kinds if kind != "video"]
    if row.sound:
        extracted, lost = extract_tracks(
            clip, [one for one in tracks if one.kind == "audio"], tmp_path, Span(info.origin)
        )
        assert lost == []
        assert float(extracted[0].begin - frames[0].time) == pytest.approx(min(sound) - times[0], abs=0.02)
        assert float(extracted[0].end - extracted[0].begin) == pytest.approx(2, abs=0.12)
    with VideoReader(clip) as reader:
        for place in (0, 13, 2 * row.rate - 1):
            assert next(reader.frames(place, frames[place].time)).time == frames[place].time
