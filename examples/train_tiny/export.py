"""Write the averaged weights of a checkpoint as the file that ships in the package, in half precision.

python examples/train_tiny/export.py WORK/run/checkpoint.pt depth3d/depth/data/tiny.safetensors [--bend 0.7]
"""

import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file


def main() -> None:
    """Write the file and print its size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument(
        "--bend",
        type=float,
        default=1.0,
        help="factor on the last convolution; below 1, the softplus after it flattens the far end more",
    )
    options = parser.parse_args()
    average = torch.load(options.checkpoint, map_location="cpu", weights_only=True)["average"]
    for name in ("head3.weight", "head3.bias"):
        average[name] = average[name] * options.bend
    options.target.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.half().contiguous() for name, tensor in average.items()}, options.target)
    print(options.target, f"{options.target.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
