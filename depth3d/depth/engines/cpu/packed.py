"""Float32 convolution on the CPU with prepacked weights and a fused activation or addition.

A plain torch convolution reorders the weights in every call, runs padding, ReLU and addition as separate passes over
memory, and is several times slower for 1x1 convolutions on one thread. The operators used here are those of oneDNN
that torch's own compiler uses (`torch.ops.mkldnn`).
"""

from __future__ import annotations

import functools
import platform
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["PackedConvolution", "can_pack"]

_ACTIVATIONS: dict[str, tuple[str, list[float]]] = {
    "none": ("none", []),
    "relu": ("relu", []),
    "relu6": ("hardtanh", [0.0, 6.0]),
}


@functools.cache
def can_pack() -> bool:
    """Whether this processor and this build of torch support the operators; tested once on a small case."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    weight, x, bias = torch.ones(8, 8, 3, 3), torch.ones(1, 8, 4, 4), torch.full((8,), -35.0)
    try:
        with torch.inference_mode():
            found = PackedConvolution(weight, bias, padding=(1, 1), activation="relu")(x)
            added = PackedConvolution(weight, bias, padding=(1, 1))(x, x)
            plain = functional.conv2d(x, weight, bias, padding=1)
            return torch.allclose(found, plain.relu()) and torch.allclose(added, plain + x)
    except (AttributeError, RuntimeError, TypeError):  # these operators are not part of torch's stable API
        return False


class PackedConvolution(nn.Module):
    """A convolution with its weights in oneDNN's layout for the last input size and number of threads.

    Weights in the layout for another input size or number of threads would be converted in every call, which takes
    several times as long as the convolution itself.

    Parameters
    ----------
    weight : Tensor
        (K, C / groups, height, width).
    bias : Tensor | None
        (K,) or None.
    padding : Sequence[int] | None
        Rows and columns added on either side; None = TensorFlow's "SAME", whose odd pixel is added right and below.
    activation : str
        "none", "relu" or "relu6".
    """

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor | None,
        *,
        stride: Sequence[int] = (1, 1),
        padding: Sequence[int] | None = (0, 0),
        dilation: Sequence[int] = (1, 1),
        groups: int = 1,
        activation: str = "none",
    ) -> None:
        super().__init__()
        self.stride, self.dilation, self.groups = list(stride), list(dilation), groups
        self.padding = None if padding is None else list(padding)
        self.activation = _ACTIVATIONS[activation]
        self.bias = None if bias is None else bias.detach()
        self._kernel = tuple(weight.shape[2:])
        # (input shape and threads, weights packed for them, padding): one tuple that is replaced as a whole, because
        # several threads may run the same network.
        self._packed: tuple[tuple[int, ...], Tensor, list[int]] = ((), weight.detach(), [])

    @classmethod
    def of(cls, convolution: nn.Conv2d, activation: str = "none", *, same: bool = False) -> PackedConvolution:
        """Pack ``convolution``; with ``same``, TensorFlow's padding replaces its own."""
        return cls(
            convolution.weight,
            convolution.bias,
            stride=convolution.stride,
            padding=None if same else [int(side) for side in convolution.padding],
            dilation=convolution.dilation,
            groups=convolution.groups,
            activation=activation,
        )

    @property
    def weight(self) -> Tensor:
        """The original weights, (K, C / groups, height, width)."""
        case, weight, _ = self._packed
        plain = weight.to_dense() if case else weight
        return plain[:, :, plain.shape[2] - self._kernel[0] :, plain.shape[3] - self._kernel[1] :]

    def forward(self, x: Tensor, added: Tensor | None = None) -> Tensor:
        """Return activation(convolution(x)) of (N, C, H, W); without an activation, convolution(x) + ``added``."""
        x = x.contiguous(memory_format=torch.channels_last)
        case = (*x.shape, torch.get_num_threads())
        known, weight, padding = self._packed
        if known != case:
            weight, padding = self._pack(case)
        operator: Any = torch.ops.mkldnn._convolution_pointwise
        facts = (weight, self.bias, padding, self.stride, self.dilation, self.groups)
        if added is None:
            return cast(Tensor, operator(x, *facts, *self.activation, ""))
        if self.activation[0] != "none":
            raise ValueError("a convolution with an activation cannot also add a tensor")
        added = added.contiguous(memory_format=torch.channels_last)
        return cast(Tensor, operator.binary(x, added, *facts, "add", None, None, [], None))

    def _pack(self, case: tuple[int, ...]) -> tuple[Tensor, list[int]]:
        shape = case[:4]
        plain, padding = self.weight, self.padding
        if padding is None:
            plain, padding = self._same(plain, shape)
        reorder: Any = torch.ops.mkldnn._reorder_convolution_weight
        laid_out = reorder(plain.contiguous(), padding, self.stride, self.dilation, self.groups, list(shape))
        self._packed = (case, laid_out, padding)
        return laid_out, padding

    def _same(self, weight: Tensor, shape: tuple[int, ...]) -> tuple[Tensor, list[int]]:
        """Express "SAME" as symmetric padding: a zero row or column before the kernel replaces the odd pixel."""
        padding, grown = [], []
        for side, kernel, stride in zip(shape[2:], self._kernel, self.stride, strict=True):
            missing = max((-(-side // stride) - 1) * stride + kernel - side, 0)
            padding.append(missing - missing // 2)
            grown.append(missing % 2)
        return functional.pad(weight, (grown[1], 0, grown[0], 0)), padding
