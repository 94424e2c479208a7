"""360 and 180 degree clips: recognized by tags or frames, closed at the seam, calm at the poles; --flat."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import cv2
import imageio.v2 as imageio
import numpy as np
import pytest
from numpy.typing import NDArray

from depth3d.depthmap import DepthMap, Disparity
from depth3d.errors import InvalidInput
from depth3d.frames import Frame
from depth3d.image import Image, Size
from depth3d.io.image.panorama import Sphere
from depth3d.io.video.mp4_boxes import insert_stereo_boxes
from depth3d.io.video.stereo_metadata import read_sphere_metadata, read_stereo_metadata
from depth3d.options import DepthOptions, StereoOptions, VideoOptions
from depth3d.pipeline.clip.convert import convert
from depth3d.pipeline.clip.panorama import find_clip_sphere, for_network, from_network
from depth3d.pipeline.clip.renderers import StereoStrength
from depth3d.pipeline.clip.sphere import SphericalRenderer
from depth3d.stereoformats import find_format

SIZE = Size(384, 192)
WHOLE = Sphere(360.0, 90.0, -90.0, "made")


def room(seed: int) -> NDArray[np.uint8]:
    """A textured sphere without a seam; its poles are one point each, a box lies across the seam."""
    width, height = SIZE
    noise = np.random.default_rng(seed).uniform(0, 255, (height, width, 3)).astype(np.float32)
    tile = 127 + 4 * (cv2.GaussianBlur(np.tile(noise, (1, 3, 1)), (0, 0), 3)[:, width : 2 * width] - 127)
    fading = np.clip((90 - np.abs(np.linspace(90, -90, height))) / 25, 0, 1)[:, None, None]
    picture = tile.mean(axis=1, keepdims=True) * (1 - fading) + tile * fading
    picture[70:140, -30:] = picture[70:140, :30] = (200, 60, 40)
    return np.clip(picture, 0, 255).astype(np.uint8)


def clip(path: Path, frame: NDArray[np.uint8], count: int = 4) -> Path:
    imageio.mimwrite(path, [frame] * count, fps=10, quality=9, macro_block_size=8)
    return path


@pytest.mark.parametrize("seed", range(4))
def test_shape_seam_and_poles(seed: int, tmp_path: Path) -> None:
    found = find_clip_sphere(clip(tmp_path / "room.mp4", room(seed)))
    assert found is not None
    assert found.closed
    other = np.roll(room(seed), 90, axis=1)[:, 20:-28]  # cut off: no seam, and not twice as wide as high
    assert find_clip_sphere(clip(tmp_path / "flat.mp4", other)) is None
    cut = cv2.resize(other, tuple(SIZE))
    assert find_clip_sphere(clip(tmp_path / "cut.mp4", cut)) is None


@pytest.mark.parametrize(("kind", "degrees"), [("sv3d 180", 180), ("sv3d 360", 360), ("xml", 360), ("cube", 0)])
def test_tags_decide(kind: str, degrees: int, tmp_path: Path) -> None:
    path = clip(tmp_path / "tagged.mp4", np.roll(room(1), 90, axis=1)[:, 20:-28])
    if kind.startswith("sv3d"):
        insert_stereo_boxes(path, "side", sphere=degrees)
        assert read_sphere_metadata(path) == degrees
        assert find_clip_sphere(path) is None  # two eyes, which stay
        data = path.read_bytes()
        path.write_bytes(data.replace(b"st3d", b"free").replace(b"vexu", b"free"))
    else:
        name = "equirectangular" if kind == "xml" else "cubemap"
        body = (
            bytes.fromhex("ffcc8263f8554a938814587a02521fdd")
            + (
                f"<rdf:SphericalVideo><GSpherical:ProjectionType>{name}</GSpherical:ProjectionType></rdf:SphericalVideo>"
            ).encode()
        )
        box = struct.pack(">I4s", len(body) + 8, b"uuid") + body
        data = bytearray(path.read_bytes())
        for parent in (b"trak", b"moov"):
            place = data.rfind(parent) - 4  # the index is the last box of the file
            size = struct.unpack_from(">I", data, place)[0]
            if parent == b"trak":
                data[place + size : place + size] = box
            struct.pack_into(">I", data, place, size + len(box))
        path.write_bytes(data)
    assert read_sphere_metadata(path) == degrees
    found = find_clip_sphere(path)
    assert (found.across if found else 0) == degrees


def test_depth_agrees_at_the_seam() -> None:
    image = Image(room(2))
    whole = for_network(image, WHOLE)
    assert whole.size.width == SIZE.width * 3 // 2
    # A network whose answer drifts over the picture: the difference at the seam is that of neighbors.
    drift = np.tile(np.linspace(0, 1, 96, dtype=np.float32), (32, 1))
    closed = from_network(Disparity(drift), WHOLE).values
    assert closed.shape == (32, 64)
    inside = np.abs(np.diff(closed, axis=1)).max()
    assert np.abs(closed[:, 0] - closed[:, -1]).max() <= inside
    np.testing.assert_array_equal(from_network(Disparity(drift), None).values, drift)


@pytest.mark.parametrize("layout", ["vr360", "sbs", "red-cyan-gray"])
def test_both_eyes_close_and_the_poles_are_calm(layout: str) -> None:
    image = Image(room(3))
    depth = np.zeros((SIZE.height, SIZE.width), np.float32)
    depth[70:140, -30:] = depth[70:140, :30] = 1
    frame = Frame(0, Fraction(0), image)
    with SphericalRenderer(SIZE, StereoOptions(parallax=8), find_format(layout), WHOLE) as renderer:
        prepared = renderer.prepare(frame, DepthMap(depth), StereoStrength(8.0, 0.3))
        both = renderer.draw(prepared)
    assert both.size == renderer.size
    if layout == "red-cyan-gray":
        return
    left, right = np.split(both.pixels.astype(int), 2, axis=0 if layout == "vr360" else 1)
    for eye in (left, right):
        seam = np.abs(eye[:, 0] - eye[:, -1]).mean()
        assert seam < 2 * np.abs(np.diff(eye, axis=1)).mean() + 1
        assert np.abs(eye[:12] - image.pixels[:12]).max() <= 3
        assert np.abs(eye[-12:] - image.pixels[-12:]).max() <= 3
    # The box across the seam moves by 8 % of a view of 90 degrees between the eyes, that is 2 % of the width.
    red = [(eye[100, :, 0] > 150) & (eye[100, :, 1] < 110) for eye in (left, right)]
    middles = [np.mean(np.flatnonzero(np.roll(mask, SIZE.width // 2))) for mask in red]
    assert middles[0] - middles[1] == pytest.approx(0.02 * SIZE.width, abs=1.5)


def test_a_clip_goes_to_360_stereo_unless_flat(tmp_path: Path) -> None:
    source = clip(tmp_path / "room.mp4", room(1), 3)
    video = VideoOptions()
    made = convert(source, depth=DepthOptions(model="tiny"), video=video)
    assert made.name == "room_360_TB.mp4"
    assert read_stereo_metadata(made) == ("stack", False)
    assert read_sphere_metadata(made) == 360
    frame = imageio.get_reader(made).get_data(1).astype(int)
    assert frame.shape == (2 * SIZE.height, SIZE.width, 3)
    upper = frame[: SIZE.height]
    assert np.abs(upper[:, 0] - upper[:, -1]).mean() < 2 * np.abs(np.diff(upper, axis=1)).mean() + 2
    flat = convert(source, depth=DepthOptions(model="tiny", flat=True), video=video)
    assert flat.name == "room_LRF_Full_SBS.mp4"
    with pytest.raises(InvalidInput, match="use vr360"):
        convert(source, stereo=StereoOptions(format="vr180"), depth=DepthOptions(model="tiny"))
    other = tmp_path / "other.mp4"
    with pytest.raises(InvalidInput, match="needs a clip of 360 degrees"):
        convert(source, other, stereo=StereoOptions(format="vr360"), depth=DepthOptions(model="tiny", flat=True))
