"""Depth from two eyes: by formula on textured planes, then on Middlebury scenes with true disparity."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from depth3d.depth.stereo.alignment import match_tone, measure_alignment
from depth3d.depth.stereo.consistency import agreement, fill_from_far, smooth_inside, without_specks
from depth3d.depth.stereo.match import FlowMatcher, match_stereo, register_matcher, stereo_disparity
from depth3d.depth.stereo.matchers import MATCHERS, find_matcher
from depth3d.errors import InvalidInput
from depth3d.image import Image, Size


def texture(width: int, height: int, seed: int = 0) -> NDArray[np.uint8]:
    """Blurred noise with structure at two scales: matchable everywhere."""
    random = np.random.default_rng(seed)
    fine = cv2.GaussianBlur(random.uniform(0, 255, (height, width, 3)).astype(np.float32), (0, 0), 1.2)
    coarse = cv2.GaussianBlur(random.uniform(0, 255, (height, width, 3)).astype(np.float32), (0, 0), 8)
    both = 127 + (fine - 127) * 2 + (coarse - 127) * 8
    return np.clip(both, 0, 255).astype(np.uint8)


def two_planes(near: int = 14, far: int = 4) -> tuple[Image, Image, NDArray[np.float32]]:
    """A near square before a far wall; the true disparity of the left picture."""
    width, height = 240, 160
    wall, square = texture(width + 40, height, 1), texture(80, 80, 2)
    left, right = wall[:, 20 : 20 + width].copy(), wall[:, 20 + far : 20 + far + width].copy()
    left[40:120, 90:170] = square
    right[40:120, 90 - near : 170 - near] = square
    truth = np.full((height, width), far, np.float32)
    truth[40:120, 90:170] = near
    return Image(left), Image(right), truth


@pytest.mark.parametrize("matcher", ["sgm", "dis"])
def test_two_planes_are_found_where_they_are(matcher: str) -> None:
    left, right, truth = two_planes()
    found = stereo_disparity(left, right, matcher, align=False)
    inside = np.zeros_like(truth, bool)
    inside[50:110, 100:160] = True
    inside[10:30, 20:220] = True
    assert np.abs(found.disparity.values - truth)[inside].max() < 0.5
    assert found.sure[inside].mean() > 0.97


def test_what_one_eye_hides_lies_on_the_far_plane() -> None:
    left, right, truth = two_planes()
    found = stereo_disparity(left, right, align=False)
    hidden = found.disparity.values[50:110, 82:88]  # left of the square, seen by the left eye only
    np.testing.assert_allclose(hidden, 4, atol=1.0)
    assert not found.sure[60:100, 83:88].any()
    wrong = np.abs(found.disparity.values - truth) > 2
    assert wrong.mean() < 0.015


def test_depth_is_nearest_where_disparity_is_largest() -> None:
    left, right, _ = two_planes()
    depth = match_stereo(left, right)
    assert depth.size == left.size
    assert depth.values[60:100, 100:160].min() > 0.9
    assert depth.values[5:30].max() < 0.1


@pytest.mark.parametrize("offset", [-60, 35])
def test_no_range_has_to_be_given(offset: int) -> None:
    left, right, truth = two_planes()
    moved = Image(np.roll(right.pixels, offset, axis=1))
    found = stereo_disparity(left, moved, align=False).disparity.values
    inside = (slice(60, 100), slice(105, 155))
    np.testing.assert_allclose(found[inside], truth[inside] - offset, atol=0.6)


def test_flat_pictures_give_finite_depth() -> None:
    gray = Image(np.full((60, 90, 3), 128, np.uint8))
    assert np.isfinite(match_stereo(gray, gray).values).all()


def test_large_pictures_come_back_at_their_size() -> None:
    left, right, _ = two_planes()
    size = Size(1920, 1280)
    found = stereo_disparity(left.resized(size), right.resized(size), align=False)
    assert found.disparity.size == size
    assert float(np.median(found.disparity.values[480:800, 840:1240])) == pytest.approx(14 * 8, abs=2)
    assert float(np.median(found.disparity.values[:160])) == pytest.approx(4 * 8, abs=2)


def test_wrong_input_is_refused() -> None:
    small, left = Image(np.zeros((8, 8, 3), np.uint8)), two_planes()[0]
    with pytest.raises(InvalidInput, match="same size"):
        match_stereo(left, small)
    with pytest.raises(InvalidInput, match="too small"):
        match_stereo(small, small)
    with pytest.raises(InvalidInput, match="did you mean 'sgm'"):
        match_stereo(left, left, matcher="sgn")


def test_a_new_matcher_joins_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("depth3d.depth.stereo.matchers.MATCHERS", dict(MATCHERS))
    asked: list[str | None] = []

    def flow(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.full((*a.shape[:2], 2), -3.0, np.float32)

    def factory(text: str | None) -> FlowMatcher:
        asked.append(text)
        return FlowMatcher(flow)

    register_matcher("mine", factory)
    assert isinstance(find_matcher("mine:/some/weights.pth"), FlowMatcher)
    left, right, _ = two_planes()
    found = stereo_disparity(left, right, "mine", align=False).disparity.values
    # Both directions say 3; mirrored pictures must not turn the sign.
    np.testing.assert_allclose(found, 3, atol=1e-3)
    assert asked == ["/some/weights.pth", None]


def test_agreement_and_far_fill_by_formula() -> None:
    left = np.array([[2, 2, 2, 7, 7, 2, 2, np.nan]], np.float32)
    right = np.array([[2, 2, 2, 2, 2, 2, 2, 2]], np.float32)
    sure = agreement(left, right)
    assert sure.tolist() == [[False, False, True, False, False, True, True, False]]
    filled = fill_from_far(np.array([[0, 5, 0, 0, 3, 0]], np.float32), np.array([[0, 1, 0, 0, 1, 0]], bool))
    assert filled.tolist() == [[5, 5, 3, 3, 3, 3]]
    assert fill_from_far(np.ones((2, 3), np.float32), np.zeros((2, 3), bool)).tolist() == [[0, 0, 0]] * 2


def test_specks_vanish_and_surfaces_stay() -> None:
    disparity = np.zeros((40, 40), np.float32)
    disparity[5:7, 5:7] = 30
    disparity[20:35, 20:35] = 12
    known = without_specks(disparity, np.ones((40, 40), bool), pixels=20)
    assert not known[5:7, 5:7].any()
    assert known.sum() == 1600 - 4


def test_smoothing_removes_noise_but_no_step() -> None:
    random = np.random.default_rng(3)
    step = np.where(np.arange(80)[None, :] < 40, 5.0, 25.0).astype(np.float32).repeat(40, 0).reshape(40, 80)
    noisy = step + random.normal(0, 0.3, step.shape).astype(np.float32)
    smooth = smooth_inside(noisy, np.ones_like(noisy), np.full((40, 80, 3), 90, np.uint8))
    assert np.abs(smooth - step).mean() < 0.5 * np.abs(noisy - step).mean()
    assert np.abs(smooth - step).max() < 1


def turned(picture: Image, degrees: float, scale: float, shift: tuple[float, float]) -> Image:
    """The picture turned clockwise about its middle, enlarged, then moved right and down."""
    height, width = picture.pixels.shape[:2]
    angle = np.radians(degrees)
    matrix = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    warp = np.column_stack([matrix, middle - matrix @ middle + np.array(shift)])
    return Image(cv2.warpAffine(picture.pixels, warp, (width, height), flags=cv2.INTER_CUBIC))


@pytest.mark.parametrize(
    ("degrees", "scale", "shift"), [(0, 1, (-20, 3)), (1.2, 1, (8, -4)), (0, 1.02, (0, 0)), (-0.8, 0.985, (-15, 6))]
)
def test_alignment_finds_and_undoes_a_known_misalignment(
    degrees: float, scale: float, shift: tuple[float, float]
) -> None:
    left = Image(texture(400, 300, 4))
    right = turned(left, degrees, scale, shift)
    found = measure_alignment(left, right)
    assert found.roll == pytest.approx(degrees, abs=0.05)
    assert found.scale == pytest.approx(scale, abs=0.002)
    assert found.vertical == pytest.approx(shift[1], abs=0.15)
    assert found.horizontal == pytest.approx(-shift[0], abs=1.5)
    assert measure_alignment(left, found.apply(right)).worst < 0.5


def test_aligned_pictures_are_left_alone() -> None:
    left, right, _ = two_planes()
    found = measure_alignment(left, right)
    assert found.worst < 1 / 3
    assert found.apply(right) is right


def test_pictures_without_any_point_count_as_aligned() -> None:
    gray = Image(np.full((60, 90, 3), 128, np.uint8))
    assert measure_alignment(gray, gray).worst < 1e-3


def test_tone_is_matched_and_like_tone_left_alone() -> None:
    left = Image(texture(200, 100, 5))
    darker = Image((left.pixels * 0.7 + 12).astype(np.uint8))
    assert np.abs(match_tone(left, darker).pixels.astype(int) - left.pixels).mean() < 2
    assert match_tone(left, left) is left


def non_occluded(truth: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where no nearer point of the left picture lands on the same right pixel."""
    height, width = truth.shape
    disparity = np.nan_to_num(truth, nan=-1e3)
    target = np.round(np.arange(width)[None, :] - disparity).astype(int)
    inside = (target >= 0) & (target < width) & np.isfinite(truth)
    rows = np.broadcast_to(np.arange(height)[:, None], truth.shape)
    nearest = np.full(truth.shape, -1e3)
    np.maximum.at(nearest, (rows[inside], target[inside]), disparity[inside])
    visible = np.zeros(truth.shape, bool)
    visible[inside] = disparity[inside] >= nearest[rows[inside], target[inside]] - 1
    return visible


# bad-2.0 in percent: measured 3.1, 3.5, 7.2, 2.6; the promise is 15 in the mean and 22 at worst.
@pytest.mark.parametrize(("scene", "most"), [("cones", 5), ("motorcycle", 6), ("art", 10), ("tsukuba", 5)])
def test_middlebury(request: pytest.FixtureRequest, scene: str, most: float) -> None:
    if scene == "motorcycle":  # scikit-image carries it
        left, right, truth = pytest.importorskip("skimage.data").stereo_motorcycle()
        eyes = [Image(left), Image(right)]
        truth = np.where(np.isfinite(truth), truth, np.nan).astype(np.float32)
    else:
        folder = request.getfixturevalue("shared") / "data/stereo" / scene
        eyes = [Image(cv2.imread(str(folder / f"{eye}.png"))[..., ::-1].copy()) for eye in ("left", "right")]
        truth = np.load(folder / "disp_left.npy")
    error = np.abs(stereo_disparity(eyes[0], eyes[1]).disparity.values - truth)[non_occluded(truth)]
    assert (error > 2).mean() * 100 < most


def test_what_lies_outside_the_other_eyes_frame_is_filled_without_streaks() -> None:
    left, right, _ = two_planes()
    moved = Image(np.roll(right.pixels, -60, axis=1))  # a quarter of the left picture has no counterpart
    found = stereo_disparity(left, moved, align=False)
    outside = found.disparity.values[:, 4:48]
    assert not found.sure[:, 4:48].any()
    assert np.abs(np.diff(outside, axis=0)).max() < 2
    np.testing.assert_allclose(np.median(outside), 64, atol=2)
