"""Run the averaged weights of a training run on pictures, as the package will run them."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from pretrained import MEAN, STD
from safetensors.torch import load_file

from depth3d.depth.card import AreaRule
from depth3d.depth.models.tiny.network import TinyNetwork
from depth3d.image import Size

Method = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def trained(path: Path, size: tuple[int, int] | None = None) -> Method:
    """Function from an RGB picture (H, W, 3) to relative inverse depth, at about `size` (height, width) in its shape.

    ``path`` is a checkpoint of a run, or a safetensors file that shipped, of any edition; its edition tells the size.
    """
    if path.suffix == ".safetensors":
        weights = {name: tensor.float() for name, tensor in load_file(path).items()}
    else:
        weights = torch.load(path, map_location="cpu", weights_only=True)["average"]
    network = TinyNetwork(2).eval()
    if network.state_dict().keys() != weights.keys():
        network = TinyNetwork(1).eval()
        size = size or (192, 256)
    network.load_state_dict(weights)
    height, width = size or (224, 320)
    rule = AreaRule(width, other=height)

    def predict(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        net = rule.net_size(Size(picture.shape[1], picture.shape[0]))
        small = cv2.resize(picture, (net.width, net.height), interpolation=cv2.INTER_AREA)
        x = (torch.from_numpy(small)[None].permute(0, 3, 1, 2).float() / 255.0 - MEAN) / STD
        with torch.inference_mode():
            return np.asarray(network(x)[0].numpy(), np.float32)

    return predict
