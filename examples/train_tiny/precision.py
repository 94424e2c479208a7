"""Where training runs in bfloat16."""

import torch
from torch import Tensor, nn


def is_bfloat16_fast(device: torch.device) -> bool:
    """Whether a training step is faster in bfloat16.

    On a CPU it is with AMX only: with AVX512_BF16 a step takes 1.1 times the time of float32, without either ten times.
    """
    if device.type == "cpu":
        return bool(torch.cpu._is_amx_tile_supported())
    return bool(torch.cuda.is_bf16_supported())


class Float32Convolution(nn.Conv2d):
    """A convolution that runs in float32 under autocast.

    oneDNN has no fast backward pass for 5x5 depthwise convolutions in bfloat16: 4 to 10 times the time of float32,
    which was 75 % of a training step on a CPU with AMX.
    """

    def forward(self, x: Tensor) -> Tensor:
        """As the plain convolution."""
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.float())


def keep_depthwise_in_float32(network: nn.Module) -> None:
    """Turn the 5x5 depthwise convolutions of a network into `Float32Convolution`, weights unchanged."""
    for module in network.modules():
        if type(module) is nn.Conv2d and module.groups > 1 and module.kernel_size == (5, 5):
            module.__class__ = Float32Convolution
