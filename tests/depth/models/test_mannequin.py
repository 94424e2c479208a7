"""The Mannequin Challenge network against the outputs of the official code (golden pack, random weights)."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from depth3d.depth.models.mannequin import MannequinChallenge


@pytest.fixture(scope="module")
def pack(golden_packs: Path) -> Path:
    return golden_packs / "mannequin"


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
    made.load_state_dict({key: torch.from_numpy(value) for key, value in recipe.state_dict().items()})
    return made


@pytest.mark.parametrize("prefix", ["small", "native"])
def test_log_depth(prefix: str, network: MannequinChallenge, pack: Path, recipe: ModuleType) -> None:
    golden = np.load(pack / "single_view.npz")
    stride = int(golden[f"{prefix}_stride"])
    picture = torch.from_numpy(recipe.net_input(*map(int, golden[f"{prefix}_hw"]))).reshape(
        1, 3, *map(int, golden[f"{prefix}_hw"])
    )
    with torch.inference_mode():
        single = network.float()(picture)[0, ::stride, ::stride].numpy()
    scale = golden[f"{prefix}_logdepth"].std()
    assert np.abs(single - golden[f"{prefix}_logdepth"]).max() <= 1e-4 * scale


def test_log_depth_is_identical_in_double(network: MannequinChallenge, pack: Path, recipe: ModuleType) -> None:
    """The proof of identity; at the small size, since convolutions in float64 are slow."""
    golden = np.load(pack / "single_view.npz")
    height, width = map(int, golden["small_hw"])
    picture = torch.from_numpy(recipe.net_input(height, width)).reshape(1, 3, height, width)
    with torch.inference_mode():
        double = network.double()(picture.double())[0].numpy()
    network.float()
    assert np.abs(double - golden["small_logdepth64"]).max() <= 1e-12 * golden["small_logdepth64"].std() + 1e-12


def write_checkpoint(recipe: ModuleType, path: Path, prefix: str = "") -> Path:
    torch.save({prefix + key: torch.from_numpy(value) for key, value in recipe.state_dict().items()}, path)
    return path


@pytest.mark.parametrize(("height", "width"), [(480, 854), (200, 300)])
def test_official_image_path(height: int, width: int, pack: Path, recipe: ModuleType, tmp_path: Path) -> None:
    """A picture through the official resize to 288x512 and the network, as the official script does it."""
    from depth3d.depth.preprocess import network_input
    from depth3d.depth.registry import get
    from depth3d.image import Image

    golden = np.load(pack / "davis.npz")
    card = get("mannequin_challenge_288x512")
    picture = Image(np.ascontiguousarray(recipe.image(height, width)))
    seen = network_input(picture, card.input)
    prefix = f"davis_{height}x{width}"
    np.testing.assert_allclose(seen[:, ::4, ::4], golden[f"{prefix}_input_sample"], atol=1e-5)
    np.testing.assert_allclose(seen[:, :8, :8], golden[f"{prefix}_input_tl"], atol=1e-5)
    np.testing.assert_allclose(seen[:, -8:, -8:], golden[f"{prefix}_input_br"], atol=1e-5)


def test_end_to_end_from_a_file_that_is_recognized(pack: Path, recipe: ModuleType, tmp_path: Path) -> None:
    from depth3d.depth.estimator import predict_disparity
    from depth3d.image import Image, Size

    golden = np.load(pack / "davis.npz")
    path = write_checkpoint(recipe, tmp_path / "best_depth_Ours_Bilinear_inc_3_net_G.pth", "module.")
    (said,) = predict_disparity([Image(recipe.image(480, 854))], path, threads=1)
    assert said.size == Size(512, 288)
    official = golden["davis_480x854_logdepth"]
    error = np.abs(-np.log(said.values[::2, ::2]) - official).max() / official.std()
    assert error <= 1e-3
    level = said.values / said.values.max() * 255
    assert np.abs(level[::2, ::2] - golden["davis_480x854_png_disparity"]).max() <= 1.5


def test_the_shape_of_the_picture_is_kept() -> None:
    from depth3d.depth.registry import get
    from depth3d.image import Size

    rule = get("mannequin_challenge").input
    assert rule.net_size(Size(1920, 1080)) == Size(512, 288)
    assert rule.net_size(Size(1080, 1920)) == Size(288, 512)
    assert rule.net_size(Size(4000, 40)) == Size(3840, 32)
    for size in (Size(640, 480), Size(333, 221), Size(1, 1)):
        net = rule.net_size(size)
        assert net.width % 16 == net.height % 16 == 0
        assert min(net) >= 16
