"""A network that says meters makes a mesh that is true to scale, without --near and --far."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
import trimesh

import depth3d as d3
from depth3d.depth import registry
from depth3d.depth.card import UNCHANGED, InputRule, ModelCard
from depth3d.options import DepthOptions, MeshOptions


class Wall(torch.nn.Module):
    """A wall at 8 meters with a box at 2 meters before its middle."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        depth = torch.full_like(x[:, 0], 8.0)
        height, width = depth.shape[1:]
        depth[:, height // 4 : 3 * height // 4, width // 4 : 3 * width // 4] = 2.0
        return depth


@pytest.fixture
def wall() -> Iterator[ModelCard]:
    rule = InputRule(64, normalization=UNCHANGED)
    card = ModelCard("wall", lambda _: Wall(), None, rule, output="depth", metric=True, bfloat16=False)
    d3.register(card)
    yield card
    registry._registered.pop("wall")


def test_a_metric_network_gives_a_mesh_in_meters(wall: ModelCard, tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    PIL.Image.fromarray(np.full((64, 64, 3), 120, np.uint8)).save(photo)
    meshes = trimesh.load(d3.mesh(photo, tmp_path / "out.glb", MeshOptions(), DepthOptions(model="wall")))
    z = -np.concatenate([one.vertices[:, 2] for one in meshes.dump()])
    assert z.min() == pytest.approx(2.0, rel=0.02)
    assert np.percentile(z, 90) == pytest.approx(8.0, rel=0.05)
    given = d3.mesh(photo, tmp_path / "given.glb", MeshOptions(near=1.0, far=3.0), DepthOptions(model="wall"))
    z = -np.concatenate([one.vertices[:, 2] for one in trimesh.load(given).dump()])
    assert z.min() == pytest.approx(1.0, rel=0.02)
