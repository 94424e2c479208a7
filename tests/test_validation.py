"""Every option has a range and a type, checked at one place; a wrong value names actual and expected."""

from __future__ import annotations

import pickle
import warnings
from dataclasses import MISSING, fields
from fractions import Fraction
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pytest

from depth3d.errors import InvalidInput, InvalidOption
from depth3d.options import (
    ALL_OPTIONS,
    AnimateOptions,
    DepthOptions,
    MeshOptions,
    StabilizeOptions,
    StereoOptions,
    VideoOptions,
    ViewOptions,
)
from depth3d.stereopair import StereoRig
from depth3d.validation import check_value

EVERY = [(kind, item.name) for kind in ALL_OPTIONS for item in fields(kind)]


class Unspeakable:
    def __repr__(self) -> str:
        raise RuntimeError("no words")


HOSTILE = [
    object(),
    Unspeakable(),
    10**400,
    -(10**5000),
    Fraction(10**400),
    [],
    {},
    b"x",
    1j,
    float("nan"),
    float("inf"),
    -float("inf"),
    1e308,
    -1,
    "\0",
    "",
    (1,),
    Path("\0"),
]


@pytest.mark.parametrize(("kind", "name"), EVERY, ids=lambda part: getattr(part, "__name__", part))
def test_hostile_values_are_refused_or_normalized(kind: type, name: str) -> None:
    hint = str(get_type_hints(kind)[name])
    for value in HOSTILE:
        try:
            kept = check_value(kind, name, value)
        except InvalidOption:
            continue
        assert isinstance(kept, bool | int | float | str | Fraction), f"{name}={value!r} became {kept!r}"
        assert "\0" not in str(kept)
        assert not isinstance(value, float) or "str" in hint, f"{name} accepts {value!r}"


@pytest.mark.parametrize(("kind", "name"), EVERY, ids=lambda part: getattr(part, "__name__", part))
def test_defaults_obey_their_own_rules(kind: type, name: str) -> None:
    default = next(item.default for item in fields(kind) if item.name == name)
    assert default is not MISSING
    assert check_value(kind, name, default) == default


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        (StereoOptions, {"parallax": "2"}, "parallax: '2' is a string, expected a number, 0 to 50"),
        (StereoOptions, {"parallax": 1000}, "parallax: 1000, expected"),
        (StereoOptions, {"parallax": 1e9}, "expected a number, 0 to 50 percent of the width"),
        (StereoOptions, {"convergence": "x"}, "expected a number, 0 to 1, or 'auto'"),
        (StereoOptions, {"convergence": None}, "convergence: None, expected"),
        (StereoOptions, {"convergence": 2}, "convergence: 2, expected"),
        (StereoOptions, {"quality": "x"}, "expected one of draft, normal, high"),
        (StereoOptions, {"quality": "norml"}, "did you mean 'normal'"),
        (StereoOptions, {"views": 1_000_000}, "views: 1e"),
        (StereoOptions, {"lpi": 0}, "lpi: 0, expected"),
        (StereoOptions, {"print_width": "much"}, "expected a length"),
        (StereoOptions, {"screen": "55in"}, "distance"),
        (StereoOptions, {"arc_minutes": 30}, "needs `screen`"),
        (DepthOptions, {"threads": -4}, "threads: -4, expected a whole number, 1 to 1024"),
        (DepthOptions, {"threads": 1_000_000}, "threads: 1e"),
        (DepthOptions, {"threads": True}, "True is a bool"),
        (DepthOptions, {"engine": "openvin"}, "did you mean 'openvino'"),
        (AnimateOptions, {"fps": float("inf")}, "frame rate"),
        (AnimateOptions, {"fps": float("nan")}, "frame rate"),
        (AnimateOptions, {"fps": 0}, "frame rate"),
        (AnimateOptions, {"fps": "1e99999999"}, "frame rate"),
        (AnimateOptions, {"fps": "1e-99999999"}, "frame rate"),
        (AnimateOptions, {"fps": 10**5000}, "frame rate <int>"),
        (StereoOptions, {"parallax": 10**400}, "parallax: inf, expected"),
        (AnimateOptions, {"fps": -1}, "frame rate"),
        (AnimateOptions, {"fps": np.int8(-3)}, "frame rate"),
        (AnimateOptions, {"seconds": 1e9}, "seconds: 1e"),
        (AnimateOptions, {"seconds": 0}, "seconds: 0, expected"),
        (AnimateOptions, {"amount": -1}, "amount: -1, expected"),
        (AnimateOptions, {"size": "20000x20"}, "between 16 and 16384"),
        (AnimateOptions, {"size": "big"}, "WIDTHxHEIGHT"),
        (AnimateOptions, {"path": "a\0b"}, "NUL"),
        (ViewOptions, {"amount": 7}, "0 to 6"),
        (ViewOptions, {"port": 99999}, "port: 99999, expected"),
        (MeshOptions, {"near": 1.0}, "expected both"),
        (MeshOptions, {"near": 3.0, "far": 1.0}, "0 < near < far"),
        (VideoOptions, {"start": "soon"}, "expected seconds"),
        (VideoOptions, {"start": 5, "end": 4}, "must be later"),
        (VideoOptions, {"crf": 1.5}, "whole number"),
        (StabilizeOptions, {"look_ahead": -1}, "look_ahead: -1"),
    ],
)
def test_a_wrong_value_names_actual_and_expected(kind: Any, values: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidOption) as caught:
        kind(**values)
    assert words in str(caught.value)
    assert pickle.loads(pickle.dumps(caught.value)).option == caught.value.option


def test_numbers_of_other_libraries_become_plain_ones() -> None:
    options = AnimateOptions(amount=np.float32(1.5), seconds=np.int64(3), fps=25, focus=np.array(0.25))  # type: ignore[arg-type]
    assert (options.amount, options.seconds, options.fps, options.focus) == (1.5, 3.0, Fraction(25), 0.25)
    assert type(options.amount) is float
    assert DepthOptions(depth=Path("a") / "b.png").depth == str(Path("a") / "b.png")  # type: ignore[arg-type]
    assert AnimateOptions(size=(640, 480)).size == "640x480"  # type: ignore[arg-type]
    assert VideoOptions(fps="29.97").fps == Fraction(30000, 1001)  # type: ignore[arg-type]


def test_the_old_name_of_shake_works_with_a_warning() -> None:
    with pytest.warns(DeprecationWarning, match="tremble is now shake"):
        assert AnimateOptions(tremble=1.0) == AnimateOptions(shake=1.0)  # type: ignore[call-arg]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        AnimateOptions(shake=1.0)


def test_defaults_live_in_options_only() -> None:
    assert StereoRig() == StereoRig(StereoOptions.parallax, StereoOptions.convergence, StereoOptions.eyes)  # type: ignore[arg-type]


def test_the_rig_obeys_the_same_ranges() -> None:
    for values in ({"parallax": 51}, {"convergence": 1.1}, {"convergence": "auto"}, {"eyes": "one"}):
        with pytest.raises(InvalidInput):
            StereoRig(**values)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int64, np.float32])
def test_numbers_of_numpy_are_frame_rates(kind: type) -> None:
    """The product of 1001 and a small integer overflowed."""
    assert AnimateOptions(fps=kind(60)).fps == 60
