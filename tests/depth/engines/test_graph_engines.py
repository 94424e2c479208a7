"""onnxruntime and OpenCV run `tiny` as torch does, and a photo's depth needs no torch."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import make_clip

import depth3d as d3
from depth3d.depth import registry, weights
from depth3d.depth.engines import factory
from depth3d.depth.engines.onnx.runtime import OnnxRuntimeEngine
from depth3d.depth.engines.opencv import _THREADS, OpenCvEngine
from depth3d.depth.engines.torch import TorchEngine
from depth3d.errors import ModelError, WeightsError

CHOICES = {"device": "cpu", "threads": 1, "precision": "float32"}
KINDS = {"onnxruntime": OnnxRuntimeEngine, "opencv": OpenCvEngine}


@pytest.fixture(params=KINDS)
def name(request: pytest.FixtureRequest) -> str:
    """Name of an engine that runs the graph of a network."""
    if request.param == "onnxruntime":
        pytest.importorskip("onnxruntime", reason="onnxruntime is not built for this platform")
    return str(request.param)


@pytest.fixture
def no_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    """A platform for which there is no onnxruntime."""
    monkeypatch.setitem(sys.modules, "onnxruntime", None)


@pytest.mark.parametrize("edition", [1, 2])
def test_the_graph_is_the_network(name: str, edition: int, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    from depth3d.depth.models.tiny.network import TinyNetwork

    torch.manual_seed(edition)
    file = tmp_path / "weights.safetensors"
    save_file({name: tensor.half() for name, tensor in TinyNetwork(edition).state_dict().items()}, file)
    card = replace(registry.get("tiny"), settings={"edition": edition})
    engines = [kind(card, file, **CHOICES) for kind in (TorchEngine, KINDS[name])]
    for height, width in ((64, 96), (160, 96), (64, 512), (32, 256), (32, 32)):  # 32: OpenCV asks torch
        x = np.random.default_rng(0).standard_normal((2, 3, height, width)).astype(np.float32)
        exact, found = (engine(x) for engine in engines)
        assert found.shape == (2, height, width)
        np.testing.assert_allclose(found, exact, atol=1e-4 * float(np.ptp(exact)))


def test_the_shipped_network_gives_the_same_depth(name: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (120, 200, 3), np.uint8)
    image = d3.Image(cv2.GaussianBlur(pixels, (0, 0), 9))
    exact, found = (d3.predict_disparity([image], "tiny", engine=each)[0].values for each in ("torch", name))
    np.testing.assert_allclose(found, exact, atol=1e-4 * float(np.ptp(exact)))


@pytest.mark.parametrize("count", [1, 3, 4])
def test_images_side_by_side_have_the_depth_that_each_has_alone(name: str, count: int) -> None:
    card = registry.get("tiny")
    alone, beside = (
        factory.open_engine(card, weights.locate(card), engine=name, **{**CHOICES, "threads": threads})
        for threads in (1, 2)
    )
    assert (alone.batch, beside.batch) == (1, 4)
    x = np.random.default_rng(count).standard_normal((count, 3, 64, 96)).astype(np.float32)
    threads = cv2.getNumThreads()
    found = beside(x)
    assert cv2.getNumThreads() == threads
    np.testing.assert_allclose(found, alone(x), atol=1e-5)
    assert len(np.unique(found)) > 100


def test_the_last_of_two_networks_restores_the_number_of_threads() -> None:
    usual = cv2.getNumThreads()
    first, second = _THREADS.set_to(1), _THREADS.set_to(1)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert cv2.getNumThreads() == 1
    second.__exit__(None, None, None)
    assert cv2.getNumThreads() == usual


def test_a_clip_of_a_few_seconds_needs_no_torch(tmp_path: Path) -> None:
    make_clip(tmp_path / "clip.mp4", count=9, size=(128, 96))
    program = (
        "import sys\n"
        "from depth3d.options import DepthOptions\n"
        "from depth3d.pipeline.clip.convert import convert\n"
        "convert('clip.mp4', 'depth.mp4', only_depth=True, depth=DepthOptions(model='tiny'))\n"
        "assert 'torch' not in sys.modules, 'torch was imported'\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path, timeout=120)
    assert (tmp_path / "depth.mp4").is_file()


def test_a_photo_needs_no_torch(tmp_path: Path) -> None:
    program = (
        "import sys, numpy as np, depth3d as d3\n"
        "image = d3.Image(np.zeros((60, 80, 3), np.uint8))\n"
        "assert d3.estimate_depth(image, 'tiny').values.shape == (60, 80)\n"
        "assert 'torch' not in sys.modules, 'torch was imported'\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path, timeout=120)


@pytest.mark.usefixtures("no_runtime")
def test_auto_takes_torch_where_opencv_cannot_run_the_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    card = registry.get("tiny")
    path = weights.locate(card)

    def fails(*_: object) -> None:
        raise cv2.error("unknown layer")

    x = np.random.default_rng(0).standard_normal((1, 3, 64, 96)).astype(np.float32)
    exact = factory.open_engine(card, path, engine="torch", **CHOICES)(x)
    opened = factory.open_engine(card, path, engine="auto", **CHOICES)
    assert isinstance(opened, OpenCvEngine)
    monkeypatch.setattr(cv2.dnn, "readNetFromONNX", fails)
    np.testing.assert_array_equal(opened(x), exact)
    with pytest.raises(ModelError, match="cannot run tiny; use `engine='torch'`"):
        factory.open_engine(card, path, engine="opencv", **CHOICES)(x)


@pytest.mark.parametrize("many", [False, True])
def test_auto_is_onnxruntime_for_many_pictures(many: bool) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not built for this platform")
    card = registry.get("tiny")
    opened = factory.open_engine(card, weights.locate(card), engine="auto", many=many, **CHOICES)
    assert isinstance(opened, OnnxRuntimeEngine if many else OpenCvEngine)


@pytest.mark.usefixtures("no_runtime")
def test_a_missing_onnxruntime_is_told() -> None:
    card = registry.get("tiny")
    with pytest.raises(ModelError, match=r"cannot be imported .*; use `engine='opencv'`"):
        factory.open_engine(card, weights.locate(card), engine="onnxruntime", **CHOICES)


def test_what_onnxruntime_says_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not built for this platform")
    card = registry.get("tiny")
    opened = factory.open_engine(card, weights.locate(card), engine="onnxruntime", **CHOICES)
    with pytest.raises(ModelError, match=r"tiny: onnxruntime failed .*; use `engine='torch'`"):
        opened(np.zeros((1, 4, 64, 64), np.float32))
    monkeypatch.setattr("depth3d.depth.engines.onnx.runtime.read_graph", lambda *_: b"no graph")
    with pytest.raises(ModelError, match=r"tiny: onnxruntime cannot read the network .*; use `engine='torch'`"):
        opened(np.zeros((1, 3, 96, 64), np.float32))


def test_networks_without_a_graph_and_wrong_files_are_told(name: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot run gradient"):
        factory.open_engine(registry.get("gradient"), None, engine=name, **CHOICES)
    with pytest.raises(ModelError, match="on the CPU in float32"):
        factory.open_engine(registry.get("tiny"), Path("x"), engine=name, device="cuda", threads=1, precision="auto")
    from safetensors.numpy import save_file

    save_file({"other": np.zeros(3, np.float16)}, tmp_path / "w.safetensors")
    opened = factory.open_engine(registry.get("tiny"), tmp_path / "w.safetensors", engine=name, **CHOICES)
    with pytest.raises(WeightsError, match="not the weights of tiny"):
        opened(np.zeros((1, 3, 64, 64), np.float32))
