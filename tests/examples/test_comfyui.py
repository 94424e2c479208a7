"""The ComfyUI nodes, called as ComfyUI calls them: a stand-in reads the declarations and passes what they ask for."""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

PACK = Path(__file__).parents[2] / "examples" / "comfyui"
TYPES = {"IMAGE", "MASK", "STRING", "FLOAT", "INT", "BOOLEAN"}


@pytest.fixture
def nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, type[Any]]:
    """NODE_CLASS_MAPPINGS, loaded as ComfyUI does it, with stand-ins for its own modules."""
    ticks: list[int] = []

    class ProgressBar:
        def __init__(self, total: int) -> None:
            ticks.append(-total)

        def update(self, value: int) -> None:
            ticks.append(value)

    def get_save_image_path(prefix: str, folder: str, width: int, height: int) -> tuple[str, str, int, str, str]:
        subfolder, _, stem = prefix.rpartition("/")
        (Path(folder) / subfolder).mkdir(exist_ok=True)
        return str(Path(folder) / subfolder), stem, 1, subfolder, prefix

    folders = types.ModuleType("folder_paths")
    folders.get_output_directory = lambda: str(tmp_path)
    folders.get_save_image_path = get_save_image_path
    utils = types.ModuleType("comfy.utils")
    utils.ProgressBar = ProgressBar
    for module in (folders, types.ModuleType("comfy"), utils):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    spec = importlib.util.spec_from_file_location(
        "depth3d_nodes", PACK / "__init__.py", submodule_search_locations=[str(PACK)]
    )
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "depth3d_nodes", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(sys.modules["depth3d_nodes.nodes"], "TICKS", ticks, raising=False)
    yield module.NODE_CLASS_MAPPINGS
    sys.modules.pop("depth3d_nodes.nodes", None)


def run(node: type[Any], **given: Any) -> tuple[Any, ...]:
    """Call a node as ComfyUI does: defaults from INPUT_TYPES, the method FUNCTION, results checked by RETURN_TYPES."""
    values = {}
    for name, (kind, *settings) in node.INPUT_TYPES()["required"].items():
        usual = kind[0] if isinstance(kind, list) else (settings[0] if settings else {}).get("default")
        values[name] = given.pop(name, usual)
        assert not isinstance(kind, list) or values[name] in kind
    assert not given
    result = getattr(node(), node.FUNCTION)(**values)
    outputs = result["result"] if isinstance(result, dict) else result
    assert len(outputs) == len(node.RETURN_TYPES)
    for kind, output in zip(node.RETURN_TYPES, outputs, strict=True):
        if kind in ("IMAGE", "MASK"):
            assert output.dtype == torch.float32
            assert output.ndim == (4 if kind == "IMAGE" else 3)
            assert 0 <= float(output.min()) <= float(output.max()) <= 1
    return outputs


def scene(count: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures of noise with a near square in the middle."""
    image = torch.from_numpy(np.random.default_rng(3).uniform(0, 1, (count, 48, 64, 3)).astype(np.float32))
    depth = torch.zeros(count, 48, 64, 3)
    depth[:, 16:32, 20:44] = 1
    return image, depth


def test_every_node_declares_the_whole_contract(nodes: dict[str, type[Any]]) -> None:
    assert sorted(nodes) == ["Depth3DAnimate", "Depth3DDepth", "Depth3DMesh", "Depth3DStereo"]
    names = sys.modules["depth3d_nodes"].NODE_DISPLAY_NAME_MAPPINGS
    assert sorted(names) == sorted(nodes)
    for node in nodes.values():
        assert node.CATEGORY == "depth3d"
        assert callable(getattr(node, node.FUNCTION))
        assert set(node.RETURN_TYPES) <= TYPES
        assert len(node.RETURN_NAMES) == len(node.RETURN_TYPES)
        for kind, *settings in node.INPUT_TYPES()["required"].values():
            assert isinstance(kind, list) or kind in TYPES
            if kind == "FLOAT":
                assert settings[0]["min"] <= settings[0]["default"] <= settings[0]["max"]


def test_the_lists_hold_names_that_depth3d_knows(nodes: dict[str, type[Any]]) -> None:
    from depth3d.depth.registry import get
    from depth3d.geometry.camera.paths import PATHS
    from depth3d.stereoformats import FORMATS

    lists = sys.modules["depth3d_nodes.nodes"]
    assert set(lists.FORMATS) <= set(FORMATS)
    assert set(lists.PATHS) - {"auto"} == set(PATHS) - {"auto"}
    for name in lists.MODELS[1:]:
        assert get(name).name == name


def test_depth_of_single_pictures_and_of_a_clip(nodes: dict[str, type[Any]]) -> None:
    image, _ = scene(3)
    for clip in (False, True):
        depth, mask = run(nodes["Depth3DDepth"], image=image, model="tiny", frames_of_a_clip=clip)
        assert depth.shape == (3, 48, 64, 3)
        assert torch.equal(depth[..., 0], mask)
        assert float(mask.std()) > 0.01
    ticks = sys.modules["depth3d_nodes.nodes"].TICKS
    assert ticks == [-3, 1, 1, 1] * 2


@pytest.mark.parametrize("maps", [1, 2])
def test_stereo_moves_the_near_square(nodes: dict[str, type[Any]], maps: int) -> None:
    image, depth = scene(2)
    composed, left, right = run(
        nodes["Depth3DStereo"], image=image, depth=depth[:maps], parallax=12.5, convergence=0.0, eyes="right"
    )
    assert composed.shape == (2, 48, 128, 3)
    assert float((left - image).abs().max()) <= 0.5 / 255 + 1e-6
    # 12.5 % of 64 pixels: the square lands 8 pixels further left in the right eye.
    assert float((right[:, 18:30, 16:32] - left[:, 18:30, 24:40]).abs().max()) < 0.02
    for layout in sys.modules["depth3d_nodes.nodes"].FORMATS:
        run(nodes["Depth3DStereo"], image=image[:1], depth=depth[:1], format=layout)


def test_animations_are_batches_of_frames(nodes: dict[str, type[Any]]) -> None:
    image, depth = scene()
    (frames,) = run(nodes["Depth3DAnimate"], image=image, depth=depth, seconds=0.5, fps=12.0, amount=6.0)
    assert frames.shape == (6, 48, 64, 3)
    assert float((frames[0] - frames[3]).abs().mean()) > 0.02


def test_meshes_are_saved_under_free_names(nodes: dict[str, type[Any]], tmp_path: Path) -> None:
    import trimesh

    image, depth = scene(2)
    (files,) = run(nodes["Depth3DMesh"], image=image, depth=depth, filename_prefix="models/cube")
    assert [Path(file).relative_to(tmp_path).as_posix() for file in files] == [
        "models/cube_00001_.glb",
        "models/cube_00002_.glb",
    ]
    assert set(trimesh.load(files[1]).geometry) == {"background", "photo"}


def test_numbers_of_maps_that_fit_no_batch_are_told(nodes: dict[str, type[Any]]) -> None:
    image, depth = scene(3)
    with pytest.raises(ValueError, match="3 pictures with 2 depth maps"):
        run(nodes["Depth3DStereo"], image=image, depth=depth[:2])
