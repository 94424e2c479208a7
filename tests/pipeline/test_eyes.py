"""The two eyes of a photo: layout, order and options."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from stereoscenes import scene_pair, texture

from depth3d.errors import InvalidInput, ReadError
from depth3d.image import Image
from depth3d.io.image.photofile import open_photo
from depth3d.io.image.read import open_image, save_image
from depth3d.io.stereo.layouts import likeness, seen_layout
from depth3d.options import DepthOptions
from depth3d.pipeline.eyes import find_eyes
from depth3d.pipeline.scene import load_scene


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pairs drawn by formula: full square eyes, a crossed pair, a couple of two sizes, and an ordinary photo."""
    folder = tmp_path_factory.mktemp("drawn")
    square, wide = scene_pair(240, 240), scene_pair()
    for name, pixels in (
        ("square", np.hstack([square.left.pixels, square.right.pixels])),
        ("unmarked_xview", np.hstack([wide.right.pixels, wide.left.pixels])),
        ("cam_L", wide.left.pixels),
        ("cam_R", wide.right.pixels[:, :317]),
        ("p", texture(320, 240, 5)),
    ):
        save_image(Image(pixels), folder / f"{name}.png")
    return folder


def eyes(path: Path, **options: object):  # type: ignore[no-untyped-def]
    return find_eyes(open_photo(path), DepthOptions(**options))  # type: ignore[arg-type]


def test_two_square_eyes_are_full(drawn: Path) -> None:
    pair = eyes(drawn / "square.png")
    assert pair.size == (240, 240)
    assert "full" in pair.notes[0]


def test_an_unmarked_crossed_pair_is_turned_and_said(drawn: Path) -> None:
    whole = open_image(drawn / "unmarked_xview.png")
    pair = eyes(drawn / "unmarked_xview.png")
    np.testing.assert_array_equal(pair.left.pixels, whole.pixels[:, 320:])
    assert any("exchanged" in note for note in pair.notes)


def assert_order_is_found(left: Image, right: Image, folder: Path) -> None:
    for name, halves in (("parallel", [left, right]), ("crossed", [right, left])):
        pair = eyes(save_image(Image(np.hstack([eye.pixels for eye in halves])), folder / f"{name}.png", force=True))
        np.testing.assert_array_equal(pair.left.pixels, left.pixels)


@pytest.mark.parametrize(("near", "far"), [(8, -3), (5, -6), (12, 2)])
def test_unmarked_pairs_come_out_in_the_right_order(near: int, far: int, tmp_path: Path) -> None:
    pair = scene_pair(near=near, far=far)
    assert_order_is_found(pair.left, pair.right, tmp_path)


def test_real_unmarked_pairs_come_out_in_the_right_order(shared: Path, tmp_path: Path) -> None:
    for name in ("cones", "motorcycle", "art"):
        folder = shared / "data" / "stereo" / name
        assert_order_is_found(open_image(folder / "left.png"), open_image(folder / "right.png"), tmp_path)


def test_a_couple_of_slightly_different_sizes(drawn: Path) -> None:
    pair = eyes(drawn / "cam_L.png")
    assert pair.size == (317, 240)
    assert "cam_R.png" in pair.notes[0]


def test_the_right_file_of_a_couple_has_the_depth_of_its_own_eye(drawn: Path) -> None:
    left, right = load_scene(drawn / "cam_L.png"), load_scene(drawn / "cam_R.png")
    assert "which is the right one" in right.how
    assert not right.part
    assert (right.image.pixels == open_image(drawn / "cam_R.png").pixels).all()
    # The near disc: left of its place in the left eye.
    columns = [np.argwhere(scene.depth.values > 0.5)[:, 1].mean() for scene in (left, right)]
    assert 2 < columns[0] - columns[1] < 20
    flat = load_scene(drawn / "cam_R.png", DepthOptions(stereo=False))
    assert "network" in flat.how


def test_coins_are_no_stereo(tmp_path: Path) -> None:
    coins = pytest.importorskip("skimage.data").coins()
    assert eyes(save_image(Image(np.repeat(coins[..., None], 3, axis=2)), tmp_path / "coins.png")) is None


def test_grids_and_copies_are_no_stereo(drawn: Path) -> None:
    photo = open_image(drawn / "p.png").pixels
    for second in (photo, np.clip(photo * 0.6 + 60, 0, 255).astype(np.uint8), photo[:, ::-1]):
        assert seen_layout(Image(np.hstack([photo, second]))) is None  # before and after, mirrored
    rows, columns = np.mgrid[:300, :600]
    checks = ((rows // 20 + columns // 20) % 2 * 255).astype(np.uint8)
    assert seen_layout(Image(np.repeat(checks[..., None], 3, axis=2))) is None


@pytest.mark.parametrize("seed", range(4))
def test_a_wallpaper_whose_columns_are_offset_is_no_stereo(shared: Path, seed: int) -> None:
    photo = open_image(shared / "data" / "photos" / "open" / "chelsea.png").pixels
    top, left = 30 * seed, 40 * seed
    tile = photo[top : top + 120, left : left + 160]
    columns = [np.roll(np.tile(tile, (4, 1, 1)), 60 * (number % 2), axis=0) for number in range(4)]
    assert seen_layout(Image(np.ascontiguousarray(np.hstack(columns)[:360]))) is None


def test_a_network_by_name_sees_the_left_eye(drawn: Path) -> None:
    whole = open_image(drawn / "square.png").pixels
    scene = load_scene(drawn / "square.png", DepthOptions(model="tiny"))
    np.testing.assert_array_equal(scene.image.pixels, whole[:, :240])
    assert scene.depth.size.aspect == pytest.approx(scene.image.size.aspect, rel=0.01)
    assert "of the left eye" in scene.how
    flat = load_scene(drawn / "square.png", DepthOptions(model="tiny", stereo=False))
    np.testing.assert_array_equal(flat.image.pixels, whole)


def test_options_name_the_eyes(drawn: Path, tmp_path: Path) -> None:
    whole = open_image(drawn / "square.png").pixels
    left = save_image(Image(whole[:, :240]), tmp_path / "one.png")
    right = save_image(Image(whole[:, 240:]), tmp_path / "other.png")
    pair = eyes(left, second_eye=str(right))
    np.testing.assert_array_equal(pair.right.pixels, whole[:, 240:])
    assert eyes(drawn / "square.png", stereo=False) is None
    swapped = eyes(drawn / "square.png", swap_eyes=True)
    np.testing.assert_array_equal(swapped.left.pixels, whole[:, 240:])
    crossed = eyes(drawn / "square.png", layout="cross")
    np.testing.assert_array_equal(crossed.left.pixels, whole[:, 240:])
    scene = load_scene(left, DepthOptions(second_eye=str(right)))
    assert "two eyes" in scene.how
    with pytest.raises(InvalidInput, match="does not apply to the two eyes"):
        load_scene(left, DepthOptions(second_eye=str(right), invert_depth=True))
    with pytest.raises(InvalidInput, match="expected one of sbs"):
        eyes(left, layout="anaglyph")
    with pytest.raises(ReadError, match="no second eye"):
        eyes(drawn / "p.png", swap_eyes=True)
    with pytest.raises(ReadError, match="differ by more than 2 %"):
        eyes(left, second_eye=str(drawn / "p.png"))


def test_ordinary_photos_stay_whole(shared: Path) -> None:
    photos = sorted((shared / "data" / "photos").glob("*/*.[jp][pn]g"))
    assert len(photos) > 20
    assert [path.name for path in photos if seen_layout(open_image(path)) is not None] == []


def test_repeated_blocks_are_ambiguous() -> None:
    tile = np.random.default_rng(0).integers(0, 255, (30, 30, 3), np.uint8)
    tiled = Image(np.tile(tile, (8, 10, 1)))
    assert likeness(tiled, tiled).ambiguous > 0.9
    assert not likeness(tiled, tiled).same_scene


def test_the_second_eye_of_a_couple_is_not_converted_again(drawn: Path, tmp_path: Path) -> None:
    from depth3d.pipeline.inputs import expand

    for name in ("cam_L.png", "cam_R.png", "p.png"):
        (tmp_path / name).write_bytes((drawn / name).read_bytes())
    (tmp_path / "road_right.png").write_bytes((drawn / "p.png").read_bytes())  # no left eye of that name
    assert [one.path.name for one in expand([tmp_path])] == ["cam_L.png", "p.png", "road_right.png"]


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
    assert seen_layout(Image(np.repeat(noisy[..., None], 3, axis=2))) is None


def test_a_scene_keeps_its_depth_in_every_layout() -> None:
    from stereoscenes import scene_pair

    pair = scene_pair()
    for axis, packing in ((1, "side"), (0, "stack")):
        layout = seen_layout(Image(np.concatenate([pair.left.pixels, pair.right.pixels], axis)))
        assert layout is not None
        assert layout.packing == packing
