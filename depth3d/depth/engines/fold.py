"""Fold batch norms into the convolutions before them: the same function with fewer passes over memory."""

from __future__ import annotations

from itertools import pairwise

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

__all__ = ["fold_batch_norms"]


def fold_batch_norms(network: nn.Module) -> None:
    """Fold, in place, every batch norm that directly follows its convolution in the same module.

    timm's batch norms may include the activation, which then replaces the norm. Neighbors are found by the order
    of definition, which may differ from the order of use: only networks with ``foldable = True`` are folded, and
    `tests/depth/engines/test_engines.py` checks that their output stays the same.
    """
    for module in network.modules():
        children = list(module.named_children())
        for (name, first), (next_name, second) in pairwise(children):
            if not isinstance(first, nn.Conv2d) or not isinstance(second, nn.BatchNorm2d):
                continue
            if first.out_channels == second.num_features and not second.training:
                setattr(module, name, fuse_conv_bn_eval(first, second))
                setattr(module, next_name, getattr(second, "act", None) or nn.Identity())
