"""Write the averaged weights of a checkpoint, or the mean of several files, as the file that ships, in half precision.

python examples/train_tiny/export.py WORK/run/checkpoint.pt depth3d/depth/data/tiny.safetensors [--bend 0.7]
python examples/train_tiny/export.py WORK/run3/checkpoint.pt:1 WORK/run4/checkpoint.pt:1 OLD.safetensors:2 TARGET
"""

import argparse
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor


def read_weights(path: Path) -> dict[str, Tensor]:
    """Weights of a safetensors file or the averaged ones of a run's checkpoint, float32."""
    if path.suffix == ".safetensors":
        return {name: tensor.float() for name, tensor in load_file(path).items()}
    average: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)["average"]
    return average


def mean_weights(files: list[str]) -> dict[str, Tensor]:
    """Mean of files named PATH or PATH:SHARE; shares count relative to their sum."""
    total: dict[str, Tensor] = {}
    whole = 0.0
    for file in files:
        path, _, share = file.partition(":")
        part = float(share or 1.0)
        whole += part
        for name, tensor in read_weights(Path(path)).items():
            total[name] = total.get(name, 0.0) + part * tensor.double()
    return {name: (tensor / whole).float() for name, tensor in total.items()}


def main() -> None:
    """Write the file and print its size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", nargs="+", metavar="CHECKPOINT[:SHARE]")
    parser.add_argument("target", type=Path)
    parser.add_argument(
        "--bend",
        type=float,
        default=1.0,
        help="factor on the last convolution; below 1, the softplus after it flattens the far end more",
    )
    options = parser.parse_args()
    average = mean_weights(options.checkpoint)
    for name in ("head3.weight", "head3.bias"):
        average[name] = average[name] * options.bend
    options.target.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.half().contiguous() for name, tensor in average.items()}, options.target)
    print(options.target, f"{options.target.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
