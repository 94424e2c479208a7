"""Colors of heat maps at equal distances, and maps made of straight lines, as data for ``colormaps``."""

from __future__ import annotations

__all__ = ["ANCHORS", "LINES"]

_COLORS = {
    # Moreland's cool-warm map.
    "coolwarm": "3B4CC0 4F69D9 6485EC 7B9FF9 93B5FE AAC7FD C0D4F5 D4DBE6 E5D8D1 F2CBB7 F7B89C F5A081 EE8468"
    " E0654F CC403A B40426",
    # ColorBrewer's diverging maps. Spectral starts at its violet end: what Depth Anything's tools write ("Spectral_r").
    "spectral": "5E4FA2 3288BD 66C2A5 ABDDA4 E6F598 FFFFBF FEE08B FDAE61 F46D43 D53E4F 9E0142",
    "rdylbu": "313695 4575B4 74ADD1 ABD9E9 E0F3F8 FFFFBF FEE090 FDAE61 F46D43 D73027 A50026",
    "rdbu": "053061 2166AC 4393C3 92C5DE D1E5F0 F7F7F7 FDDBC7 F4A582 D6604D B2182B 67001F",
    "rdylgn": "006837 199750 66BD63 A7D96B D9EF8B FEFFBE FEE08B FDAD60 F46D43 D83128 A50026",
    # ColorBrewer's sequential maps, from their dark end.
    "ylgnbu": "081D58 253494 225EA8 1D91C0 40B5C4 7ECDBB C6E9B4 EDF8B1 FFFFD9",
    "ylorrd": "800026 BD0026 E31A1C FC4F2A FD8C3C FEB24C FED976 FFEDA0 FFFFCC",
    "blues": "08306B 08519C 2171B5 4292C6 6AAED6 9DCAE1 C6DBEF DEEBF7 F7FBFF",
    "greens": "00441B 006D2C 238B45 42AB5D 73C476 A0D99B C7E9C0 E5F5E0 F7FCF5",
    # Matplotlib's.
    "rainbow": "8000FF 4062FA 00B4EC 40ECD4 80FFB4 C0EC8E FFB462 FF6232 FF0000",
    "seismic": "00004C 0101FF FFFDFD FF0101 800000",
    "summer": "008066 40A066 80C066 BFDF66 FFFF66",
    "terrain": "333399 2256BC 1078DE 0098FE 00B2B2 01CC66 31D670 65E07A 99EB85 CDF58F FEFE98 E6DF8B CCBE7D B29C6F"
    " 9A7E62 805C54 997C76 B39E99 CDBFBC E5DEDC FFFFFF",
    "nipy_spectral": "000000 770088 83009A 0300AA 0000DD 0078DD 0098DD 00AAAB 00AA88 009A00 00BC00 00DC00 00FF00 BCFF00"
    " ECEF00 FFCD00 FF9900 FE0000 DC0000 CC0000 CCCCCC",
    # Green's cubehelix.
    "cubehelix": "000000 150B1D 1B1E3B 17374D 16534C 236A3E 447731 727B32 A1794A C37A73 D383A6 D297D2 C7B2ED C1CFF3"
    " CAE7F0 E2F6F0 FFFFFF",
}
ANCHORS = {name: tuple(tuple(bytes.fromhex(color)) for color in text.split()) for name, text in _COLORS.items()}
"""Name -> colors (red, green, blue) at equal distances, from the end that is far."""

# Matplotlib's maps of straight lines: per channel (position, value). OpenCV's jet and hot differ by up to 51 levels.
LINES = {
    "jet": (
        ((0, 0), (0.35, 0), (0.66, 1), (0.89, 1), (1, 0.5)),
        ((0, 0), (0.125, 0), (0.375, 1), (0.64, 1), (0.91, 0), (1, 0)),
        ((0, 0.5), (0.11, 1), (0.34, 1), (0.65, 0), (1, 0)),
    ),
    "hot": (
        ((0, 0.0416), (0.365079, 1), (1, 1)),
        ((0, 0), (0.365079, 0), (0.746032, 1), (1, 1)),
        ((0, 0), (0.746032, 0), (1, 1)),
    ),
    "copper": (((0, 0), (0.809524, 1), (1, 1)), ((0, 0), (1, 0.7812)), ((0, 0), (1, 0.4975))),
    "gist_heat": (((0, 0), (0.667, 1), (1, 1)), ((0, 0), (0.5, 0), (1, 1)), ((0, 0), (0.75, 0), (1, 1))),
    "afmhot": (((0, 0), (0.5, 1), (1, 1)), ((0, 0), (0.25, 0), (0.75, 1), (1, 1)), ((0, 0), (0.5, 0), (1, 1))),
    "gnuplot2": (
        ((0, 0), (0.25, 0), (0.57, 1), (1, 1)),
        ((0, 0), (0.42, 0), (0.92, 1), (1, 1)),
        ((0, 0), (0.25, 1), (0.42, 1), (0.92, 0), (1, 1)),
    ),
}
"""Name -> (position, value) of the corners of the red, green and blue channel."""
