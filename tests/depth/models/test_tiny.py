"""The network that ships in the package: there, small, repeatable, and right about real depth."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

import depth3d as d3
from depth3d.depth import registry, weights
from depth3d.image import Size


def test_the_file_ships_and_is_small() -> None:
    path = weights.locate(registry.get("tiny"))
    assert 1e6 < path.stat().st_size <= 12e6


def test_the_card_tells_the_parameters() -> None:
    from depth3d.depth.models.tiny.network import TinyNetwork

    card = registry.get("tiny")
    assert sum(p.numel() for p in TinyNetwork(card.settings["edition"]).parameters()) == card.parameters


@pytest.mark.parametrize("edition", [1, 2])
def test_every_edition_fits_the_package(edition: int) -> None:
    """At most 12 MB in half precision; depth of the picture's size, positive; packed convolutions change nothing."""
    import torch

    from depth3d.depth.engines.cpu.packing import pack
    from depth3d.depth.models.tiny.network import TinyNetwork

    torch.manual_seed(0)
    network = TinyNetwork(edition).eval()
    assert 2 * sum(p.numel() for p in network.parameters()) < 11.9e6
    x = torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        before = network(x)
        pack(network)
        after = network(x)
    assert before.shape == (1, 64, 96)
    assert (before > 0).all()
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-5)


def test_the_file_is_recognized_by_its_keys() -> None:
    from depth3d.depth import checkpoint

    path = weights.locate(registry.get("tiny"))
    assert checkpoint.recognize(checkpoint.read(path), registry.cards(), path).name == "tiny"


def test_the_file_runs_in_half_precision() -> None:
    """The first file of edition 2 had activations of a million: infinite in float16, where its biases had no effect."""
    import torch

    from depth3d.depth import checkpoint
    from depth3d.depth.models.tiny.network import TinyNetwork

    network = TinyNetwork(registry.get("tiny").settings["edition"]).eval()
    network.load_state_dict(checkpoint.read(weights.locate(registry.get("tiny"))))
    x = torch.randn(1, 3, 96, 128, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        full = network.float()(x)
        half = network.half()(x.half()).float()
    assert float((half - full).abs().mean() / full.std()) < 0.02


@pytest.mark.parametrize(("width", "height"), [(640, 480), (480, 640), (1920, 1080), (33, 17), (3000, 40)])
def test_every_shape_of_picture_gives_a_finite_positive_map(width: int, height: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    values = d3.predict_disparity([d3.Image(pixels)], model="tiny")[0].values
    size = registry.get("tiny").input.net_size(Size(width, height))
    assert values.shape == (size.height, size.width)
    assert (values > 0).all()


def test_the_same_picture_gives_the_same_bits() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (300, 400, 3), np.uint8)
    first, second = (d3.predict_disparity([d3.Image(pixels)], model="tiny")[0].values for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_indoor_depth_is_ordered_rightly(shared: Path) -> None:
    """Pairs held back from training (every one of a block of rooms), points at least 10 % apart in depth."""
    index = json.loads((shared / "train" / "index.json").read_text())
    shares = []
    for entry in index[64:80:2] + index[224:240:2]:
        image = d3.open_image(shared / "train" / entry["rgb"])
        meters = cv2.imread(str(shared / "train" / entry["target"]), cv2.IMREAD_UNCHANGED) * entry["unit_m"]
        values = d3.predict_disparity([image], model="tiny")[0].values
        values = cv2.resize(values, meters.shape[::-1], interpolation=cv2.INTER_LINEAR).ravel()
        a, b = np.random.default_rng(0).integers(0, values.size, (2, 20000))
        first, second = meters.ravel()[a], meters.ravel()[b]
        far = np.maximum(first, second) >= 1.1 * np.minimum(first, second)
        shares.append(np.mean(((values[a] > values[b]) == (first < second))[far]))
    assert np.mean(shares) >= 0.84


def test_people_stand_before_their_background() -> None:
    """The astronaut's face and suit are nearer than the wall behind her, by far."""
    data = pytest.importorskip("skimage.data")
    values = d3.predict_disparity([d3.Image(data.astronaut())], model="tiny")[0].values
    full = cv2.resize(values, (512, 512), interpolation=cv2.INTER_LINEAR)
    face, suit, behind = full[80:150, 190:250].mean(), full[330:430, 150:300].mean(), full[20:120, 320:400].mean()
    assert suit > behind
    assert face > behind


def test_auto_falls_back_on_it_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    from depth3d.depth import selection

    with caplog.at_level("WARNING", logger="depth3d"):
        assert selection.select("auto").card.name == "tiny"
        selection._said.clear()  # as in another run with the same cache
        selection.select("auto")
    assert len([record for record in caplog.records if "using tiny" in record.getMessage()]) == 1
