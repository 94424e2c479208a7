"""Convert HDR and other primaries to BT.709 with 3D lookup tables, applied by FFmpeg's ``lut3d``.

Code values are converted to luminance in cd/m2 (SMPTE ST 2084; ITU-R BT.2100 HLG on a 1000 cd/m2 display) and to
BT.709 primaries (ITU-R BT.2087), then scaled so that HDR reference white, 203 cd/m2 (ITU-R BT.2408), is near white.
Brighter values roll off smoothly instead of clipping. The peak of the picture is not used, so that the brightness is
constant from frame to frame.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

__all__ = ["PRIMARIES", "GamutMapper", "ToneMapper", "hlg_light", "pq_light", "to_709", "tone_mapped"]

REFERENCE_WHITE = 203.0  # cd/m2
KNEE = 0.75  # fraction of reference white; darker values are unchanged
NODES = 49
PQ = 16
_TO_709 = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]])
_LUMINANCE = np.array([0.2627, 0.6780, 0.0593])  # BT.2020

Floats = NDArray[np.float64]

_D65, _C, _DCI = (0.3127, 0.3290), (0.310, 0.316), (0.314, 0.351)
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_SMPTE = ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65)
# Chromaticities of red, green, blue and white, ITU-T H.273 table 2.
PRIMARIES = {
    1: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), _D65),
    4: ((0.670, 0.330), (0.210, 0.710), (0.140, 0.080), _C),
    5: ((0.640, 0.330), (0.290, 0.600), (0.150, 0.060), _D65),
    6: _SMPTE,
    7: _SMPTE,
    8: ((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), _C),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _DCI),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),
    22: ((0.630, 0.340), (0.295, 0.605), (0.155, 0.077), _D65),
}


def pq_light(code: Floats) -> Floats:
    """PQ code values in [0, 1] -> cd/m2 (0..10000), SMPTE ST 2084."""
    root = np.power(np.clip(code, 0, 1), 1 / 78.84375)
    return np.asarray(
        10000 * np.power(np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root), 1 / 0.1593017578125)
    )


def hlg_light(code: Floats) -> Floats:
    """(..., 3) HLG code values in [0, 1] -> cd/m2 on a 1000 cd/m2 display, BT.2100 (gamma 1.2)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    code = np.clip(code, 0, 1)
    scene = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
    luminance = scene @ _LUMINANCE
    return np.asarray(1000 * scene * np.power(np.maximum(luminance, 1e-9), 0.2)[..., None])


def tone_mapped(code: Floats, transfer: int) -> Floats:
    """(..., 3) BT.2020 code values in [0, 1], PQ (transfer 16) or HLG -> BT.709 code values in [0, 1]."""
    light = (pq_light(code) if transfer == PQ else hlg_light(code)) / REFERENCE_WHITE
    light = np.maximum(light @ _TO_709.T, 0)
    # The same factor for all channels preserves the hue.
    brightest = light.max(axis=-1, keepdims=True)
    room = 1 - KNEE
    rolled = np.where(brightest <= KNEE, brightest, KNEE + room * (1 - np.exp(-(brightest - KNEE) / room)))
    light = light * rolled / np.maximum(brightest, 1e-9)
    # Inverse of the display transfer function (BT.1886, gamma 2.4).
    return np.asarray(np.clip(light, 0, 1) ** (1 / 2.4))


class _Table:
    """Apply a 3D lookup table to (H, W, 3) pictures of one clip; not thread-safe.

    Parameters
    ----------
    table : Path
        A .cube file.
    read, written : str
        Pixel formats in FFmpeg: of the pictures, and of the result.
    """

    def __init__(self, table: Path, read: str, written: str) -> None:
        self._table, self._read, self._written = table, read, written
        self._graph: Any = None
        self._size: tuple[int, int] | None = None

    def __call__(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Return the converted picture, (H, W, 3)."""
        frame: Any = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), self._read)
        if self._size != (frame.width, frame.height):
            self._build(frame)
        frame.pts = 0
        self._graph.push(frame)
        return np.asarray(self._graph.pull().to_ndarray(format=self._written))

    def _build(self, frame: Any) -> None:
        graph: Any = av.filter.Graph()
        source = graph.add_buffer(width=frame.width, height=frame.height, format=self._read, time_base=1)
        table = graph.add("lut3d", f"file={_escaped(self._table)}:interp=tetrahedral")
        form = graph.add("format", self._written)
        sink = graph.add("buffersink")
        source.link_to(table)
        table.link_to(form)
        form.link_to(sink)
        graph.configure()
        self._graph, self._size = graph, (frame.width, frame.height)


class ToneMapper(_Table):
    """Tone-map (H, W, 3) uint16 pictures of one clip to uint8, BT.709; not thread-safe.

    Parameters
    ----------
    transfer : int
        16 = PQ, 18 = HLG.
    """

    def __init__(self, transfer: int) -> None:
        super().__init__(_tone_table(transfer), "rgb48le", "rgb24")


class GamutMapper(_Table):
    """Convert SDR pictures with other primaries to BT.709; colors outside of it are clipped. Not thread-safe.

    libswscale maps primaries too, but in 8 bits it is off by 11 of 255 on average.

    Parameters
    ----------
    primaries : int
        A key of ``PRIMARIES``.
    deep : bool
        The pictures are uint16, else uint8.
    """

    def __init__(self, primaries: int, *, deep: bool) -> None:
        form = "rgb48le" if deep else "rgb24"
        super().__init__(_gamut_table(primaries), form, form)


def to_709(primaries: int) -> Floats:
    """Return the (3, 3) matrix from linear RGB of these primaries to BT.709, with Bradford adaptation of the white."""
    return np.linalg.inv(_to_xyz(1)) @ _to_xyz(primaries)


def _to_xyz(primaries: int) -> Floats:
    """Linear RGB -> CIE XYZ relative to D65."""
    points = PRIMARIES[primaries]
    columns, white = (np.array([(x / y, 1, (1 - x - y) / y) for x, y in part]).T for part in (points[:3], points[3:]))
    matrix = columns * np.linalg.solve(columns, white[:, 0])
    x, y = _D65
    seen, wanted = _BRADFORD @ white[:, 0], _BRADFORD @ np.array((x / y, 1, (1 - x - y) / y))
    return np.asarray(np.linalg.inv(_BRADFORD) @ np.diag(wanted / seen) @ _BRADFORD @ matrix)


@cache
def _tone_table(transfer: int) -> Path:
    return _write_table(f"tone{transfer}", lambda code: tone_mapped(code, transfer))


@cache
def _gamut_table(primaries: int) -> Path:
    matrix = to_709(primaries).T
    # BT.1886, as displays show BT.709 and SDR BT.2020 video.
    return _write_table(
        f"gamut{primaries}", lambda code: np.clip(np.clip(code, 0, 1) ** 2.4 @ matrix, 0, 1) ** (1 / 2.4)
    )


def _write_table(name: str, mapped: Callable[[Floats], Floats]) -> Path:
    """Return the path of a .cube file, written once per process to the system's temporary folder."""
    axis = np.linspace(0, 1, NODES)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    values = mapped(np.stack([red, green, blue], axis=-1)).reshape(-1, 3)
    lines = [f"LUT_3D_SIZE {NODES}", *(f"{r:.6f} {g:.6f} {b:.6f}" for r, g, b in values)]
    path = Path(tempfile.mkdtemp(prefix="depth3d-")) / f"{name}.cube"
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return path


def _escaped(path: Path) -> str:
    """Escape a path for filter arguments: the colon of a Windows drive would end the argument."""
    return "'" + path.as_posix().replace(":", r"\:") + "'"
