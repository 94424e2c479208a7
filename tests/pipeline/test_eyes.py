"""The two eyes of a photo: layout, order and options."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from depth3d.errors import InvalidInput, ReadError
from depth3d.image import Image
from depth3d.io.image.photofile import open_photo
from depth3d.io.image.read import open_image, save_image
from depth3d.io.stereo.layouts import likeness, seen_mark
from depth3d.options import DepthOptions
from depth3d.pipeline.eyes import find_eyes
from depth3d.pipeline.scene import load_scene


@pytest.fixture
def faults(shared: Path) -> Path:
    return shared / "data" / "faults"


def eyes(path: Path, **options: object):  # type: ignore[no-untyped-def]
    return find_eyes(open_photo(path), DepthOptions(**options))  # type: ignore[arg-type]


def test_two_square_eyes_are_full(faults: Path) -> None:
    pair = eyes(faults / "square.jpg")
    assert pair.size == (375, 375)
    assert "full" in pair.notes[0]


def test_an_unmarked_crossed_pair_is_turned_and_said(faults: Path) -> None:
    whole = open_image(faults / "unmarked_xview.jpg")
    pair = eyes(faults / "unmarked_xview.jpg")
    np.testing.assert_array_equal(pair.left.pixels, whole.pixels[:, 450:])
    assert any("exchanged" in note for note in pair.notes)


@pytest.mark.parametrize("name", ["cones", "motorcycle", "art"])
@pytest.mark.parametrize("crossed", [False, True])
def test_unmarked_pairs_come_out_in_the_right_order(shared: Path, tmp_path: Path, name: str, crossed: bool) -> None:
    folder = shared / "data" / "stereo" / name
    left, right = (open_image(folder / f"{eye}.png") for eye in ("left", "right"))
    halves = [right.pixels, left.pixels] if crossed else [left.pixels, right.pixels]
    pair = eyes(save_image(Image(np.hstack(halves)), tmp_path / "picture.png"))
    np.testing.assert_array_equal(pair.left.pixels, left.pixels)


def test_a_couple_of_slightly_different_sizes(faults: Path) -> None:
    pair = eyes(faults / "cam_L.jpg")
    assert pair.size == (447, 375)
    assert "cam_R.jpg" in pair.notes[0]


def test_coins_grids_and_copies_are_no_stereo(faults: Path) -> None:
    assert eyes(faults / "coins.png") is None
    photo = open_image(faults / "p.jpg").pixels
    for second in (photo, np.clip(photo * 0.6 + 60, 0, 255).astype(np.uint8), photo[:, ::-1]):
        assert seen_mark(Image(np.hstack([photo, second]))) is None  # before and after, mirrored
    rows, columns = np.mgrid[:300, :600]
    checks = ((rows // 20 + columns // 20) % 2 * 255).astype(np.uint8)
    assert seen_mark(Image(np.repeat(checks[..., None], 3, axis=2))) is None


def test_options_name_the_eyes(faults: Path, tmp_path: Path) -> None:
    whole = open_image(faults / "square.jpg").pixels
    left = save_image(Image(whole[:, :375]), tmp_path / "one.png")
    right = save_image(Image(whole[:, 375:]), tmp_path / "other.png")
    pair = eyes(left, second_eye=str(right))
    np.testing.assert_array_equal(pair.right.pixels, whole[:, 375:])
    assert eyes(faults / "square.jpg", stereo=False) is None
    swapped = eyes(faults / "square.jpg", swap_eyes=True)
    np.testing.assert_array_equal(swapped.left.pixels, whole[:, 375:])
    crossed = eyes(faults / "square.jpg", layout="cross")
    np.testing.assert_array_equal(crossed.left.pixels, whole[:, 375:])
    scene = load_scene(left, DepthOptions(second_eye=str(right)))
    assert "two eyes" in scene.how
    with pytest.raises(InvalidInput, match="expected sbs"):
        eyes(left, layout="anaglyph")
    with pytest.raises(ReadError, match="no second eye"):
        eyes(faults / "p.jpg", swap_eyes=True)
    with pytest.raises(ReadError, match="differ by more than 2 %"):
        eyes(left, second_eye=str(faults / "p.jpg"))


def test_ordinary_photos_stay_whole(shared: Path) -> None:
    photos = sorted((shared / "data" / "photos").glob("*/*.[jp][pn]g"))
    assert len(photos) > 20
    assert [path.name for path in photos if seen_mark(open_image(path)) is not None] == []


def test_repeated_blocks_are_ambiguous() -> None:
    tile = np.random.default_rng(0).integers(0, 255, (30, 30, 3), np.uint8)
    tiled = Image(np.tile(tile, (8, 10, 1)))
    assert likeness(tiled, tiled).ambiguous > 0.9
    assert not likeness(tiled, tiled).same_scene


def test_the_second_eye_of_a_couple_is_not_converted_again(faults: Path, tmp_path: Path) -> None:
    from depth3d.pipeline.inputs import expand

    for name in ("cam_L.jpg", "cam_R.jpg", "p.jpg"):
        (tmp_path / name).write_bytes((faults / name).read_bytes())
    (tmp_path / "road_right.jpg").write_bytes((faults / "p.jpg").read_bytes())  # no left eye of that name
    assert [one.path.name for one in expand([tmp_path])] == ["cam_L.jpg", "p.jpg", "road_right.jpg"]


def test_folders_leave_out_results_whose_picture_is_beside_them(tmp_path: Path) -> None:
    from depth3d.pipeline.inputs import expand

    for name in ("card.jpg", "card_left.jpg", "a.png", "a_L.jpg", "a_R.jpg", "a_redcyan_half.png", "a_qs8x6a0.75.png"):
        (tmp_path / name).write_bytes(b"x")
    for name in ("turn_left.jpg", "red_cross.jpg", "left.jpg", "x_L.jpg"):  # the user's own
        (tmp_path / name).write_bytes(b"x")
    kept = [one.path.name for one in expand([tmp_path])]
    assert kept == ["a.png", "card.jpg", "left.jpg", "red_cross.jpg", "turn_left.jpg", "x_L.jpg"]


def handheld(photo: np.ndarray, *, degrees: float, zoom: float, shift: float) -> np.ndarray:
    import cv2

    height, width = photo.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, zoom)
    turn[:, 2] += shift
    return np.asarray(cv2.warpAffine(photo, turn, (width, height), borderMode=cv2.BORDER_REFLECT))


@pytest.mark.parametrize(("degrees", "zoom", "shift"), [(0.8, 1.015, 5), (-1, 1.0, 3), (0.3, 1.02, -6), (0, 1.01, 0)])
def test_two_exposures_of_one_view_are_no_stereo(degrees: float, zoom: float, shift: float) -> None:
    from stereoscenes import texture

    photo = texture(480, 320, 5)
    second = handheld(photo, degrees=degrees, zoom=zoom, shift=shift)
    alike = likeness(Image(photo), Image(second))
    assert alike.coherent > 0.5
    assert not alike.has_depth


@pytest.mark.parametrize("seed", range(4))
def test_things_of_one_kind_are_no_stereo(seed: int) -> None:
    import cv2

    random = np.random.default_rng(seed)
    sheet = np.full((300, 600), 60, np.float32)
    for row in range(30, 290, 55):
        for column in range(30, 590, 57):
            place = (column + int(random.integers(-3, 4)), row + int(random.integers(-3, 4)))
            cv2.circle(sheet, place, 22, float(random.integers(110, 220)), -1)
            cv2.circle(sheet, (column, row), 11, 90, 2)
    noisy = np.clip(sheet + random.normal(0, 5, sheet.shape), 0, 255).astype(np.uint8)
    assert seen_mark(Image(np.repeat(noisy[..., None], 3, axis=2))) is None


def test_a_scene_keeps_its_depth_in_every_layout() -> None:
    from stereoscenes import scene_pair

    pair = scene_pair()
    for axis, packing in ((1, "side"), (0, "stack")):
        mark = seen_mark(Image(np.concatenate([pair.left.pixels, pair.right.pixels], axis)))
        assert mark is not None
        assert mark.packing == packing
