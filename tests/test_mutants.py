"""Damaged clips, depth of clips, texts, checkpoints and work folders: each gives a value or one Depth3DError.

``DEPTH3D_SEED=7 DEPTH3D_MUTANTS=10 pytest tests/test_mutants.py tests/io/test_untrusted.py -k mutants`` tries ten times
as many other ones; a file that escapes stays in the folder that is named.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
from collections.abc import Callable
from fractions import Fraction
from itertools import islice
from pathlib import Path

import memory
import numpy as np
import PIL.Image
import pytest
from clips import ffmpeg, make_clip, with_extras
from mutants import SEED, SHARE, mutant, text_mutant

from depth3d.camera import Camera
from depth3d.depthmap import DepthMap
from depth3d.errors import Depth3DError, ModelError
from depth3d.geometry.camera.keyframes import keyframe_path
from depth3d.image import Size
from depth3d.io.hints import read_hints
from depth3d.io.video.captions import write_captions
from depth3d.io.video.companions import Span, extract_tracks, write_chapters
from depth3d.io.video.depth_clip import DepthClipWriter, depth_clip_info, read_depth_clip
from depth3d.io.video.reader import VideoReader
from depth3d.io.video.spool import DepthRecord, DepthSpoolWriter, read_spool
from depth3d.io.video.suffixes import is_clip
from depth3d.io.video.tracks import list_tracks, phone_tags
from depth3d.options import DepthOptions, StabilizeOptions, VideoOptions
from depth3d.pipeline.clip.job import plan_job
from depth3d.pipeline.clip.renderers import StereoStrength
from depth3d.pipeline.clip.shots import read_shots
from depth3d.pipeline.clip.state import load_state, save_state
from depth3d.pipeline.presets import read_config

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.security

Seeds = list[tuple[str, bytes]]


def try_all(folder: Path, seeds: Seeds, ask: Callable[[Path], object], count: int, text: bool = False) -> None:
    """Ask about ``count`` mutants; any other exception than ``Depth3DError``, or 2 GB of memory, is an escape."""
    for name, data in seeds:
        (folder / name).write_bytes(data)
        ask(folder / name)  # undamaged, they are read
    chance = random.Random(f"{SEED} {ask.__name__}")
    before = memory.reset_peak()
    for number in range(round(count * SHARE)):
        name, data = chance.choice(seeds)
        path = folder / f"{number}-{name}"
        path.write_bytes(text_mutant(data.decode(), chance) if text else mutant(data, chance))
        try:
            with contextlib.suppress(Depth3DError):
                ask(path)
        except Exception as error:
            raise AssertionError(f"seed {SEED}, {path}: {type(error).__name__} {error}") from error
        assert memory.peak() - before < 2 << 20, f"{path}: more than 2 GB"
        path.unlink()


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Seeds:
    return clip_seeds(tmp_path_factory.mktemp("clips"))


def clip_seeds(folder: Path) -> Seeds:
    """Small clips in every usual container, undamaged."""
    plain = make_clip(folder / "plain.mp4", count=12)
    found = [plain, with_extras(plain, folder / "full.mp4"), with_extras(plain, folder / "full.mkv")]
    sound = ["-f", "lavfi", "-i", "sine=d=0.4"]
    for suffix in (
        "mov",
        "avi",
        "ts",
        "mpg",
        "flv",
        "wmv",
        "webm",
        "ogv",
        "nut",
        "mxf",
        "gif",
        "webp",
        "apng",
        "h264",
        "y4m",
    ):
        path = folder / f"a.{suffix}"
        words = (
            []
            if suffix in ("gif", "webp", "apng", "h264", "y4m")
            else [*sound, "-map", "0:v", "-map", "1:a", "-ar", "48000"]
        )
        ffmpeg("-i", str(plain), *words, "-t", "0.4", str(path))
        found.append(path)
    return [(path.name, path.read_bytes()) for path in found]


def read_clip(path: Path) -> None:
    is_clip(path)
    phone_tags(path)
    tracks = list_tracks(path)
    job = plan_job(path, DepthOptions(), StabilizeOptions(), VideoOptions())
    list(islice(job.frames(seen=True), 6))
    with VideoReader(path, start=Fraction(1, 5)) as reader:
        list(islice(reader, 2))
    span = Span(job.info.origin, Fraction(1, 10), Fraction(1))
    extract_tracks(path, tracks, path.parent, span)
    write_chapters(path, path.with_suffix(".chapters"), span)
    write_captions(path, path.with_suffix(".srt"), span)


def test_mutants_of_clips(tmp_path: Path, clips: Seeds) -> None:
    try_all(tmp_path, clips, read_clip, 250)


def test_mutants_of_depth_clips(tmp_path: Path) -> None:
    seeds = []
    for suffix in ("mkv", "nut"):
        with DepthClipWriter(
            tmp_path / f"d.{suffix}", Size(32, 24), rate=Fraction(25), time_base=Fraction(1, 25)
        ) as writer:
            for n in range(6):
                writer.write(DepthMap(np.full((24, 32), n / 8, np.float32)), Fraction(n, 25))
        seeds.append((f"d.{suffix}", (tmp_path / f"d.{suffix}").read_bytes()))

    def depth_clip(path: Path) -> None:
        depth_clip_info(path)
        list(islice(read_depth_clip(path, begin=Fraction(1, 10)), 4))

    try_all(tmp_path, seeds, depth_clip, 60)


def test_mutants_of_work_folders(tmp_path: Path) -> None:
    """What a stopped run left behind: the depth of frames, and the state of the stabilizer."""
    values = np.linspace(0, 1, 32 * 24, dtype=np.float16).reshape(24, 32)
    with DepthSpoolWriter(tmp_path / "a.spool") as spool:
        for n in range(5):
            spool.add(DepthRecord(n, n, 0, values))
    save_state(
        tmp_path / "state.npz", {"counts": [1, 2, 3], "times": [5], "maps": [values, {"a": values.astype(float)}]}
    )
    seeds = [(path.name, path.read_bytes()) for path in (tmp_path / "a.spool", tmp_path / "state.npz")]

    def work_folder(path: Path) -> None:
        if path.suffix == ".spool":
            list(read_spool(path))
        load_state(path, dict)

    try_all(tmp_path, seeds, work_folder, 400)


KEYS = [{"at": 0, "x": -1}, {"at": 0.4, "x": 1, "yaw": 2}, {"at": 0.7, "y": 0.5, "zoom": 1.2, "z": 0.4}]
SHOTS = "[[shot]]\nstart = 0.0\nend = 1.5\nparallax = 2.0\nconvergence = 0.5\ndepth = [0.1, 0.9]\n"
CONFIG = '[defaults]\nparallax = 2.5\n[presets.tv]\nphoto = { command = "stereo", format = "tb", ending = "_tv.png" }\n'
STROKE = {"kind": "value", "points": [[0.1, 0.2], [0.5, 0.6]], "radius": 0.05, "value": 0.7}
HINTS = json.dumps({"format": "depth3d hints", "picture": None, "strokes": [STROKE, STROKE]})
TEXTS = {
    "keyframes": (json.dumps({"keys": KEYS, "loop": True, "handheld": 0.1}), 600),
    "shots": (SHOTS + SHOTS.replace("1.5", "3.0").replace("= 0.0", "= 1.5"), 600),
    "config": (CONFIG, 400),
    "hints": (HINTS, 300),
}


def read_text(path: Path) -> None:
    kind = path.suffixes[0][1:]
    if kind == "keyframes":
        camera = keyframe_path(path, Camera(), 1.5, amount=6.0, seconds=4.0, focus=0.5)
        [camera.at(phase * 0.1) for phase in range(40)]
    elif kind == "shots":
        read_shots(path, StereoStrength(2.0, 0.5)).strength(Fraction(1))
    elif kind == "config":
        read_config(path)
    else:
        read_hints(path)


@pytest.mark.parametrize("kind", TEXTS)
def test_mutants_of_texts(tmp_path: Path, kind: str) -> None:
    text, count = TEXTS[kind]
    seeds = [(f"a.{kind}.{'toml' if kind in ('shots', 'config') else 'json'}", text.encode())]
    try_all(tmp_path, seeds, read_text, count, text=True)


def test_mutants_of_checkpoints(tmp_path: Path) -> None:
    from safetensors.torch import save

    from depth3d.depth import checkpoint, registry

    state = {"a.weight": torch.arange(600.0).reshape(30, 20), "a.bias": torch.ones(30, dtype=torch.bfloat16)}
    pickled, nested = io.BytesIO(), io.BytesIO()
    torch.save(state, pickled)
    torch.save({"model": state, "epoch": 3}, nested, _use_new_zipfile_serialization=False)
    seeds = [("a.safetensors", save(state)), ("a.pt", pickled.getvalue()), ("b.pt", nested.getvalue())]

    def weights(path: Path) -> None:
        tensors = checkpoint.read(path)
        with contextlib.suppress(ModelError):
            checkpoint.recognize(tensors, registry.cards(), path)

    try_all(tmp_path, seeds, weights, 300)


def test_mutants_of_animations_and_photos_are_classified(tmp_path: Path) -> None:
    gray = [PIL.Image.new("L", (32, 24), 40 * n) for n in range(4)]
    seeds = []
    for suffix in ("gif", "webp", "png", "avif"):
        gray[0].save(tmp_path / f"a.{suffix}", save_all=True, append_images=gray[1:])
        seeds.append((f"a.{suffix}", (tmp_path / f"a.{suffix}").read_bytes()))

    def classify(path: Path) -> None:
        is_clip(path)

    try_all(tmp_path, seeds, classify, 400)


def test_sound_of_an_unknown_codec_is_left_out(tmp_path: Path) -> None:
    clip = tmp_path / "a.avi"
    sources = ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=10:d=1", "-f", "lavfi", "-i", "sine=d=1"]
    ffmpeg(*sources, "-c:v", "mpeg4", "-c:a", "pcm_s16le", str(clip))
    data = bytearray(clip.read_bytes())
    place = data.index(b"strf", data.index(b"auds")) + 8
    assert data[place : place + 2] == b"\1\0"
    data[place : place + 2] = b"\x77\x77"
    clip.write_bytes(data)
    kept, lost = extract_tracks(clip, list_tracks(clip), tmp_path, Span(Fraction(0), Fraction(0), None))
    assert not kept
    assert len(lost) == 1
    assert "cannot be copied (no container takes unknown)" in lost[0]
