"""Several outputs from one depth pass, and automatic focus and convergence of clips."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from clip_child import FunctionOfThePicture
from clips import hashes, make_clip

import depth3d.depth.estimator
from depth3d.depthmap import DepthMap, Disparity
from depth3d.errors import ExistsError, InvalidInput
from depth3d.image import Image, Size
from depth3d.io.image.read import save_image
from depth3d.options import AnimateOptions, DepthOptions, OutputOptions, StereoOptions, VideoOptions
from depth3d.pipeline.clip.convert import convert, convert_all
from depth3d.pipeline.clip.output import Product, targets_of
from depth3d.pipeline.clip.renderers import PathRenderer, StereoStrength

CODEC = VideoOptions(codec="ffv1")


class Counting(FunctionOfThePicture):
    frames = 0

    def predict(self, images: Iterable[Image]) -> list[Disparity]:
        found = super().predict(images)
        Counting.frames += len(found)
        return found


@pytest.fixture(autouse=True)
def network(monkeypatch: pytest.MonkeyPatch) -> None:
    Counting.frames = 0
    monkeypatch.setattr(depth3d.depth.estimator, "open_estimator", lambda *_, **__: Counting())


def test_several_formats_and_the_depth_clip_from_one_depth_pass(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", count=20)
    names = "sbs,anaglyph,tb,rgbd"
    video = VideoOptions(codec="ffv1", save_depth=str(tmp_path / "depth.mkv"))
    made = convert_all(clip, tmp_path / "b.mkv", Product("stereo", StereoOptions(format=names)), video=video)
    assert Counting.frames == 20, "the network saw every frame once"
    assert len({path.name for path in made}) == 4
    assert all(path.name.startswith("b_") for path in made)
    assert len(hashes(tmp_path / "depth.mkv")) == 20
    for path, name in zip(made, names.split(","), strict=True):
        alone = convert(clip, tmp_path / f"alone-{name}.mkv", stereo=StereoOptions(format=name), video=CODEC)
        assert hashes(path) == hashes(alone), name
    assert not list(tmp_path.glob(".*"))


def test_default_names_of_several_formats(tmp_path: Path) -> None:
    products = Product(stereo=StereoOptions(format="sbs,tb")).split()
    found = targets_of(tmp_path / "a.mov", None, products, VideoOptions())
    assert [path.name for path in found] == ["a_LRF_Full_SBS.mp4", "a_TBF_fulltb.mp4"]
    with pytest.raises(InvalidInput, match="the format mpo does not support clips"):
        Product(stereo=StereoOptions(format="sbs,mpo")).split()


def test_an_existing_one_of_several_is_refused_before_the_network(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", count=4)
    (tmp_path / "b_TBF_fulltb.mkv").write_text("mine")
    with pytest.raises(ExistsError):
        convert_all(clip, tmp_path / "b.mkv", Product("stereo", StereoOptions(format="sbs,tb")), video=CODEC)
    assert Counting.frames == 0
    assert (tmp_path / "b_TBF_fulltb.mkv").read_text() == "mine"


def test_a_stopped_run_of_several_goes_on_with_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped in the second format: the first is kept, not refused and not made again."""
    clip, options = make_clip(tmp_path / "a.mp4", count=20), StereoOptions(format="sbs,rgbd")
    whole = [hashes(path) for path in convert_all(clip, tmp_path / "w.mkv", Product("stereo", options), video=CODEC)]

    def stop(stage: str, done: int, total: int) -> None:
        if stage == "draw" and done >= 15:
            raise KeyboardInterrupt

    Counting.frames = 0
    with pytest.raises(KeyboardInterrupt):
        convert_all(clip, tmp_path / "b.mkv", Product("stereo", options), video=CODEC, progress=stop)
    first = tmp_path / "b_LRF_Full_SBS.mkv"
    written = first.stat().st_mtime_ns
    made = convert_all(clip, tmp_path / "b.mkv", Product("stereo", options), video=CODEC)
    assert first.stat().st_mtime_ns == written
    assert Counting.frames == 20
    assert [hashes(path) for path in made] == whole
    assert not list(tmp_path.glob(".*"))


def test_both_paths_are_printed(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from depth3d.cli.stereo import command

    clip = make_clip(tmp_path / "a.mp4", count=4)
    done = CliRunner().invoke(command, [str(clip), "--format", "sbs,rgbd", "-o", str(tmp_path / "b.mkv")])
    assert done.exit_code == 0, done.output
    assert done.stdout.split() == [str(path) for path in sorted(tmp_path.glob("b_*.mkv"))]


def test_the_camera_keeps_the_subject_still_unless_told(tmp_path: Path) -> None:
    """Focus auto: what stands in the middle does not move, while the background does."""
    size = Size(64, 48)
    values = np.full((48, 64), 0.1, np.float32)
    values[12:36, 22:42] = 0.8
    seen: list[float] = []

    class Watched(PathRenderer):
        def prepare(self, frame: object, depth: DepthMap, strength: StereoStrength) -> object:
            seen.append(strength.convergence)
            return super().prepare(frame, depth, strength)  # type: ignore[arg-type]

    depth = tmp_path / "depth.png"
    save_image(Image(np.repeat(np.rint(values * 255).astype(np.uint8)[..., None], 3, axis=2)), depth)
    clip = make_clip(tmp_path / "a.mp4", count=4, size=tuple(size))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("depth3d.pipeline.clip.output.PathRenderer", Watched)
        for focus, wanted in (("auto", 0.8), ("0.25", 0.25)):
            seen.clear()
            convert(
                clip,
                tmp_path / "b.mkv",
                animate=AnimateOptions(focus=focus),
                depth=DepthOptions(depth=str(depth)),
                video=CODEC,
                output_options=OutputOptions(force=True),
            )
            assert seen == pytest.approx(4 * [wanted], abs=0.02), focus


def test_automatic_convergence_works_with_a_given_depth_clip(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", count=8)
    convert(
        clip,
        tmp_path / "b.mkv",
        stereo=StereoOptions(format="rgbd"),
        video=VideoOptions(codec="ffv1", save_depth=str(tmp_path / "d.mkv")),
    )
    stereo = StereoOptions(format="rgbd", convergence="auto")
    path = convert(
        clip, tmp_path / "c.mkv", stereo=stereo, depth=DepthOptions(depth=str(tmp_path / "d.mkv")), video=CODEC
    )
    assert len(hashes(path)) == 8
