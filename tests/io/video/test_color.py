"""Colors of decoded frames against the equations of ITU-R BT.601, BT.709 and BT.2020, for every kind of coding."""

from __future__ import annotations

import itertools
import subprocess
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from clips import FFMPEG
from numpy.typing import NDArray
from PIL import Image as Pillow

from depth3d.io.video.color import Converter, bit_depth, stored_color
from depth3d.io.video.reader import VideoReader
from depth3d.io.video.tonemap import to_709

WEIGHTS = {1: (0.2126, 0.0722), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}  # matrix -> Kr, Kb
SUBSAMPLING = {"420": (2, 2), "422": (2, 1), "444": (1, 1)}


def smooth(width: int, height: int) -> NDArray[np.float64]:
    """Saturated but smooth colors, (H, W, 3) in [0, 1]: chroma at half the resolution loses nothing."""
    y, x = np.mgrid[0:height, 0:width] / max(width, height)
    return np.stack([0.5 + 0.45 * np.sin(3 * x + p) * np.cos(2 * y + p) for p in (0, 2, 4)], axis=-1)


def coded(rgb: NDArray[np.float64], sub: str, bits: int, full: bool, matrix: int) -> Any:
    """A tagged frame whose planes are computed by the standard's equations; chroma sited at the left."""
    height, width = rgb.shape[:2]
    kr, kb = WEIGHTS[matrix]
    luma = rgb @ (kr, 1 - kr - kb, kb)
    blue, red = (rgb[..., 2] - luma) / (2 - 2 * kb), (rgb[..., 0] - luma) / (2 - 2 * kr)
    scale = 2 ** (bits - 8)
    top = 2**bits - 1
    planes = [luma * top if full else (16 + 219 * luma) * scale]
    planes += [128 * scale + (part * top if full else 224 * scale * part) for part in (blue, red)]
    dx, dy = SUBSAMPLING[sub]
    for n in (1, 2):
        padded = np.pad(planes[n], ((0, height % dy), (1, 1 + width % dx)), mode="edge")
        rows = padded.reshape(-1, dy, padded.shape[1]).mean(axis=1)
        if dx == 2:  # sited on the even columns: weights 1, 2, 1
            columns = range(1, width + 1, 2)
            rows = np.stack([(rows[:, c - 1] + 2 * rows[:, c] + rows[:, c + 1]) / 4 for c in columns], axis=1)
        else:
            rows = rows[:, 1 : width + 1]
        planes[n] = rows
    name = f"yuv{sub}p" + (f"{bits}le" if bits > 8 else "")
    frame: Any = av.VideoFrame(width, height, name)
    for plane, values in zip(frame.planes, planes, strict=True):
        data = np.zeros((plane.height, plane.line_size), np.uint8)
        samples = np.clip(np.round(values), 0, top).astype(np.uint16 if bits > 8 else np.uint8)
        raw = np.ascontiguousarray(samples).view(np.uint8)
        data[: raw.shape[0], : raw.shape[1]] = raw
        plane.update(data.tobytes())
    frame.colorspace, frame.color_range = matrix, 2 if full else 1
    frame.color_primaries = frame.color_trc = 1
    return frame


MATRIX = list(itertools.product(SUBSAMPLING, (8, 10, 12), ((64, 48), (65, 48), (64, 49), (65, 49)), (False, True)))


@pytest.mark.parametrize("matrix", WEIGHTS)
def test_every_coding_gives_the_colors_of_the_equations(matrix: int) -> None:
    wrong = {}
    for sub, bits, size, full in MATRIX:
        rgb = smooth(*size)
        frame = coded(rgb, sub, bits, full, matrix)
        found = Converter(stored_color(frame), bit_depth(frame), tone_map=False).image(frame)
        found = found / (65535 if found.dtype == np.uint16 else 255)
        difference = float(np.abs(found - rgb).mean(axis=(0, 1)).max()) * 255
        if difference > 2:
            wrong[sub, bits, size, full] = round(difference, 1)
    assert not wrong


def test_odd_width_in_ten_bits_keeps_its_hues(tmp_path: Path) -> None:
    rgb = smooth(321, 240)
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream: Any = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 321, 240, "yuv420p10le"
        stream.codec_context.colorspace = stream.codec_context.color_range = 1
        frame = coded(rgb, "420", 10, False, 1)
        frame.pts = 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with VideoReader(tmp_path / "a.mkv") as reader:
        found = next(iter(reader)).image.pixels / 65535
    assert np.abs(found - rgb).mean(axis=(0, 1)).max() * 255 < 2


def test_untagged_pictures_are_guessed_by_their_size() -> None:
    for size, matrix in (((640, 480), 6), ((1280, 720), 1)):
        rgb = smooth(*size)
        frame = coded(rgb, "420", 8, False, matrix)
        frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc = 2, 0, 2, 2
        found = Converter(stored_color(frame), 8, tone_map=False).image(frame) / 255
        assert np.abs(found - rgb).mean(axis=(0, 1)).max() * 255 < 2


@pytest.mark.parametrize("bits", [8, 10])
@pytest.mark.parametrize("primaries", [5, 6, 9, 12])
def test_other_primaries_are_shown_as_the_equations_say(bits: int, primaries: int) -> None:
    rgb = smooth(64, 48)
    frame = coded(rgb, "444", bits, False, 1)
    frame.color_primaries = primaries
    found = Converter(stored_color(frame), bit_depth(frame), tone_map=False).image(frame)
    expected = np.clip(rgb**2.4 @ to_709(primaries).T, 0, 1) ** (1 / 2.4)
    difference = np.abs(found / (65535 if bits > 8 else 255) - expected).mean(axis=(0, 1)).max() * 255
    assert difference < 1.5


def test_the_matrix_of_bt2020_is_that_of_bt2087() -> None:
    published = [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
    assert to_709(9) == pytest.approx(np.array(published), abs=2e-4)
    assert to_709(11) @ np.ones(3) == pytest.approx(np.ones(3), abs=1e-3)  # white stays white


@pytest.mark.parametrize("name", ["bt709", "smpte170m", "bt2020nc"])
@pytest.mark.parametrize("form", ["yuv420p", "yuv422p10le", "yuv444p12le"])
def test_files_look_as_zscale_shows_them(tmp_path: Path, name: str, form: str) -> None:
    """Another witness: ffmpeg's zscale, for whole files with their tags."""
    primaries = {"bt2020nc": "bt2020"}.get(name, name)
    transfer = {"bt2020nc": "bt709"}.get(name, name)
    rgb = np.round(smooth(64, 48) * 255).astype(np.uint8)
    Pillow.fromarray(rgb).save(tmp_path / "a.png")
    tags = f"setparams=colorspace={name}:color_primaries={primaries}:color_trc={transfer}:range=tv"
    coding = f"zscale=matrixin=gbr:rangein=full:matrix={name}:range=limited,format={form},{tags}"
    stored = ["-colorspace", name, "-color_primaries", primaries, "-color_trc", transfer, "-color_range", "tv"]
    clip = tmp_path / "a.mkv"
    zscale("-i", str(tmp_path / "a.png"), "-vf", coding, "-c:v", "ffv1", *stored, str(clip))
    shown = (
        f"zscale=matrixin={name}:rangein=limited:primariesin={primaries}:transferin={transfer}:matrix=gbr:range=full"
    )
    shown += ":primaries=bt709:transfer=bt709,format=gbrp16le,format=rgb48le"
    raw = zscale("-i", str(clip), "-vf", shown, "-f", "rawvideo", "-")
    expected = np.frombuffer(raw, np.uint16).reshape(48, 64, 3) / 65535
    with VideoReader(clip) as reader:
        found = next(iter(reader)).image.pixels
    found = found / (65535 if found.dtype == np.uint16 else 255)
    assert np.abs(found - expected).mean(axis=(0, 1)).max() * 255 < 2


def zscale(*words: str) -> bytes:
    found = subprocess.run([FFMPEG, "-nostdin", "-v", "error", "-y", *words], capture_output=True, check=False)
    if found.returncode and b"zscale" in found.stderr:
        pytest.skip("this ffmpeg has no zscale")
    assert not found.returncode, found.stderr
    return found.stdout
