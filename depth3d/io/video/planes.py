"""RGB from and to planes of 8-bit YUV 4:2:0 by OpenCV: the results of libswscale's exact way in a third of its time.

Formulas: ITU-T H.273, section 8.3. Results differ by one level at most, blue and red rarely by two.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.frames import Color

__all__ = ["from_planes", "has_planes", "to_planes"]

Bytes = NDArray[np.uint8]

FINER = 64  # parts of a level to which chroma is interpolated; the sum of two samples fits into 16 bits

# Weights of red and blue in luma, by the code points of matrices.
_WEIGHTS = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}


def has_planes(name: str, width: int, height: int, color: Color) -> bool:
    """Return whether pictures of FFmpeg's pixel format ``name`` can be converted here."""
    known = name in ("yuv420p", "yuvj420p") and color.matrix in _WEIGHTS
    return known and width % 2 == 0 and height % 2 == 0 and min(width, height) >= 4


def from_planes(frame: Any, color: Color) -> Bytes:
    """Convert a decoded frame to RGB, (H, W, 3) in 0..255; chroma samples lie on every second column (MPEG-2's way)."""
    luma, *chroma = (_plane(plane) for plane in frame.planes[:3])
    size = frame.width, frame.height
    wide = [
        cv2.convertScaleAbs(cv2.resize(_doubled(plane), size, interpolation=cv2.INTER_LINEAR), alpha=1 / FINER)
        for plane in chroma
    ]
    return np.asarray(cv2.transform(cv2.merge([luma, *wide]), _matrices(color.matrix, color.full_range)[1]), np.uint8)


def to_planes(pixels: Bytes, color: Color) -> Any:
    """Convert RGB, (H, W, 3) in 0..255, to a frame (``av.VideoFrame``); chroma is the mean of four pixels."""
    height, width = pixels.shape[:2]
    matrix = _matrices(color.matrix, color.full_range)[0]
    # Not from_numpy_buffer: PyAV 18 loses two rows, and the chroma of others, where the height is no multiple of four.
    frame = av.VideoFrame(width, height, "yuv420p")
    luma, *chroma = (_plane(plane) for plane in frame.planes)
    luma[...] = cv2.extractChannel(cv2.transform(pixels, matrix), 0)
    half = cv2.transform(cv2.resize(pixels, (width // 2, height // 2), interpolation=cv2.INTER_AREA), matrix)
    for channel, plane in enumerate(chroma, 1):
        plane[...] = half[..., channel]
    return frame


def _plane(plane: Any) -> Bytes:
    return np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]


def _doubled(plane: Bytes) -> NDArray[np.int16]:
    """Twice as wide, times ``FINER``: means between the columns; the last one is repeated."""
    finer = plane.astype(np.int16) * np.int16(FINER)
    between = finer.copy()
    between[:, :-1] = (finer[:, :-1] + finer[:, 1:]) >> 1
    return np.asarray(cv2.merge([finer, between]), np.int16).reshape(len(plane), -1)


@cache
def _matrices(matrix: int, full_range: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(3, 4) from RGB in 0..255 to YUV, and back; the last column is added."""
    red, blue = _WEIGHTS[matrix]
    luma = np.array([red, 1 - red - blue, blue])
    first, second = ((np.eye(3)[at] - luma) / (2 * (1 - luma[at])) for at in (2, 0))
    most = (255, 255, 255) if full_range else (219, 224, 224)
    there = np.stack([luma, first, second]) * np.array(most)[:, None] / 255
    added = np.array([0 if full_range else 16, 128, 128])
    back = np.linalg.inv(there)
    return np.column_stack([there, added]), np.column_stack([back, -back @ added])
