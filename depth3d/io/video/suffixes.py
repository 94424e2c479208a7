"""Classify files as photos or clips by suffix, or by content where the suffix is ambiguous."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import BinaryIO

from depth3d.io.image.jpeg import jpeg_end

__all__ = [
    "CLIP_SUFFIXES",
    "PHOTO_SUFFIXES",
    "SEQUENCE_SUFFIXES",
    "has_frame_pattern",
    "is_clip",
    "is_sequence",
    "sequence_stem",
]


def _dotted(*names: str) -> frozenset[str]:
    return frozenset(f".{name}" for name in names)


PHOTO_SUFFIXES = _dotted(
    *("jpg", "jpeg", "jpe", "png", "webp", "avif", "heic", "heif", "tif", "tiff", "bmp", "mpo", "jps", "pns"),
    *("ppm", "pgm", "pbm", "jp2", "tga", "jfif", "hif", "jxl"),
)
CLIP_SUFFIXES = _dotted(
    *(
        "mp4",
        "m4v",
        "mov",
        "qt",
        "ismv",
        "psp",
        "3gp",
        "3g2",
        "insv",
        "lrv",
        "mkv",
        "webm",
        "nut",
        "avi",
        "divx",
        "amv",
    ),
    *("mpg", "mpeg", "mpe", "m1v", "m2v", "m2p", "mod", "vob", "dvd", "ts", "mts", "m2ts", "m2t", "tod", "tts", "m3u8"),
    *(
        "wmv",
        "asf",
        "wtv",
        "flv",
        "f4v",
        "swf",
        "ogv",
        "ogm",
        "rm",
        "rmvb",
        "roq",
        "cpk",
        "smjpeg",
        "pdv",
        "flm",
        "amv",
    ),
    *("dv", "mxf", "gxf", "dnxhd", "dnxhr", "y4m", "ivf", "obu", "apv", "drc", "vc2", "gif", "apng", "mjpeg", "mjpg"),
    *("h261", "h263", "h264", "264", "h265", "265", "hevc", "h266", "266", "vvc"),
)
# Suffixes of both stills and animations: decided by the number of frames in the file.
_STILL_OR_MOVING = _dotted("gif", "webp", "png", "apng", "avif", "mjpeg", "mjpg")
SEQUENCE_SUFFIXES = PHOTO_SUFFIXES | _dotted("exr")
_LARGEST_JPEG = 64 << 20  # bytes
_NUMBER = re.compile(r"%0?\d*d")


def is_clip(path: str | Path) -> bool:
    """Return True for a clip: a video file, an animation of two or more frames, or an image sequence pattern.

    For GIF, WebP, PNG, AVIF and Motion-JPEG files the frames are counted. Files with an unknown suffix, and videos with
    the suffix of an animation, are recognized by their first bytes. Missing files are classified by their suffix.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if is_sequence(path):
        return True
    if suffix in _STILL_OR_MOVING and path.is_file():
        return _is_animation(path) or _looks_like_video(path)
    if suffix in CLIP_SUFFIXES:
        return True
    known = suffix in PHOTO_SUFFIXES or suffix in _dotted("exr")
    return not known and path.is_file() and (_looks_like_video(path) or _is_animation(path))


def is_sequence(path: str | Path) -> bool:
    """Return True for an image sequence pattern (``img_%04d.png``, ``folder/*.png``) that is not an existing file."""
    path = Path(path)
    if path.suffix.lower() not in SEQUENCE_SUFFIXES or path.exists():
        return False
    return has_frame_pattern(path.name) or "*" in path.name


def sequence_stem(path: Path) -> str:
    """Return the name of a sequence without its frame number and suffix: ``walk_%04d.png`` gives ``walk``."""
    return _NUMBER.sub("", path.stem).replace("%%", "%").replace("*", "").rstrip("_-. ")


def has_frame_pattern(name: str) -> bool:
    """Return True if a name contains a frame number pattern (``%d``, ``%04d``); other percent signs are literal."""
    return _NUMBER.search(name.replace("%%", "")) is not None


def _is_animation(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(16)
            if head[:4] == b"GIF8":
                return _gif_frames(file, 2) > 1
            if head[:8] == b"\x89PNG\r\n\x1a\n":
                return _png_frames(file) > 1
            if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
                return _webp_frames(file, 2) > 1
            if head[:3] == b"\xff\xd8\xff" and path.suffix.lower() in (".mjpeg", ".mjpg"):
                return _has_second_jpeg(file)
            return head[4:12] == b"ftypavis"
    except OSError:
        return False


def _gif_frames(file: BinaryIO, enough: int) -> int:
    """Count image descriptors, at most ``enough``, by parsing blocks (their marker also occurs in compressed data)."""
    file.seek(10)
    flags = file.read(3)[0:1]
    if flags and flags[0] & 0x80:
        file.seek(3 << ((flags[0] & 7) + 1), 1)
    frames = 0
    while frames < enough:
        kind = file.read(1)
        if kind == b"\x21":
            file.read(1)
        elif kind == b"\x2c":
            frames += 1
            descriptor = file.read(9)
            if len(descriptor) < 9:
                break
            if descriptor[8] & 0x80:
                file.seek(3 << ((descriptor[8] & 7) + 1), 1)
            file.read(1)  # bits per code
        else:
            break
        while length := file.read(1):
            if length == b"\0":
                break
            file.seek(length[0], 1)
    return frames


def _png_frames(file: BinaryIO) -> int:
    """Return the number of frames in the acTL chunk of an APNG, or 1 without that chunk."""
    file.seek(8)
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind == b"acTL":
            return int.from_bytes(file.read(4), "big")
        if kind == b"IDAT":
            break
        file.seek(length + 4, 1)
    return 1


def _webp_frames(file: BinaryIO, enough: int) -> int:
    """Count ANMF chunks, at most ``enough``."""
    file.seek(12)
    frames = 0
    while frames < enough and len(head := file.read(8)) == 8:
        kind, length = struct.unpack("<4sI", head)
        frames += kind == b"ANMF"
        file.seek(length + length % 2, 1)
    return frames


def _has_second_jpeg(file: BinaryIO) -> bool:
    file.seek(0)
    data = file.read(_LARGEST_JPEG)
    return data.find(b"\xff\xd8\xff", jpeg_end(data)) > 0


# H.264 (SPS, delimiter) and H.265 (VPS, SPS, delimiter) without a container: first byte after the start code.
_FIRST_UNITS = frozenset({0x67, 0x27, 0x47, 0x09, 0x40, 0x42, 0x46})


def _looks_like_video(path: Path) -> bool:
    """Recognize common containers and bare streams by their first bytes."""
    try:
        with path.open("rb") as file:
            head = file.read(1024)
    except OSError:
        return False
    if head[4:8] == b"ftyp":
        return head[8:12] not in (b"heic", b"heix", b"mif1", b"avif", b"heim", b"heis", b"crx ")  # also a raw picture
    if head.startswith(b"--") and b"Content-type: image/jpeg" in head:
        return True  # network cameras: JPEG pictures as parts of one message
    if head[4:8] in (b"moov", b"mdat", b"wide", b"skip", b"pnot") and head[0] < 2:
        return True  # QuickTime before 2001
    code = head.find(b"\0\0\x01", 0, 4)
    unit = head[code + 3 : code + 4]
    if code in (0, 1) and unit and unit[0] in _FIRST_UNITS and head[: code + 3].strip(b"\0") == b"\x01":
        return True
    starts = (
        *(b"\x1a\x45\xdf\xa3", b"FLV\x01", b"\0\0\x01\xba", b"\0\0\x01\xb3", b"OggS", b"\x06\x0e\x2b\x34", b"DKIF"),
        *(b"nut/multimedia", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", b"YUV4MPEG2", b".RMF", b"\x1f\x07\0", b"\x9f\x07\0"),
    )
    if head.startswith(starts) or (head[:4] == b"RIFF" and head[8:12] == b"AVI "):
        return True
    # MPEG transport streams: a sync byte every 188 bytes (192 with the time codes of M2TS).
    return any(
        all(head[at + n * step : at + n * step + 1] == b"G" for n in range(5)) for at, step in ((0, 188), (4, 192))
    )
