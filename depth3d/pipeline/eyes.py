"""Find the two eyes of a photo: as the options say, as the file says, and in the right order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from depth3d.errors import FlatError, InvalidInput, ReadError
from depth3d.image import Image
from depth3d.options import DepthOptions
from depth3d.stereopair import StereoPair, unpack

if TYPE_CHECKING:
    from depth3d.io.image.photofile import PhotoFile

__all__ = ["NOTHING_TO_SWAP", "SWAPPED", "find_eyes", "order_score", "refuse_anaglyph", "refuse_inversion"]

_SIDE = 640  # longer side in pixels at which the order of the eyes is measured
SWAPPED = -0.1
"""Score below which the eyes are taken for swapped."""

NOTHING_TO_SWAP = "has no second eye that could be swapped; `layout` sets where it is"
_CLEAR = 0.7  # score of one order that needs no second measurement


def find_eyes(file: PhotoFile, options: DepthOptions) -> StereoPair | None:
    """Return the two eyes of a photo, or None for an ordinary one.

    Pictures without any tag are put into the right order if their content shows that the eyes are swapped.

    Raises ``InvalidInput`` or ``ReadError`` for options that do not fit the photo.

    Parameters
    ----------
    file : PhotoFile
        The photo.
    options : DepthOptions
        ``stereo``, ``layout``, ``second_eye``, ``from_anaglyph`` and ``swap_eyes`` are used.
    """
    if options.from_anaglyph:
        pair = _from_anaglyph(file)
    elif options.second_eye is not None:
        pair = _two_files(file, Path(options.second_eye))
    elif options.layout is not None:
        pair = _unpacked(file, options.layout)
    elif not options.stereo:
        return None
    else:
        found = _found(file, check_order=not options.swap_eyes)
        if found is None and options.swap_eyes:
            raise FlatError(file.name, NOTHING_TO_SWAP)
        if found is None:
            return None
        pair = found
    if options.swap_eyes:
        pair = StereoPair(pair.right, pair.left, (*pair.notes, "eyes swapped"))
    return pair


def refuse_anaglyph(file: PhotoFile, image: Image) -> None:
    """Raise ``ReadError`` for an anaglyph, which would be animated with its colored double contours.

    Parameters
    ----------
    file : PhotoFile
        The photo.
    image : Image
        Its picture.
    """
    from depth3d.io.stereo.anaglyph import find_glasses

    glasses = find_glasses(image)
    if glasses is not None:
        raise ReadError(
            file.name,
            f"is a {glasses.name} anaglyph; `from_anaglyph=True` recovers its two eyes,"
            " `stereo=False` takes it for an ordinary photo",
        )


def refuse_inversion(options: DepthOptions) -> None:
    """Raise ``InvalidInput`` for ``invert_depth``, which has no meaning for depth that is matched between two eyes.

    Parameters
    ----------
    options : DepthOptions
        ``invert_depth`` is used.
    """
    if options.invert_depth:
        raise InvalidInput(
            "`invert_depth=True` does not apply to the two eyes of a stereo picture; `swap_eyes=True` exchanges them"
        )


def _from_anaglyph(file: PhotoFile) -> StereoPair:
    from depth3d.depth.stereo.anaglyph import separate_anaglyph
    from depth3d.io.image.read import flatten, open_image
    from depth3d.io.stereo.anaglyph import find_glasses

    image = flatten(open_image(file))
    glasses = find_glasses(image)
    if glasses is None:
        raise ReadError(file.name, "is no anaglyph: all its color channels show the scene from the same place")
    try:
        pair = separate_anaglyph(image, glasses.left, glasses.right)
    except InvalidInput as error:
        raise ReadError(file.name, str(error)) from None
    note = f"{glasses.name} anaglyph; the colors that an eye lacks come from the other eye"
    return replace(pair, notes=(note,))


def _two_files(file: PhotoFile, second: Path) -> StereoPair:
    from depth3d.io.image.read import open_image
    from depth3d.io.stereo.couple import matched_sizes

    left, right = open_image(file), open_image(file.partner(second))
    eyes = matched_sizes(left, right)
    if eyes is None:
        raise ReadError(second, f"the second eye is {right.size}, the photo {left.size}: they differ by more than 2 %")
    return StereoPair(*eyes, (f"the right eye is {second.name}",))


def _unpacked(file: PhotoFile, layout: str) -> StereoPair:
    from depth3d.io.image.read import open_image
    from depth3d.stereoformats import find_format

    return replace(unpack(open_image(file), find_format(layout)), notes=(f"stereo picture, {layout} (as asked)",))


def _found(file: PhotoFile, *, check_order: bool) -> StereoPair | None:
    from depth3d.io.stereo.detect import find_kind, find_pair

    pair = find_pair(file)
    # Files with a tag inside or in their name say which eye comes first.
    if pair is None or not check_order or find_kind(file) not in ("halves", "card"):
        return pair
    if order_score(pair) < SWAPPED:
        note = "its eyes were crossed (right eye first) and have been exchanged; if that is wrong, use `layout='sbs'`"
        return StereoPair(pair.right, pair.left, (*pair.notes, note))
    return pair


def order_score(pair: StereoPair) -> float:
    """Return a score in [-1.5, 1.5] for the order of the eyes; below ``SWAPPED`` they are swapped.

    Where it is not clear, the pair is also measured with exchanged eyes: half the difference of both scores is free of
    what the score says of any picture.

    Parameters
    ----------
    pair : StereoPair
        Both eyes.
    """
    score = _one_order(pair)
    return score if abs(score) >= _CLEAR else (score - _one_order(pair.swapped())) / 2


def _one_order(pair: StereoPair) -> float:
    """Return the score of one order of the eyes.

    The strips that only one eye sees are the strong sign; that the lower part of a picture is usually nearer the weak
    one, for scenes without strips.
    """
    from depth3d.depth.stereo.eye_order import eye_order
    from depth3d.depth.stereo.match import stereo_disparity

    small = pair.size.fit(_SIDE)
    left, right = pair.left.eight_bit().resized(small), pair.right.eight_bit().resized(small)
    found = stereo_disparity(left, right)
    values, sure = found.disparity.values, found.sure
    order, strips = eye_order(left, values, sure)
    rows = np.broadcast_to(np.arange(small.height)[:, None], values.shape)
    enough = sure.sum() > 100 and values[sure].std() > 0.05
    ground = float(np.corrcoef(values[sure], rows[sure])[0, 1]) if enough else 0.0
    return order * min(1.0, strips / 100) + 0.5 * ground
