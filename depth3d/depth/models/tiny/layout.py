"""The layers of `tiny` as data, without torch: what the torch module and the ONNX graph are both built from.

Sources: EfficientNet-Lite (Tan, 2020) for the encoder; MiDaS v2.1 small (Ranftl et al., 2020) for the decoder.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["DECODER_CHANNELS", "EDITIONS", "FEATURE_STAGES", "STAGES", "STEM_CHANNELS", "Edition", "StageSpec"]


class StageSpec(NamedTuple):
    """One stage of inverted residual blocks."""

    kernel: int
    stride: int
    expansion: int
    channels: int


class Edition(NamedTuple):
    """What differs between the editions of the network.

    Parameters
    ----------
    repeats : tuple of int
        Blocks per encoder stage: those of EfficientNet-Lite0 or EfficientNet-Lite1.
    refined_skips : tuple of bool
        Whether the skip connection at 1/4, 1/8, 1/16 and 1/32 of the input has a residual unit of its own.
    detail : bool
        Whether the head also reads the encoder's features at 1/2 of the input, for crisp outlines.
    """

    repeats: tuple[int, ...]
    refined_skips: tuple[bool, ...]
    detail: bool


EDITIONS = {
    1: Edition((1, 2, 2, 3, 3, 4, 1), (True, True, True, False), detail=False),
    2: Edition((1, 3, 3, 4, 4, 5, 1), (False, True, True, False), detail=True),
}

STEM_CHANNELS = 32
STAGES = (
    StageSpec(3, 1, 1, 16),
    StageSpec(3, 2, 6, 24),
    StageSpec(5, 2, 6, 40),
    StageSpec(3, 2, 6, 80),
    StageSpec(5, 1, 6, 112),
    StageSpec(5, 2, 6, 192),
    StageSpec(3, 1, 6, 320),
)
FEATURE_STAGES = (0, 1, 2, 4, 6)
"""Stages whose outputs the decoder reads: 1/2, 1/4, 1/8, 1/16 and 1/32 of the picture's size."""

DECODER_CHANNELS = (48, 64, 96, 128)
