"""Write the averaged weights of a checkpoint as the file that ships in the package, in half precision.

python examples/train_tiny/export.py WORK/run/checkpoint.pt depth3d/depth/data/tiny.safetensors
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file


def main(source: Path, target: Path) -> None:
    """Write the file and print its size."""
    average = torch.load(source, map_location="cpu", weights_only=True)["average"]
    target.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.half().contiguous() for name, tensor in average.items()}, target)
    print(target, f"{target.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
