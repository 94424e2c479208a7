"""Make the files of awkward/, with Pillow and pillow-heif only: `PYTHONPATH=tests python tests/data/make_awkward.py`.

The pictures are examples/coffee.jpg (CC0), small, and the drawn stereo scene of tests/stereoscenes.py.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image, ImageCms
from stereoscenes import scene_pair

HERE = Path(__file__).parent
FOLDER = HERE / "awkward"
SIZE = (144, 96)


def jpeg(picture: Image.Image, **settings: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=90, **settings)
    return buffer.getvalue()


def turned(picture: Image.Image, orientation: int) -> tuple[Image.Image, bytes]:
    """What a camera stores for this orientation, and its EXIF block."""
    ways = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    return picture.transpose(ways[orientation]), exif.tobytes()


def photos(coffee: Image.Image) -> None:
    """Pictures that are fine, stored in uncommon ways: each must look like coffee.png."""
    coffee.save(FOLDER / "coffee.png")
    for orientation in range(2, 9):
        stored, exif = turned(coffee, orientation)
        (FOLDER / f"orientation_{orientation}.jpg").write_bytes(jpeg(stored, exif=exif))
    (FOLDER / "progressive.jpg").write_bytes(jpeg(coffee, progressive=True))
    (FOLDER / "cmyk.jpg").write_bytes(jpeg(coffee.convert("CMYK")))
    (FOLDER / "png_named.jpg").write_bytes((FOLDER / "coffee.png").read_bytes())
    (FOLDER / "no_suffix").write_bytes(jpeg(coffee))
    coffee.save(FOLDER / "photo.webp", quality=90)
    coffee.quantize(256).save(FOLDER / "palette.png")
    coffee.save(FOLDER / "photo.avif", quality=80)
    pillow_heif.from_pillow(coffee).save(FOLDER / "photo.heic", quality=80)
    coffee.save(FOLDER / "lzw.tif", compression="tiff_lzw")
    lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    applied = ImageCms.applyTransform(coffee, lab)
    assert applied is not None
    applied.save(FOLDER / "lab.tif", compression="tiff_lzw")


def oddities(coffee: Image.Image) -> None:
    """Pictures of unusual kind or shape, and files that are none."""
    gray = np.asarray(coffee.convert("L"))
    Image.fromarray(gray.astype(np.uint16) * 257).save(FOLDER / "gray_16bit.png")
    coffee.convert("L").save(FOLDER / "gray.jpg", quality=90)
    coffee.convert("1").save(FOLDER / "one_bit.png")
    Image.new("RGB", (1, 1), (10, 200, 30)).save(FOLDER / "one_pixel.png")
    coffee.resize((600, 8)).save(FOLDER / "strip.png")
    alpha = coffee.convert("RGBA")
    alpha.putalpha(Image.fromarray(np.tile(np.linspace(0, 255, SIZE[0]).astype(np.uint8), (SIZE[1], 1))))
    alpha.save(FOLDER / "alpha.png")
    frames = [coffee.rotate(angle) for angle in (0, 20, 40)]
    frames[0].save(FOLDER / "animated.gif", save_all=True, append_images=frames[1:], duration=100)
    whole = jpeg(coffee)
    (FOLDER / "truncated.jpg").write_bytes(whole[: len(whole) // 2])
    (FOLDER / "header_only.jpg").write_bytes(whole[:300])
    (FOLDER / "empty.jpg").write_bytes(b"")
    (FOLDER / "text.png").write_text("This is no picture.\n")
    damaged = bytearray((FOLDER / "coffee.png").read_bytes())
    damaged[len(damaged) // 2 : len(damaged) // 2 + 64] = bytes(64)
    (FOLDER / "damaged.png").write_bytes(damaged)
    (FOLDER / "truncated.heic").write_bytes((FOLDER / "photo.heic").read_bytes()[:2000])
    for name, width, height in (("bomb.gif", 65535, 65535), ("zero_width.gif", 0, 16)):
        size = width.to_bytes(2, "little") + height.to_bytes(2, "little")
        data = b"GIF89a" + size + bytes(3) + b"," + bytes(4) + size + b"\x00\x02\x02D\x01\x00;"
        (FOLDER / name).write_bytes(data)


def stereo() -> None:
    """Two pictures in one file, as cameras and programs leave them."""
    pair = scene_pair(240, 160)
    left, right = (Image.fromarray(eye.pixels) for eye in (pair.left, pair.right))
    buffer = io.BytesIO()
    left.save(buffer, "MPO", save_all=True, append_images=[right], quality=90)
    data = buffer.getvalue()
    (FOLDER / "pair.mpo").write_bytes(data)
    # An editor that rewrites the first picture leaves offsets behind that point nowhere.
    second = data.rindex(b"\xff\xd8\xff")
    (FOLDER / "pair_wrong_offset.mpo").write_bytes(data[:second] + bytes(40) + data[second:])
    (FOLDER / "pair_named.jpg").write_bytes(data)
    buffer = io.BytesIO()
    left.save(buffer, "MPO", save_all=True, append_images=[right.resize((120, 80))], quality=90)
    (FOLDER / "two_sizes.mpo").write_bytes(buffer.getvalue())
    crossed = Image.fromarray(np.hstack([pair.right.pixels, pair.left.pixels]))
    (FOLDER / "crossed.jps").write_bytes(jpeg(crossed))


def depth() -> None:
    """The same numbers as PFM of both byte orders, lowest row first."""
    rows, columns = np.mgrid[:24, :32]
    values = (1 + rows + columns / 8).astype(np.float32)[::-1]
    (FOLDER / "little.pfm").write_bytes(b"Pf\n32 24\n-1.0\n" + values.astype("<f4").tobytes())
    (FOLDER / "big.pfm").write_bytes(b"Pf\n32 24\n1.0\n" + values.astype(">f4").tobytes())


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    coffee = (
        Image.open(HERE.parents[1] / "examples" / "coffee.jpg").convert("RGB").resize(SIZE, Image.Resampling.LANCZOS)
    )
    photos(coffee)
    oddities(coffee)
    stereo()
    depth()


if __name__ == "__main__":
    main()
