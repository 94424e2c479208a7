"""MV-HEVC (layered H.265, Apple's spatial video): decode both views and join them side by side, the left eye first.

FFmpeg 7.1 and newer decode the second view if the option ``view_ids`` of its H.265 decoder asks for it. The base view
comes first, its partner from the same packet follows it.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from depth3d.errors import ReadError
from depth3d.io.video.choice import LARGEST_FRAME, choose_stream, large_frames
from depth3d.io.video.color import all_side_data, bit_depth
from depth3d.io.video.files import open_container
from depth3d.io.video.mp4_boxes import find_sample_box

__all__ = ["ViewJoiner", "has_views"]

_ALL = {"view_ids": "-1"}
_PARAMETER_SET = b"\x40\x01"  # NAL unit header of a video parameter set of the base layer
_LEFT, _RIGHT, _REVERSED = 1, 2, 1  # of FFmpeg's AVStereo3D: views, and a flag
_FIRST_PACKETS = 32


def _is_layered(path: Path, context: Any) -> bool:
    """Return whether a stream says that it has more than one layer: a second view, or alpha.

    Parameters
    ----------
    path : Path
        The clip.
    context : Any
        Codec context of its video stream; its parameter sets (ITU-T H.265, 7.3.2.1) tell, else MP4's ``lhvC`` box.
    """
    if context.name != "hevc":
        return False
    sets = bytes(context.extradata or b"").split(_PARAMETER_SET)[1:]
    layers = (((one[0] & 3) << 4 | one[1] >> 4) + 1 for one in sets if len(one) > 1)
    return any(count > 1 for count in layers) or (path.is_file() and find_sample_box(path, b"lhvC") is not None)


def has_views(path: str | Path) -> bool:
    """Return whether a clip has two views that can be decoded; of layered clips the first packets are, once per file.

    False for clips that cannot be opened, and where FFmpeg lacks this decoder.
    """
    path = Path(path)
    if not path.is_file():
        return False
    stat = path.stat()
    return _found(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=32)
def _found(path: Path, changed: int, size: int) -> bool:
    try:
        with open_container(path) as container:
            stream = choose_stream(container, path)
            context = stream.codec_context
            if not _is_layered(path, context):
                return False
            context.thread_count, context.options = 1, {**_ALL, "max_pixels": str(LARGEST_FRAME)}
            context.copy_opaque = True
            shown: set[object] = set()
            for packet in islice(container.demux(stream), _FIRST_PACKETS):
                packet.opaque = object()
                for frame in packet.decode():
                    if frame.opaque in shown:
                        return True
                    shown.add(frame.opaque)
    except (ReadError, av.error.FFmpegError, ValueError, OSError):  # other readers say what is wrong with the clip
        pass
    return False


class ViewJoiner:
    """Join the decoded frames of a clip with two views in pairs, side by side.

    Color tags, times and side data are those of the base view. A frame without a partner (damaged files) is shown to
    both eyes.

    Parameters
    ----------
    path : Path
        The clip.
    context : Any
        Codec context of its video stream, not open yet; it is set up to give both views.

    Raises
    ------
    ReadError
        If the joined frames would be too large.
    """

    def __init__(self, path: Path, context: Any) -> None:
        if 2 * context.width * context.height > LARGEST_FRAME:
            raise ReadError(path, f"with both views {large_frames(2 * context.width, context.height)}")
        context.options, context.copy_opaque = _ALL, True
        self._waiting: Any = None  # a frame whose partner may follow
        self._graph: Any = None
        self._shape: tuple[Any, ...] = ()

    def decode(self, packet: Any) -> list[Any]:
        """Decode a packet; return the finished frames."""
        # Views of one packet share this object. It must be a new one: PyAV finds it by its address, and forgets an
        # address when any packet that has it is freed; equal small numbers are one object in all open clips.
        packet.opaque = object()
        found = []
        for frame in packet.decode():
            before, self._waiting = self._waiting, frame
            if before is not None and before.opaque is frame.opaque:
                found.append(self._join(before, frame))
                self._waiting = None
            elif before is not None:
                found.append(self._join(before, before))
        if self._waiting is not None and not packet.size:  # the end
            found.append(self._join(self._waiting, self._waiting))
            self._waiting = None
        return found

    def _join(self, base: Any, other: Any) -> Any:
        shape = (base.width, base.height, base.format.name)
        if shape != (other.width, other.height, other.format.name):
            other = other.reformat(*shape)
        joined = self._widened(base, shape)
        kind = np.uint16 if bit_depth(base) > 8 else np.uint8
        eyes = (other, base) if _is_right(base) else (base, other)
        for plane, *halves in zip(joined.planes, *(eye.planes for eye in eyes), strict=True):
            _samples(plane, kind)[:] = np.hstack([_samples(half, kind) for half in halves])
        return joined

    def _widened(self, frame: Any, shape: tuple[Any, ...]) -> Any:
        """Return a frame of twice the width with all properties of ``frame``."""
        if shape != self._shape:
            graph: Any = av.filter.Graph()
            width, height, name = shape
            source = graph.add_buffer(width=width, height=height, format=name, time_base=frame.time_base)
            wider, sink = graph.add("pad", "w=2*iw"), graph.add("buffersink")
            source.link_to(wider)
            wider.link_to(sink)
            graph.configure()
            self._graph, self._shape = graph, shape
        self._graph.push(frame)
        return self._graph.pull()


def _is_right(frame: Any) -> bool:
    """Return whether a frame is the view of the right eye by the stream, else by MP4's ``vexu``; default: the left."""
    told = [struct.unpack_from("=3i", one) for one in all_side_data(frame, "STEREO3D") if len(one) >= 12]
    named = [view for _, _, view in told if view in (_LEFT, _RIGHT)]
    return named[0] == _RIGHT if named else any(flags & _REVERSED for _, flags, _ in told)


def _samples(plane: Any, kind: type[np.generic]) -> NDArray[Any]:
    """Return the samples of a plane (H, W), without the padding of its rows."""
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return rows.view(kind)[: plane.height, : plane.width]
