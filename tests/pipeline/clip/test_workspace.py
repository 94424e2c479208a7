"""The work folder trusts nothing in it: pickles do not run, links are not followed, damaged JSON starts afresh."""

from __future__ import annotations

import logging
import os
import pickle
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from clips import hashes, make_clip

from depth3d.depth.temporal.protocol import FILTERS, open_filter
from depth3d.depth.temporal.range import SceneRanges
from depth3d.depthmap import Disparity
from depth3d.errors import ExistsError, VideoError, WriteError
from depth3d.image import Image
from depth3d.options import StabilizeOptions
from depth3d.pipeline.clip import lock
from depth3d.pipeline.clip.lock import FolderLock
from depth3d.pipeline.clip.state import load_state, save_state
from depth3d.pipeline.clip.workspace import WorkFolder

pytestmark = pytest.mark.security

CHILD = Path(__file__).parents[2] / "clip_child.py"
posix = pytest.mark.skipif(os.name == "nt", reason="links and owners of POSIX systems")


def malicious_pickle(marker: Path) -> bytes:
    """A protocol 4 pickle that creates ``marker``, through dotted names of a module of our own."""
    module, name, command = (
        b"depth3d.pipeline.clip.depth_pass",
        b"np.testing._private.utils.os.system",
        f"touch {marker}",
    )

    def text(words: bytes) -> bytes:
        return b"\x8c" + struct.pack("<B", len(words)) + words

    call = text(module) + text(name) + b"\x93" + text(command.encode()) + b"\x85R."
    return b"\x80\x04" + call


def run(source: Path, target: Path) -> str:
    command = [sys.executable, str(CHILD), str(source), str(target)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return found.stderr


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", count=20)


def test_the_malicious_pickle_is_one(tmp_path: Path) -> None:
    """What the tests below refuse would run if anything unpickled it."""
    import depth3d.pipeline.clip.depth_pass  # noqa: F401

    pickle.loads(malicious_pickle(tmp_path / "ran"))
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["state.npz", "state.pickle"])
def test_a_pickle_in_the_work_folder_does_not_run(clip: Path, tmp_path: Path, name: str) -> None:
    target, marker = tmp_path / "out.mkv", tmp_path / "ran"
    run(clip, target)
    wanted = hashes(target)
    depth = tmp_path / ".out.mkv.depth3d" / "depth"
    # A stopped run leaves its key and a state; only the state is replaced.
    process = subprocess.Popen([sys.executable, str(CHILD), str(clip), str(target)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("draw 3"):
            process.kill()
            break
    process.communicate()
    (depth / "done.json").unlink()
    (depth / name).write_bytes(malicious_pickle(marker))
    said = run(clip, target)
    assert not marker.exists()
    assert ("state.npz cannot be used" in said) == (name == "state.npz")
    assert hashes(target) == wanted


def test_object_arrays_are_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "state.npz"
    with path.open("wb") as file:
        np.savez(file, tree=np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with caplog.at_level(logging.WARNING):
        assert load_state(path, dict) is None
    assert "state.npz cannot be used" in caplog.text


def test_compressed_state_is_refused(tmp_path: Path) -> None:
    """A small file cannot ask for gigabytes: entries must be stored as they are."""
    path = tmp_path / "state.npz"
    np.savez_compressed(path, tree=np.zeros(1 << 20, np.uint8))
    assert load_state(path, dict) is None


def test_state_survives_exactly(tmp_path: Path) -> None:
    tree = {"none": None, "inf": float("-inf"), "list": [1, 0.1, "x", [True]], "array": np.arange(6.0).reshape(2, 3)}
    save_state(tmp_path / "state.npz", tree)
    again = load_state(tmp_path / "state.npz", lambda found: found)
    assert again is not None
    np.testing.assert_array_equal(again.pop("array"), tree.pop("array"))
    assert again == tree


@pytest.mark.parametrize("name", FILTERS)
def test_a_restored_filter_goes_on_bit_for_bit(tmp_path: Path, name: str) -> None:
    """Stopped at every tenth frame of two scenes and restored from the file each time: not one bit differs."""
    dice = np.random.default_rng(3)
    base = dice.integers(0, 255, (48, 64, 3), dtype=np.uint8)
    pictures = [Image(np.roll(base if n < 30 else 255 - base.transpose(0, 1, 2)[::-1], n, axis=1)) for n in range(60)]
    maps = [Disparity(dice.random((36, 48), dtype=np.float32) + 1) for _ in pictures]
    options = StabilizeOptions(look_ahead=5, temporal_filter=name)

    def values(stop: int | None) -> list[bytes]:
        stabilizer, ranges, found = open_filter(options), SceneRanges(), []
        for number, (picture, disparity) in enumerate(zip(pictures, maps, strict=True)):
            if stop and number % stop == 0:
                save_state(tmp_path / "s.npz", {"a": stabilizer.to_state(), "b": ranges.to_state()})
                tree = load_state(tmp_path / "s.npz", dict)
                assert tree is not None
                stabilizer = open_filter(options)
                stabilizer.restore(tree["a"])
                ranges = SceneRanges.from_state(tree["b"])
            for stable in stabilizer.push(picture, disparity):
                ranges.add(stable)
                found.append(stable.values.tobytes())
        for stable in stabilizer.flush():
            ranges.add(stable)
            found.append(stable.values.tobytes())
        return [*found, repr([ranges[scene] for scene in range(len(ranges))]).encode()]

    whole = values(None)
    assert len(whole) == 61
    assert values(10) == whole


@posix
def test_a_linked_work_folder_is_refused_and_its_aim_left_alone(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "depth").mkdir(parents=True)
    (elsewhere / "depth" / "part-treasure").write_text("keep")
    (tmp_path / ".out.mp4.depth3d").symlink_to(elsewhere, target_is_directory=True)
    with pytest.raises(WriteError, match="symbolic link"), WorkFolder(tmp_path, "out.mp4"):
        pass
    assert (elsewhere / "depth" / "part-treasure").read_text() == "keep"
    assert [path.name for path in elsewhere.iterdir()] == ["depth"]


@posix
@pytest.mark.parametrize("name", ["depth", "depth/part-x", "depth/key.json", "running"])
def test_a_link_in_the_work_folder_is_refused(tmp_path: Path, name: str) -> None:
    aim = tmp_path / "aim"
    aim.mkdir()
    (aim / "part-treasure").write_text("keep")
    folder = tmp_path / ".out.mp4.depth3d"
    (folder / name).parent.mkdir(parents=True)
    (folder / name).symlink_to(aim)
    with pytest.raises(WriteError, match=r"link|Too many levels"), WorkFolder(tmp_path, "out.mp4") as work:
        work.checkpoint("depth", {}, "depth").remove()
    assert (aim / "part-treasure").read_text() == "keep"


@posix
def test_a_work_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    folder = tmp_path / ".out.mp4.depth3d" / "depth"
    folder.mkdir(parents=True)
    (folder / "state.npz").write_bytes(b"x")
    os.chown(folder / "state.npz", 12345, 12345)
    with pytest.raises(WriteError, match=r"state\.npz belongs to another user"), WorkFolder(tmp_path, "out.mp4"):
        pass
    assert (folder / "state.npz").exists()


@pytest.mark.parametrize(
    "text",
    ["", "[", "[1]", "3", '"x"', "null", "[" * 100_000, '{"frames": 1e999, "ranges": 3, "ticks": {}}'],
)
def test_malformed_json_starts_afresh(clip: Path, tmp_path: Path, text: str) -> None:
    from depth3d.pipeline.clip.depth_pass import finished_depth
    from depth3d.pipeline.clip.render_pass import finished_segments

    with WorkFolder(tmp_path, "out.mkv") as work:
        for name in ("depth", "pictures"):
            checkpoint = work.checkpoint(name, {"a": 1}, name)
            for file in ("done.json", "segment-000000.json"):
                (checkpoint.folder / file).write_text(text)
            (checkpoint.folder / "segment-000000.nut").write_bytes(b"")
        assert work.progress() == (0, 0)
        assert finished_depth(checkpoint) is None
        assert finished_segments(checkpoint).files == ()
        (checkpoint.folder / "key.json").write_text(text)
        work.checkpoint("pictures", {"a": 1}, "drawing")
        assert not (checkpoint.folder / "done.json").exists()


def test_only_one_process_holds_the_lock(tmp_path: Path) -> None:
    first, second = FolderLock(tmp_path / "running"), FolderLock(tmp_path / "running")
    assert first.acquire()
    assert not second.acquire()
    first.release()
    assert second.acquire()
    second.release()
    assert not list(tmp_path.iterdir())


def test_a_lock_left_behind_does_not_lock(tmp_path: Path) -> None:
    """The file holds the number of a process that runs: this one's parent. Its lock ended with its process."""
    (tmp_path / "running").write_text(f"{os.getppid()}")
    with FolderLockHeld(tmp_path / "running"):
        pass


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_reused_process_number_is_known_without_file_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "_lock", lambda handle: None)
    parent = os.getppid()
    (tmp_path / "running").write_text(f"{parent} {lock.start_time(parent)}")
    assert not FolderLock(tmp_path / "running").acquire()
    (tmp_path / "running").write_text(f"{parent} 1")
    with FolderLockHeld(tmp_path / "running"):
        pass


def test_a_running_conversion_is_told(tmp_path: Path) -> None:
    with (
        WorkFolder(tmp_path, "out.mkv"),
        pytest.raises(VideoError, match="another run is converting this clip"),
        WorkFolder(tmp_path, "out.mkv"),
    ):
        pass


class FolderLockHeld:
    def __init__(self, path: Path) -> None:
        self._lock = FolderLock(path)

    def __enter__(self) -> None:
        assert self._lock.acquire()

    def __exit__(self, *exception: object) -> None:
        self._lock.release()


def test_of_eight_conversions_at_once_exactly_one_succeeds(clip: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mkv"
    code = (
        "import sys; sys.path.insert(0, sys.argv[3]); import clip_child\n"
        "from depth3d.options import OutputOptions\n"
        "clip_child.OutputOptions = lambda force: OutputOptions(force=False)\n"
        "clip_child.main(sys.argv[1], sys.argv[2])\n"
    )
    command = [sys.executable, "-c", code, str(clip), str(target), str(CHILD.parent)]
    runs = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(8)]
    said = [run.communicate()[1] for run in runs]
    assert sorted(run.returncode for run in runs) == [0] + 7 * [1], said
    refused = [text for run, text in zip(runs, said, strict=True) if run.returncode]
    assert all("another run is converting this clip" in text or "exists" in text for text in refused), refused
    assert len(hashes(target)) == 20
    assert [path.name for path in tmp_path.iterdir()] == ["out.mkv"]


def test_previews_and_thumbnails_are_never_replaced_without_force(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import clip_child

    from depth3d.options import OutputOptions, StereoOptions, VideoOptions
    from depth3d.pipeline.clip.convert import convert

    monkeypatch.setattr("depth3d.depth.estimator.open_estimator", clip_child.stand_in)
    monkeypatch.setattr("depth3d.pipeline.clip.preview.predict_frame", lambda job, frame: one(frame.guide))

    def one(image: Image) -> Disparity:
        (found,) = clip_child.FunctionOfThePicture().predict([image])
        return found

    def run(*, force: bool = False, **video: object) -> Path:
        return convert(
            clip,
            tmp_path / "out.mkv",
            stereo=StereoOptions(format="rgbd"),
            video=VideoOptions(**video),  # type: ignore[arg-type]
            output_options=OutputOptions(force=force),
        )

    preview, thumbnail = tmp_path / "out_preview.jpg", tmp_path / "s_thumbnails" / "0001.jpg"
    preview.write_text("mine")
    thumbnail.parent.mkdir()
    thumbnail.write_text("mine")
    for asked in ({"preview": True}, {"shots": str(tmp_path / "s.toml")}):
        with pytest.raises(ExistsError):
            run(**asked)
    assert preview.read_text() == thumbnail.read_text() == "mine"
    assert not (tmp_path / "s.toml").exists()
    assert run(preview=True, force=True) == preview
    assert run(shots=str(tmp_path / "s.toml"), force=True) == tmp_path / "s.toml"
    assert preview.read_bytes()[:2] == thumbnail.read_bytes()[:2] == b"\xff\xd8"
