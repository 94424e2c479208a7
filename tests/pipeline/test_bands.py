"""Large photos are drawn and composed in bands of rows: the same pictures in less memory."""

from __future__ import annotations

import weakref
from pathlib import Path

import cv2
import numpy as np
import pytest
from memory import peak_kilobytes

from depth3d.depthmap import DepthMap
from depth3d.errors import ContextError, ReadError
from depth3d.geometry import chunked
from depth3d.geometry.edges.refine import align_to_picture
from depth3d.geometry.edges.sharpen import sharpen, softness
from depth3d.image import Image
from depth3d.io.image import read as reading
from depth3d.io.image.read import encode_image, open_image, save_image
from depth3d.options import DepthOptions, StereoOptions
from depth3d.pipeline import bands
from depth3d.pipeline.stereo import stereo
from depth3d.pipeline.stereowrite import Subject
from depth3d.pipeline.views import stereo_pair
from depth3d.render import compose as composing
from depth3d.stereoformats import FORMATS
from depth3d.stereopair import StereoPair, StereoRig


def scene(width: int, height: int, blur: float = 0) -> tuple[Image, DepthMap]:
    random = np.random.default_rng(2)
    coarse = random.integers(0, 255, (height // 20, width // 20, 3), dtype=np.uint8)
    depth = np.linspace(0, 0.5, height)[:, None] * np.ones((1, width))
    for index in range(14):
        center = int(random.integers(0, width)), int(random.integers(0, height))
        cv2.circle(depth, center, width // 10, 0.5 + 0.5 * index / 14, -1)
    depth = cv2.GaussianBlur(depth, (0, 0), blur) if blur else depth
    return Image(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)), DepthMap(depth.astype(np.float32))


@pytest.mark.parametrize("blur", [0.0, 3.0])
def test_eyes_in_bands_are_those_of_the_whole(monkeypatch: pytest.MonkeyPatch, blur: float) -> None:
    image, depth = scene(400, 1100, blur)
    monkeypatch.setattr(bands, "MESHED_PIXELS", 0)
    whole = stereo_pair(image, depth, parallax=3)
    monkeypatch.setattr(bands, "WHOLE_PIXELS", 0)
    monkeypatch.setattr(chunked, "BAND_PIXELS", 1000)
    assert len(list(chunked.row_bands((1100, 400), 256, least=512, multiple=256))) == 3
    parts = stereo_pair(image, depth, parallax=3)
    for one, other in ((whole.left, parts.left), (whole.right, parts.right)):
        off = np.abs(one.pixels.astype(int) - other.pixels).max(2)
        # Not 0: the same point has other last bits in the coordinates of a band.
        assert (off > 0).mean() < 0.003
        assert (off > 1).mean() < 3e-5
        assert off.max() <= 16


def test_edges_in_bands_are_those_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    image, depth = scene(700, 600, 3.0)
    shift = depth.values * np.float32(25)
    assert softness(shift) > 0.3
    one = align_to_picture(sharpen(shift, image.pixels), image.pixels)
    soft = softness(shift)
    monkeypatch.setattr(chunked, "BAND_PIXELS", 1000)
    assert softness(shift) == soft
    other = align_to_picture(sharpen(shift, image.pixels), image.pixels)
    assert np.array_equal(one, other)


@pytest.mark.parametrize("name", [card.name for card in FORMATS.values() if card.flat])
@pytest.mark.parametrize("alpha", [False, True])
def test_pairs_composed_in_bands_are_those_of_the_whole(
    monkeypatch: pytest.MonkeyPatch, name: str, alpha: bool
) -> None:
    random = np.random.default_rng(1)
    eyes = [random.integers(0, 255, (37, 22, 4), dtype=np.uint8) for _ in range(2)]
    pair = StereoPair(*(Image(eye[..., :3], eye[..., 3] if alpha else None) for eye in eyes))
    whole = composing.compose(pair, name)
    monkeypatch.setattr(composing, "WHOLE_PIXELS", 200)
    parts = composing.compose(pair, name)
    assert np.array_equal(whole.pixels, parts.pixels)
    assert (whole.alpha is None) == (parts.alpha is None)
    assert whole.alpha is None or np.array_equal(whole.alpha, parts.alpha)


def test_photo_beyond_the_largest_texture_is_told_before_its_depth(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from depth3d.render import context

    photo = save_image(scene(600, 100)[0], tmp_path / "wide.png")
    monkeypatch.setattr(context, "require_opengl", lambda: 512)
    monkeypatch.setattr("depth3d.pipeline.stereo.load_scene", lambda *_: pytest.fail("the depth was computed first"))
    with pytest.raises(ReadError, match="exceed the largest texture of this GPU") as told:
        stereo(photo, tmp_path / "out.png", format="anaglyph")
    fits = int(str(told.value).split("at most ")[1].split()[0])
    assert fits + 2 * (np.ceil(fits * 0.01) + 2) <= 512 + 2
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize("command", ["stereo", "animate"])
def test_missing_opengl_is_told_before_the_depth(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str) -> None:
    import depth3d
    from depth3d.render import context

    def missing() -> int:
        raise ContextError("no OpenGL")

    photo = save_image(scene(120, 80)[0], tmp_path / "photo.png")
    monkeypatch.setattr(context, "require_opengl", missing)
    monkeypatch.setattr(f"depth3d.pipeline.{command}.load_scene", lambda *_: pytest.fail("the depth came first"))
    with pytest.raises(ContextError, match="no OpenGL"):
        getattr(depth3d, command)(photo, depth=DepthOptions(model="tiny"))


def test_the_depth_map_of_a_large_photo_is_free_while_its_eyes_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bands, "WHOLE_PIXELS", 0)
    image, depth = scene(80, 60)
    held = weakref.ref(depth.values.base)
    subject = Subject(image, depth, StereoRig(), StereoOptions())
    before = subject.pair
    assert held() is not None
    subject = subject.eyes_only()
    del depth
    assert held() is None
    assert np.array_equal(before.right.pixels, subject.pair.right.pixels)


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_large_picture_is_encoded_without_another_copy_of_its_coefficients(
    monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    image, _ = scene(600, 400)
    optimized = encode_image(image, suffix)
    monkeypatch.setattr(reading, "_OPTIMIZED", 0)
    plain = encode_image(image, suffix)
    assert np.array_equal(open_image(plain).pixels, open_image(optimized).pixels)
    assert (len(plain) > len(optimized)) == (suffix == ".jpg")


@pytest.mark.slow
@pytest.mark.parametrize("given", [True, False])
def test_memory_of_a_large_stereo_photo(tmp_path: Path, given: bool) -> None:
    """24 megapixels with a given depth map, or with the built-in network, stay below 1.5 GB."""
    image, depth = scene(6000, 4000)
    save_image(image, tmp_path / "photo.jpg")
    cv2.imwrite(str(tmp_path / "map.png"), (depth.values * 65535).astype(np.uint16))
    options = "depth=sys.argv[2]" if given else "model='tiny'"
    code = f"import sys, depth3d; depth3d.stereo(sys.argv[1], depth=depth3d.DepthOptions({options}), force=True)"
    assert peak_kilobytes(code, tmp_path / "photo.jpg", tmp_path / "map.png") < 1_500_000
