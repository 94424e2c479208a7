"""Depth Anything V1, V2 and V2 metric compute the official function; both published file layouts load."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from depth import golden
from depth.faulty_server import serving
from safetensors.torch import save_file

import depth3d as d3
from depth3d.depth import checkpoint, fetch, registry, selection, weights
from depth3d.depth.card import ShorterSideRule
from depth3d.depth.engines.factory import open_engine
from depth3d.depth.engines.torch import TorchEngine
from depth3d.depth.estimator import Estimator
from depth3d.errors import ModelError
from depth3d.image import Image, Size

# Card, official name, sizes in float32, sizes in float64.
CASES = [
    pytest.param("depth_anything_v2_small", "depth_anything_v2_vits", ("sm",), ("sm",), id="v2-small"),
    pytest.param("depth_anything_v2_small", "depth_anything_v2_vits", ("sq", "ls", "pt"), ("sq", "ls"),
                 id="v2-small-518", marks=pytest.mark.slow),
    pytest.param("depth_anything_v2_metric_indoor_small", "depth_anything_v2_metric_hypersim_vits", ("sm",), ("sm",),
                 id="indoor"),
    pytest.param("depth_anything_v2_metric_outdoor_small", "depth_anything_v2_metric_vkitti_vits", ("sm",), ("sm",),
                 id="outdoor"),
    pytest.param("depth_anything_v1_small", "depth_anything_vits14", ("sm",), ("sm",), id="v1-small"),
    pytest.param("depth_anything_v2_base", "depth_anything_v2_vitb", ("sm",), ("sm",), id="v2-base"),
    pytest.param("depth_anything_v1_base", "depth_anything_vitb14", ("sm",), (), id="v1-base",
                 marks=pytest.mark.slow),
    pytest.param("depth_anything_v2_large", "depth_anything_v2_vitl", ("sm",), ("sm",), id="v2-large",
                 marks=pytest.mark.slow),
]  # fmt: skip


@pytest.fixture(scope="session")
def pack(golden_packs: Path) -> Path:
    return golden_packs / "depth_anything"


@pytest.mark.parametrize(("name", "official", "single", "double"), CASES)
def test_golden(name: str, official: str, single: tuple[str, ...], double: tuple[str, ...], pack: Path) -> None:
    card = registry.get(name)
    network = checkpoint.build(card)
    checkpoint.load(network, golden.official_state(pack, official), name)
    assert sum(one.numel() for one in network.parameters()) <= (card.parameters or 0)
    stored = np.load(pack / f"{official}.npz")
    with torch.inference_mode():
        for case in single:
            assert error(network, stored, case, pack, torch.float32) <= 5e-4
        network.double()
        for case in double:
            assert error(network, stored, case, pack, torch.float64) <= 2e-6


def error(network: torch.nn.Module, stored: dict[str, np.ndarray], case: str, pack: Path, dtype: torch.dtype) -> float:
    height, width = (int(side) for side in stored[f"{case}_hw"])
    x = torch.from_numpy(golden.recipe(pack).net_input(height, width)).to(dtype)
    out = network(x)[0].numpy()
    assert out.shape == (height, width)
    stride = int(stored[f"{case}_stride"])
    expected = stored[f"{case}_out64" if dtype == torch.float64 else f"{case}_out"]
    return float(np.abs(out[::stride, ::stride] - expected).max() / stored[f"{case}_out"].std())


def test_network_sizes_are_the_official_ones_up_to_the_limit(pack: Path) -> None:
    stored = json.loads((pack / "preprocess.json").read_text())["sizes"]
    count = 0
    for size, rows in stored.items():
        rule = ShorterSideRule(int(size), multiple=14)
        for height, width, net_height, net_width in rows:
            if max(height, width) / min(height, width) > rule.longest:
                net = rule.net_size(Size(width, height))
                assert max(net) <= rule.longest * int(size) + rule.multiple / 2
                assert max(net) / min(net) == pytest.approx(max(height, width) / min(height, width), rel=0.05)
                continue
            assert rule.net_size(Size(width, height)) == Size(net_width, net_height), (size, width, height)
            count += 1
    assert count > 100


@pytest.mark.parametrize("variant", ["depth_anything_v2_vits", "depth_anything_vits14"])
def test_end_to_end_is_the_official_result(variant: str, pack: Path) -> None:
    """Their own resize back differs: align_corners is True in V2 and False in V1."""
    second = variant == "depth_anything_v2_vits"
    height, width, size = (100, 150, 518) if second else (120, 90, 252)
    card = registry.get(variant)
    card = replace(card, input=replace(card.input, size=size))
    path = weights.cache_folder() / f"{variant}.pth"
    torch.save(golden.official_state(pack, variant), path)
    estimator = Estimator(card, TorchEngine(card, path, device="cpu", threads=1, precision="float32"))
    (found,) = estimator.predict([Image(golden.recipe(pack).image(height, width))])
    values = torch.from_numpy(found.values.copy())[None, None]
    out = torch.nn.functional.interpolate(values, (height, width), mode="bilinear", align_corners=second)[0, 0].numpy()
    expected = np.load(pack / f"end_to_end{'' if second else '_v1'}.npz")[f"{size}_{height}x{width}_out"]
    assert np.abs(out - expected).max() <= 1e-3 * expected.std()
    path.unlink()


def test_openvino_computes_the_same(small: dict[str, torch.Tensor], pack: Path) -> None:
    pytest.importorskip("openvino")
    card, path = registry.get("depth_anything_v2_small"), weights.cache_folder() / "depth_anything_v2_vits.pth"
    torch.save(small, path)
    x = golden.recipe(pack).net_input(154, 210)
    engine = open_engine(card, path, device="cpu", engine="openvino", threads=1, precision="float32")
    expected = np.load(pack / "depth_anything_v2_vits.npz")["sm_out"]
    assert np.abs(engine(x)[0] - expected).max() <= 5e-4 * expected.std()


def as_transformers(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The layout of the -hf files, by the table of shared/DEPTH_ANYTHING.md (written out, not the inverse of ours)."""
    out: dict[str, torch.Tensor] = {}
    for key, value in state.items():
        parts = key.split(".")
        if key.startswith("pretrained.blocks."):
            start, rest = f"backbone.encoder.layer.{parts[2]}.", ".".join(parts[3:])
            if rest.startswith("attn.qkv"):
                for name, third in zip(("query", "key", "value"), value.chunk(3), strict=True):
                    out[f"{start}attention.attention.{name}.{parts[-1]}"] = third.clone()
                continue
            rest = rest.replace("attn.proj", "attention.output.dense")
            rest = rest.replace("ls1.gamma", "layer_scale1.lambda1").replace("ls2.gamma", "layer_scale2.lambda1")
            out[start + rest] = value
        elif key.startswith("pretrained."):
            names = {"pos_embed": "embeddings.position_embeddings", "cls_token": "embeddings.cls_token",
                     "mask_token": "embeddings.mask_token", "norm": "layernorm",
                     "patch_embed": "embeddings.patch_embeddings.projection"}  # fmt: skip
            out[".".join(["backbone", names[parts[1]], *[part for part in parts[2:] if part != "proj"]])] = value
        elif parts[1] in ("projects", "resize_layers"):
            kind = "projection" if parts[1] == "projects" else "resize"
            out[f"neck.reassemble_stage.layers.{parts[2]}.{kind}.{parts[3]}"] = value
        elif parts[2].endswith("_rn"):
            out[f"neck.convs.{int(parts[2][5]) - 1}.weight"] = value
        elif parts[2].startswith("refinenet"):
            start = f"neck.fusion_stage.layers.{4 - int(parts[2][-1])}."
            if parts[3] == "out_conv":
                out[f"{start}projection.{parts[4]}"] = value
            else:
                out[f"{start}residual_layer{parts[3][-1]}.convolution{parts[4][-1]}.{parts[5]}"] = value
        else:
            name = {"output_conv1": "conv1", "output_conv2.0": "conv2", "output_conv2.2": "conv3"}
            out[f"head.{name['.'.join(parts[2:-1])]}.{parts[-1]}"] = value
    return out


@pytest.fixture(scope="module")
def small(pack: Path) -> dict[str, torch.Tensor]:
    return golden.official_state(pack, "depth_anything_v2_vits")


def test_both_published_layouts_give_the_same_network(small: dict[str, torch.Tensor], tmp_path: Path) -> None:
    path = tmp_path / "Depth-Anything-V2-Small-hf" / "model.safetensors"
    path.parent.mkdir()
    converted = as_transformers(small)
    assert len(converted) == 287
    save_file(converted, path)
    state = checkpoint.read(path)
    assert state.keys() == small.keys()
    assert all(torch.equal(state[key], small[key]) for key in small)
    assert selection.select(path).card.name == "depth_anything_v2_small"


def write(path: Path, state: dict[str, torch.Tensor]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, path)
    return path


class TestWhichNetworkAFileIs:
    """The keys of all families are the same."""

    @pytest.fixture
    def bare(self, small: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {key: small[key] for key in ("pretrained.cls_token", "depth_head.projects.0.weight")}

    @pytest.mark.parametrize(
        ("file", "name"),
        [
            ("depth_anything_v2_vits.pth", "depth_anything_v2_small"),
            ("my_depth_anything_v2_metric_vkitti_vits_copy.pth", "depth_anything_v2_metric_outdoor_small"),
            ("depth_anything_vits14.pth", "depth_anything_v1_small"),
            ("models--depth-anything--Depth-Anything-V2-Metric-Indoor-Small-hf/snapshots/1/model.pth",
             "depth_anything_v2_metric_indoor_small"),
            ("LiheYoung/depth-anything-small-hf/pytorch_model.pth", "depth_anything_v1_small"),
        ],
    )  # fmt: skip
    def test_by_the_name(self, file: str, name: str, bare: dict[str, torch.Tensor], tmp_path: Path) -> None:
        assert selection.select(write(tmp_path / file, bare)).card.name == name

    @pytest.mark.parametrize(
        ("config", "name"),
        [
            ({"backbone_config": {"out_indices": [9, 10, 11, 12]}}, "depth_anything_v1_small"),
            ({"backbone_config": {"out_indices": [3, 6, 9, 12]}}, "depth_anything_v2_small"),
            (
                {"backbone_config": {"out_indices": [3, 6, 9, 12]}, "depth_estimation_type": "metric", "max_depth": 80},
                "depth_anything_v2_metric_outdoor_small",
            ),
        ],
    )
    def test_by_the_configuration(
        self, config: dict[str, object], name: str, bare: dict[str, torch.Tensor], tmp_path: Path
    ) -> None:
        path = write(tmp_path / "x" / "model.pth", bare)
        (path.parent / "config.json").write_text(json.dumps(config))
        assert selection.select(path).card.name == name

    def test_otherwise_the_user_has_to_say(self, bare: dict[str, torch.Tensor], tmp_path: Path) -> None:
        path = write(tmp_path / "weights.pth", bare)
        with pytest.raises(
            ModelError, match=r"say which one it is, for example `model='depth_anything_v2_small:weights\.pth'`"
        ):
            selection.select(path)
        chosen = selection.select(f"depth-anything-v1-small:{path}")
        assert (chosen.card.name, chosen.path) == ("depth_anything_v1_small", path)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("depth-anything-v2-small", "depth_anything_v2_small"),
        ("depth_anything_v2_vits", "depth_anything_v2_small"),
        ("depth-anything/Depth-Anything-V2-Small-hf", "depth_anything_v2_small"),
        ("depth-anything/Depth-Anything-V2-Small", "depth_anything_v2_small"),
        ("da2s", "depth_anything_v2_small"),
        ("DA2L", "depth_anything_v2_large"),
        ("depth-anything/Depth-Anything-V2-Metric-Outdoor-Base-hf", "depth_anything_v2_metric_outdoor_base"),
        ("LiheYoung/depth-anything-large-hf", "depth_anything_v1_large"),
        ("depth_anything_vitb14", "depth_anything_v1_base"),
    ],
)
def test_names_that_people_type(typed: str, name: str) -> None:
    assert registry.get(typed).name == name


@pytest.mark.parametrize(
    ("typed", "match"),
    [
        ("depth-anything-v2-smal", "did you mean .*depth_anything_v2_small"),
        ("depth-anything/Depth-Anything-V2-Smal-hf", "did you mean depth_anything_v2_small"),
        ("Intel/dpt-beit", r"`model='hf:Intel/dpt-beit'` \(needs pip install 'depth3d\[transformers\]'\)"),
    ],
)
def test_names_that_nobody_knows(typed: str, match: str) -> None:
    with pytest.raises(ModelError, match=match):
        registry.get(typed)


def test_licenses_are_those_of_the_files() -> None:
    free = {
        "depth_anything_v2_small",
        "depth_anything_v2_metric_indoor_small",
        "depth_anything_v2_metric_outdoor_small",
    }
    for card in registry.cards():
        if card.name.startswith("depth_anything"):
            assert ("Apache" in card.license) == (card.name in free or "_v1_" in card.name)
            assert card.preference == 0 or "Apache" in card.license


def test_a_license_that_forbids_use_is_told_once(
    bare_large: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "_said", set())
    with caplog.at_level(logging.WARNING):
        selection.select(f"depth_anything_v2_large:{bare_large}")
        selection._said.clear()  # as in another process
        selection.select(f"depth_anything_v2_large:{bare_large}")
    assert caplog.text.count("CC-BY-NC-4.0") == 1


@pytest.fixture
def bare_large(tmp_path: Path) -> Path:
    return write(tmp_path / "large.pth", {"x": torch.zeros(1)})


@pytest.mark.parametrize("typed", ["depth-anything-v2-small", "depth-anything/Depth-Anything-V2-Small-hf"])
def test_fetched_from_a_hub_and_run(
    typed: str, small: dict[str, torch.Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in hub cuts the connection twice before the file is whole."""
    published = registry.get(typed)
    path = tmp_path / (published.weights.file if published.weights else "")
    if path.suffix == ".pth":
        torch.save(small, path)
    else:
        save_file(as_transformers(small), path)
    body = path.read_bytes()
    assert published.weights is not None
    file = replace(published.weights, sha256=hashlib.sha256(body).hexdigest(), size=len(body))
    card = replace(published, weights=file, alternatives={}, aliases=(), input=replace(published.input, size=70))
    monkeypatch.setattr(registry, "cards", lambda: (replace(card, name=typed),))
    monkeypatch.delenv("DEPTH3D_OFFLINE")
    monkeypatch.setattr(fetch, "PAUSE", 0.01)
    with serving(body) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url.removesuffix("/weights.pt"))
        server.cut_after = [30_000_000, 1000]
        (found,) = d3.predict_disparity([Image(np.zeros((90, 120, 3), np.uint8))], typed)
        assert found.size == Size(98, 70)
        assert server.asked == [None, "bytes=30000000-", "bytes=30001000-"]
        wanted = "depth_anything_v2_vits.pth" if path.suffix == ".pth" else "model.safetensors"
        assert all(place.endswith(f"/resolve/main/{wanted}") for place in server.paths)
    (kept,) = [one for one in weights.cache_folder().iterdir() if one.suffix in (".pth", ".safetensors")]
    assert kept.read_bytes() == body
