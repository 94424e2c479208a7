"""Tone mapping from HDR to SDR: a 3D lookup table from PQ or HLG to BT.709, applied by FFmpeg's ``lut3d``.

Code values are converted to luminance in cd/m2 (SMPTE ST 2084; ITU-R BT.2100 HLG on a 1000 cd/m2 display) and to
BT.709 primaries (ITU-R BT.2087), then scaled so that HDR reference white, 203 cd/m2 (ITU-R BT.2408), is near white.
Brighter values roll off smoothly instead of clipping. The peak of the picture is not used, so that the brightness is
constant from frame to frame.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

__all__ = ["ToneMapper", "hlg_light", "pq_light", "tone_mapped"]

REFERENCE_WHITE = 203.0  # cd/m2
KNEE = 0.75  # fraction of reference white; darker values are unchanged
NODES = 49
PQ = 16
_TO_709 = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]])
_LUMINANCE = np.array([0.2627, 0.6780, 0.0593])  # BT.2020

Floats = NDArray[np.float64]


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


class ToneMapper:
    """Tone-map (H, W, 3) uint16 pictures of one clip to uint8; not thread-safe.

    Parameters
    ----------
    transfer : int
        16 = PQ, 18 = HLG.
    """

    def __init__(self, transfer: int) -> None:
        self._table = _table(transfer)
        self._graph: Any = None
        self._size: tuple[int, int] | None = None

    def __call__(self, pixels: NDArray[np.uint16]) -> NDArray[np.uint8]:
        """Return the picture as (H, W, 3) uint8, BT.709."""
        frame: Any = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb48le")
        if self._size != (frame.width, frame.height):
            self._build(frame)
        frame.pts = 0
        self._graph.push(frame)
        toned: NDArray[np.uint8] = self._graph.pull().to_ndarray(format="rgb24")
        return toned

    def _build(self, frame: Any) -> None:
        graph: Any = av.filter.Graph()
        source = graph.add_buffer(width=frame.width, height=frame.height, format="rgb48le", time_base=1)
        table = graph.add("lut3d", f"file={_escaped(self._table)}:interp=tetrahedral")
        form = graph.add("format", "rgb24")
        sink = graph.add("buffersink")
        source.link_to(table)
        table.link_to(form)
        form.link_to(sink)
        graph.configure()
        self._graph, self._size = graph, (frame.width, frame.height)


@cache
def _table(transfer: int) -> Path:
    """Return the path of a .cube file, written once per process to the system's temporary folder."""
    axis = np.linspace(0, 1, NODES)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    values = tone_mapped(np.stack([red, green, blue], axis=-1), transfer).reshape(-1, 3)
    lines = [f"LUT_3D_SIZE {NODES}", *(f"{r:.6f} {g:.6f} {b:.6f}" for r, g, b in values)]
    folder = Path(tempfile.mkdtemp(prefix="depth3d-"))
    path = folder / f"tone{transfer}.cube"
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return path


def _escaped(path: Path) -> str:
    """Escape a path for filter arguments: the colon of a Windows drive would end the argument."""
    return "'" + path.as_posix().replace(":", r"\:") + "'"
