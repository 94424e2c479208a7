"""CPU time of the network's editions with packed convolutions, one thread, best of ten; the weights do not matter.

python examples/train_tiny/speed.py
"""

import time

import torch

from depth3d.depth.engines.cpu.packing import pack
from depth3d.depth.models.tiny.network import TinyNetwork


def milliseconds(edition: int, height: int, width: int, repeats: int = 10) -> float:
    """CPU milliseconds of one picture of height x width."""
    network = TinyNetwork(edition).eval()
    pack(network)
    x = torch.rand(1, 3, height, width)
    times = []
    with torch.inference_mode():
        network(x)
        for _ in range(repeats):
            start = time.thread_time()
            network(x)
            times.append(time.thread_time() - start)
    return 1e3 * min(times)


def main() -> None:
    """Print a line per edition and size."""
    torch.set_num_threads(1)
    for edition, height, width in ((1, 192, 256), (2, 192, 256), (2, 224, 288), (2, 224, 320)):
        print(f"edition {edition}, {width} x {height}: {milliseconds(edition, height, width):.0f} ms")


if __name__ == "__main__":
    main()
