"""Table of video encoders and their settings; hardware encoders are tested by encoding one frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Any

import av
import numpy as np

from depth3d.errors import InvalidOption, VideoError
from depth3d.frames import Color, VideoInfo
from depth3d.image import Size
from depth3d.io.video.scheduling import kept_scheduling
from depth3d.validation import nearest

__all__ = ["ENCODERS", "HARDWARE", "Encoder", "check_settings", "choose", "encoder_for", "ffmpeg_version", "works"]

# Widest H.264 picture, px, that hardware decoders of headsets and television sets accept.
H264_WIDEST = 4096


@dataclass(frozen=True, slots=True)
class Encoder:
    """Properties and default settings of one encoder.

    Parameters
    ----------
    name : str
        Name in FFmpeg.
    formats : Mapping[int, str]
        Bits per sample -> pixel format.
    quality : str | None
        Name of the constant-quality option; None = lossless.
    crf, preset : float | None, str | None
        Default constant quality and speed preset; None = it has no presets.
    tuned : str
        Parameters that change the default preset; unused if a preset is asked for.
    worst : int
        Largest value of the constant quality, without a device; encoders take a larger one silently for this one.
    parameters : str | None
        Name of the option for further parameters (``x265-params``), if any.
    quiet : str
        Parameters that silence its output on standard error.
    tag : str | None
        Codec tag (FourCC) for MP4 where Apple's players reject the muxer's default.
    containers : tuple[str, ...]
        Suffixes of suitable containers, preferred one first.
    options : Mapping[str, str]
        Options that are always set.
    hardware : bool
        Whether it needs a device; usable only if ``works`` returns None.
    """

    name: str
    formats: Mapping[int, str]
    quality: str | None = "crf"
    crf: float | None = 18
    preset: str | None = None
    tuned: str = ""
    worst: int = 51
    parameters: str | None = None
    quiet: str = ""
    tag: str | None = None
    containers: tuple[str, ...] = (".mp4", ".mkv", ".mov", ".m4v")
    options: Mapping[str, str] = field(default_factory=dict)
    hardware: bool = False


_YUV = {8: "yuv420p", 10: "yuv420p10le"}
_NV = {8: "nv12", 10: "p010le"}


def _hardware(name: str, quality: str, formats: Mapping[int, str], **options: str) -> Encoder:
    tag = "hvc1" if name.startswith("hevc") else None
    return Encoder(name, formats, quality=quality, crf=20, tag=tag, options=options, hardware=True)


HARDWARE = (
    _hardware("h264_nvenc", "cq", {8: "yuv420p"}, rc="vbr"),
    _hardware("hevc_nvenc", "cq", {8: "yuv420p", 10: "p010le"}, rc="vbr"),
    _hardware("av1_nvenc", "cq", {8: "yuv420p", 10: "p010le"}, rc="vbr"),
    _hardware("h264_videotoolbox", "q:v", {8: "yuv420p"}),
    _hardware("hevc_videotoolbox", "q:v", {8: "yuv420p", 10: "p010le"}),
    _hardware("h264_qsv", "global_quality", {8: "nv12"}),
    _hardware("hevc_qsv", "global_quality", _NV),
    _hardware("av1_qsv", "global_quality", _NV),
    _hardware("h264_amf", "qp_i", {8: "nv12"}, rc="cqp"),
    _hardware("hevc_amf", "qp_i", _NV, rc="cqp"),
    _hardware("h264_v4l2m2m", "qmin", {8: "yuv420p"}),
)

ENCODERS: dict[str, Encoder] = {
    card.name: card
    for card in (
        # Encoding took longer than anything else. Against the preset "fast" at 18 these take half its time: two
        # real clips in side-by-side 3D of 1280x720 0.1 to 0.3 dB better and 3 to 7 % larger; animations of four photos
        # 0.1 to 0.4 dB worse and 20 % smaller to 10 % larger. "veryfast" at 16 is a little faster still, but 0.3 dB
        # worse on one clip and 8 to 15 % larger. Without trellis quantization at 17 instead of 17.5, three clips are
        # as good (luma 0.1 to 0.2 dB better, chroma 0.2 worse to 0.1 better) in 0.8 to 0.9 times the time, 5 to 8 %
        # larger.
        Encoder(
            "libx264",
            {8: "yuv420p", 10: "yuv420p10le"},
            crf=17,
            preset="faster",
            tuned="subme=2:ref=1:rc-lookahead=30:trellis=0",
            parameters="x264-params",
        ),
        Encoder("libx265", _YUV, crf=20, preset="fast", parameters="x265-params", quiet="log-level=error", tag="hvc1"),
        Encoder(
            "libsvtav1",
            _YUV,
            crf=28,
            preset="8",
            worst=63,
            parameters="svtav1-params",
            containers=(".mp4", ".mkv", ".webm"),
        ),
        Encoder(
            "libvpx-vp9",
            _YUV,
            crf=28,
            worst=63,
            options={"row-mt": "1", "cpu-used": "4", "tile-columns": "2"},
            containers=(".webm", ".mkv", ".mp4"),
        ),
        # RGB, so that it is lossless: for tests and further processing.
        Encoder(
            "ffv1", {8: "bgr0", 10: "gbrp10le", 16: "gbrp16le"}, quality=None, crf=None, containers=(".mkv", ".nut")
        ),
        *HARDWARE,
    )
}
# Option that makes a requested key frame one that no later packet precedes in time (IDR). libx264 needs none.
_FORCED_IDR = {"libx265": "forced-idr", "h264_nvenc": "forced-idr", "hevc_nvenc": "forced-idr"}
_FORCED_IDR |= {"h264_qsv": "forced_idr", "hevc_qsv": "forced_idr", "h264_amf": "forced_idr", "hevc_amf": "forced_idr"}
_SHORT = {"h264": "libx264", "x264": "libx264", "h265": "libx265", "hevc": "libx265", "x265": "libx265"}
_SHORT |= {"av1": "libsvtav1", "svtav1": "libsvtav1", "vp9": "libvpx-vp9"}


def choose(codec: str, info: VideoInfo, size: Size, suffix: str | None) -> tuple[Encoder, str | None]:
    """Return the encoder of a clip for the option ``codec``, and the reason if it is not the default one.

    ``auto``: libx264; libx265 for more than 8 bits (few players support 10-bit H.264) and for pictures wider than
    4096 px; VP9 for WebM. ``hardware``: the first hardware encoder that works.

    Raises ``VideoError`` for an unknown encoder, or a hardware encoder without its device.
    """
    if codec == "hardware":
        for card in HARDWARE:
            if works(card.name) is None and (info.bit_depth == 8 or 10 in card.formats):
                return card, f"hardware encoder {card.name}"
        raise VideoError("no hardware encoder works here; omit `codec` to encode in software")
    if codec != "auto":
        card = _named(codec)
        return card, None
    if suffix == ".webm":
        return ENCODERS["libvpx-vp9"], None
    if info.bit_depth > 8:
        return ENCODERS["libx265"], f"{info.bit_depth} bits are kept: HEVC (`codec='libx264'` for 8-bit H.264)"
    if size.width > H264_WIDEST:
        why = f"{size} is wider than the limit of H.264 hardware decoders (4096): HEVC (or use a half format)"
        return ENCODERS["libx265"], why
    return ENCODERS["libx264"], None


def encoder_for(suffix: str) -> Encoder | None:
    """Return the preferred lossy software encoder for a file suffix, or None; used for animations."""
    cards = [card for card in ENCODERS.values() if not card.hardware and card.quality is not None]
    preferred = next((card for card in cards if card.containers[0] == suffix), None)
    return preferred or next((card for card in cards if suffix in card.containers), None)


def _named(codec: str) -> Encoder:
    name = _SHORT.get(codec.lower(), codec)
    if name not in ENCODERS:
        raise VideoError(f"unknown encoder {codec!r}{nearest(name, ['auto', 'hardware', *ENCODERS])}")
    trouble = works(name)
    if trouble is not None:
        raise VideoError(f"the encoder {name} does not work here: {trouble}; omit `codec` or use libx264")
    return ENCODERS[name]


def check_settings(codec: str, suffix: str, crf: int | None, preset: str | None) -> None:
    """Try the options ``codec``, ``crf`` and ``preset`` on one frame, before hours of work.

    "hardware" is not tried: which encoder it is depends on the clip.

    Raises ``InvalidOption`` if the encoder refuses quality or preset, ``VideoError`` for an unknown encoder.
    """
    if codec == "hardware":
        return
    card = (encoder_for(suffix) or ENCODERS["libx264"]) if codec == "auto" else _named(codec)
    if crf is None and preset is None:
        return
    if not card.hardware:
        if preset is not None and card.preset is None:
            raise InvalidOption("preset", f"{card.name} has no presets")
        if crf is not None and card.quality is None:
            raise InvalidOption("crf", f"{card.name} is lossless")
        if crf is not None and crf > card.worst:
            raise InvalidOption("crf", f"{crf}, expected 0 (best) to {card.worst} for {card.name}")
    for name, values in (("preset", (None, preset)), ("crf", (crf, None))):
        if works(card.name, *values) is not None:
            raise InvalidOption(name, f"{(preset if name == 'preset' else crf)!r} is not accepted by {card.name}")


@cache
def works(name: str, crf: int | None = None, preset: str | None = None) -> str | None:
    """Encode one 256x256 frame; return None on success, else the error message of the encoder."""
    card = ENCODERS[name]
    try:
        # Tried out because FFmpeg lists hardware encoders even without the device.
        context: Any = av.CodecContext.create(name, "w")
        context.width = context.height = 256
        context.pix_fmt = card.formats[8]
        context.time_base, context.framerate = Fraction(1, 25), Fraction(25)
        context.options = settings(card, crf, preset, None)
        frame = av.VideoFrame.from_ndarray(np.full((256, 256, 3), 128, np.uint8), "rgb24").reformat(
            format=card.formats[8]
        )
        frame.pts = 0
        with kept_scheduling():
            packets = [*context.encode(frame), *context.encode(None)]
    except (av.error.FFmpegError, ValueError, OSError) as error:
        return " ".join(str(error).split())[:120]
    return None if packets else "it returned no packet for one frame"


def settings(card: Encoder, crf: float | None, preset: str | None, color: Color | None) -> dict[str, str]:
    """Return the options of an encoder for quality, preset and HDR10 metadata."""
    options = dict(card.options)
    if card.name in _FORCED_IDR:
        options[_FORCED_IDR[card.name]] = "1"
    quality = crf if crf is not None else card.crf
    if card.quality and quality is not None:
        options[card.quality] = str(quality)
        if card.name == "libvpx-vp9":
            options["b"] = "0"  # constant quality instead of a maximum bit rate
    chosen = preset or card.preset
    if chosen:
        options["preset"] = chosen
    extra = [card.quiet] if card.quiet else []
    if card.tuned and preset is None:
        extra += [card.tuned]
    if card.name == "libx265" and color is not None and color.hdr:
        extra += ["repeat-headers=1"]
        if color.mastering:
            extra += [f"master-display={color.mastering}", "hdr10=1", "hdr10-opt=1"]
        if color.light_level:
            extra += [f"max-cll={color.light_level[0]},{color.light_level[1]}"]
    if card.name == "libsvtav1" and color is not None and color.light_level:
        extra += [f"content-light={color.light_level[0]},{color.light_level[1]}"]
    if extra and card.parameters:
        options[card.parameters] = ":".join(extra)
    return options


def ffmpeg_version() -> str:
    """Return version and path of the ffmpeg program used for muxing; for bug reports."""
    import imageio_ffmpeg

    return f"{imageio_ffmpeg.get_ffmpeg_version()} ({imageio_ffmpeg.get_ffmpeg_exe()})"
