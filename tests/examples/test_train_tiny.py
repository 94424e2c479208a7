"""The trainer's parts: scenes whose depth is known by formula, a loss that ignores scale and shift, exact scores."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[2] / "examples" / "train_tiny"


@pytest.fixture(scope="module", autouse=True)
def _path() -> Any:
    if not ROOT.is_dir():
        pytest.skip("the examples are not beside the tests")
    before = list(sys.path)
    sys.path[:0] = [str(ROOT), str(ROOT / "scenes")]
    yield
    sys.path[:] = before


def _canvas(pitch: float = 0.0) -> Any:
    from canvas import Canvas, Light

    light = Light(np.array([0, 1, 0], np.float32), 0.3, np.ones(3, np.float32), 1e5)
    return Canvas(60, 80, 1.0, pitch, 1.5, light)


def _texture() -> Any:
    from textures import Texture, procedural

    return Texture(procedural(np.random.default_rng(0)))


def test_the_ground_is_a_ramp() -> None:
    """A level plane seen without pitch: inverse depth = (row - horizon) / (focal length x eye height)."""
    canvas = _canvas()
    canvas.plane(
        np.zeros(3, np.float32), np.array([0, 1, 0], np.float32), np.array([1, 0, 0], np.float32), _texture(), 1.0
    )
    rows = np.arange(60) + 0.5 - 30
    expected = np.where(rows > 0, rows / (canvas.focal * 1.5), 0)
    np.testing.assert_allclose(canvas.inverse, np.repeat(expected[:, None], 80, axis=1), rtol=1e-4, atol=1e-6)


def test_box_and_sphere_are_where_they_were_put() -> None:
    canvas = _canvas()
    canvas.box(np.array([0, 1, 5], np.float32), np.array([1, 1, 2], np.float32), 0.0, _texture(), _texture(), 1.0)
    assert canvas.inverse[30, 40] == pytest.approx(1 / 4, rel=1e-4)
    canvas.ellipsoid(np.array([0, 1.5, 3], np.float32), np.array([0.5, 0.5, 0.5], np.float32), _texture())
    assert canvas.inverse[29:31, 39:41].max() == pytest.approx(1 / 2.5, rel=1e-3)


def test_a_cutout_hides_what_is_behind_and_nothing_before() -> None:
    canvas = _canvas()
    canvas.box(np.array([0, 1, 3], np.float32), np.array([0.2, 1, 0.2], np.float32), 0.0, _texture(), _texture(), 1.0)
    alpha, color = np.ones((50, 50), np.float32), np.ones((50, 50, 3), np.float32)
    canvas.cutout(np.array([0, 0, 5], np.float32), 3.0, alpha, color)
    assert canvas.inverse[30, 40] == pytest.approx(1 / 2.9, rel=1e-3)
    assert canvas.inverse[30, 25] == pytest.approx(1 / 5, rel=1e-3)


def test_every_family_is_deterministic_and_sound() -> None:
    from render import FAMILIES, Props, Shelf, scene

    pictures = [np.random.default_rng(5).integers(0, 256, (120, 160, 3), np.uint8)]
    props = Props(Shelf(pictures), [], [])
    for family in FAMILIES:
        picture, inverse = scene(3, 1, props, 48, 64, family)
        again, inverse_again = scene(3, 1, props, 48, 64, family)
        np.testing.assert_array_equal(picture, again)
        np.testing.assert_array_equal(inverse, inverse_again)
        assert picture.shape == (48, 64, 3)
        assert np.isfinite(inverse).all()
        assert inverse.min() >= 0
        assert inverse.max() > 0


def test_the_loss_ignores_scale_and_shift_and_nothing_else() -> None:
    torch = pytest.importorskip("torch")
    from losses import depth_loss

    truth = torch.rand(2, 32, 48, generator=torch.Generator().manual_seed(0))
    half = torch.nn.functional.avg_pool2d(truth[:, None], 2)[:, 0]
    assert float(depth_loss(3.0 * half + 7.0, truth)) < 1e-5
    assert float(depth_loss(-half, truth)) > 0.5


def test_unknown_depth_has_no_influence() -> None:
    torch = pytest.importorskip("torch")
    from losses import depth_loss, edge_ranking

    truth = torch.rand(2, 32, 48, generator=torch.Generator().manual_seed(0)) + 0.1
    guess = torch.nn.functional.avg_pool2d(truth[:, None], 2)[:, 0]
    truth[:, 8:16, 10:30] = torch.nan
    wrong = guess.clone()
    wrong[:, 4:8, 5:15] = 50.0
    assert float(depth_loss(wrong, truth)) < 1e-5
    nothing = torch.zeros_like(guess, dtype=torch.bool)
    assert float(edge_ranking(guess, guess, torch.ones_like(guess), nothing)) == 0.0


def test_ranking_wants_the_nearer_side_nearer() -> None:
    torch = pytest.importorskip("torch")
    from losses import edge_ranking

    target = torch.full((1, 40, 60), 0.2)
    target[:, :, 30:] = 1.0
    known = torch.ones_like(target, dtype=torch.bool)
    step = (target - 0.6) / 0.4
    right, flat, reversed_ = (float(edge_ranking(guess, step, target, known)) for guess in (step, 0 * step, -step))
    assert right == 0.0
    assert 0.0 < 1.5 * flat < reversed_
    blurred = torch.nn.functional.avg_pool2d(step[:, None], 9, 1, 4, count_include_pad=False)[:, 0]
    assert 0.0 < float(edge_ranking(blurred, step, target, known)) < flat


def test_edge_error_is_the_distance_of_the_edges() -> None:
    from metrics import EDGE_REACH, edge_error

    truth = np.full((240, 320), 0.2, np.float32)
    truth[:, 160:] = 1.0
    assert edge_error(truth, truth) == 0.0
    assert edge_error(np.roll(truth, 4, axis=1)[:, :], truth) == pytest.approx(4.0, abs=2.0)
    assert edge_error(np.full_like(truth, 0.5), truth) == EDGE_REACH
    assert np.isnan(edge_error(truth, np.full_like(truth, 0.5)))
    hidden = truth.copy()
    hidden[:, 150:170] = np.nan
    assert np.isnan(edge_error(truth, hidden))


def test_a_stroke_has_the_depth_of_its_line() -> None:
    """A bar from 2 m to 4 m: inverse depth is linear along it on the screen; a hair has color but no depth."""
    canvas = _canvas()
    ends = np.array([[-0.8, 1.5, 2.0], [1.6, 1.5, 4.0]], np.float32)
    canvas.stroke(ends[0], ends[1], 0.05, np.ones(3, np.float32))
    x, _, _ = canvas.project(ends)
    columns = np.flatnonzero(canvas.inverse[30] > 0)
    assert columns.size > 30
    part = (columns - x[0]) / (x[1] - x[0])
    np.testing.assert_allclose(canvas.inverse[30, columns], 0.5 - 0.25 * np.clip(part, 0, 1), atol=0.01)
    hair = _canvas()
    hair.stroke(ends[0], ends[1], 0.001, np.ones(3, np.float32))
    assert hair.inverse.max() == 0
    assert 0 < hair.color.max() < 0.3


def test_streets_get_depth_from_their_labels() -> None:
    """Ground: linear below the horizon; a person: the depth of the feet; a floating sign: unknown; sky: infinity."""
    from streets import BUILDING, PEDESTRIAN, ROAD, SIGN, SKY, UNLABELED, inverse_depth

    labels = np.full((100, 120), SKY, np.uint8)
    labels[40:] = ROAD
    labels[20:45, :30] = BUILDING
    labels[50:80, 60:70] = PEDESTRIAN
    labels[10:20, 90:100] = SIGN
    labels[95:, 100:] = UNLABELED
    inverse = inverse_depth(labels, 38.0)
    assert inverse[90, 20] == pytest.approx((90.5 - 38) / 62)
    np.testing.assert_allclose(inverse[50:80, 60:70], (80 - 38) / 62, rtol=1e-5)
    assert inverse[25, 10] == pytest.approx((45 - 38) / 62, rel=1e-3)
    assert (inverse[0, 40:80] == 0).all()
    assert np.isnan(inverse[10:20, 90:100]).all()
    assert np.isnan(inverse[96, 110])


def test_measured_depth_becomes_relative_and_keeps_what_is_unknown() -> None:
    from photos import relative, windows

    disparity = np.tile(np.linspace(-103, -60, 120, dtype=np.float32), (60, 1))
    known = np.ones(disparity.shape, bool)
    known[:, :10] = False
    inverse = relative(disparity, known)
    assert np.isnan(inverse[:, :10]).all()
    assert (np.diff(inverse[0, 12:-2]) > 0).all()
    assert 0 < np.nanmin(inverse) < np.nanmax(inverse) < 1.2
    picture = np.zeros((60, 120, 3), np.uint8)
    picture[:, :, 0] = np.arange(120)
    first, last = windows((picture, inverse))
    assert first[0].shape == last[0].shape == (300, 400, 3)
    assert first[0][:, :, 0].max() < 81
    assert last[0][:, :, 0].max() > 117


def test_the_projections_are_solved() -> None:
    """Same encoder, another projection: the ridge regression finds the old one again."""
    torch = pytest.importorskip("torch")
    from warm_start import solve

    from depth3d.depth.models.tiny import TinyNetwork

    torch.manual_seed(0)
    old, new = TinyNetwork(2).eval(), TinyNetwork(2).eval()
    for name in ("encoder", "fuse"):
        getattr(new, name).load_state_dict(getattr(old, name).state_dict())
    pictures = [torch.randn(1, 3, 64, 64) for _ in range(4)]
    solve(old, new, pictures, ridge=1e-6)
    with torch.inference_mode():
        feature = new.encoder(pictures[0])[1]
        np.testing.assert_allclose(new.project[0](feature), old.project[0](feature), atol=1e-3)


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


def test_two_workers_stop_together_and_save(tmp_path: Path) -> None:
    """Gradients are shared; after `--minutes` both end at the same step, and the checkpoint is whole."""
    import os
    import subprocess

    torch = pytest.importorskip("torch")
    from pairs import write_shard
    from safetensors.torch import save_file

    from depth3d.depth.models.tiny import TinyNetwork

    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (40, 64, 3), np.uint8)
    write_shard(tmp_path / "pairs", "all", [picture], [rng.uniform(0.1, 1, (40, 64)).astype(np.float32)])
    save_file(TinyNetwork(2).half().state_dict(), tmp_path / "start.safetensors")
    command = [sys.executable, str(ROOT / "train.py"), str(tmp_path / "run")]
    options = f"--start {tmp_path}/start.safetensors --source pairs:1 --size 32x32 --batch 1 --workers 2 --minutes 0.02"
    environment = os.environ | {"PYTHONPATH": str(ROOT.parents[1]), "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run([*command, *options.split()], check=True, timeout=250, env=environment, capture_output=True)
    state = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    assert state["step"] >= 2
    assert state["pictures"] == 2 * state["step"]


def test_scores_of_known_answers() -> None:
    from metrics import score

    inverse = np.random.default_rng(0).uniform(0.1, 1.0, (40, 60)).astype(np.float32)
    perfect = score(5.0 * inverse + 2.0, inverse)
    assert perfect.absrel < 1e-3
    assert perfect.delta1 == 1.0
    assert perfect.ordinal == 1.0
    assert score(np.ones_like(inverse), inverse).ordinal == 0.5
    assert score(-inverse, inverse).ordinal == 0.0


def test_whole_blocks_are_held_back() -> None:
    from pairs import is_held_back

    held = [index for index in range(795) if is_held_back(index)]
    assert len(held) == 80
    assert held[:16] == list(range(64, 80))
