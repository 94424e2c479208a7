"""Animation encoders: functions of (frames, path, frame rate, size).

Video files use the encoders of clips; GIF, WebP and APNG have separate functions.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from depth3d.errors import VideoError
from depth3d.image import Image, Size
from depth3d.io.leftovers import temporary_folder
from depth3d.io.video.encoders import ENCODERS, Encoder
from depth3d.io.video.files import ffmpeg_command, file_url, open_container
from depth3d.io.video.stream_writer import StreamWriter
from depth3d.io.video.writer import VideoWriter

__all__ = ["FrameEncoder", "video_encoder", "write_apng", "write_gif", "write_webp"]

Frames = Iterator[NDArray[np.uint8]]
FrameEncoder = Callable[[Frames, Path, Fraction, Size], None]


def video_encoder(encoder: Encoder) -> FrameEncoder:
    """Return a function that writes animations with a video encoder (BT.709, 8 bits)."""

    def write(frames: Frames, path: Path, fps: Fraction, size: Size) -> None:
        # Index first, so that an MP4 plays while it loads; other muxers do not have this option.
        first = {"movflags": "+faststart"} if path.suffix.lower() in (".mp4", ".mov", ".m4v") else None
        writer = VideoWriter(path, size, rate=fps, time_base=1 / fps, encoder=encoder, container_options=first)
        with writer:
            for index, pixels in enumerate(frames):
                writer.write(Image(pixels), index / fps)

    return write


def write_gif(frames: Frames, path: Path, fps: Fraction, size: Size) -> None:
    """Write a GIF with one palette for all frames and ordered dithering (error diffusion would flicker).

    The palette is known only after the last frame, so the frames are stored in a lossless temporary file first.
    """
    with temporary_folder() as folder:
        spool = folder / "frames.mkv"
        palette = _PaletteMaker(size)
        _write_lossless(palette.watch(frames), spool, fps, size)
        _write_gif(_read_frames(spool), palette.result(), path, fps, size)


class _PaletteMaker:
    """Compute 256 colors for all frames (FFmpeg's palettegen: median cut on the total histogram)."""

    def __init__(self, size: Size) -> None:
        graph: Any = av.filter.Graph()
        self._graph = graph
        source = graph.add_buffer(width=size.width, height=size.height, format="rgb24", time_base=Fraction(1, 100))
        maker = graph.add("palettegen", "stats_mode=full:reserve_transparent=1")
        sink = graph.add("buffersink")
        source.link_to(maker)
        maker.link_to(sink)
        graph.configure()

    def watch(self, frames: Frames) -> Frames:
        for index, pixels in enumerate(frames):
            # Every fourth frame is enough: neighboring frames have similar colors.
            if index % 4 == 0:
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24")
                frame.pts, frame.time_base = index, Fraction(1, 100)
                self._graph.push(frame)
            yield pixels

    def result(self) -> Any:
        self._graph.push(None)
        return self._graph.pull()


def _write_lossless(frames: Frames, path: Path, fps: Fraction, size: Size) -> None:
    with VideoWriter(path, size, rate=fps, time_base=1 / fps, encoder=ENCODERS["ffv1"]) as writer:
        for index, pixels in enumerate(frames):
            writer.write(Image(pixels), index / fps)


def _read_frames(path: Path) -> Iterator[Any]:
    with open_container(path) as source:
        yield from source.decode(video=0)


def _write_gif(frames: Iterator[Any], palette: Any, path: Path, fps: Fraction, size: Size) -> None:
    tick = Fraction(1, 100)
    graph: Any = av.filter.Graph()
    source = graph.add_buffer(width=size.width, height=size.height, format="bgr0", time_base=tick)
    colors = graph.add_buffer(width=16, height=16, format=palette.format.name, time_base=tick)
    mapper = graph.add("paletteuse", "dither=bayer:bayer_scale=4:diff_mode=rectangle")
    sink = graph.add("buffersink")
    source.link_to(mapper, 0, 0)
    colors.link_to(mapper, 0, 1)
    mapper.link_to(sink)
    graph.configure()
    writer = StreamWriter(
        path,
        size,
        codec="gif",
        pixel_format="pal8",
        rate=fps,
        time_base=tick,
        layout="gif",
        container_options={"loop": "0"},
    )
    with writer:
        palette.pts, palette.time_base = 0, tick
        colors.push(palette)
        colors.push(None)
        for index, frame in enumerate(frames):
            frame.pts, frame.time_base = round(index / fps * 100), tick
            source.push(frame)
            _drain(graph, writer, tick)
        source.push(None)
        _drain(graph, writer, tick)


def _drain(graph: Any, writer: StreamWriter, tick: Fraction) -> None:
    while True:
        try:
            frame = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        writer.encode(frame, frame.pts * tick)


def write_apng(frames: Frames, path: Path, fps: Fraction, size: Size) -> None:
    """Write an animated PNG: true color, lossless, large files."""
    writer = StreamWriter(
        path,
        size,
        codec="apng",
        pixel_format="rgb24",
        rate=fps,
        time_base=1 / fps,
        options={"pred": "mixed"},
        layout="apng",
        container_options={"plays": "0"},
    )
    with writer:
        for index, pixels in enumerate(frames):
            writer.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24"), index / fps)


def write_webp(frames: Frames, path: Path, fps: Fraction, size: Size) -> None:
    """Write lossy animated WebP with the bundled ffmpeg (Pillow would keep all frames in memory)."""
    command = [*ffmpeg_command(), "-f", "rawvideo", "-pix_fmt", "rgb24", "-video_size", str(size)]
    command += ["-framerate", str(fps), "-i", "pipe:0", "-c:v", "libwebp_anim", "-pix_fmt", "bgra", "-quality", "82"]
    command += ["-compression_level", "4", "-loop", "0", "-f", "webp", file_url(path)]
    with tempfile.TemporaryFile() as log, subprocess.Popen(command, stdin=subprocess.PIPE, stderr=log) as process:
        try:
            _feed(process, frames)
        except BaseException:
            process.kill()
            raise
        if process.wait() != 0:
            log.seek(0)
            text = log.read().decode(errors="replace").strip().splitlines()
            raise VideoError(
                f"ffmpeg could not write the WebP: {text[-1] if text else f'exit status {process.returncode}'}"
            )


def _feed(process: subprocess.Popen[bytes], frames: Frames) -> None:
    if process.stdin is None:
        raise VideoError("ffmpeg has no input")
    try:
        for pixels in frames:
            process.stdin.write(np.ascontiguousarray(pixels).tobytes())
        process.stdin.close()
    except BrokenPipeError:
        return  # ffmpeg stopped; its exit status and log have the reason
