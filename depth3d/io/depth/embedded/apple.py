"""Apple's auxiliary depth picture in JPEG: appended to the photo and marked by an XMP packet of its own."""

from __future__ import annotations

from depth3d.io.depth.embedded.registry import EmbeddedDepth, EmbeddedFormat
from depth3d.io.image.photofile import PhotoFile
from depth3d.io.image.xmp import read_xmp

__all__ = ["FORMAT"]

_DEPTH_DATA = "http://ns.apple.com/depthData/1.0/"


def _find(photo: PhotoFile) -> EmbeddedDepth | None:
    for start, end in photo.pictures[1:]:
        xmp = read_xmp(photo.data, start)
        kinds = {node.text for node in xmp.nodes if node.name[1] == "AuxiliaryImageType"}
        kinds |= {
            value for node in xmp.nodes for name, value in node.attributes.items() if name[1] == "AuxiliaryImageType"
        }
        if xmp.has(_DEPTH_DATA) or "disparity" in kinds or "depth" in kinds:
            return EmbeddedDepth(photo.part(start, end), "Apple disparity", "Disparity")
    return None


FORMAT = EmbeddedFormat(
    "Apple disparity",
    "iPhone portraits saved as JPEG: auxiliary pictures (only made files were tried)",
    _find,
    order=30,
)
