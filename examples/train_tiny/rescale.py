"""Give the decoder of a network activations of about 1, without changing its output: a better start for training.

    python examples/train_tiny/rescale.py FIRST.safetensors WORK/start.pt

FIRST is the first file of edition 2 (commit 64195d8); later ones are as this leaves them.
The loss ignores the scale of the output, so nothing kept its activations from growing: 3,000 after the
first convolution of its head, 300,000 at its end. Biases, and the half-resolution features of about 1 that are added
there, had no effect, and a learning rate that suits the weights could not give them one. The decoder is piecewise
linear, so weights and biases can take such factors out exactly; only the last softplus, linear before, then bends the
far end.
"""

import argparse
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

PATH, FINEST, HEAD, HALF, OUTPUT = 1 / 30, 1 / 250, 1 / 3e3, 1 / 3e4, 1 / 1e5
"""Factors that bring edition 2 to about 1: decoder path, its finest projection, head, the head's end, output."""


def rescale(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights with the factors above taken out of the decoder's activations."""
    scales = {"fuse.0.narrow": (PATH, FINEST), "head1": (FINEST, HEAD), "detail": (1.0, HEAD), "head2": (HEAD, HALF)}
    scales |= {"refine": (HALF, HALF), "head3": (HALF, OUTPUT)}
    result = {}
    for name, tensor in weights.items():
        layer, kind = name.rsplit(".", 1)
        default = (1.0, 1.0) if layer.startswith("encoder.") else (PATH, PATH)
        source, target = (1.0, PATH) if layer.startswith("project.") else scales.get(layer, default)
        result[name] = tensor.float() * (target if kind == "bias" else target / source)
    return result


def main() -> None:
    """Write the file that `train.py --start` reads."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="the first safetensors file of edition 2")
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    torch.save({"average": rescale(load_file(options.source))}, options.target)


if __name__ == "__main__":
    main()
