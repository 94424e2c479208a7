"""ONNX files through OpenVINO and onnxruntime: size, layout and normalization from the file or its sidecar."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import depth3d as d3
from depth3d.depth.engines.onnx import file as runtimes
from depth3d.depth.estimator import open_estimator
from depth3d.image import Image, Size

onnx = pytest.importorskip("onnx")
NORMAL = {"mean": [0.5, 0.25, 0.0], "std": [0.5, 0.5, 1.0]}
PICTURE = Image(np.random.default_rng(0).integers(0, 255, (32, 48, 3), dtype=np.uint8))


@pytest.fixture(params=["openvino", "onnxruntime"])
def runtime(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    pytest.importorskip(request.param)
    monkeypatch.setattr(runtimes, "RUNTIMES", {request.param: runtimes.RUNTIMES[request.param]})
    importlib.import_module("depth3d.depth.onnx")._card.cache_clear()
    return str(request.param)


def made(path: Path, shape: list[Any], axis: int = 1, metadata: dict[str, str] | None = None) -> Path:
    """A network that says the mean over the channels, so that the right answer is known."""
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    source = helper.make_tensor_value_info("input", kind, shape)
    out = helper.make_tensor_value_info("out", kind, [side for place, side in enumerate(shape) if place != axis])
    axes = helper.make_tensor("axes", onnx.TensorProto.INT64, [1], [axis])
    graph = helper.make_graph(
        [helper.make_node("ReduceMean", ["input", "axes"], ["out"], keepdims=0)], "mean", [source], [out], [axes]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    for key, value in (metadata or {}).items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.save(model, path)
    return path


def beside(path: Path, facts: object) -> Path:
    path.with_suffix(".json").write_text(json.dumps(facts))
    return path


def expected() -> np.ndarray:
    return ((PICTURE.pixels / 255 - NORMAL["mean"]) / NORMAL["std"]).mean(axis=-1)


@pytest.mark.parametrize(("shape", "axis"), [([1, 3, 32, 48], 1), ([1, 32, 48, 3], 3)])
def test_size_and_layout_come_from_the_file(runtime: str, shape: list[int], axis: int, tmp_path: Path) -> None:
    path = beside(made(tmp_path / "net.onnx", shape, axis), NORMAL)
    (found,) = d3.predict_disparity([PICTURE], path)
    assert np.abs(found.values - expected()).max() < 1e-5


def test_normalization_can_be_in_the_file(runtime: str, tmp_path: Path) -> None:
    metadata = {f"depth3d.{key}": json.dumps(value) for key, value in NORMAL.items()}
    path = made(tmp_path / "net.onnx", [1, 3, 32, 48], metadata=metadata)
    (found,) = d3.predict_disparity([PICTURE], str(path))
    assert np.abs(found.values - expected()).max() < 1e-5


@pytest.mark.parametrize(
    ("facts", "size"),
    [({"size": [96, 64]}, Size(96, 64)), ({"size": 64, "multiple": 32}, Size(96, 64)),
     ({"size": 64, "keep_aspect": False}, Size(64, 64))],
)  # fmt: skip
def test_inputs_of_any_size_need_one(runtime: str, facts: dict[str, Any], size: Size, tmp_path: Path) -> None:
    path = made(tmp_path / "net.onnx", [1, 3, "height", "width"])
    with pytest.raises(d3.ModelError, match=r"has a variable size; choose one in net\.json beside it"):
        d3.predict_disparity([PICTURE], beside(path, NORMAL))
    (found,) = d3.predict_disparity([PICTURE], beside(path, {**NORMAL, **facts}))
    assert found.size == size


def test_meters_are_inverted(runtime: str, tmp_path: Path) -> None:
    facts = {"mean": 0, "std": 1, "output": "depth", "metric": True}
    path = beside(made(tmp_path / "net.onnx", [1, 3, 32, 48]), facts)
    (found,) = d3.predict_disparity([PICTURE], path)
    assert np.allclose(found.values, 1 / (PICTURE.pixels / 255).mean(axis=-1), rtol=1e-4)
    assert open_estimator(path).card.metric


@pytest.mark.parametrize(
    ("facts", "match"),
    [
        (None, r"normalization of the input is not known; write it to net\.json beside"),
        ({"mean": [1, 2]}, "normalization of the input is not known"),
        ({"mean": "x", "std": 1}, "`mean` and `std` must be three numbers each"),
        ({**NORMAL, "output": "nearness"}, "`output` is 'nearness', expected one of inverse_depth"),
        ({**NORMAL, "means": 1}, r"net\.json: unknown entry 'means'"),
        ([1], r"net\.json: unknown entry"),
    ],
)
def test_what_is_missing_is_told(facts: object, match: str, tmp_path: Path) -> None:
    path = made(tmp_path / "net.onnx", [1, 3, 32, 48])
    if facts is not None:
        beside(path, facts)
    with pytest.raises(d3.ModelError, match=match):
        d3.predict_disparity([PICTURE], path)


def test_files_that_are_no_depth_network(runtime: str, tmp_path: Path) -> None:
    (tmp_path / "noise.onnx").write_bytes(b"noise" * 100)
    with pytest.raises(d3.ModelError, match=f"{runtime} cannot read this ONNX file"):
        d3.predict_disparity([PICTURE], tmp_path / "noise.onnx")
    with pytest.raises(d3.ModelError, match="there is no such file"):
        d3.predict_disparity([PICTURE], tmp_path / "none.onnx")
    with pytest.raises(d3.ModelError, match=r"expected floats of shape \(1, 3, H, W\)"):
        d3.predict_disparity([PICTURE], beside(made(tmp_path / "four.onnx", [1, 4, 32, 48]), NORMAL))


def test_without_a_runtime_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(runtimes, "RUNTIMES", {"no_such_module": None})
    (tmp_path / "new.onnx").write_bytes(b"x")
    with pytest.raises(d3.ModelError, match=r"pip install 'depth3d\[openvino\]'\) or onnxruntime"):
        d3.predict_disparity([PICTURE], tmp_path / "new.onnx")
