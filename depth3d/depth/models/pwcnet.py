"""PWC-Net: optical flow from a pyramid, warping and a cost volume (Sun et al., CVPR 2018).

The user provides the weights; NVIDIA's are CC BY-NC-SA 4.0 (not for commercial use). Checkpoints with the keys of
Niklaus' conversion (``module...``) and with those of NVlabs (``conv1a.0.weight``) are supported.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from depth3d.depth.models.flow_layers import cost_volume, warp_masked

__all__ = ["PWCNet", "convert_pwcnet"]

_WIDTHS = (3, 16, 32, 64, 96, 128, 196)  # channels of the picture and of pyramid levels 1..6
_REACH = 4  # displacement searched at each level, in its pixels
_VOLUME = (2 * _REACH + 1) ** 2
_DENSE = (128, 128, 96, 64, 32)
_SCALE = 20.0  # the network outputs flow in units of 20 pixels of its input
_NUMBERS = ("One", "Two", "Thr", "Fou", "Fiv", "Six")


class PWCNet(nn.Module):
    """PWC-Net: two pictures (N, 3, H, W), BGR in 0..1, sides multiples of 64 -> flow (N, 2, H/4, W/4) in input px."""

    def __init__(self) -> None:
        super().__init__()
        self.pyramid = nn.ModuleList(_pyramid_level(*pair) for pair in itertools.pairwise(_WIDTHS))
        self.decoders = nn.ModuleDict({str(level): _Decoder(level) for level in (6, 5, 4, 3, 2)})
        self.refiner = _refiner(_decoder_inputs(2) + sum(_DENSE))

    def features(self, picture: Tensor) -> list[Tensor]:
        """Compute the pyramid levels 1 to 6 of one picture."""
        levels = []
        for level in self.pyramid:
            picture = level(picture)
            levels.append(picture)
        return levels

    def levels(self, first: Tensor, second: Tensor) -> dict[int, Tensor]:
        """Compute the flow of the levels 6 to 2, in units of 20 px, and the refined flow as level 0."""
        one, two = self.features(first), self.features(second)
        flows: dict[int, Tensor] = {}
        dense: Tensor | None = None
        for level in (6, 5, 4, 3, 2):
            flow = flows.get(level + 1)
            flows[level], dense = self.decoders[str(level)](one[level - 1], two[level - 1], flow, dense)
        flows[0] = flows[2] + self.refiner(dense)
        return flows

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        return self.levels(first, second)[0] * _SCALE


class _Decoder(nn.Module):
    """Decoder of one level: warp, match, and a dense block that puts its newest features first."""

    def __init__(self, level: int) -> None:
        super().__init__()
        self.level = level
        if level < 6:
            above = _decoder_inputs(level + 1) + sum(_DENSE)
            self.upflow = nn.ConvTranspose2d(2, 2, 4, 2, 1)
            self.upfeat = nn.ConvTranspose2d(above, 2, 4, 2, 1)
        channels = _decoder_inputs(level)
        dense = []
        for width in _DENSE:
            dense.append(nn.Conv2d(channels, width, 3, padding=1))
            channels += width
        self.dense = nn.ModuleList(dense)
        self.flow = nn.Conv2d(channels, 2, 3, padding=1)

    def forward(
        self, first: Tensor, second: Tensor, flow: Tensor | None, dense: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        if flow is None or dense is None:
            features = functional.leaky_relu(cost_volume(first, second, _REACH), 0.1)
        else:
            flow, dense = self.upflow(flow), self.upfeat(dense)
            warped = warp_masked(second, flow * (_SCALE / 2**self.level))
            volume = functional.leaky_relu(cost_volume(first, warped, _REACH), 0.1)
            features = torch.cat([volume, first, flow, dense], dim=1)
        for layer in self.dense:
            features = torch.cat([functional.leaky_relu(layer(features), 0.1), features], dim=1)
        return self.flow(features), features


def _decoder_inputs(level: int) -> int:
    return _VOLUME if level == 6 else _VOLUME + _WIDTHS[level] + 4


def _pyramid_level(channels: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        *(nn.Conv2d(channels, width, 3, 2, 1), nn.LeakyReLU(0.1)),
        *(nn.Conv2d(width, width, 3, 1, 1), nn.LeakyReLU(0.1)),
        *(nn.Conv2d(width, width, 3, 1, 1), nn.LeakyReLU(0.1)),
    )


def _refiner(channels: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width, dilation in ((128, 1), (128, 2), (128, 4), (96, 8), (64, 16), (32, 1), (2, 1)):
        layers += [nn.Conv2d(channels, width, 3, padding=dilation, dilation=dilation), nn.LeakyReLU(0.1)]
        channels = width
    return nn.Sequential(*layers[:-1])  # the last one is linear


def convert_pwcnet(official: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename an official state dict to our keys; unknown keys are kept, so that loading reports them."""
    return {_our_name(key.removeprefix("module.")): value for key, value in official.items() if "deconv2." not in key}


def _our_name(key: str) -> str:
    rules = (_niklaus_name, _nvlabs_name)
    return next((name for rule in rules if (name := rule(key)) is not None), key)


def _number(word: str) -> int:
    return _NUMBERS.index(word) + 1


def _niklaus_name(key: str) -> str | None:
    name = key.replace("module", "").replace("net", "")
    if found := re.fullmatch(r"Extractor\.(\w{3})\.(\d)\.(\w+)", name):
        return f"pyramid.{_number(found[1]) - 1}.{found[2]}.{found[3]}"
    if found := re.fullmatch(r"Refiner\.Main\.(\d+)\.(\w+)", name):
        return f"refiner.{found[1]}.{found[2]}"
    if found := re.fullmatch(r"(\w{3})\.(Upflow|Upfeat)\.(\w+)", name):
        return f"decoders.{_number(found[1])}.{found[2].lower()}.{found[3]}"
    if found := re.fullmatch(r"(\w{3})\.Six\.0\.(\w+)", name):
        return f"decoders.{_number(found[1])}.flow.{found[2]}"
    if found := re.fullmatch(r"(\w{3})\.(\w{3})\.0\.(\w+)", name):
        return f"decoders.{_number(found[1])}.dense.{_number(found[2]) - 1}.{found[3]}"
    return None


def _nvlabs_name(key: str) -> str | None:
    if found := re.fullmatch(r"conv6(aa|a|b)\.0\.(\w+)", key):  # in the sixth level the first convolution is called aa
        return f"pyramid.5.{('aa', 'a', 'b').index(found[1]) * 2}.{found[2]}"
    if found := re.fullmatch(r"conv([1-5])(a|aa|b)\.0\.(\w+)", key):
        return f"pyramid.{int(found[1]) - 1}.{('a', 'aa', 'b').index(found[2]) * 2}.{found[3]}"
    if found := re.fullmatch(r"conv([2-6])_([0-4])\.0\.(\w+)", key):
        return f"decoders.{found[1]}.dense.{found[2]}.{found[3]}"
    if found := re.fullmatch(r"predict_flow([2-6])\.(\w+)", key):
        return f"decoders.{found[1]}.flow.{found[2]}"
    if found := re.fullmatch(r"(deconv|upfeat)([3-6])\.(\w+)", key):  # they belong to the coarser level there
        ours = {"deconv": "upflow", "upfeat": "upfeat"}[found[1]]
        return f"decoders.{int(found[2]) - 1}.{ours}.{found[3]}"
    if found := re.fullmatch(r"dc_conv([1-7])(?:\.0)?\.(\w+)", key):
        return f"refiner.{(int(found[1]) - 1) * 2}.{found[2]}"
    return None
