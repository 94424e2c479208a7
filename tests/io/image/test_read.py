from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory import peak_kilobytes
from PIL import Image as Pillow
from PIL import ImageCms

from depth3d.errors import ExistsError, InvalidInput, ReadError, WriteError
from depth3d.image import Image, Size
from depth3d.io.image.read import encode_image, flatten, open_image, save_image

# Corner colors of a test picture, as rows of (top left, top right), (bottom left, bottom right).
CORNERS = np.array([[[200, 40, 40], [40, 180, 40]], [[40, 40, 200], [220, 220, 60]]], np.uint8)


def quarters(width: int = 64, height: int = 48) -> np.ndarray:
    rows = np.repeat([0, 1], height // 2)
    columns = np.repeat([0, 1], width // 2)
    return CORNERS[rows][:, columns]


def corners(image: Image) -> np.ndarray:
    height, width = image.pixels.shape[:2]
    return image.pixels[[[height // 4] * 2, [3 * height // 4] * 2], [[width // 4, 3 * width // 4]] * 2]


def failure(opening: Callable[[], Image]) -> str | None:
    """The message of the ReadError that ``opening`` ends in, or None; any other exception passes."""
    try:
        opening()
    except ReadError as error:
        return str(error)
    return None


def encoded(pixels: np.ndarray, kind: str, **settings: object) -> bytes:
    buffer = io.BytesIO()
    Pillow.fromarray(pixels).save(buffer, kind, **settings)
    return buffer.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "PNG", "TIFF"])
def test_exif_orientation_is_applied(orientation: int, kind: str) -> None:
    upright = quarters()
    # What a camera stores so that the viewer, following the tag, sees `upright`.
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.swapaxes(0, 1),
        6: np.rot90(upright, 1),
        7: np.rot90(upright, 2).swapaxes(0, 1),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Pillow.Exif()
    exif[274] = orientation
    image = open_image(encoded(np.ascontiguousarray(stored), kind, exif=exif.tobytes()))
    assert image.size == Size(64, 48)
    assert np.abs(corners(image).astype(int) - CORNERS).max() < 30


def test_a_wide_profile_is_converted_to_srgb() -> None:
    # A profile with red and green exchanged: the picture must come out with them exchanged back.
    plain = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = bytearray(plain)
    tags = {bytes(swapped[132 + 12 * n : 136 + 12 * n]): 132 + 12 * n for n in range(swapped[131])}
    red, green = tags[b"rXYZ"] + 4, tags[b"gXYZ"] + 4
    swapped[red : red + 8], swapped[green : green + 8] = swapped[green : green + 8], swapped[red : red + 8]
    name = bytes(swapped).find("sRGB".encode("utf-16-be"))
    swapped[name : name + 8] = "XXXX".encode("utf-16-be")
    pixels = np.full((8, 8, 3), (220, 30, 60), np.uint8)
    image = open_image(encoded(pixels, "PNG", icc_profile=bytes(swapped)))
    assert np.abs(image.pixels[0, 0].astype(int) - (30, 220, 60)).max() <= 3
    raw = open_image(encoded(pixels, "PNG", icc_profile=bytes(swapped)), color_managed=False)
    assert raw.pixels[0, 0].tolist() == [220, 30, 60]


def test_a_damaged_profile_is_ignored_and_told() -> None:
    image = open_image(encoded(quarters(), "PNG", icc_profile=b"no profile at all"))
    assert np.array_equal(image.pixels, quarters())
    assert "damaged" in image.notes[0]


def test_cmyk_gray_and_lab_become_srgb() -> None:
    buffer = io.BytesIO()
    Pillow.fromarray(quarters()).convert("CMYK").save(buffer, "JPEG", quality=95)
    assert np.abs(corners(open_image(buffer.getvalue())).astype(int) - CORNERS).max() < 12
    gray = open_image(encoded(np.full((4, 4), 77, np.uint8), "PNG"))
    assert np.unique(gray.pixels).tolist() == [77]
    lab = Pillow.new("LAB", (4, 4), (138, 209, 198))  # L* 54.3, a* 81, b* 70 at D50: pure red
    buffer = io.BytesIO()
    lab.save(buffer, "TIFF")
    assert np.abs(open_image(buffer.getvalue()).pixels[0, 0].astype(int) - (255, 0, 0)).max() <= 6


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_alpha_is_kept_and_opaque_alpha_is_none(kind: str) -> None:
    pixels = np.dstack([quarters(), np.full((48, 64), 255, np.uint8)])
    assert open_image(encoded(pixels, kind, lossless=True)).alpha is None
    pixels[:, :10, 3] = 0
    alpha = open_image(encoded(pixels, kind, lossless=True)).alpha
    assert alpha is not None
    assert np.array_equal(alpha, pixels[..., 3])


def test_palettes_with_a_transparent_color() -> None:
    picture = Pillow.new("P", (2, 1))
    picture.putpalette([10, 20, 30, 200, 100, 50])
    picture.putdata([0, 1])
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", transparency=0)
    image = open_image(buffer.getvalue())
    assert image.pixels.tolist() == [[[10, 20, 30], [200, 100, 50]]]
    assert image.alpha is not None
    assert image.alpha.tolist() == [[0, 255]]


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("with_alpha", [False, True])
def test_sixteen_bits_survive_a_round_trip(tmp_path: Path, suffix: str, with_alpha: bool) -> None:
    generator = np.random.default_rng(1)
    pixels = generator.integers(0, 65536, (9, 7, 3), dtype=np.uint16)
    alpha = generator.integers(0, 65535, (9, 7), dtype=np.uint16) if with_alpha else None
    back = open_image(save_image(Image(pixels, alpha), tmp_path / f"deep{suffix}"))
    assert back.pixels.dtype == np.uint16
    assert np.array_equal(back.pixels, pixels)
    assert (back.alpha is None) if alpha is None else np.array_equal(back.alpha, alpha)


def test_gray_of_sixteen_bits_stays_exact() -> None:
    gray = np.arange(0, 65536, 257, dtype=np.uint16).reshape(16, 16)
    image = open_image(encoded(gray, "PNG"))
    assert np.array_equal(image.pixels[..., 1], gray)


def test_at_most_shrinks_while_loading() -> None:
    data = encoded(np.repeat(np.repeat(quarters(), 20, 0), 20, 1), "JPEG", quality=95)
    image = open_image(data, at_most=200)
    assert image.size == Size(200, 150)
    assert np.abs(corners(image).astype(int) - CORNERS).max() < 12
    assert open_image(data, at_most=5000).size == Size(1280, 960)


def test_several_pictures_in_one_file_give_the_first_and_say_so() -> None:
    first, second = Pillow.new("RGB", (8, 8), (250, 0, 0)), Pillow.new("RGB", (8, 8), (0, 0, 250))
    buffer = io.BytesIO()
    first.save(buffer, "GIF", save_all=True, append_images=[second])
    image = open_image(buffer.getvalue())
    assert image.pixels[0, 0].tolist() == [250, 0, 0]
    assert "first of 2" in image.notes[0]


def test_the_lens_is_read_from_exif() -> None:
    exif = Pillow.Exif()
    exif.get_ifd(0x8769)[0xA405] = 28
    assert open_image(encoded(quarters(), "JPEG", exif=exif.tobytes())).focal_35mm == 28
    # 5000 pixels at 5000 per 22.2 mm and a lens of 18 mm: as 18 * 36 / 22.2 on film.
    exif = Pillow.Exif()
    exif.get_ifd(0x8769).update({0x920A: 18.0, 0xA20E: 5000 / 2.22, 0xA210: 3, 0xA002: 5000, 0xA003: 3333})
    focal = open_image(encoded(quarters(), "JPEG", exif=exif.tobytes())).focal_35mm
    assert focal == pytest.approx(29.19, abs=0.01)
    assert open_image(encoded(quarters(), "JPEG")).focal_35mm is None


def test_arrays_and_pillow_pictures_are_taken_as_they_are() -> None:
    assert np.array_equal(open_image(quarters()).pixels, quarters())
    assert np.array_equal(open_image(Pillow.fromarray(quarters())).pixels, quarters())
    rgba = np.dstack([quarters(), np.full((48, 64), 9, np.uint8)])
    assert np.array_equal(open_image(rgba).alpha, rgba[..., 3])
    with pytest.raises(InvalidInput, match="float64"):
        open_image(np.zeros((4, 4, 3)))


def test_what_is_no_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"gone\.jpg: there is no such file"):
        open_image(tmp_path / "gone.jpg")
    with pytest.raises(ReadError, match="is a folder"):
        open_image(tmp_path)
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(ReadError, match="empty"):
        open_image(tmp_path / "empty.jpg")
    # PostScript would start Ghostscript.
    with pytest.raises(ReadError, match="unsupported or corrupt image file"):
        open_image(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n%%EndComments\n")


@pytest.mark.security
def test_a_picture_that_claims_too_much_is_refused_before_decoding() -> None:
    bomb = bytearray(encoded(np.zeros((1, 1), np.uint8), "BMP"))
    bomb[18:26] = (20000).to_bytes(4, "little") * 2
    with pytest.raises(ReadError, match="megapixels"):
        open_image(bytes(bomb))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damage_never_gives_anything_but_a_picture_or_one_error(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "PPM"]))
    whole = bytearray(encoded(quarters(), kind))
    cut = data.draw(st.integers(1, len(whole)))
    for place in data.draw(st.lists(st.integers(0, cut - 1), max_size=4)):
        whole[place] = data.draw(st.integers(0, 255))
    message = failure(lambda: open_image(bytes(whole[:cut])))
    assert message is None or "\n" not in message


def test_flattening_puts_white_below() -> None:
    image = Image(np.zeros((1, 3, 3), np.uint8), np.array([[0, 51, 255]], np.uint8))
    assert flatten(image).pixels[0, :, 0].tolist() == [255, 204, 0]
    assert flatten(image).alpha is None


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".avif", ".bmp"])
def test_saved_pictures_come_back(tmp_path: Path, suffix: str) -> None:
    path = save_image(Image(quarters()), tmp_path / f"ünï {suffix}")
    assert np.abs(corners(open_image(path)).astype(int) - CORNERS).max() <= 6
    with pytest.raises(ExistsError):
        save_image(Image(quarters()), path)
    save_image(Image(quarters()), path, force=True)


def test_an_unknown_suffix_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="xyz"):
        save_image(Image(quarters()), tmp_path / "picture.xyz")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(WriteError):
        encode_image(Image(quarters()), "")


AWKWARD_ERRORS = {
    "broken.png",
    "broken_data_stream.png",
    "corrupted.heic",
    "decompression_bomb.gif",
    "made_empty.jpg",
    "negative_size.ppm",
    "png_decompression_dos.png",
    "truncated_end_chunk.png",
    "truncated_image.png",
    "truncated_jpeg.jpg",
    "ultrahdr.jpg",  # cut off after its headers
    "zero_width.gif",
}


def test_every_awkward_file_opens_or_ends_in_one_line(shared: Path) -> None:
    files = sorted((shared / "data" / "awkward").iterdir())
    assert len(files) > 80
    failures = {path.name: failure(partial(open_image, path)) for path in files}
    assert {name for name, message in failures.items() if message is not None} == AWKWARD_ERRORS
    assert not [message for message in failures.values() if message is not None and "\n" in message]


def test_known_awkward_colors_and_orientation(shared: Path) -> None:
    folder = shared / "data" / "awkward"
    hopper = open_image(folder / "hopper.webp").pixels.astype(float)
    for number in range(2, 9):
        turned = open_image(folder / f"hopper_orientation_{number}.jpg").pixels
        assert np.abs(turned - hopper).mean() < 6, number
    coffee = open_image(folder / "made_progressive.jpg").pixels.astype(float)
    assert np.abs(open_image(folder / "made_cmyk_adobe.jpg").pixels - coffee).mean() < 4
    assert np.abs(open_image(folder / "made_palette_alpha.png").pixels - coffee).mean() < 12
    fields = [open_image(folder / name).pixels.astype(float) for name in ("rot0mir0.avif", "rot1mir0.avif")]
    assert np.abs(fields[0] - fields[1])[:100, :200].mean() < 12


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is in kilobytes on Linux only")
def test_the_largest_pictures_stay_below_two_gigabytes(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    make = "import sys, PIL.Image as P; P.new('RGB', (12000, 10500), (9, 99, 199)).save(sys.argv[1])"
    subprocess.run([sys.executable, "-c", make, str(path)], check=True)
    read = (
        "import sys; from depth3d.io.image.read import open_image; i = open_image(sys.argv[1]);"
        "assert i.size.pixels == 126_000_000"
    )
    assert peak_kilobytes(read, path) < 2_000_000


def test_odd_tags_of_raw_files_are_not_logged(tmp_path: Path) -> None:
    """Run as a program: one line, the one that says what to do."""
    import struct
    import subprocess
    import sys

    tags = [(256, 4, 1, 8), (257, 4, 1, 8), (258, 3, 1, 8), (262, 3, 1, 2), (271, 2, 40, 5000000), (277, 3, 1, 3)]
    tags += [(330, 4, 2, 9000000), (50706, 1, 4, 0x401), (50708, 99, 4, 2)]
    body = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    path = tmp_path / "a.dng"
    path.write_bytes(b"II*\0" + struct.pack("<IH", 8, len(tags)) + body + struct.pack("<I", 99999999) + bytes(500))
    ran = subprocess.run(
        [sys.executable, "-m", "depth3d", "depth", str(path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode != 0
    assert [line for line in ran.stderr.splitlines() if line] == [
        f"depth3d: {path}: is a raw camera file; develop it first (save it as JPEG, PNG or TIFF)"
    ]


@pytest.mark.parametrize(("suffix", "all_readers"), [(".png", False), (".jpg", False), (".webp", True)])
def test_only_the_readers_that_a_file_needs_are_loaded(suffix: str, all_readers: bool, tmp_path: Path) -> None:
    path = save_image(Image(quarters()), tmp_path / f"photo{suffix}")
    code = (
        "import sys\nfrom depth3d.io.image.read import open_image, picture_size\n"
        f"from depth3d.io.image.photofile import open_photo\nphoto = open_photo({str(path)!r})\n"
        "assert open_image(photo).size == picture_size(photo) == (64, 48)\n"
        "print('PIL.PdfImagePlugin' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said.strip() == str(all_readers)
