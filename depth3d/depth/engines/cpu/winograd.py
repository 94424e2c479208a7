"""3x3 convolutions by Winograd's algorithm, with a quarter of the multiplications.

Winograd's minimal filtering F(4x4, 3x3), Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (CVPR
2016), section 4.1.3: Y = A^T [(G g G^T) * (B^T d B)] A on tiles of 6x6 pixels that overlap by two, each of which gives
4x4 pixels. In between, every pixel of the tile has its own product over the channels: 36 groups of one 1x1 convolution.
The result differs from the direct sum by rounding alone.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from depth3d.depth.engines.cpu.packed import PackedConvolution

__all__ = ["WinogradConvolution"]

_OUT, _TAPS = 4, 3
_TILE = _OUT + _TAPS - 1
# Where the polynomials are evaluated; the sixth place is infinity. The usual 0, +-1, +-2 have simpler matrices, which
# saves nothing here, but powers that lie further apart: twice the error of rounding, and outliers four times as large.
_POINTS = (0.0, 0.5**0.5, -(0.5**0.5), 2**0.5, -(2**0.5))


def _transforms(points: tuple[float, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """B^T (6, 6), G (6, 3) and A^T (4, 6) of Toom and Cook's algorithm for these points and infinity."""
    into, filters, back = np.zeros((_TILE, _TILE)), np.zeros((_TILE, _TAPS)), np.zeros((_OUT, _TILE))
    for place, point in enumerate(points):
        others = np.array([other for other in points if other != point])
        into[place, : _TILE - 1] = np.poly(others)[::-1]
        filters[place] = point ** np.arange(_TAPS) / np.prod(point - others)
        back[:, place] = point ** np.arange(_OUT)
    into[-1] = np.poly(points)[::-1]
    filters[-1, -1] = back[-1, -1] = 1
    return into, filters, back


_INPUT, _FILTER, _OUTPUT = _transforms(_POINTS)
_BIAS = np.linalg.pinv(_OUTPUT) @ np.ones(_OUT)  # added before the output transform, it adds 1 to every pixel
_PLACES = _TILE**2
_INTO_PLACES = torch.from_numpy(np.kron(_INPUT, _INPUT)).float()  # both directions at once
_OUT_OF_PLACES = torch.from_numpy(np.kron(_OUTPUT, _OUTPUT)).float()

_LEAST_CHANNELS = 128  # with fewer, the transforms cost more than the products save
_LEAST_TILES = 16  # with fewer, reading four times as many weights costs more than is saved
_BLOCK = 1 << 21  # values per block: fits the cache and amortizes reading the weights


class WinogradConvolution(nn.Module):
    """Winograd form of ``direct`` (3x3, stride 1, padding 1); inputs too small to benefit use ``direct`` itself."""

    def __init__(self, direct: PackedConvolution) -> None:
        super().__init__()
        self.direct = direct
        self.outputs = len(direct.weight)
        self._products: PackedConvolution | None = None  # made when first needed: four times the weights

    @staticmethod
    def fits(convolution: nn.Conv2d) -> bool:
        """Whether it is of the right kind, and wide enough to gain."""
        kind = (convolution.kernel_size, convolution.stride, convolution.padding, convolution.dilation)
        wide = min(convolution.in_channels, convolution.out_channels) >= _LEAST_CHANNELS
        return wide and convolution.groups == 1 and kind == ((3, 3), (1, 1), (1, 1), (1, 1))

    def forward(self, x: Tensor, added: Tensor | None = None) -> Tensor:
        """(N, C, H, W) -> (N, K, H, W), channels last; see `PackedConvolution`."""
        height, width = x.shape[2:]
        down, across = -(-height // 4), -(-width // 4)
        if down * across < _LEAST_TILES:
            return self.direct(x, added)  # type: ignore[no-any-return]
        if self._products is None:
            self._products = self._made()
        padded = x.new_empty((len(x), 4 * down + 2, 4 * across + 2, x.shape[1]))
        for border in (padded[:, 0], padded[:, 1 + height :], padded[:, :, 0], padded[:, :, 1 + width :]):
            border.zero_()
        padded[:, 1 : 1 + height, 1 : 1 + width] = x.permute(0, 2, 3, 1)
        out = x.new_empty((len(x), down, 4, across, 4, self.outputs))
        for picture, found in zip(padded, out, strict=True):
            self._convolve(picture, found, self._products)
        cropped = out.view(len(x), 4 * down, 4 * across, self.outputs)[:, :height, :width].permute(0, 3, 1, 2)
        return cropped if added is None else cropped.contiguous(memory_format=torch.channels_last).add_(added)

    def _convolve(self, padded: Tensor, out: Tensor, products: PackedConvolution) -> None:
        """(4 down + 2, 4 across + 2, C) -> ``out`` (down, 4, across, 4, K)."""
        down, _, across, _, outputs = out.shape
        channels = padded.shape[2]
        row, column, _ = padded.stride()
        tiles = padded.as_strided((down, across, 6, 6, channels), (4 * row, 4 * column, row, column, 1))
        most = max(1, _BLOCK // (_PLACES * across * max(channels, outputs)))
        step = -(-down // -(-down // most))
        count = step * across
        # The last block overlaps the one before it: the weights are laid out for blocks of one size.
        for start in [*range(0, down - step, step), down - step]:
            stop = start + step
            spread = torch.bmm(_INTO_PLACES.expand(count, -1, -1), tiles[start:stop].reshape(count, _PLACES, channels))
            spread = products(spread.view(1, 1, count, _PLACES * channels).permute(0, 3, 1, 2))
            spread = spread.permute(0, 2, 3, 1).view(count, _PLACES, outputs)
            pixels = torch.bmm(_OUT_OF_PLACES.expand(count, -1, -1), spread).view(step, across, 4, 4, outputs)
            pixels = pixels.permute(0, 2, 1, 3, 4)
            if self.direct.activation[0] == "relu":
                torch.clamp_min(pixels, 0, out=out[start:stop])
            else:
                out[start:stop] = pixels

    def _made(self) -> PackedConvolution:
        filters, weight = torch.from_numpy(_FILTER), self.direct.weight
        outputs, channels = weight.shape[:2]
        spread = torch.einsum("ai,bj,kcij->abkc", filters, filters, weight.double()).float()
        bias = None
        if self.direct.bias is not None:
            bias = torch.from_numpy(np.kron(_BIAS, _BIAS))[:, None] * self.direct.bias
            bias = bias.flatten().float()
        return PackedConvolution(spread.reshape(_PLACES * outputs, channels, 1, 1), bias, groups=_PLACES)
