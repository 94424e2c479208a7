"""A network for clips takes the place of network and stabilizer when it is asked for by name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from clips import hashes, make_clip

import depth3d as d3
from depth3d.depth import registry
from depth3d.depth.card import UNCHANGED, InputRule, ModelCard
from depth3d.options import DepthOptions, StabilizeOptions
from depth3d.pipeline.clip import depth_pass

SEEN: list[tuple[int, ...]] = []


class Brightness(torch.nn.Module):
    """Nearer where it is brighter; notes the shapes that it sees."""

    def forward(self, x: torch.Tensor, frames: int = 1) -> torch.Tensor:
        SEEN.append((*x.shape, frames))
        return x.mean(dim=1) + 0.1


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    rule = InputRule(64, normalization=UNCHANGED)
    d3.register(ModelCard("clipwise", lambda _: Brightness(), None, rule, frames=32, bfloat16=False))

    def refuse(*_: object) -> None:
        raise AssertionError("the stabilizer is not to be used")

    monkeypatch.setattr(depth_pass, "open_filter", refuse)
    SEEN.clear()
    yield "clipwise"
    registry._registered.pop("clipwise")


def test_it_sees_windows_and_no_filter_follows(network: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clip = make_clip(tmp_path / "clip.mp4", count=40)
    every = StabilizeOptions(depth_every=3)
    written = d3.stereo(clip, tmp_path / "out.mkv", depth=DepthOptions(model=network), stabilize=every)
    assert "`depth_every` does not apply to clipwise" in caplog.text
    assert len(hashes(written)) == 40
    assert [shape[0] for shape in SEEN if shape[-1] > 1] == [32, 32]
    assert all(shape[0] == shape[-1] for shape in SEEN if shape[-1] > 1)
