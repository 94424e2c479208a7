"""MPO: several JPEGs in one file, as 3D cameras write them (CIPA DC-007, multi-picture format).

Own writer, since viewers want what others leave out: EXIF first and no JFIF, the MP index straight after
it, the type "multi-frame disparity" and each picture's number. The reader walks from picture to picture
instead of trusting the index, whose offsets are wrong in files that programs have edited.
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
from depth3d.io.image.read import encode_image, open_image
from depth3d.io.image.xmp import jpeg_end, jpeg_segments
from depth3d.stereopair import StereoPair

__all__ = ["has_disparity_index", "pictures_inside", "read_mpo", "write_mpo"]

_DISPARITY, _REPRESENTATIVE = 0x020002, 0x20000000
_UNDEFINED, _LONG, _RATIONAL, _SRATIONAL = 7, 4, 5, 10
_MPF = b"MPF\0"
_EXIF = b"Exif\0\0"


def write_mpo(
    views: Sequence[Image],
    path: str | Path,
    *,
    baseline_metres: float | None = None,
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
    baseline_metres : float | None
        Distance between the outermost cameras, or None if unknown.
    convergence_degrees : float | None
        Angle between the outermost optical axes (0 = parallel), or None if unknown.
    """
    if len(views) < 2 or len({view.size for view in views}) != 1:
        raise InvalidInput(f"write_mpo: {len(views)} views, expected two or more of the same size")
    count, shown = len(views), (len(views) + 1) // 2  # the representative one is n/2 for an even number
    pictures = [_without_jfif(encode_image(view, ".jpg", quality=quality)) for view in views]
    exifs = [_segment(0xE1, _EXIF + _exif(view)) for view in views]
    geometry = (baseline_metres, convergence_degrees)
    # The index holds the sizes of pictures that hold the index: its length does not depend on its values.
    empty = _segment(0xE2, _index([(0, 0)] * count, shown, 1, geometry))
    heads = [empty, *(_segment(0xE2, _attributes_only(number, shown, geometry)) for number in range(2, count + 1))]
    sizes = [2 + len(exif) + len(head) + len(rest) for exif, head, rest in zip(exifs, heads, pictures, strict=True)]
    # Offsets count from the byte after "MPF\0" of the first picture; its own is 0 by definition.
    origin = 2 + len(exifs[0]) + 4 + len(_MPF)
    starts = [0] + [sum(sizes[:number]) - origin for number in range(1, count)]
    heads[0] = _segment(0xE2, _index(list(zip(sizes, starts, strict=True)), shown, 1, geometry))
    with atomic_path(path, force=force) as temporary, temporary.open("wb") as file:
        for exif, head, rest in zip(exifs, heads, pictures, strict=True):
            file.write(b"\xff\xd8" + exif + head + rest)
    return Path(path)


def read_mpo(path: str | Path) -> StereoPair:
    """Read the two eyes of an MPO; of more than two views the outermost.

    Raises ``ReadError`` if the file is damaged, has one picture only, or pictures of different sizes.
    """
    data = Path(path).read_bytes()
    parts = pictures_inside(data)
    if not parts:
        raise ReadError(path, "is no MPO: it does not begin with a JPEG")
    if len(parts) < 2:
        raise ReadError(path, "the second picture of this MPO is missing; save the first one alone to use it")
    try:
        views = [open_image(part) for part in parts]
    except ReadError as error:
        raise ReadError(path, f"one of the {len(parts)} pictures of this MPO is damaged: {error.reason}") from error
    # Some cameras add a preview: it is smaller.
    like = [view for view in views if view.size == views[0].size]
    if len(like) < 2:
        sizes = " and ".join(str(view.size) for view in views)
        raise ReadError(path, f"its pictures have different sizes ({sizes}), so it is no stereo pair")
    notes = (f"the outermost two of {len(like)} views are used",) if len(like) > 2 else ()
    # Each part was a file of its own here: what the opener says about "several pictures" is not of interest.
    return StereoPair(replace(like[0], notes=()), replace(like[-1], notes=()), notes)


def pictures_inside(data: bytes) -> list[bytes]:
    """The JPEGs that stand one after the other in ``data``; thumbnails within them do not count."""
    found = []
    start = 0 if data[:3] == b"\xff\xd8\xff" else -1
    while start >= 0:
        end = start + jpeg_end(data[start:])
        found.append(data[start:end])
        start = data.find(b"\xff\xd8\xff", end)
    return found


def has_disparity_index(data: bytes) -> bool:
    """Whether the MP index says that two pictures or more are views of one scene.

    Phones use the same format for previews and gain maps, whose types differ.
    """
    for segment in jpeg_segments(data):
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
    kept, place = b"", 2
    for segment in jpeg_segments(data):
        end = segment.start + 4 + len(segment.payload)
        if segment.marker != 0xE0:
            kept += data[segment.start : end]
        place = end
    return kept + data[place:]


def _segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


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
