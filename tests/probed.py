"""Facts of a file as ffprobe names them, read by PyAV: for machines without ffprobe."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av

_STEREO = ("2D", "side by side", "top and bottom")
_PROJECTIONS = ("equirectangular", "cubemap", "tiled equirectangular")
_TRANSFERS = {1: "bt709", 16: "smpte2084", 18: "arib-std-b67"}
_PRIMARIES = {1: "bt709", 9: "bt2020"}
_SPACES = {1: "bt709", 9: "bt2020nc"}
_RANGES = {1: "tv", 2: "pc"}


def probed(path: Path) -> dict[str, Any]:
    """Streams, format, chapters and packets, with the names and texts of ffprobe's JSON."""
    with av.open(f"file:{path}") as container:
        streams: list[Any] = list(container.streams)
        base = Fraction(1, av.time_base)
        chapters = [
            {
                "tags": dict(chapter["metadata"]),
                "start_time": float(chapter["start"] * chapter["time_base"]),
                "end_time": float(chapter["end"] * chapter["time_base"]),
            }
            for chapter in container.chapters()
        ]
        facts: dict[str, Any] = {
            "streams": [_stream(stream) for stream in streams],
            "chapters": chapters,
            "format": {"tags": dict(container.metadata), "duration": float((container.duration or 0) * base)},
        }
        facts["packets"] = [
            {
                "stream_index": packet.stream.index,
                "pts_time": float(packet.pts * packet.time_base),
                "duration_time": float((packet.duration or 0) * packet.time_base),
            }
            for packet in container.demux()
            if packet.pts is not None and packet.size
        ]
    for stream in facts["streams"]:
        if stream["codec_type"] == "video":
            stream.update(_picture(path, stream["index"]))
    return facts


def _stream(stream: Any) -> dict[str, Any]:
    base = stream.time_base or 0
    return {
        "index": stream.index,
        "codec_name": stream.codec_context.codec.canonical_name if stream.codec_context else "unknown",
        "codec_type": stream.type,
        "tags": dict(stream.metadata),
        "disposition": {name.lower(): int(bool(stream.disposition & flag)) for name, flag in _dispositions().items()},
        "duration": float((stream.duration or 0) * base),
        "start_time": float((stream.start_time or 0) * base),
    }


def _dispositions() -> dict[str, Any]:
    return dict(av.stream.Disposition.__members__)


def _side(side: Any) -> dict[str, Any]:
    kind = bytes(side)[0]  # the first field of both structures is an enumeration
    if "STEREO" in str(side.type):
        return {"side_data_type": "Stereo 3D", "type": _STEREO[kind]}
    return {"side_data_type": "Spherical Mapping", "projection": _PROJECTIONS[kind]}


def _picture(path: Path, index: int) -> dict[str, Any]:
    with av.open(f"file:{path}") as container:
        stream: Any = container.streams[index]
        context = stream.codec_context
        frame: Any = next(container.decode(stream))
        aspect = context.sample_aspect_ratio or Fraction(1)
        sides = [_side(side) for side in frame.side_data if "STEREO" in str(side.type) or "SPHERICAL" in str(side.type)]
        facts: dict[str, Any] = {
            "width": context.width,
            "height": context.height,
            "pix_fmt": context.pix_fmt,
            "codec_tag_string": context.codec_tag,
            "sample_aspect_ratio": f"{aspect.numerator}:{aspect.denominator}",
            "color_space": _SPACES.get(context.colorspace),
            "color_transfer": _TRANSFERS.get(context.color_trc),
            "color_primaries": _PRIMARIES.get(context.color_primaries),
            "color_range": _RANGES.get(context.color_range),
        }
        for name, rate in (("r_frame_rate", stream.base_rate), ("avg_frame_rate", stream.average_rate)):
            facts[name] = f"{rate.numerator}/{rate.denominator}" if rate else "0/0"
        return facts | ({"side_data_list": sides} if sides else {})
