"""A photo file is opened and decoded once, whatever is asked of it."""

from __future__ import annotations

import builtins
import io
import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageFile

from depth3d.depthmap import DepthMap
from depth3d.io.depth.embed import embed_depth
from depth3d.io.image.read import encode_image, open_image
from depth3d.options import DepthOptions
from depth3d.pipeline.depthmap import save_depth
from depth3d.pipeline.scene import load_scene


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count opens by file name, in Python's open, io.open and os.open."""
    counts: Counter[str] = Counter()

    def counted(real: Any) -> Any:
        def call(file: Any, *args: Any, **settings: Any) -> Any:
            if isinstance(file, str | os.PathLike):
                counts[Path(file).name] += 1
            return real(file, *args, **settings)

        return call

    for module, name in ((builtins, "open"), (io, "open"), (os, "open")):
        monkeypatch.setattr(module, name, counted(getattr(module, name)))
    return counts


def photo(tmp_path: Path, *, depth: bool) -> Path:
    rows, columns = np.mgrid[:120, :160]
    pixels = np.stack([rows * 2, columns, (rows * columns) % 251], axis=2).astype(np.uint8)
    data = encode_image(open_image(pixels), ".jpg")
    if depth:
        data = embed_depth(data, DepthMap((rows / 120).astype(np.float32)), "gdepth")
    path = tmp_path / "photo.jpg"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("depth", [True, False], ids=["depth inside", "plain"])
def test_a_scene_opens_its_photo_once(tmp_path: Path, opened: Counter[str], depth: bool) -> None:
    path = photo(tmp_path, depth=depth)
    opened.clear()
    load_scene(path, DepthOptions(model="auto" if depth else "tiny"))
    assert opened["photo.jpg"] == 1


def test_embedding_depth_opens_the_photo_once(tmp_path: Path, opened: Counter[str]) -> None:
    from depth3d.options import DepthMapOptions

    path = photo(tmp_path, depth=True)
    opened.clear()
    save_depth(path, None, DepthMapOptions(embed="dynamic"))
    assert opened["photo.jpg"] == 1


def test_the_picture_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = photo(tmp_path, depth=True)
    sizes: list[tuple[int, int]] = []
    real = ImageFile.ImageFile.load

    def load(self: Any) -> Any:
        if self.tile:
            sizes.append(self.size)
        return real(self)

    monkeypatch.setattr(ImageFile.ImageFile, "load", load)
    load_scene(path)
    # The photo and the depth picture inside it, which has the same size.
    assert sizes == [(160, 120), (160, 120)]
    assert Pillow.open(path).size == (160, 120)
