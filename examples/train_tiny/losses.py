"""MiDaS's loss: both depths brought to median 0 and mean deviation 1, then difference and gradient matching."""

from torch import Tensor
from torch.nn import functional


def normalise(values: Tensor) -> Tensor:
    """(N, H, W) -> the same with median 0 and mean absolute deviation 1 per picture."""
    flat = values.flatten(1)
    median = flat.median(dim=1, keepdim=True).values
    deviation = (flat - median).abs().mean(dim=1, keepdim=True).clamp_min(1e-4)
    return ((flat - median) / deviation).view_as(values)


def trimmed_difference(residual: Tensor, trim: float) -> Tensor:
    """Mean absolute residual without the largest `trim` share of each picture's: label errors must not steer."""
    flat = residual.abs().flatten(1)
    kept = int(flat.shape[1] * (1.0 - trim))
    if kept < flat.shape[1]:
        flat = flat.topk(kept, dim=1, largest=False, sorted=False).values
    return flat.mean()


def gradient_difference(residual: Tensor, levels: int = 4) -> Tensor:
    """Mean absolute gradient of the residual over halving scales: edges where the picture has them, smooth between."""
    total = residual.new_zeros(())
    for level in range(levels):
        at_level = residual[:, :: 2**level, :: 2**level]
        total = total + (at_level[:, :, 1:] - at_level[:, :, :-1]).abs().mean()
        total = total + (at_level[:, 1:, :] - at_level[:, :-1, :]).abs().mean()
    return total


def depth_loss(prediction: Tensor, target: Tensor, trim: float = 0.05, gradient_weight: float = 0.5) -> Tensor:
    """Prediction (N, h, w) and true inverse depth (N, H, W), H and W multiples of h and w -> scalar."""
    factor = target.shape[1] // prediction.shape[1]
    target = functional.avg_pool2d(target.unsqueeze(1), factor).squeeze(1)
    residual = normalise(prediction) - normalise(target)
    return trimmed_difference(residual, trim) + gradient_weight * gradient_difference(residual)
