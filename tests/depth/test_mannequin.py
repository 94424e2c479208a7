"""The Mannequin Challenge network against the outputs of the official code (golden pack, random weights)."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from depth3d.depth.models.mannequin import MannequinChallenge, convert_mannequin


@pytest.fixture(scope="module")
def pack(shared: Path) -> Path:
    return shared / "golden" / "mannequin"


@pytest.fixture(scope="module")
def recipe(pack: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("mannequin_recipe", pack / "recipe.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def network(recipe: ModuleType) -> MannequinChallenge:
    torch.set_num_threads(1)
    made = MannequinChallenge().eval()
    made.load_state_dict(convert_mannequin({k: torch.from_numpy(v) for k, v in recipe.state_dict().items()}))
    return made


@pytest.mark.parametrize("prefix", ["small", "native"])
def test_log_depth(prefix: str, network: MannequinChallenge, pack: Path, recipe: ModuleType) -> None:
    golden = np.load(pack / "single_view.npz")
    stride = int(golden[f"{prefix}_stride"])
    picture = torch.from_numpy(recipe.net_input(*map(int, golden[f"{prefix}_hw"]))).reshape(
        1, 3, *map(int, golden[f"{prefix}_hw"])
    )
    with torch.inference_mode():
        single = network.float().log_depth(picture)[0, ::stride, ::stride].numpy()
    scale = golden[f"{prefix}_logdepth"].std()
    assert np.abs(single - golden[f"{prefix}_logdepth"]).max() <= 1e-4 * scale


def test_log_depth_is_identical_in_double(network: MannequinChallenge, pack: Path, recipe: ModuleType) -> None:
    """The proof of identity; at the small size, since convolutions in float64 are slow."""
    golden = np.load(pack / "single_view.npz")
    height, width = map(int, golden["small_hw"])
    picture = torch.from_numpy(recipe.net_input(height, width)).reshape(1, 3, height, width)
    with torch.inference_mode():
        double = network.double().log_depth(picture.double())[0].numpy()
    network.float()
    assert np.abs(double - golden["small_logdepth64"]).max() <= 1e-12 * golden["small_logdepth64"].std() + 1e-12


def test_nearer_is_larger(network: MannequinChallenge, recipe: ModuleType) -> None:
    picture = torch.from_numpy(recipe.net_input(16, 32)).reshape(1, 3, 16, 32)
    with torch.inference_mode():
        near, far = network(picture), network.log_depth(picture)
    assert torch.corrcoef(torch.stack([near.log().flatten(), far.flatten()]))[0, 1] < -0.999
