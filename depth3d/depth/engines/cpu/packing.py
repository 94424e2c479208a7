"""Replace the convolutions of a network by packed ones, for float32 inference on the CPU."""

from __future__ import annotations

from itertools import pairwise
from typing import Protocol, cast, runtime_checkable

from torch import Tensor, nn
from torch.nn import functional

from depth3d.depth.engines.cpu.packed import PackedConvolution
from depth3d.depth.engines.cpu.winograd import WinogradConvolution

__all__ = ["Packable", "PackedResidualUnit", "pack", "packed_convolution"]


@runtime_checkable
class Packable(Protocol):
    """A module that can build a packed equivalent of itself."""

    def packed(self) -> nn.Module:
        """Return a module that computes the same function with the same weights, for float32 CPU inference."""
        ...


def pack(network: nn.Module) -> None:
    """Replace, in place, the convolutions and `Packable` modules inside ``network`` by packed ones.

    A ReLU that is defined directly after a convolution in the same module is fused into it, for example the ReLU that
    `fold_batch_norms` leaves in place of a timm batch norm. Such a pair must also be used in the order of definition.
    """
    children = [*network.named_children(), ("", nn.Identity())]
    for (name, child), (next_name, following) in pairwise(children):
        if isinstance(child, Packable):
            setattr(network, name, child.packed())
        elif type(child) is nn.Conv2d or type(child).__name__ == "Conv2dSame":  # timm's; `tiny` runs without timm
            activation = {nn.ReLU: "relu", nn.ReLU6: "relu6"}.get(type(following), "none")
            same = type(child) is not nn.Conv2d
            setattr(network, name, packed_convolution(cast(nn.Conv2d, child), activation, same=same))
            if activation != "none":
                setattr(network, next_name, nn.Identity())
        else:
            pack(child)


def packed_convolution(convolution: nn.Conv2d, activation: str = "none", *, same: bool = False) -> nn.Module:
    """Pack ``convolution`` together with an ``activation`` ("none", "relu" or "relu6").

    With "none", ``forward`` accepts a second tensor to add. ``same`` replaces the padding by TensorFlow's.
    """
    packed = PackedConvolution.of(convolution, activation, same=same)
    if activation != "relu6" and not same and WinogradConvolution.fits(convolution):
        return WinogradConvolution(packed)
    return packed


class PackedResidualUnit(nn.Module):
    """Residual unit x + conv(relu(conv(relu(x)))); with ``relu_skip``, relu(x) + conv(relu(conv(relu(x))))."""

    def __init__(self, first: nn.Conv2d, second: nn.Conv2d, *, relu_skip: bool) -> None:
        super().__init__()
        self.first = packed_convolution(first, "relu")
        self.second = packed_convolution(second)
        self.relu_skip = relu_skip

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        positive = functional.relu(x)
        return cast(Tensor, self.second(self.first(positive), positive if self.relu_skip else x))
