from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from photos_with_depth import gdepth_photo
from PIL import Image as Pillow

from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput, ReadError, WriteError
from depth3d.image import Image, Size
from depth3d.io.depth.read import find_depth, load_depth, read_depth
from depth3d.io.depth.write import contact_picture, write_depth
from depth3d.io.image.read import save_image

PHOTO = Image(np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8))


def scene() -> DepthMap:
    rows, columns = np.mgrid[:48, :64].astype(np.float32)
    values = (rows + columns) / 150
    values[10:30, 20:40] = 1
    return DepthMap(values)


# What each kind of file may lose: half a step of its bits, and JPEG's noise.
ROUND_TRIPS = {".png": 1 / 65535, ".tif": 1 / 65535, ".npy": 0, ".pfm": 0, ".exr": 0, ".jpg": 0.02, ".webp": 0.02}


@pytest.mark.parametrize("suffix", ROUND_TRIPS)
def test_depth_comes_back_through_every_format(tmp_path: Path, suffix: str) -> None:
    path = write_depth(scene(), tmp_path / f"photo_depth{suffix}")
    back = read_depth(path, size=Size(64, 48))
    edge = np.zeros((48, 64), bool)
    edge[8:32, 18:42] = True
    edge[12:28, 22:38] = False
    limit = np.where(edge, max(ROUND_TRIPS[suffix], 0.12 if suffix in (".jpg", ".webp") else 0), ROUND_TRIPS[suffix])
    assert (np.abs(back.values - scene().values) <= limit + 1e-7).all()


@pytest.mark.parametrize("heatmap", ["inferno", "turbo", "viridis", "jet"])
def test_heat_maps_come_back(tmp_path: Path, heatmap: str) -> None:
    path = write_depth(scene(), tmp_path / "photo_depth.png", heatmap=heatmap)
    found = load_depth(path)
    assert f"{heatmap} heat map" in found.how
    assert np.abs(found.depth.values - scene().values).max() < 5 / 255


@pytest.mark.parametrize(
    "name",
    [f"photo_depth{suffix}" for suffix in (".png", ".jpg", ".jpeg", ".webp", ".tif", ".exr", ".npy", ".pfm")]
    + ["photo-depth.png", "photo_disparity.png", "photo.npy", "photo_depth.PNG"],
)
def test_a_file_beside_the_photo_is_found(tmp_path: Path, name: str) -> None:
    photo = save_image(PHOTO, tmp_path / "photo.jpg")
    assert find_depth(photo) is None
    write_depth(scene(), tmp_path / name)
    found = find_depth(photo, image=PHOTO)
    assert found is not None
    assert found.how.startswith(f"depth from {name}: ")
    assert found.depth.size == Size(64, 48)
    other = find_depth(photo, invert=True)
    assert other is not None
    assert np.allclose(other.depth.values, 1 - found.depth.values, atol=1e-6)


@pytest.mark.parametrize("mode", ["L", "P", "LA", "RGB", "RGBA", "I;16", "F", "1"])
def test_every_way_to_store_gray(tmp_path: Path, mode: str) -> None:
    ramp = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (48, 1))
    if mode == "F":
        picture = Pillow.fromarray(ramp.astype(np.float32) / 3)  # any range: least to largest becomes 0 to 1
    elif mode == "I;16":
        picture = Pillow.fromarray(ramp.astype(np.uint16) * 257)
    else:
        picture = Pillow.fromarray(np.where(ramp > 127, 255, 0).astype(np.uint8) if mode == "1" else ramp).convert(mode)
    picture.save(tmp_path / "d.tif")
    wanted = (ramp > 127) if mode == "1" else ramp / (252 if mode == "F" else 255)
    assert np.abs(read_depth(tmp_path / "d.tif").values - wanted).max() < 1e-4


def test_a_photo_that_is_numbers_is_not_its_own_depth(tmp_path: Path) -> None:
    assert find_depth(write_depth(scene(), tmp_path / "photo.pfm")) is None


def test_the_habit_of_image_and_depth(tmp_path: Path) -> None:
    photo = save_image(PHOTO, tmp_path / "hut-image.jpg")
    write_depth(scene(), tmp_path / "hut-depth.jpg")
    assert find_depth(photo) is not None


def test_another_size_is_fine_another_shape_is_an_error(tmp_path: Path) -> None:
    small = write_depth(scene().resized(Size(21, 16)), tmp_path / "small.png")
    assert read_depth(small, size=Size(640, 480)).size == Size(21, 16)
    wide = write_depth(scene().resized(Size(64, 40)), tmp_path / "wide.png")
    with pytest.raises(ReadError, match=r"wide\.png: the depth map is 64x40 and the photo 640x480"):
        read_depth(wide, size=Size(640, 480))
    with pytest.raises(ReadError, match="turn"):
        read_depth(small, size=Size(480, 640))


def test_exif_turns_a_depth_file_too(tmp_path: Path) -> None:
    exif = Pillow.Exif()
    exif[274] = 6
    gray = np.zeros((64, 48), np.uint8)
    gray[:, :8] = 255  # the sensor's left is the top once it is turned by 90 degrees
    Pillow.fromarray(gray).save(tmp_path / "d.png", exif=exif.tobytes())
    depth = read_depth(tmp_path / "d.png")
    assert depth.size == Size(64, 48)
    assert depth.values[:8].min() == 1


def test_a_profile_does_not_bend_depth(tmp_path: Path) -> None:
    from PIL import ImageCms

    ramp = np.tile(np.arange(256, dtype=np.uint8), (8, 1))
    buffer = io.BytesIO()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    Pillow.fromarray(ramp).save(buffer, "PNG", icc_profile=profile)
    (tmp_path / "d.png").write_bytes(buffer.getvalue())
    assert np.allclose(read_depth(tmp_path / "d.png").values, ramp / 255, atol=1e-6)


@pytest.mark.parametrize(("encoding", "orientation"), [("RangeInverse", 1), ("RangeLinear", 1), ("RangeInverse", 6)])
def test_depth_inside_a_jpeg(tmp_path: Path, encoding: str, orientation: int) -> None:
    near, far = 2.0, 10.0
    distances = np.tile(np.linspace(near, far, 64), (48, 1))
    if encoding == "RangeInverse":
        stored = far * (distances - near) / (distances * (far - near))
    else:
        stored = (distances - near) / (far - near)
    (tmp_path / "photo.jpg").write_bytes(gdepth_photo(PHOTO, stored, encoding, near, far, orientation))
    found = find_depth(tmp_path / "photo.jpg")
    assert found is not None
    assert "depth inside photo.jpg: GDepth" in found.how
    wanted = (1 / distances - 1 / far) / (1 / near - 1 / far)
    assert np.abs(found.depth.values - (wanted if orientation == 1 else np.rot90(wanted, -1))).max() < 0.02
    assert np.array_equal(read_depth(tmp_path / "photo.jpg").values, found.depth.values)


@pytest.mark.parametrize("fault", ["damaged", "another shape"])
def test_depth_inside_that_does_not_fit_is_warned_about(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    stored = np.zeros((48, 64) if fault == "damaged" else (64, 48))
    data = gdepth_photo(PHOTO, stored, "RangeInverse", 1, 9, 1)
    if fault == "damaged":
        data = data.replace(b"iVBORw0KGgo", b"AAAAAAAAAAA")  # the start of every PNG in base64
    (tmp_path / "photo.jpg").write_bytes(data)
    assert find_depth(tmp_path / "photo.jpg") is None
    assert "not used" in caplog.text


def test_a_portrait_heic_holds_its_disparity(shared: Path, tmp_path: Path) -> None:
    (tmp_path / "pug.heic").write_bytes((shared / "data" / "awkward" / "pug.heic").read_bytes())
    found = find_depth(tmp_path / "pug.heic")
    assert found is not None
    assert "HEIC portrait disparity 1.5 to 4.38 1/m, white = near" in found.how
    reference = read_depth(shared / "data" / "awkward" / "pug_depth.png")
    assert np.abs(found.depth.values - reference.values).max() < 2 / 255


def test_real_photos_with_their_depth(shared: Path) -> None:
    folder = shared / "data" / "photos" / "with_depth"
    for name in ("depthy_hut-image.jpg", "depthy_mango-image.jpg", "oneshot_columns.jpg", "pug_iphone.jpg"):
        found = find_depth(folder / name)
        assert found is not None, name
        assert np.ptp(found.depth.values) > 0.6
    # Google's Lens Blur depth has light = far, which nothing in the file tells: it is asked about, not changed.
    found = find_depth(folder / "depthy_tunnel-image.jpg")
    assert found is not None
    assert "`invert_depth=True`" in found.how


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="xyz"):
        write_depth(scene(), tmp_path / "d.xyz")
    with pytest.raises(InvalidInput, match="numbers"):
        write_depth(scene(), tmp_path / "d.npy", heatmap="turbo")
    with pytest.raises(InvalidInput, match="inferno"):
        write_depth(scene(), tmp_path / "d.png", heatmap="rainbow")
    assert list(tmp_path.iterdir()) == []


def test_the_contact_picture_shows_photo_depth_and_colors() -> None:
    sheet = contact_picture(PHOTO, scene(), height=48)
    assert sheet.size == Size(3 * 64, 48)
    assert np.array_equal(sheet.pixels[:, :64], PHOTO.pixels)
    assert np.ptp(sheet.pixels[:, 64:128].astype(int), axis=2).max() == 0
    assert np.ptp(sheet.pixels[:, 128:].astype(int), axis=2).max() > 50


def test_the_polarity_is_asked_about_once(tmp_path: Path) -> None:
    values = np.linspace(9, 1, 60 * 80, dtype=np.float32).reshape(60, 80)
    values[5:9, 5:9] = np.nan
    np.save(tmp_path / "m.npy", values)
    assert load_depth(tmp_path / "m.npy").how.count("invert_depth") == 1
