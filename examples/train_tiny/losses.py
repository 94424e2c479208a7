"""The training loss: MiDaS's scale-and-shift-invariant loss with gradient matching, ranking across edges, log depth.

Sources: Ranftl et al., "Towards Robust Monocular Depth Estimation" (2020), section 5, for the first two terms; Xian et
al., "Structure-Guided Ranking Loss for Single Image Depth Prediction" (2020), section 3.2, for the third. The fourth,
the difference of log depth, is what AbsRel and delta1 measure: the others hardly see the far half of a picture, as its
inverse depth is small.
All functions take (N, H, W) float32 tensors; `known` is a boolean mask of the pixels whose depth is known.
"""

import torch
from torch import Tensor
from torch.nn import functional

EDGE_STEP = 0.1
"""Relative step of inverse depth between neighboring pixels that counts as a depth edge."""


def normalize(values: Tensor, known: Tensor) -> Tensor:
    """Shift and scale each picture to median 0 and mean absolute deviation 1 over its known pixels."""
    flat, mask = values.flatten(1), known.flatten(1)
    median = flat.masked_fill(~mask, torch.nan).nanmedian(dim=1, keepdim=True).values.nan_to_num()
    count = mask.sum(dim=1, keepdim=True).clamp_min(1)
    deviation = ((flat - median).abs() * mask).sum(dim=1, keepdim=True) / count
    return ((flat - median) / deviation.clamp_min(1e-4)).view_as(values)


def trimmed_difference(residual: Tensor, known: Tensor, trim: float) -> Tensor:
    """Mean absolute residual without the largest `trim` share of each picture's, which may be wrong labels."""
    flat = residual.abs().flatten(1).masked_fill(~known.flatten(1), torch.inf).sort(dim=1).values
    kept = (known.flatten(1).sum(dim=1, keepdim=True) * (1.0 - trim)).long()
    inside = torch.arange(flat.shape[1], device=flat.device) < kept
    return (flat.masked_fill(~inside, 0.0).sum(dim=1) / kept[:, 0].clamp_min(1)).mean()


def gradient_difference(residual: Tensor, known: Tensor, levels: int = 4) -> Tensor:
    """Mean absolute gradient of the residual at `levels` scales, each half of the one before."""
    total = residual.new_zeros(())
    for level in range(levels):
        x, mask = residual[:, :: 2**level, :: 2**level], known[:, :: 2**level, :: 2**level]
        for dim in (1, 2):
            size = x.shape[dim] - 1
            pair = mask.narrow(dim, 1, size) & mask.narrow(dim, 0, size)
            step = (x.narrow(dim, 1, size) - x.narrow(dim, 0, size)).abs() * pair
            total = total + step.sum() / pair.sum().clamp_min(1)
    return total


def edge_ranking(
    prediction: Tensor, goal: Tensor, target: Tensor, known: Tensor, count: int = 800, reach: float = 8.0
) -> Tensor:
    """Hinge loss over `count` pairs of points per picture on both sides of depth edges; 0 for a perfect prediction.

    prediction, goal : normalized predicted and true inverse depth. target : true inverse depth >= 0, any scale.
    reach : largest distance of a point from its edge, pixels. The nearer side must be nearer by at least the true
    contrast; points of equal depth must be equal. Xian et al. use a logistic loss instead, which has no true margin.
    """
    height, width = target.shape[1:]
    safe = torch.where(known, target, 0.0)
    slope_x, slope_y = torch.zeros_like(safe), torch.zeros_like(safe)
    slope_x[:, :, 1:-1] = safe[:, :, 2:] - safe[:, :, :-2]
    slope_y[:, 1:-1, :] = safe[:, 2:, :] - safe[:, :-2, :]
    steep = torch.hypot(slope_x, slope_y)
    near = functional.max_pool2d(safe.unsqueeze(1), 3, 1, 1).squeeze(1)
    all_known = -functional.max_pool2d(-known.float().unsqueeze(1), 3, 1, 1).squeeze(1) > 0
    weight = ((steep > EDGE_STEP * near) & all_known).float().flatten(1)
    useful = weight.sum(dim=1) > 0
    if not useful.any():
        return prediction.new_zeros(())
    place = torch.multinomial(weight + 1e-12, count, replacement=True)
    row, column = place // width, place % width
    direction = torch.stack([slope_y, slope_x]).flatten(2).gather(2, place.expand(2, -1, -1))
    direction = direction / torch.linalg.vector_norm(direction, dim=0).clamp_min(1e-9)

    def look(sign: float) -> Tensor:
        away = sign * (1.0 + (reach - 1.0) * torch.rand(place.shape, device=place.device))
        y = (row + away * direction[0]).round().long().clamp(0, height - 1)
        x = (column + away * direction[1]).round().long().clamp(0, width - 1)
        return y * width + x

    first, second = look(1.0), look(-1.0)
    truth = [safe.flatten(1).gather(1, point) for point in (first, second)]
    contrast, wanted = (
        plane.flatten(1).gather(1, first) - plane.flatten(1).gather(1, second) for plane in (prediction, goal)
    )
    both = known.flatten(1).gather(1, first) & known.flatten(1).gather(1, second) & useful[:, None]
    apart = (truth[0] - truth[1]).abs() > 0.05 * torch.maximum(*truth)
    ordered = functional.relu((wanted - contrast) * torch.sign(wanted))
    loss = torch.where(apart, ordered, (contrast - wanted).abs())
    return (loss * both).sum() / both.sum().clamp_min(1)


def fitted(prediction: Tensor, target: Tensor, known: Tensor) -> Tensor:
    """Apply the least-squares scale and shift of each prediction to its target, over the known pixels."""
    flat, goal, mask = prediction.flatten(1), target.flatten(1), known.flatten(1).float()
    count = mask.sum(dim=1, keepdim=True).clamp_min(1)
    mean, goal_mean = ((plane * mask).sum(dim=1, keepdim=True) / count for plane in (flat, goal))
    away, goal_away = (flat - mean) * mask, (goal - goal_mean) * mask
    scale = (away * goal_away).sum(dim=1, keepdim=True) / away.square().sum(dim=1, keepdim=True).clamp_min(1e-8)
    return (goal_mean + scale * (flat - mean)).view_as(prediction)


def log_difference(prediction: Tensor, target: Tensor, known: Tensor, least: float = 0.05) -> Tensor:
    """Mean absolute difference of log depth after a fit in inverse depth, as the measure AbsRel fits.

    Below `least` times the picture's mean inverse depth, where a fit may even be negative, the logarithm goes on as
    its tangent. Points at infinity count in the other terms only. Nothing is trimmed: a few middle distances that a fit
    puts at infinity are what is to be mended, in AbsRel they can weigh more than all the rest.
    """
    safe = torch.where(known, target, 0.0)
    finite = known & (safe > 1e-4 * safe.amax(dim=(1, 2), keepdim=True))
    count = finite.sum(dim=(1, 2), keepdim=True).clamp_min(1)
    floor = (least * (safe * finite).sum(dim=(1, 2), keepdim=True) / count).clamp_min(1e-6)

    def logarithm(inverse: Tensor) -> Tensor:
        ratio = inverse / floor
        return torch.where(ratio > 1.0, ratio.clamp_min(1.0).log(), ratio - 1.0)

    difference = logarithm(fitted(prediction, safe, finite)) - logarithm(safe)
    return ((difference.abs() * finite).sum(dim=(1, 2), keepdim=True) / count).mean()


def depth_loss(
    prediction: Tensor,
    target: Tensor,
    trim: float = 0.05,
    gradient_weight: float = 0.5,
    ranking_weight: float = 0.2,
    log_weight: float = 0.0,
) -> Tensor:
    """Loss (scalar) of a prediction (N, h, w) against true inverse depth (N, H, W).

    H and W are multiples of h and w; NaN in the target means unknown, 0 infinitely far.
    """
    factor = target.shape[1] // prediction.shape[1]
    share = functional.avg_pool2d(target.isfinite().float().unsqueeze(1), factor).squeeze(1)
    mean = functional.avg_pool2d(target.nan_to_num(0.0).unsqueeze(1), factor).squeeze(1)
    known = share > 0.5
    target = mean / share.clamp_min(1e-6)
    guess, goal = normalize(prediction, known), normalize(target, known)
    residual = guess - goal
    loss = trimmed_difference(residual, known, trim) + gradient_weight * gradient_difference(residual, known)
    if ranking_weight:
        loss = loss + ranking_weight * edge_ranking(guess, goal, target, known)
    if log_weight:
        loss = loss + log_weight * log_difference(prediction, target, known)
    return loss
