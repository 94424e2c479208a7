"""MPO: several JPEGs in one file, as 3D cameras write them (CIPA DC-007, multi-picture format).

Kept by hand: Pillow cannot write the disparity type, and viewers want EXIF first, no JFIF, the MP index straight after
EXIF and each picture's number. The reader goes from picture to picture instead of trusting the index, whose offsets
are wrong in files that programs have edited.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from depth3d.errors import InvalidInput, ReadError
from depth3d.image import Image
from depth3d.io.atomic import atomic_path
from depth3d.io.image.jpeg import jpeg_segments, remove_segments, segment_bytes
from depth3d.io.image.photofile import PhotoFile, Source, open_photo
from depth3d.io.image.read import encode_image, open_image
from depth3d.io.stereo.registry import StereoFile
from depth3d.stereopair import StereoPair

__all__ = ["FORMAT", "has_disparity_index", "read_mpo", "write_mpo"]

_DISPARITY, _REPRESENTATIVE = 0x020002, 0x20000000
_UNDEFINED, _LONG, _RATIONAL, _SRATIONAL = 7, 4, 5, 10
_MPF = b"MPF\0"
BASELINE_METERS = 0.065  # distance of the eyes of an adult
_EXIF = b"Exif\0\0"


def write_mpo(
    views: Sequence[Image],
    path: str | Path,
    *,
    baseline_meters: float | None = None,
    convergence_degrees: float | None = 0.0,
    quality: int = 95,
    force: bool = False,
) -> Path:
    """Write views, leftmost first, as a multi-frame disparity MPO; returns the path.

    Raises ``InvalidInput`` for fewer than two views or different sizes, ``ExistsError``, ``WriteError``.

    Parameters
    ----------
    views : Sequence[Image]
        Two or more pictures of one size.
    baseline_meters : float | None
        Distance between the outermost cameras, or None if unknown.
    convergence_degrees : float | None
        Angle between the outermost optical axes (0 = parallel), or None if unknown.
    """
    if len(views) < 2 or len({view.size for view in views}) != 1:
        raise InvalidInput(f"write_mpo: {len(views)} views, expected two or more of the same size")
    count, shown = len(views), (len(views) + 1) // 2  # the representative one is n/2 for an even number
    pictures = [_without_jfif(encode_image(view, ".jpg", quality=quality)) for view in views]
    exifs = [segment_bytes(0xE1, _EXIF + _exif(view)) for view in views]
    geometry = (baseline_meters, convergence_degrees)
    # The index holds the sizes of pictures that hold the index: its length does not depend on its values.
    empty = segment_bytes(0xE2, _index([(0, 0)] * count, shown, 1, geometry))
    heads = [empty, *(segment_bytes(0xE2, _attributes_only(number, shown, geometry)) for number in range(2, count + 1))]
    sizes = [2 + len(exif) + len(head) + len(rest) for exif, head, rest in zip(exifs, heads, pictures, strict=True)]
    # Offsets count from the byte after "MPF\0" of the first picture; its own is 0 by definition.
    origin = 2 + len(exifs[0]) + 4 + len(_MPF)
    starts = [0] + [sum(sizes[:number]) - origin for number in range(1, count)]
    heads[0] = segment_bytes(0xE2, _index(list(zip(sizes, starts, strict=True)), shown, 1, geometry))
    with atomic_path(path, force=force) as temporary, temporary.open("wb") as file:
        for exif, head, rest in zip(exifs, heads, pictures, strict=True):
            file.write(b"\xff\xd8" + exif + head + rest)
    return Path(path)


def read_mpo(source: Source) -> StereoPair:
    """Read the two eyes of an MPO; of more than two views the outermost.

    Raises ``ReadError`` if the file is damaged, has one picture only, or pictures of different sizes.

    Parameters
    ----------
    source : Source
        The file.
    """
    photo = open_photo(source)
    if not photo.is_jpeg:
        raise ReadError(photo.name, "unsupported or corrupt MPO file: it does not begin with a JPEG")
    parts = photo.pictures
    if len(parts) < 2:
        raise ReadError(photo.name, "the second picture of this MPO is missing; save the first one alone to use it")
    # Some cameras add previews, which are smaller: only pictures of the first one's size are decoded.
    sizes = [_size(photo, start) for start, _ in parts]
    like = [part for part, size in zip(parts, sizes, strict=True) if size == sizes[0]]
    if len(like) < 2:
        told = " and ".join("x".join(map(str, size)) for size in sizes)
        raise ReadError(photo.name, f"its pictures have different sizes ({told}), so it is not a stereo pair")
    try:
        left, right = (open_image(photo.partner(photo.part(*part))) for part in (like[0], like[-1]))
    except ReadError as error:
        reason = f"one of the {len(parts)} pictures of this MPO is damaged: {error.reason}"
        raise ReadError(photo.name, reason) from error
    if left.size != right.size:
        raise ReadError(photo.name, f"its eyes have different sizes ({left.size} and {right.size})")
    notes = (f"the outermost two of {len(like)} views are used",) if len(like) > 2 else ()
    # Each part was a file of its own here: notes about "several pictures" do not apply.
    return StereoPair(replace(left, notes=()), replace(right, notes=()), notes)


def _size(photo: PhotoFile, start: int) -> tuple[int, int]:
    """Return (width, height) from the frame header of the JPEG at ``start``; zeros if it has none."""
    for segment in jpeg_segments(photo.data, start):
        if 0xC0 <= segment.marker <= 0xCF and segment.marker not in (0xC4, 0xC8, 0xCC) and len(segment.payload) >= 5:
            height, width = struct.unpack_from(">HH", segment.payload, 1)
            return width, height
    return 0, 0


def has_disparity_index(source: Source) -> bool:
    """Return True if the MP index lists two or more views of one scene.

    Phones use the same format for previews and gain maps, whose types differ.

    Parameters
    ----------
    source : Source
        The file.
    """
    for segment in open_photo(source).segments:
        if segment.marker == 0xE2 and segment.payload.startswith(_MPF):
            body = segment.payload[len(_MPF) :]
            order = ">" if body[:2] == b"MM" else "<"
            kinds = body.count(struct.pack(order + "I", _DISPARITY))
            return kinds + body.count(struct.pack(order + "I", _DISPARITY | _REPRESENTATIVE)) >= 2
    return False


def _exif(view: Image) -> bytes:
    """A little EXIF: viewers refuse MPO files without any."""
    from PIL import ExifTags
    from PIL import Image as Pillow

    exif = Pillow.Exif()
    exif[ExifTags.Base.Orientation] = 1
    exif[ExifTags.Base.Software] = "depth3d"
    details = {
        ExifTags.Base.ExifVersion: b"0230",
        ExifTags.Base.ColorSpace: 1,
        ExifTags.Base.ExifImageWidth: view.size.width,
        ExifTags.Base.ExifImageHeight: view.size.height,
    }
    if view.focal_35mm is not None:
        details[ExifTags.Base.FocalLengthIn35mmFilm] = round(view.focal_35mm)
    exif[ExifTags.IFD.Exif] = details
    return exif.tobytes().removeprefix(_EXIF)


def _without_jfif(data: bytes) -> bytes:
    """The JPEG from behind its start marker, less its APP0."""
    return remove_segments(data, [segment for segment in jpeg_segments(data) if segment.marker == 0xE0])[2:]


_Field = tuple[int, int, int, bytes]  # tag, type, count, value


def _index(
    places: list[tuple[int, int]], shown: int, number: int, geometry: tuple[float | None, float | None]
) -> bytes:
    """The MP header of the first picture: index of all, then its own attributes."""
    entries = b""
    for position, (size, start) in enumerate(places, start=1):
        flags = _DISPARITY | (_REPRESENTATIVE if position == shown else 0)
        entries += struct.pack(">IIIHH", flags, size, start, 0, 0)
    index: list[_Field] = [
        (0xB000, _UNDEFINED, 4, b"0100"),
        (0xB001, _LONG, 1, struct.pack(">I", len(places))),
        (0xB002, _UNDEFINED, len(entries), entries),
    ]
    first = _directory(index, 8, last=False)
    return (
        _MPF
        + b"MM\0*"
        + struct.pack(">I", 8)
        + first
        + _directory(_attributes(number, shown, geometry), 8 + len(first))
    )


def _attributes_only(number: int, shown: int, geometry: tuple[float | None, float | None]) -> bytes:
    """The MP header of every further picture: the version again and its own attributes."""
    fields: list[_Field] = [(0xB000, _UNDEFINED, 4, b"0100"), *_attributes(number, shown, geometry)]
    return _MPF + b"MM\0*" + struct.pack(">I", 8) + _directory(fields, 8)


def _attributes(number: int, shown: int, geometry: tuple[float | None, float | None]) -> list[_Field]:
    baseline, convergence = geometry
    return [
        (0xB101, _LONG, 1, struct.pack(">I", number)),  # 1 = leftmost
        (0xB204, _LONG, 1, struct.pack(">I", shown)),
        (0xB205, _SRATIONAL, 1, _rational(convergence, 1000)),
        (0xB206, _RATIONAL, 1, _rational(baseline, 100_000)),
    ]


def _rational(value: float | None, finest: int) -> bytes:
    if value is None:
        return b"\xff" * 8  # "unknown" in the standard
    fraction = Fraction(value).limit_denominator(finest)
    return struct.pack(">iI", fraction.numerator, fraction.denominator)


def _directory(fields: list[_Field], start: int, *, last: bool = True) -> bytes:
    """An image file directory at offset ``start``; values of more than 4 bytes stand behind it."""
    behind = start + 2 + 12 * len(fields) + 4
    table, values = struct.pack(">H", len(fields)), b""
    for tag, kind, count, value in fields:
        table += struct.pack(">HHI", tag, kind, count)
        if len(value) > 4:
            table += struct.pack(">I", behind + len(values))
            values += value
        else:
            table += value.ljust(4, b"\0")
    return table + struct.pack(">I", 0 if last else behind + len(values)) + values


def _write(pair: StereoPair, path: Path, force: bool) -> Path:
    return write_mpo([pair.left, pair.right], path, baseline_meters=BASELINE_METERS, force=force)


FORMAT = StereoFile(
    "mpo",
    "two JPEGs in one file, as 3D cameras write them",
    (".mpo",),
    lambda photo: (photo.suffix == ".mpo" or (photo.is_jpeg and has_disparity_index(photo))) or None,
    lambda photo, _: read_mpo(photo),
    _write,
    order=10,
)
