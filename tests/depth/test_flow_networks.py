"""PWC-Net and the FlowNet 2.0 family against the outputs of the official code (golden pack, random weights)."""

from __future__ import annotations

import importlib.util
import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from depth3d.depth.flow_networks import FLOW_CARDS, NamedFlow, network_size, open_flow
from depth3d.depth.models.flow_layers import cost_volume, warp_border, warp_masked
from depth3d.depth.models.flownet2 import FLOWNETS, FlowNet2, convert_flownet2
from depth3d.depth.models.pwcnet import PWCNet, convert_pwcnet
from depth3d.image import Size
from depth3d.options import StabilizeOptions


@pytest.fixture(scope="module")
def pack(golden_packs: Path) -> Path:
    return golden_packs / "flow"


@pytest.fixture(scope="module")
def recipe(pack: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("flow_recipe", pack / "recipe.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def official(recipe: ModuleType, name: str) -> dict[str, torch.Tensor]:
    return {key: torch.from_numpy(value) for key, value in recipe.state_dict(name).items()}


def close(ours: torch.Tensor, golden: np.ndarray, tolerance: float) -> None:
    error = np.abs(ours.numpy() - golden).max() / golden.std()
    assert error <= tolerance, error


def test_single_layers(pack: Path, recipe: ModuleType) -> None:
    golden = np.load(pack / "ops.npz")
    a, b, flow = (torch.from_numpy(array) for array in recipe.op_inputs())
    close(cost_volume(a, b, 4)[0], golden["corr_pwc"], 1e-9)
    close(cost_volume(a, b, 20, 2)[0], golden["corr_flownetc"], 1e-9)
    close(warp_masked(b, flow)[0], golden["warp_pwc"], 1e-9)
    close(warp_border(b, flow)[0], golden["resample2d"], 1e-9)


def test_pwcnet(pack: Path, recipe: ModuleType) -> None:
    golden = np.load(pack / "pwcnet.npz")
    network = PWCNet().eval()
    network.load_state_dict(convert_pwcnet(official(recipe, "pwcnet")))
    with torch.inference_mode():
        for height, width in ((64, 128), (192, 256), (320, 448)):
            pair = [torch.from_numpy(array) for array in recipe.pwc_input(height, width)]
            close(network(*pair)[0], golden[f"{height}x{width}_out64"], 2e-3)
        network.double()
        pair = [torch.from_numpy(array).double() for array in recipe.pwc_input(64, 128)]
        levels = network.levels(*pair)
        for level in (6, 5, 4, 3, 2):
            close(levels[level][0], golden[f"64x128_flow_{level}"], 1e-9)
        close(levels[0][0] * 20, golden["64x128_out64"], 1e-9)


def test_pwcnet_loads_both_official_layouts(recipe: ModuleType) -> None:
    """The names of the NVlabs file, made from the table of facts, lead to the same places."""
    ours = convert_pwcnet(official(recipe, "pwcnet"))
    nvlabs = {}
    for key, value in ours.items():
        room, *rest = key.split(".")
        if room == "pyramid":
            suffix = (("a", "aa", "b"), ("aa", "a", "b"))[rest[0] == "5"][int(rest[1]) // 2]
            name = f"conv{int(rest[0]) + 1}{suffix}.0"
        elif room == "refiner":
            number = int(rest[0]) // 2 + 1
            name = f"dc_conv{number}" + (".0" if number < 7 else "")
        elif rest[1] == "dense":
            name = f"conv{rest[0]}_{rest[2]}.0"
        elif rest[1] == "flow":
            name = f"predict_flow{rest[0]}"
        else:
            name = {"upflow": "deconv", "upfeat": "upfeat"}[rest[1]] + str(int(rest[0]) + 1)
        nvlabs[f"{name}.{rest[-1]}"] = value
    nvlabs["deconv2.weight"] = torch.zeros(2, 2, 4, 4)
    again = convert_pwcnet(nvlabs)
    assert again.keys() == ours.keys()
    assert all(again[key] is ours[key] for key in ours)


@pytest.mark.slow
@pytest.mark.parametrize("name", FLOWNETS)
def test_flownet2_family(name: str, pack: Path, recipe: ModuleType) -> None:
    golden = np.load(pack / f"{name}.npz")
    with torch.device("meta"):
        network = FlowNet2(name).eval()
    network.load_state_dict(convert_flownet2(official(recipe, name)), assign=True)
    sizes = sorted({key.split("_")[0] for key in golden.files if key.endswith("_out64")}, key=len)
    for size in sizes:
        stride = int(golden[f"{size}_stride"])
        pictures = torch.from_numpy(recipe.flownet2_input(*map(int, size.split("x"))))
        with torch.inference_mode():
            close(network(pictures)[0][:, ::stride, ::stride], golden[f"{size}_out64"], 1e-4)
    with torch.inference_mode():
        stride = int(golden[f"{sizes[0]}_stride"])
        pictures = torch.from_numpy(recipe.flownet2_input(*map(int, sizes[0].split("x")))).double()
        exact = network.double()(pictures)[0][:, ::stride, ::stride]
        close(exact, golden[f"{sizes[0]}_out64"], 1e-9)


@pytest.fixture(scope="module")
def pwc_file(recipe: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pwc") / "network-default.pytorch"
    torch.save(official(recipe, "pwcnet"), path)
    return path


@pytest.mark.parametrize(("height", "width"), [(100, 150), (64, 128)])
def test_pwcnet_end_to_end_from_its_official_file(
    height: int, width: int, pwc_file: Path, pack: Path, recipe: ModuleType
) -> None:
    golden = np.load(pack / "pwcnet.npz")[f"e2e_{height}x{width}_out64"]
    first, second = recipe.pair(height, width)
    flow = open_flow(f"pwcnet:{pwc_file}")(first, second)
    assert flow.shape == (height, width, 2)
    close(torch.from_numpy(flow.transpose(2, 0, 1).copy()), golden, 2e-3)


def test_flownet2s_end_to_end_from_its_official_file(pack: Path, recipe: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "FlowNet2-S_checkpoint.pth.tar"
    torch.save({"epoch": 1, "state_dict": official(recipe, "flownet2s"), "best_EPE": 2.0}, path)
    golden = np.load(pack / "flownet2s.npz")
    stride = int(golden["64x128_stride"])
    first, second = recipe.pair(64, 128)
    flow = open_flow(f"flownet2s:{path}")(first, second)
    close(torch.from_numpy(flow[::stride, ::stride].transpose(2, 0, 1).copy()), golden["64x128_out64"], 1e-4)


def test_flow_networks_are_matchers(pwc_file: Path, recipe: ModuleType) -> None:
    """Random weights say nothing, but the way from the two pictures to a depth map is the whole one."""
    import depth3d as d3

    left, right = (d3.Image(picture) for picture in recipe.pair(64, 128))
    depth = d3.match_stereo(left, right, matcher=f"pwcnet:{pwc_file}")
    assert depth.size == left.size


def test_flow_networks_steady_clips(pwc_file: Path, recipe: ModuleType) -> None:
    import depth3d as d3

    frames = [d3.Image(picture) for picture in recipe.pair(64, 128)] * 2
    said = [d3.Disparity(np.random.default_rng(i).random((64, 128), np.float32)) for i in range(4)]
    options = StabilizeOptions(flow=f"pwcnet:{pwc_file}")
    by_name = list(d3.stabilize(frames, said, options=options))
    by_hand = list(d3.stabilize(frames, said, flow=open_flow(f"pwcnet:{pwc_file}")))
    assert len(by_name) == len(by_hand) == 4
    assert all(np.array_equal(a.values, b.values) for a, b in zip(by_name, by_hand, strict=True))


def test_a_named_flow_survives_pickling(pwc_file: Path, recipe: ModuleType) -> None:
    flow = NamedFlow(f"pwcnet:{pwc_file}")
    again = pickle.loads(pickle.dumps(flow))
    assert np.array_equal(flow(*recipe.pair(64, 128)), again(*recipe.pair(64, 128)))


@pytest.mark.parametrize(
    ("name", "words"),
    [("pwcnet", "pwcnet:/path"), ("pwcnett:x", "unknown"), ("pwcnet:/nowhere.pytorch", "no such file")],
)
def test_what_is_missing_is_told(name: str, words: str) -> None:
    from depth3d.errors import Depth3DError

    with pytest.raises(Depth3DError, match=words):
        open_flow(name)


def test_a_file_of_another_network_is_refused(pwc_file: Path) -> None:
    from depth3d.errors import ModelError

    with pytest.raises(ModelError, match="does not belong to this network"):
        open_flow(f"flownet2s:{pwc_file}")


@given(st.integers(1, 20000), st.integers(1, 20000))
def test_network_sizes_are_multiples_of_64_and_bounded(width: int, height: int) -> None:
    size = network_size(Size(width, height))
    assert size.width % 64 == size.height % 64 == 0
    assert min(size) >= 64
    if max(width, height) < 4 * min(width, height):
        assert size.pixels < 2_000_000


@pytest.mark.parametrize("name", FLOW_CARDS)
def test_cards_tell_the_truth(name: str, pack: Path) -> None:
    meta = json.loads((pack / f"{name}.keys.json").read_text())["meta"]
    assert FLOW_CARDS[name].parameters == meta["parameters"]
    assert "license" in FLOW_CARDS[name].license or "CC" in FLOW_CARDS[name].license
