"""3x3 convolutions by Winograd's algorithm, with a quarter of the multiplications.

Source: minimal filtering F(4x4, 3x3) in Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (CVPR
2016), section 4.1.3: Y = A^T [(G g G^T) * (B^T d B)] A. Each tile of 6x6 input pixels gives 4x4 output pixels, so tiles
overlap by two pixels. The product * sums over the channels at each of the 36 places of the transformed tile, which is
one 1x1 convolution with 36 groups. The result differs from a direct convolution only by rounding.
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
# Interpolation points of the algorithm; the sixth is infinity. The usual points 0, +-1, +-2 give simpler matrices, but
# that saves no time here, and their powers differ more in size: twice the rounding error, and outliers four times as
# large.
_POINTS = (0.0, 0.5**0.5, -(0.5**0.5), 2**0.5, -(2**0.5))


def _transforms(points: tuple[float, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return B^T (6, 6), G (6, 3) and A^T (4, 6) of the Toom-Cook algorithm for these points and infinity."""
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
_BIAS = np.linalg.pinv(_OUTPUT) @ np.ones(_OUT)  # the output transform turns this into 1 at every pixel
_PLACES = _TILE**2
_INTO_PLACES = torch.from_numpy(np.kron(_INPUT, _INPUT)).float()  # both directions at once
_OUT_OF_PLACES = torch.from_numpy(np.kron(_OUTPUT, _OUTPUT)).float()

_LEAST_CHANNELS = 128  # with fewer, the transforms take longer than the saved multiplications
_LEAST_TILES = 16  # with fewer, reading four times as many weights takes longer than the saved multiplications
_BLOCK = 1 << 21  # values per block: few enough for the cache, many enough to make reading the weights worthwhile


class WinogradConvolution(nn.Module):
    """Winograd form of ``direct`` (3x3, stride 1, padding 1); inputs too small to gain from it use ``direct``."""

    def __init__(self, direct: PackedConvolution) -> None:
        super().__init__()
        self.direct = direct
        self.outputs = len(direct.weight)
        self._products: PackedConvolution | None = None  # created at first use: it holds four times the weights

    @staticmethod
    def fits(convolution: nn.Conv2d) -> bool:
        """Whether ``convolution`` is 3x3 with stride and padding 1, and has enough channels to run faster this way."""
        kind = (convolution.kernel_size, convolution.stride, convolution.padding, convolution.dilation)
        wide = min(convolution.in_channels, convolution.out_channels) >= _LEAST_CHANNELS
        return wide and convolution.groups == 1 and kind == ((3, 3), (1, 1), (1, 1), (1, 1))

    def forward(self, x: Tensor, added: Tensor | None = None) -> Tensor:
        """Convolve (N, C, H, W) to (N, K, H, W), channels last; ``added`` as in `PackedConvolution`."""
        height, width = x.shape[2:]
        down, across = -(-height // 4), -(-width // 4)
        if down * across < _LEAST_TILES:
            return self.direct(x, added)  # type: ignore[no-any-return]
        if self._products is None:
            self._products = self._transformed_weights()
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
        """Convolve one padded image (4 down + 2, 4 across + 2, C) into ``out`` (down, 4, across, 4, K)."""
        down, _, across, _, outputs = out.shape
        channels = padded.shape[2]
        row, column, _ = padded.stride()
        tiles = padded.as_strided((down, across, 6, 6, channels), (4 * row, 4 * column, row, column, 1))
        most = max(1, _BLOCK // (_PLACES * across * max(channels, outputs)))
        step = -(-down // -(-down // most))
        count = step * across
        # All blocks have one size, for which the weights are packed; the last one overlaps the one before it.
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

    def _transformed_weights(self) -> PackedConvolution:
        filters, weight = torch.from_numpy(_FILTER), self.direct.weight
        outputs, channels = weight.shape[:2]
        spread = torch.einsum("ai,bj,kcij->abkc", filters, filters, weight.double()).float()
        bias = None
        if self.direct.bias is not None:
            bias = torch.from_numpy(np.kron(_BIAS, _BIAS))[:, None] * self.direct.bias
            bias = bias.flatten().float()
        return PackedConvolution(spread.reshape(_PLACES * outputs, channels, 1, 1), bias, groups=_PLACES)
