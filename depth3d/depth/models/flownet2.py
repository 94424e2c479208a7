"""The FlowNet 2.0 family of optical-flow networks (Ilg et al., CVPR 2017).

The user provides the weights; NVIDIA's have a license of their own (treat them as for research only). Module names
follow the official checkpoints, so that these load unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from depth3d.depth.models.flow_layers import cost_volume, warp_border

__all__ = ["FLOWNETS", "FlowNet2", "convert_flownet2"]

_SCALE = 20.0  # the trunks output flow in units of 20 pixels of their input
Trunk = Literal["C", "S", "SD"]
# Network -> (its stack of trunks, whether their keys have a prefix, how the last flow is enlarged to full size).
FLOWNETS: dict[str, tuple[tuple[Trunk, ...], bool, str]] = {
    "flownet2": (("C", "S", "S"), True, "nearest"),
    "flownet2c": (("C",), False, "bilinear"),
    "flownet2s": (("S",), False, "bilinear"),
    "flownet2sd": (("SD",), False, "bilinear"),
    "flownet2cs": (("C", "S"), True, "bilinear"),
    "flownet2css": (("C", "S", "S"), True, "nearest"),
}


class FlowNet2(nn.Module):
    """FlowNet 2.0: two pictures (N, 3, 2, H, W), RGB in 0..255, sides multiples of 64 -> flow (N, 2, H, W) in px.

    Axis 2 of the input holds the first and the second picture.
    """

    def __init__(self, name: str = "flownet2") -> None:
        super().__init__()
        stack, prefixed, self.growth = FLOWNETS[name]
        self.fused = name == "flownet2"
        names = ["flownetc", "flownets_1", "flownets_2"] if prefixed else [""]
        self.names = names[: len(stack)]
        for index, (trunk, key) in enumerate(zip(stack, self.names, strict=True)):
            network = _Trunk(trunk, 12 if index else 6)
            if key:
                self.add_module(key, network)
            else:
                self.alone = network
        if self.fused:
            self.flownets_d = _Trunk("SD", 6)
            self.flownetfusion = _Fusion()

    def forward(self, pictures: Tensor) -> Tensor:
        # One mean per channel over both pictures together, as the official code does.
        mean = pictures.flatten(2).mean(-1)[:, :, None, None, None]
        centered = (pictures - mean) / 255.0
        pair = torch.cat([centered[:, :, 0], centered[:, :, 1]], dim=1)
        flow = self._stack(pair)
        return self._fuse(pair, flow) if self.fused else flow

    def _stack(self, pair: Tensor) -> Tensor:
        flow: Tensor | None = None
        last = len(self.names) - 1
        for index, key in enumerate(self.names):
            network = getattr(self, key) if key else self.alone
            said = network(pair if flow is None else _with_warp(pair, flow)) * _SCALE
            flow = _grow(said, self.growth if index == last else "bilinear")
        assert flow is not None
        return flow

    def _fuse(self, pair: Tensor, flow: Tensor) -> Tensor:
        # As in the official code: the flow of the small-displacement trunk is divided by 20 in the stack, but
        # multiplied by 20 when the trunk is used alone.
        small = _grow(self.flownets_d(pair) / _SCALE, "nearest")
        one, two = pair[:, :3], pair[:, 3:]
        errors = [_length(one - warp_border(two, field)) for field in (small, flow)]
        fused: Tensor = self.flownetfusion(torch.cat([one, small, flow, _length(small), _length(flow), *errors], dim=1))
        return fused


class _Trunk(nn.Module):
    """FlowNetC, S or SD: a contracting part and a decoder that refines flow from 1/64 to 1/4 of the input."""

    def __init__(self, kind: Trunk, channels: int) -> None:
        super().__init__()
        self.kind = kind
        if kind == "SD":
            self.conv0 = _conv(channels, 64)
            self.conv1, self.conv1_1 = _conv(64, 64, stride=2), _conv(64, 128)
            self.conv2, self.conv2_1 = _conv(128, 128, stride=2), _conv(128, 128)
            self.conv3 = _conv(128, 256, stride=2)
        else:
            self.conv1 = _conv(3 if kind == "C" else channels, 64, 7, 2)
            self.conv2 = _conv(64, 128, 5, 2)
            self.conv3 = _conv(128, 256, 5, 2)
        if kind == "C":
            self.conv_redir = _conv(256, 32, 1)
        self.conv3_1 = _conv(473 if kind == "C" else 256, 256)
        self.conv4, self.conv4_1 = _conv(256, 512, stride=2), _conv(512, 512)
        self.conv5, self.conv5_1 = _conv(512, 512, stride=2), _conv(512, 512)
        self.conv6, self.conv6_1 = _conv(512, 1024, stride=2), _conv(1024, 1024)
        self.predict_flow6 = nn.Conv2d(1024, 2, 3, padding=1)
        inputs = 1024
        for level, (width, skip) in zip((5, 4, 3, 2), ((512, 512), (256, 512), (128, 256), (64, 128)), strict=True):
            self.add_module(f"deconv{level}", nn.Sequential(nn.ConvTranspose2d(inputs, width, 4, 2, 1), _leaky()))
            grow = nn.ConvTranspose2d(2, 2, 4, 2, 1, bias=kind != "S")
            self.add_module(f"upsampled_flow{level + 1}_to_{level}", grow)
            inputs = skip + width + 2
            if kind == "SD":
                self.add_module(f"inter_conv{level}", nn.Sequential(nn.Conv2d(inputs, width, 3, padding=1)))
            self.add_module(f"predict_flow{level}", nn.Conv2d(width if kind == "SD" else inputs, 2, 3, padding=1))

    def forward(self, pair: Tensor) -> Tensor:
        skip2, features = self._contract(pair)
        skip3 = self.conv3_1(features)
        skip4 = self.conv4_1(self.conv4(skip3))
        skip5 = self.conv5_1(self.conv5(skip4))
        features = self.conv6_1(self.conv6(skip5))
        flow: Tensor = self.predict_flow6(features)
        for level, skip in ((5, skip5), (4, skip4), (3, skip3), (2, skip2)):
            grown = getattr(self, f"upsampled_flow{level + 1}_to_{level}")(flow)
            features = torch.cat([skip, getattr(self, f"deconv{level}")(features), grown], dim=1)
            # The next deconv takes the concatenation itself, not the output of inter_conv.
            inner = getattr(self, f"inter_conv{level}")(features) if self.kind == "SD" else features
            flow = getattr(self, f"predict_flow{level}")(inner)
        return flow

    def _contract(self, pair: Tensor) -> tuple[Tensor, Tensor]:
        """Return the features at 1/4 (for the last skip connection) and the input of conv3_1 at 1/8."""
        if self.kind == "SD":
            skip2 = self.conv2_1(self.conv2(self.conv1_1(self.conv1(self.conv0(pair)))))
            return skip2, self.conv3(skip2)
        if self.kind == "S":
            skip2 = self.conv2(self.conv1(pair))
            return skip2, self.conv3(skip2)
        skip2 = self.conv2(self.conv1(pair[:, :3]))
        one, two = self.conv3(skip2), self.conv3(self.conv2(self.conv1(pair[:, 3:])))
        volume = functional.leaky_relu(cost_volume(one, two, reach=20, step=2), 0.1)
        return skip2, torch.cat([self.conv_redir(one), volume], dim=1)


class _Fusion(nn.Module):
    """Fuse two flows, given with their lengths and errors, to one flow at full size, in pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv0 = _conv(11, 64)
        self.conv1, self.conv1_1 = _conv(64, 64, stride=2), _conv(64, 128)
        self.conv2, self.conv2_1 = _conv(128, 128, stride=2), _conv(128, 128)
        self.deconv1 = nn.Sequential(nn.ConvTranspose2d(128, 32, 4, 2, 1), _leaky())
        self.deconv0 = nn.Sequential(nn.ConvTranspose2d(162, 16, 4, 2, 1), _leaky())
        self.inter_conv1 = nn.Sequential(nn.Conv2d(162, 32, 3, padding=1))
        self.inter_conv0 = nn.Sequential(nn.Conv2d(82, 16, 3, padding=1))
        self.predict_flow2 = nn.Conv2d(128, 2, 3, padding=1)
        self.predict_flow1 = nn.Conv2d(32, 2, 3, padding=1)
        self.predict_flow0 = nn.Conv2d(16, 2, 3, padding=1)
        self.upsampled_flow2_to_1 = nn.ConvTranspose2d(2, 2, 4, 2, 1)
        self.upsampled_flow1_to_0 = nn.ConvTranspose2d(2, 2, 4, 2, 1)

    def forward(self, evidence: Tensor) -> Tensor:
        skip0 = self.conv0(evidence)
        skip1 = self.conv1_1(self.conv1(skip0))
        features = self.conv2_1(self.conv2(skip1))
        flow = self.upsampled_flow2_to_1(self.predict_flow2(features))
        features = torch.cat([skip1, self.deconv1(features), flow], dim=1)
        flow = self.upsampled_flow1_to_0(self.predict_flow1(self.inter_conv1(features)))
        features = torch.cat([skip0, self.deconv0(features), flow], dim=1)
        final: Tensor = self.predict_flow0(self.inter_conv0(features))
        return final


def _leaky() -> nn.LeakyReLU:
    return nn.LeakyReLU(0.1)


def _conv(channels: int, width: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, width, kernel, stride, kernel // 2), _leaky())


def _grow(flow: Tensor, mode: str) -> Tensor:
    return functional.interpolate(flow, scale_factor=4, mode=mode, align_corners=False if mode == "bilinear" else None)


def _length(vectors: Tensor) -> Tensor:
    return vectors.square().sum(1, keepdim=True).sqrt()


def _with_warp(pair: Tensor, flow: Tensor) -> Tensor:
    """Return the input of a later trunk: the pair, the second picture warped to the first, the flow, and the error."""
    warped = warp_border(pair[:, 3:], flow)
    return torch.cat([pair, warped, flow / _SCALE, _length(pair[:, :3] - warped)], dim=1)


def convert_flownet2(official: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename an official state dict to our keys: those of a network with one trunk get the prefix ``alone``."""
    plain = {key.removeprefix("module."): value for key, value in official.items()}
    stacked = any(key.startswith("flownet") for key in plain)
    return plain if stacked else {f"alone.{key}": value for key, value in plain.items()}
