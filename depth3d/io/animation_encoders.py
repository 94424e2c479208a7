"""The encoders behind ``write_animation``: each takes frames, a path, a rate and a size.

Video is converted with BT.709 and tagged so: untagged files are guessed by size, and red turns orange.
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
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter
from numpy.typing import NDArray

from depth3d.errors import VideoError
from depth3d.image import Size

__all__ = ["Encoder", "write_apng", "write_gif", "write_mp4", "write_webm", "write_webp"]

Frames = Iterator[NDArray[np.uint8]]
Encoder = Callable[[Frames, Path, Fraction, Size], None]


def write_mp4(frames: Frames, path: Path, fps: Fraction, size: Size) -> None:
    """H.264, 4:2:0, BT.709 limited range, index at the front so that it plays while it loads."""
    options = {"crf": "18", "preset": "fast"}
    _write_video(frames, path, fps, size, "libx264", options, {"movflags": "+faststart"})


def write_webm(frames: Frames, path: Path, fps: Fraction, size: Size) -> None:
    """VP9 at constant quality; row threads and speed 4, as the default is ten times slower than H.264."""
    options = {"crf": "28", "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1", "tile-columns": "2"}
    _write_video(frames, path, fps, size, "libvpx-vp9", options, {})


def _write_video(
    frames: Frames,
    path: Path,
    fps: Fraction,
    size: Size,
    codec: str,
    options: dict[str, str],
    container: dict[str, str],
) -> None:
    with av.open(str(path), "w", options=container) as output:
        stream = _add_stream(output, codec, fps, size, "yuv420p", options)
        tagged = stream.codec_context
        tagged.colorspace, tagged.color_range = Colorspace.ITU709, ColorRange.MPEG
        tagged.color_primaries, tagged.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        convert = VideoReformatter()  # kept: a new one for every frame would set up its tables anew
        for index, pixels in enumerate(frames):
            frame = convert.reformat(
                av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(pixels), "rgb24"),
                format="yuv420p",
                dst_colorspace=Colorspace.ITU709,
                dst_color_range=ColorRange.MPEG,
            )
            frame.pts, frame.time_base = index, 1 / fps
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def _add_stream(
    output: Any, codec: str, fps: Fraction, size: Size, pix_fmt: str, options: dict[str, str] | None = None
) -> Any:
    stream = output.add_stream(codec, rate=fps, options=options)
    stream.width, stream.height, stream.pix_fmt, stream.time_base = size.width, size.height, pix_fmt, 1 / fps
    return stream


def write_gif(frames: Frames, path: Path, fps: Fraction, size: Size) -> None:
    """One palette for the whole clip, ordered dither: error diffusion would crawl from frame to frame.

    The palette is known only after the last frame, so the frames wait in a lossless temporary file.
    """
    with tempfile.TemporaryDirectory(prefix="depth3d-") as folder:
        spool = Path(folder) / "frames.mkv"
        palette = _PaletteMaker(size)
        _write_lossless(palette.watch(frames), spool, fps, size)
        _write_gif(_read_frames(spool), palette.result(), path, fps, size)


class _PaletteMaker:
    """256 colours for all frames together (ffmpeg's palettegen: median cut on the summed histogram)."""

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
            # Every fourth frame tells enough: neighbours show the same colours.
            if index % 4 == 0:
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24")
                frame.pts, frame.time_base = index, Fraction(1, 100)
                self._graph.push(frame)
            yield pixels

    def result(self) -> Any:
        self._graph.push(None)
        return self._graph.pull()


def _write_lossless(frames: Frames, path: Path, fps: Fraction, size: Size) -> None:
    with av.open(str(path), "w") as output:
        stream = _add_stream(output, "ffv1", fps, size, "bgr0")
        for index, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24").reformat(format="bgr0")
            frame.pts, frame.time_base = index, 1 / fps
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def _read_frames(path: Path) -> Iterator[Any]:
    with av.open(str(path)) as source:
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
    with av.open(str(path), "w", format="gif", options={"loop": "0"}) as output:
        stream = _add_stream(output, "gif", fps, size, "pal8")
        stream.time_base = tick
        palette.pts, palette.time_base = 0, tick
        colors.push(palette)
        colors.push(None)
        for index, frame in enumerate(frames):
            frame.pts, frame.time_base = round(index / fps * 100), tick
            source.push(frame)
            _drain(graph, stream, output)
        source.push(None)
        _drain(graph, stream, output)
        output.mux(stream.encode(None))


def _drain(graph: Any, stream: Any, output: Any) -> None:
    while True:
        try:
            frame = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        output.mux(stream.encode(frame))


def write_apng(frames: Frames, path: Path, fps: Fraction, size: Size) -> None:
    """True colour, lossless, large."""
    with av.open(str(path), "w", format="apng", options={"plays": "0"}) as output:
        stream = _add_stream(output, "apng", fps, size, "rgb24", {"pred": "mixed"})
        for index, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24")
            frame.pts, frame.time_base = index, 1 / fps
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def write_webp(frames: Frames, path: Path, fps: Fraction, size: Size) -> None:
    """Lossy animated WebP through the bundled ffmpeg: Pillow would hold every frame in memory."""
    import imageio_ffmpeg

    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    command += ["-video_size", str(size), "-framerate", str(fps), "-i", "pipe:0", "-c:v", "libwebp_anim"]
    command += [
        "-pix_fmt",
        "bgra",
        "-quality",
        "82",
        "-compression_level",
        "4",
        "-loop",
        "0",
        "-f",
        "webp",
        "-y",
        str(path),
    ]
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
        return  # ffmpeg stopped; its exit status and log tell why
