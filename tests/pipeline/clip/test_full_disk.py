"""A full disk at any step: one message, nothing lost, and the run goes on when there is room again."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from clip_child import stand_in
from clips import ffmpeg, hashes, make_clip, probe

import depth3d.depth.estimator
from depth3d.errors import Depth3DError, WriteError
from depth3d.options import DepthOptions, StabilizeOptions, StereoOptions, VideoOptions
from depth3d.pipeline.clip import depth_pass, render_pass, space
from depth3d.pipeline.clip.convert import Progress, convert
from depth3d.pipeline.clip.output import Product

FRAMES = 44
OPTIONS: Any = {
    "stereo": StereoOptions(format="rgbd"),
    "stabilize": StabilizeOptions(look_ahead=4),
    "video": VideoOptions(codec="ffv1"),
}


def mount(folder: Path, size: int, *, again: bool = False) -> None:
    words = f"{'remount,' if again else ''}size={size}k"
    subprocess.run(["mount", "-t", "tmpfs", "-o", words, "tmpfs", str(folder)], check=True, capture_output=True)


def shrink(folder: Path, spare: int) -> None:
    """Leave ``spare`` kB; other threads may write more than that between the look and the change, which is refused."""
    for attempt in range(50):
        state = os.statvfs(folder)
        used = (state.f_blocks - state.f_bfree) * state.f_frsize // 1024
        try:
            mount(folder, used + spare, again=True)
            break
        except subprocess.CalledProcessError:
            if attempt == 49:
                raise


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, 64 MB large."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.name == "nt" or os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("needs root to mount a small file system")
    try:
        mount(folder, 64_000)
    except subprocess.CalledProcessError:
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    silent = make_clip(folder / "a.mp4", count=FRAMES)
    sound = ["-f", "lavfi", "-t", "1.5", "-i", "sine=r=48000", "-c:a", "pcm_s32le", "-ac", "8"]
    ffmpeg("-i", str(silent), *sound, "-c:v", "copy", str(folder / "clip.mkv"))  # 2.3 MB of sound
    return folder / "clip.mkv"


@pytest.mark.parametrize(
    ("stage", "frame", "spare"),
    [("depth", 36, 4), ("depth", FRAMES, 4), ("draw", 20, 20), ("draw", FRAMES, 900), ("draw", FRAMES, 4500)],
    ids=["depth", "state", "pictures", "tracks", "mux"],
)
def test_a_full_disk_loses_nothing(
    clip: Path, disk: Path, monkeypatch: pytest.MonkeyPatch, stage: str, frame: int, spare: int
) -> None:
    monkeypatch.setattr(depth3d.depth.estimator, "open_estimator", stand_in)
    for module in (depth_pass, render_pass):
        monkeypatch.setattr(module, "SEGMENT", 8)
    target, seen = disk / "out.mkv", []

    def run(progress: Progress) -> None:
        convert(clip, target, **OPTIONS, progress=progress)

    def fill(name: str, done: int, _: int) -> None:
        if (name, done) == (stage, frame):
            shrink(disk, spare)

    with pytest.raises(Depth3DError, match=r"(?i)no space left on device.*run the same command again"):
        run(fill)
    assert [path.name for path in disk.iterdir()] == [".out.mkv.depth3d"]
    mount(disk, 64_000, again=True)
    run(lambda name, done, _: seen.append((name, done)))
    if stage == "draw":
        assert all(name == "draw" for name, _ in seen), "depth was kept"
    assert not seen or seen[0][1] > 8, "finished segments were kept"
    assert [path.name for path in disk.iterdir()] == ["out.mkv"]
    run_again = disk / "again.mkv"
    convert(clip, run_again, **OPTIONS)
    assert hashes(target) == hashes(run_again)
    assert [stream["codec_name"] for stream in probe(target)["streams"]] == ["ffv1", "pcm_s32le"]
    assert float(probe(target)["format"]["duration"]) == pytest.approx(1.5, abs=0.05)


def test_needed_and_free_space_are_told_before_the_work(
    disk: Path, clip: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Much too little is refused with nothing written; with room again the same call runs."""
    caplog.set_level("INFO", logger="depth3d")
    monkeypatch.setattr(depth3d.depth.estimator, "open_estimator", stand_in)
    with monkeypatch.context() as context:
        context.setattr("depth3d.pipeline.clip.space.needed_space", lambda *_: 300_000_000)
        with pytest.raises(WriteError, match=r"about 300 MB of disk space needed, 6\d MB free; free some"):
            convert(clip, disk / "out.mkv", **OPTIONS)
        assert list(disk.iterdir()) == []
        context.setattr("depth3d.pipeline.clip.space.needed_space", lambda *_: 100_000_000)
        convert(clip, disk / "out.mkv", **OPTIONS)
        assert "about 100 MB of disk space needed, 6" in caplog.text
    convert(clip, disk / "new.mkv", **OPTIONS)
    assert "about 4 MB of disk space needed" in caplog.text


def test_the_space_of_a_batch_is_that_of_all_results_and_one_work_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    free = 10_000
    monkeypatch.setattr(space.shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    new = tmp_path / "not" / "there"
    films = [space.Space(new, 3_000_000, work) for work in (1_000_000, 5_000_000, 2_000_000)]
    with pytest.raises(WriteError, match=r"3 clips: about 14 MB of disk space needed, 1 MB free"):
        space.check_batch(films)
    free = 6_000_000
    space.check_batch(films)
    assert "14 MB" in caplog.text
    free = 15_000_000
    caplog.clear()
    space.check_batch(films)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    free = 4_500_000  # what a stopped run has stored counts
    space.check_batch([space.Space(tmp_path, 3_000_000, 2_000_000, stored=1_000_000)])
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_batch_that_cannot_fit_is_refused_before_the_first_clip(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of the clips would be tried alone."""
    from click.testing import CliRunner

    from depth3d.cli.stereo import command

    for number in range(8):
        shutil.copy(clip, tmp_path / f"film{number}.mkv")
    each = space.expected_space(
        clip,
        [tmp_path / "a.mkv"],
        Product("stereo", StereoOptions(format="sbs")),
        VideoOptions(codec="ffv1"),
        DepthOptions(),
    )
    assert each.folder == tmp_path
    assert each.results == 45 * 128 * 48 // 8 * 10  # the sound is a little longer than 44 frames
    monkeypatch.setattr(space.shutil, "disk_usage", lambda _: SimpleNamespace(free=(each.results + each.work) * 0.49))
    words = [str(tmp_path), "--codec", "ffv1", "--format", "sbs", "--model", "gradient"]
    found = CliRunner().invoke(command, words)
    assert found.exit_code != 0
    assert "8 clips: about" in found.output + str(found.exception)
    assert len(list(tmp_path.iterdir())) == 8
