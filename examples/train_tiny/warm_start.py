"""Begin edition 2 of the network from edition 1: its decoder, fed by an ImageNet encoder of Lite1.

    python examples/train_tiny/warm_start.py TINY_1.safetensors WORK/start.pt --pictures WORK/indoor ...
The two encoders have features of the same widths but of other meaning. So the 3x3 projections between encoder and
decoder are solved by ridge regression: from the features of the new encoder to what the old decoder received.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
from pairs import Pairs
from pretrained import MEAN, STD, load_imagenet
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from depth3d.depth.models.tiny.network import TinyNetwork


def features_and_goals(old: TinyNetwork, new: TinyNetwork, x: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Per scale: 3x3 patches of the new features with a constant (K, 9 C + 1), and the old skip connections (K, w)."""
    found = []
    scales = zip(old.encoder(x)[1:], new.encoder(x)[1:], old.project, old.fuse, new.fuse, strict=True)
    for before, now, project, old_fuse, new_fuse in scales:
        goal = project(before)
        if old_fuse.refine_skip is not None and new_fuse.refine_skip is None:
            goal = old_fuse.refine_skip(goal)
        patches = functional.unfold(now, 3, padding=1)
        patches = torch.cat([patches, torch.ones_like(patches[:, :1])], dim=1)
        found.append((patches.transpose(1, 2).flatten(0, 1), goal.flatten(2).transpose(1, 2).flatten(0, 1)))
    return found


@torch.inference_mode()
def solve(old: TinyNetwork, new: TinyNetwork, pictures: list[Tensor], ridge: float = 0.01) -> None:
    """Set the projections of the new network from pictures (1, 3, H, W)."""
    sums: list[list[Tensor]] = []
    for x in pictures:
        for index, (patches, goal) in enumerate(features_and_goals(old, new, x)):
            parts = [patches.T @ patches, patches.T @ goal]
            if index == len(sums):
                sums.append(parts)
            else:
                sums[index] = [total + part for total, part in zip(sums[index], parts, strict=True)]
    for (square, mixed), project in zip(sums, new.project, strict=True):
        exact = square.double()
        damped = exact + ridge * torch.diag(exact.diagonal()) + 1e-6 * torch.eye(len(exact))
        solution = torch.linalg.solve(damped, mixed.double()).float()
        project.weight.copy_(solution[:-1].T.reshape(project.weight.shape))
        project.bias.copy_(solution[-1])


def main() -> None:
    """Write the checkpoint that `train.py --start` reads."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, help="edition 1 (safetensors)")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument(
        "--pictures", type=Path, nargs="+", required=True, help="sources written by pairs.py and others"
    )
    parser.add_argument("--every", type=int, default=2, help="use every n-th picture")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    old, new = TinyNetwork(1).eval(), TinyNetwork(2).eval()
    old.load_state_dict({name: tensor.float() for name, tensor in load_file(options.weights).items()})
    own = new.state_dict()
    taken = {name: tensor for name, tensor in old.state_dict().items() if name.startswith(("fuse.", "head"))}
    new.load_state_dict(own | {name: tensor for name, tensor in taken.items() if name in own})
    load_imagenet(new.encoder, 2)
    for added in (new.detail, new.refine):  # start as if they were not there
        torch.nn.init.zeros_(added.weight)
        torch.nn.init.zeros_(added.bias)
    pictures = []
    for source in map(Pairs, options.pictures):
        for index in range(0, len(source), options.every):
            size = (192, 256) if source.is_upright(index) else (256, 192)
            small = cv2.resize(source[index][0], size, interpolation=cv2.INTER_AREA)
            pictures.append((torch.from_numpy(small)[None].permute(0, 3, 1, 2).float() / 255.0 - MEAN) / STD)
    solve(old, new, [pictures[i] for i in np.random.default_rng(0).permutation(len(pictures))])
    torch.save({"average": new.state_dict()}, options.checkpoint)
    print(options.checkpoint, len(pictures), "pictures")


if __name__ == "__main__":
    main()
