"""Training starts from edition 1, stops and resumes, and feeds the same batches by any number of threads."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest


def test_the_projections_are_solved() -> None:
    """Same encoder, another projection: the ridge regression finds the old one again."""
    torch = pytest.importorskip("torch")
    from warm_start import solve

    from depth3d.depth.models.tiny.network import TinyNetwork

    torch.manual_seed(0)
    old, new = TinyNetwork(2).eval(), TinyNetwork(2).eval()
    for name in ("encoder", "fuse"):
        getattr(new, name).load_state_dict(getattr(old, name).state_dict())
    pictures = [torch.randn(1, 3, 64, 64) for _ in range(4)]
    solve(old, new, pictures, ridge=1e-6)
    with torch.inference_mode():
        feature = new.encoder(pictures[0])[1]
        np.testing.assert_allclose(new.project[0](feature), old.project[0](feature), atol=1e-3)


def test_rescaling_changes_no_depth() -> None:
    """Output apart from its scale and the last softplus, which is linear in the file that shipped."""
    torch = pytest.importorskip("torch")
    from rescale import OUTPUT, rescale

    from depth3d.depth.models.tiny.network import TinyNetwork

    torch.manual_seed(0)
    old, new = TinyNetwork(2).eval(), TinyNetwork(2).eval()
    new.load_state_dict(rescale(old.state_dict()))
    ends: list[Any] = []
    for network in (old, new):
        network.head3.register_forward_hook(lambda layer, given, result: ends.append(result))
    picture = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        old(picture), new(picture)
    torch.testing.assert_close(ends[1], ends[0] * OUTPUT, rtol=1e-3, atol=1e-9)


def test_only_the_head_is_trained(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    import train

    monkey = ["train.py", str(tmp_path), "--source", "pairs:1", "--workers", "1", "--head-only"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", monkey)
        patch.setattr(train, "load_imagenet", lambda encoder, edition: None)
        trainer = train.Trainer(train.arguments(), 0)
    before = {name: tensor.clone() for name, tensor in trainer.network.state_dict().items()}
    trainer.learn(torch.randint(0, 256, (1, 32, 32, 3), dtype=torch.uint8), torch.rand(1, 32, 32))
    after = trainer.network.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {name for name in before if name.startswith(train.HEAD)}


def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two steps and two more are four: steps, pictures, log and optimizer go on; the average is written atomically."""
    torch = pytest.importorskip("torch")
    import train
    from pairs import write_shard

    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (64, 96, 3), np.uint8) for _ in range(3)]
    depths = [rng.uniform(0.1, 1.0, (64, 96)).astype(np.float32) for _ in range(3)]
    depths[0][:10] = np.nan
    write_shard(tmp_path / "pairs", "all", pictures, depths)
    monkeypatch.setattr(train, "load_imagenet", lambda encoder, edition: None)
    run = tmp_path / "run"

    def go(cooldown: int) -> dict[str, Any]:
        size = "--size 32x32 --check-size 32x64 --batch 1 --workers 1"
        command = f"train.py {run} --source pairs:1 --check pairs {size} --every 0 --validate 0 --cooldown {cooldown}"
        monkeypatch.setattr(sys, "argv", command.split())
        train.main()
        return dict(torch.load(run / "checkpoint.pt", weights_only=True))

    first, second = go(2), go(4)
    assert (first["step"], second["step"]) == (2, 4)
    assert second["pictures"] == 4
    moments = [state["optimizer"]["state"][0]["step"] for state in (first, second)]
    assert [float(moment) for moment in moments] == [2.0, 4.0]
    assert not torch.equal(first["average"]["head1.weight"], second["average"]["head1.weight"])
    assert (run / "log.csv").read_text().count("minutes") == 1
    assert len((run / "log.csv").read_text().splitlines()) == 6  # head, begin, four steps
    assert not list(run.glob("*.partial"))


def test_batches_do_not_depend_on_the_number_of_threads(tmp_path: Path) -> None:
    from argparse import Namespace

    pytest.importorskip("torch")
    from feeder import Feeder
    from pairs import write_shard

    rng = np.random.default_rng(0)
    for name, shape in (("flat", (40, 64)), ("tall", (64, 40))):
        pictures = [rng.integers(0, 256, (*shape, 3), np.uint8) for _ in range(4)]
        write_shard(tmp_path / "pairs", name, pictures, [rng.uniform(0.1, 1, shape).astype(np.float32)] * 4)
    common = {"source": ["pairs:1"], "size": "32x64", "batch": 2, "seed": 3, "work": tmp_path / "run"}
    with pytest.raises(FileNotFoundError, match="nothing"):
        Feeder(Namespace(feeders=1, **common | {"source": ["nothing:1"]}), 0, 0)
    with pytest.raises(ValueError, match="negative"):  # an error in a thread reaches the trainer
        Feeder(Namespace(feeders=1, **common | {"batch": -1}), 0, 0).get()
    one, three = (Feeder(Namespace(feeders=count, **common), 0, 5) for count in (1, 3))
    for _ in range(6):
        for first, second in zip(one.get(), three.get(), strict=True):
            np.testing.assert_array_equal(first.numpy(), second.numpy())
            assert first.shape[1] * first.shape[2] <= 64 * 64


def test_two_workers_stop_together_and_save(tmp_path: Path, scripts: Path) -> None:
    """Gradients are shared; after `--minutes` both end at the same step, and the checkpoint is whole."""
    import os
    import subprocess

    torch = pytest.importorskip("torch")
    from pairs import write_shard
    from safetensors.torch import save_file

    from depth3d.depth.models.tiny.network import TinyNetwork

    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (40, 64, 3), np.uint8)
    write_shard(tmp_path / "pairs", "all", [picture], [rng.uniform(0.1, 1, (40, 64)).astype(np.float32)])
    save_file(TinyNetwork(2).half().state_dict(), tmp_path / "start.safetensors")
    command = [sys.executable, str(scripts / "train.py"), str(tmp_path / "run")]
    options = f"--start {tmp_path}/start.safetensors --source pairs:1 --size 32x32 --batch 1 --workers 2 --minutes 0.02"
    environment = os.environ | {"PYTHONPATH": str(scripts.parents[1]), "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run([*command, *options.split()], check=True, timeout=250, env=environment, capture_output=True)
    state = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    assert state["step"] >= 2
    assert state["pictures"] == 2 * state["step"]


def test_the_curve_shows_every_validation_source() -> None:
    from xml.etree import ElementTree

    from curve import svg

    rows = [{"pictures": str(n), "a absrel": str(0.4 / (1 + n)), "b_held_back absrel": "0.2"} for n in range(3)]
    drawing = ElementTree.fromstring(svg(rows))
    lines = [line.get("points", "").split() for line in drawing.findall("{*}polyline")][1:]
    assert [len(line) for line in lines] == [3, 3]
    heights = [float(point.split(",")[1]) for point in lines[0]]
    assert heights == sorted(heights)  # y grows downward: the error falls
    assert "b held back: AbsRel" in "".join(drawing.itertext())


def test_the_mean_of_several_files_is_exported(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from export import mean_weights
    from safetensors.torch import save_file

    torch.save({"average": {"weight": torch.tensor([1.0, 2.0])}}, tmp_path / "run.pt")
    save_file({"weight": torch.tensor([4.0, 8.0]).half()}, tmp_path / "old.safetensors")
    mean = mean_weights([f"{tmp_path / 'run.pt'}", f"{tmp_path / 'old.safetensors'}:2"])
    torch.testing.assert_close(mean["weight"], torch.tensor([3.0, 6.0]))
