"""A convolution on the CPU in float32: its weights laid out once, its activation or sum included.

Without this, torch lays the weights out anew in every call, makes a pass of its own over memory for padding, ReLU and
sum, and sends 1x1 convolutions on one thread to a routine several times as slow. The operators are oneDNN's, those
that torch's own compiler writes (`torch.ops.mkldnn`).
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
    """Whether this processor and this build of torch have the operators: they are tried once, on a small case."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    weight, x, bias = torch.ones(8, 8, 3, 3), torch.ones(1, 8, 4, 4), torch.full((8,), -35.0)
    try:
        with torch.inference_mode():
            found = PackedConvolution(weight, bias, padding=(1, 1), activation="relu")(x)
            added = PackedConvolution(weight, bias, padding=(1, 1))(x, x)
            plain = functional.conv2d(x, weight, bias, padding=1)
            return torch.allclose(found, plain.relu()) and torch.allclose(added, plain + x)
    except (AttributeError, RuntimeError, TypeError):  # torch promises nothing about these operators
        return False


class PackedConvolution(nn.Module):
    """A convolution whose weights lie as oneDNN wants them for the size of the last input and its number of threads.

    Laid out for another size or number, they would be converted in every call, at several times the cost of the call.

    Parameters
    ----------
    weight : Tensor
        (K, C / groups, height, width).
    bias : Tensor | None
        (K,) or None.
    padding : Sequence[int] | None
        Rows and columns on either side; None = TensorFlow's "SAME", the odd pixel right and below.
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
        # Shape and threads, weights for them, padding: replaced as one, since several threads may run the same network.
        self._packed: tuple[tuple[int, ...], Tensor, list[int]] = ((), weight.detach(), [])

    @classmethod
    def of(cls, convolution: nn.Conv2d, activation: str = "none", *, same: bool = False) -> PackedConvolution:
        """Packed form of ``convolution``; ``same``: with TensorFlow's padding in place of its own."""
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
        """The plain weights, as they came in."""
        case, weight, _ = self._packed
        plain = weight.to_dense() if case else weight
        return plain[:, :, plain.shape[2] - self._kernel[0] :, plain.shape[3] - self._kernel[1] :]

    def forward(self, x: Tensor, added: Tensor | None = None) -> Tensor:
        """(N, C, H, W) -> the activation of the convolution, or, where it has none, the convolution plus ``added``."""
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
            raise ValueError("a sum leaves no place for an activation")
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
        """A zero before the kernel lets the odd pixel of padding stand on both sides: no padded copy is needed."""
        padding, grown = [], []
        for side, kernel, stride in zip(shape[2:], self._kernel, self.stride, strict=True):
            missing = max((-(-side // stride) - 1) * stride + kernel - side, 0)
            padding.append(missing - missing // 2)
            grown.append(missing % 2)
        return functional.pad(weight, (grown[1], 0, grown[0], 0)), padding
