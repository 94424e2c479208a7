"""Write depth into a photo's JPEG file, in any kind of ``embedded`` that can be written."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput
from depth3d.image import Image
from depth3d.io.atomic import atomic_path
from depth3d.io.depth.embedded.registry import embedded_formats
from depth3d.io.image.jpeg import is_jpeg, jpeg_end, jpeg_segments, own_jpeg, remove_segments
from depth3d.io.image.read import encode_image, flatten
from depth3d.io.image.xmp import is_xmp

__all__ = ["Embedding", "embed_depth", "write_embedded"]

Embedding = Literal["gdepth", "dynamic"]

# Without true distances: nominal ones, whose ratio is that of our meshes.
_NOMINAL = (1.0, 10.0)
_LONG_SIDE = 2048


def write_embedded(
    image: Image,
    depth: DepthMap,
    path: str | Path,
    kind: Embedding,
    *,
    source: bytes | None = None,
    near_far: tuple[float, float] | None = None,
    force: bool = False,
) -> Path:
    """Write a photo as JPEG with its depth inside; return the path.

    Raises ``ExistsError`` or ``WriteError``.

    Parameters
    ----------
    image : Image
        The photo.
    depth : DepthMap
        Its depth, of any size.
    path : str | Path
        The file to write.
    kind : Embedding
        "gdepth" or "dynamic".
    source : bytes | None
        The photo's own file. A JPEG that is upright and sRGB is kept with its EXIF, and only its XMP is replaced;
        anything else is encoded at quality 95.
    near_far : tuple[float, float] | None
        Distances of the nearest and farthest point in meters; None = nominal 1 and 10.
    force : bool
        Replace an existing file.
    """
    path = Path(path)
    jpeg = own_jpeg(source, image) if source else None
    if jpeg is None:
        jpeg = encode_image(flatten(image.eight_bit()), ".jpg", quality=95)
    with atomic_path(path, force=force) as temporary:
        temporary.write_bytes(embed_depth(jpeg, depth, kind, near_far=near_far))
    return path


def embed_depth(jpeg: bytes, depth: DepthMap, kind: Embedding, *, near_far: tuple[float, float] | None = None) -> bytes:
    """Return the JPEG file with ``depth`` inside as RangeInverse: 8 bits, linear in inverse distance, 0 = near.

    Raises ``InvalidInput`` if ``jpeg`` is not a JPEG, the kind is unknown, or not 0 < near < far.

    Parameters
    ----------
    jpeg : bytes
        The photo's file.
    depth : DepthMap
        Its depth, of any size; at most 2048 pixels on the longer side are stored.
    kind : Embedding
        "gdepth" or "dynamic".
    near_far : tuple[float, float] | None
        Distances of the nearest and farthest point in meters; None = nominal 1 and 10.
    """
    if not is_jpeg(jpeg):
        raise InvalidInput("embed_depth: the photo is not a JPEG")
    near, far = near_far or _NOMINAL
    if not 0 < near < far:
        raise InvalidInput(f"embed_depth: near {near}, far {far}; expected 0 < near < far")
    kinds = {one.key: one.write for one in embedded_formats() if one.write is not None}
    write = kinds.get(kind)
    if write is None:
        raise InvalidInput(
            f"embed_depth: kind {kind!r}, expected {' or '.join(map(repr, sorted(kinds, reverse=True)))}"
        )
    # Old XMP goes (two main packets are not allowed), and the list of further pictures, which are cut off.
    stale = [one for one in jpeg_segments(jpeg) if is_xmp(one) or one.payload.startswith(b"MPF\0")]
    jpeg = remove_segments(jpeg[: jpeg_end(jpeg)], stale)
    depth = depth.resized(depth.size.fit(_LONG_SIDE))
    return write(jpeg, np.rint((1 - depth.values) * 255).astype(np.uint8), (near, far))
