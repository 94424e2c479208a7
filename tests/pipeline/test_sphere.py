"""Spherical photos: recognized by tags or content, depth without a seam, two eyes with calm poles."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from scenes import panorama
from stereoscenes import texture

from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidOption
from depth3d.image import Image, Size
from depth3d.io.image.jpeg import insert_segments
from depth3d.io.image.panorama import GPANO, Sphere, find_sphere
from depth3d.io.image.read import encode_image, open_image, save_image
from depth3d.io.image.xmp import xmp_segments
from depth3d.options import DepthOptions, StereoOptions
from depth3d.pipeline.filenames import written_files
from depth3d.pipeline.sphere import sphere_depth, sphere_pair
from depth3d.pipeline.stereo import stereo

WHOLE = Sphere(360.0, 90.0, -90.0, "a test")


def tagged(image: Image, path: Path, **tags: object) -> Path:
    values = {f"GPano:{name}": str(value) for name, value in tags.items()}
    segments = xmp_segments({"GPano": GPANO}, values)
    path.write_bytes(insert_segments(encode_image(image, ".jpg"), segments))
    return path


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_a_sphere_is_known_by_its_seam_and_poles(tmp_path: Path, seed: int) -> None:
    whole = panorama(seed=seed)
    found = find_sphere(save_image(whole, tmp_path / "a.jpg"))
    assert found is not None
    assert found.closed
    cut = np.roll(whole.pixels, 100, axis=1)[:, :400]  # no longer closed, not 2:1
    assert find_sphere(save_image(Image(cut[:200]), tmp_path / "b.png")) is None
    equator = cv2.resize(whole.pixels[64:192], (512, 256))  # closed, but without poles
    assert find_sphere(save_image(Image(equator), tmp_path / "c.png")) is None


def test_tags_decide(tmp_path: Path) -> None:
    whole = Image(texture(512, 256))
    kind = {"ProjectionType": "equirectangular"}
    full = {"FullPanoWidthPixels": 512, "FullPanoHeightPixels": 256, "CroppedAreaTopPixels": 0}
    crop = {"CroppedAreaImageWidthPixels": 512, "CroppedAreaImageHeightPixels": 256}
    assert find_sphere(tagged(whole, tmp_path / "a.jpg", **kind, **full, **crop)) == WHOLE._replace(
        how="its GPano tags"
    )
    assert find_sphere(tagged(whole, tmp_path / "b.jpg", **kind)) is not None
    half = tagged(whole, tmp_path / "c.jpg", **kind, **(full | {"FullPanoWidthPixels": 1024}), **crop)
    found = find_sphere(half)
    assert found is not None
    assert found.across == 180
    wide = tagged(whole, tmp_path / "d.jpg", **kind, **(full | {"FullPanoWidthPixels": 2000}), **crop)
    assert find_sphere(wide) is None
    assert find_sphere(tagged(panorama(), tmp_path / "e.jpg", ProjectionType="cylindrical")) is None
    for wrong in ("nan", "inf", "-5", "x", "0"):
        find_sphere(tagged(whole, tmp_path / "f.jpg", **kind, **(full | {"FullPanoWidthPixels": wrong}), **crop))


def test_flat_photos_of_this_shape_are_no_spheres(shared: Path, tmp_path: Path) -> None:
    photos = sorted((shared / "data" / "photos").glob("*/*.[jp][pn]g"))
    for path in photos:
        pixels = open_image(path, at_most=640).eight_bit().pixels
        height = min(len(pixels), pixels.shape[1] // 2)
        cut = Image(pixels[:height, : 2 * height])
        if height >= 128:
            assert find_sphere(save_image(cut, tmp_path / "cut.png", force=True)) is None, path.name


def test_the_depth_agrees_at_the_seam() -> None:
    def drifting(whole: Image) -> DepthMap:  # a network that sees everything on the right nearer
        return DepthMap(np.tile(np.linspace(0, 1, whole.size.width, dtype=np.float32), (whole.size.height, 1)))

    found = sphere_depth(panorama(), WHOLE, drifting).values
    steps = np.abs(np.diff(np.concatenate([found, found[:, :1]], axis=1), axis=1))
    assert steps.max() < 0.02
    assert np.abs(np.diff(drifting(panorama()).values[:, [0, -1]])).max() == 1


def test_both_eyes_close_and_the_poles_are_calm() -> None:
    image = panorama()
    depth = DepthMap(np.ones((256, 512), np.float32))
    pair = sphere_pair(image, depth, WHOLE, StereoOptions(parallax=8))
    shift = 8 / 100 * 512 / 4 / 2  # px of each eye at the equator
    middle = slice(118, 138)
    for eye, way in ((pair.left, 1), (pair.right, -1)):
        moved = np.roll(image.pixels, round(way * shift), axis=1)[middle].astype(int)
        assert np.abs(eye.pixels[middle].astype(int) - moved).mean() < 4
        np.testing.assert_allclose(eye.pixels[:4].astype(int), image.pixels[:4], atol=6)
        np.testing.assert_allclose(eye.pixels[-4:].astype(int), image.pixels[-4:], atol=6)
        seam = np.abs(eye.pixels[:, 0].astype(int) - eye.pixels[:, -1]).mean()
        assert seam < 1.5 * np.abs(np.diff(eye.pixels.astype(int), axis=1)).mean() + 1


def test_files(tmp_path: Path) -> None:
    photo = save_image(panorama(), tmp_path / "world.jpg")
    rows, columns = np.mgrid[:256, :512]
    save_image(
        Image(np.repeat((rows // 2 + 64 * (columns > 256))[..., None], 3, 2).astype(np.uint8)), tmp_path / "m.png"
    )
    given = DepthOptions(depth=str(tmp_path / "m.png"))
    assert [file.name for file in written_files(photo, None, "sbs")] == ["world_360_TB.jpg"]
    assert [file.name for file in written_files(photo, None, "sbs", DepthOptions(flat=True))] == [
        "world_LRF_Full_SBS.jpg"
    ]
    assert open_image(stereo(photo, None, StereoOptions(), given)).size == (512, 512)
    assert open_image(stereo(photo, tmp_path / "h.jpg", StereoOptions(format="vr180"), given)).size == (512, 256)
    assert open_image(stereo(photo, tmp_path / "v.vr.jpg", StereoOptions(), given)).size == (512, 256)
    flat = save_image(Image(texture(300, 200)), tmp_path / "flat.png")
    with pytest.raises(InvalidOption, match="flat; try vr180"):
        stereo(flat, None, StereoOptions(format="vr360"), DepthOptions(model="tiny"))
    assert Size(512, 256) == open_image(photo).size
