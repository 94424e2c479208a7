"""Small clips with known answers, and what ffprobe says of a file."""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
import subprocess
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg
import numpy as np
from probed import probed

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
RATE = Fraction(30000, 1001)


def picture(index: int, width: int = 64, height: int = 48) -> np.ndarray:
    """A ramp with a square that moves by two pixels a frame: every frame differs from all others."""
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([x * 255 // width, y * 255 // height, np.full_like(x, 40 + 3 * index % 200)], axis=-1)
    left = 4 + 2 * index % (width - 20)
    pixels[10:24, left : left + 12] = (250, 240, 60)
    return pixels.astype(np.uint8)


def make_clip(
    path: Path,
    *,
    count: int = 24,
    size: tuple[int, int] = (64, 48),
    rate: Fraction = RATE,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    times: list[Fraction] | None = None,
    time_base: Fraction | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Write a clip of ``picture``s, BT.709 limited range unless the pixel format is RGB."""
    base = time_base or 1 / rate
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=rate, options=options or {"crf": "12"})
        stream.width, stream.height = size
        stream.pix_fmt, stream.time_base = pix_fmt, base
        stream.codec_context.time_base = base
        yuv = pix_fmt.startswith("yuv")
        if yuv:
            context = stream.codec_context
            context.colorspace = context.color_primaries = context.color_trc = context.color_range = 1
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(picture(index, *size), "rgb24")
            settings = {"dst_colorspace": 1, "dst_color_range": 1} if yuv else {}
            frame = frame.reformat(format=pix_fmt, **settings)
            when = times[index] if times else index / rate
            frame.pts, frame.time_base = round(when / base), base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_clip(
    path: Path,
    pictures: Iterable[np.ndarray],
    *,
    rate: int | Fraction = 25,
    codec: str = "ffv1",
    options: dict[str, str] | None = None,
    stereo_mode: str | None = None,
) -> Path:
    """Write 8-bit RGB pictures as a clip: lossless RGB with ``ffv1``, else 4:2:0."""
    pix_fmt = "bgr0" if codec == "ffv1" else "yuv420p"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=rate, options=options or {})
        for number, pixels in enumerate(pictures):
            if not number:
                stream.height, stream.width = pixels.shape[:2]
                stream.pix_fmt = pix_fmt
                if stereo_mode is not None:
                    stream.metadata["stereo_mode"] = stereo_mode
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24").reformat(format=pix_fmt)
            frame.pts, frame.time_base = number, 1 / Fraction(rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def blocks(dice: np.random.Generator, rows: int, columns: int, side: int) -> np.ndarray:
    """A wall of square blocks of random colors."""
    return dice.integers(0, 255, (rows, columns, 3), dtype=np.uint8).repeat(side, 0).repeat(side, 1)


def box_before(walls: Iterable[np.ndarray], rows: slice, width: int) -> Iterator[np.ndarray]:
    """The pictures with a yellow box before them, which moves to the right by a pixel a frame and starts anew."""
    for number, wall in enumerate(walls):
        pixels = wall.copy()
        left = number % (2 * width)
        pixels[rows, left : left + width] = (250, 220, 40)
        yield pixels


def ffmpeg(*words: str) -> None:
    subprocess.run([FFMPEG, "-nostdin", "-v", "error", "-y", *words], check=True)


def with_extras(clip: Path, path: Path) -> Path:
    """The clip with two sound tracks, subtitles, two chapters and a title."""
    folder = path.parent
    subtitles, chapters = folder / "lines.srt", folder / "chapters.txt"
    subtitles.write_text("1\n00:00:00,100 --> 00:00:00,500\nHello\n")
    marks = "".join(
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={a}\nEND={b}\ntitle={t}\n"
        for a, b, t in [(0, 400, "one"), (400, 800, "two")]
    )
    chapters.write_text(f";FFMETADATA1\ntitle=A title\nartist=Somebody\n{marks}")
    sound = ["-f", "lavfi", "-t", "0.8", "-i"]
    ffmpeg(
        *("-i", str(clip), *sound, "sine=440", *sound, "sine=880", "-i", str(subtitles), "-i", str(chapters)),
        *("-map", "0:v", "-map", "1:a", "-map", "2:a", "-map", "3:s", "-map_metadata", "4", "-map_chapters", "4"),
        *("-c:v", "copy", "-c:a", "aac", "-c:s", "mov_text" if path.suffix == ".mp4" else "srt"),
        *("-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=deu", str(path)),
    )
    return path


def probe(path: Path, *words: str) -> dict[str, Any]:
    """What ffprobe says; where it is not installed, the same facts as PyAV reads them."""
    program = shutil.which("ffprobe")
    if program is None:
        return probed(path)
    shown = ["-show_streams", "-show_format", "-show_chapters", *words]
    answer = subprocess.run([program, "-v", "error", "-of", "json", *shown, str(path)], check=True, capture_output=True)
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def frame_times(path: Path) -> list[Fraction]:
    """Exact times of all frames of the first picture stream, in order of showing, from the packets."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        packets: Any = container.demux(stream)
        return sorted(packet.pts * Fraction(stream.time_base) for packet in packets if packet.size)


def hashes(path: Path) -> list[tuple[Fraction, str]]:
    """Time and digest of every decoded frame."""
    with av.open(str(path)) as container:
        base = Fraction(container.streams.video[0].time_base)
        return [
            ((frame.pts or 0) * base, hashlib.md5(frame.to_ndarray(format="rgb24").tobytes()).hexdigest())
            for frame in container.decode(video=0)
        ]


def find_box(path: str | Path, *kinds: str) -> bytes | None:
    """The content of the first box of the last kind inside the first of the kind before it, and so on.

    ``find_box(f, "st3d")`` searches everywhere in the index; None if there is none.
    """
    data = Path(path).read_bytes()
    for kind in kinds:
        place = data.find(kind.encode())
        if place < 4:
            return None
        size = struct.unpack_from(">I", data, place - 4)[0]
        data = data[place + 4 : place - 4 + size]
    return data


def insert_into_sample_entry(path: Path, box: bytes, entry: bytes = b"avc1", after: bytes = b"avcC") -> None:
    """Insert a box after ``avcC`` of an MP4 or MOV file whose index is last."""
    data = bytearray(path.read_bytes())
    place = data.index(after) - 4
    place += struct.unpack_from(">I", data, place)[0]
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", entry):
        start = data.index(kind) - 4 if kind != entry else data.rindex(entry, 0, place) - 4
        struct.pack_into(">I", data, start, struct.unpack_from(">I", data, start)[0] + len(box))
    data[place:place] = box
    path.write_bytes(data)
