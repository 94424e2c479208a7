"""Convert the arguments of public functions (pictures, depth maps, pairs of any common type) to depth3d types.

`depth3d` passes its public functions through ``at_border``: arguments that are pictures may be an ``Image``, a NumPy
array, a torch tensor (any dtype, also with gradients), a Pillow picture of any mode, or a path. Whatever cannot be
converted raises ``InvalidInput`` that names the argument, the actual and the expected type.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth3d.camera import CameraPath
from depth3d.depthmap import DepthMap, Disparity
from depth3d.errors import Depth3DError, InvalidInput
from depth3d.hints import Hints
from depth3d.image import Image, Size, array_of
from depth3d.options import AnimateOptions, DepthOptions, StabilizeOptions, StereoOptions
from depth3d.quantities import as_path, described
from depth3d.stereoformats import StereoFormat
from depth3d.stereopair import StereoPair
from depth3d.validation import check_value, require

__all__ = ["as_depth", "as_disparity", "as_image", "as_pair", "at_border"]


def as_image(value: object, name: str = "image") -> Image:
    """Convert a picture of any supported type to an ``Image``.

    Raises ``InvalidInput``, or ``ReadError`` for a path that is not a picture.

    Parameters
    ----------
    value : object
        ``Image``; array or tensor (H, W), (H, W, 3) or (H, W, 4), also with channels first; integers of 8 or 16 bits,
        floats in [0, 1], or booleans; Pillow picture; path; bytes of a picture file.
    name : str
        Name of the argument, for messages.
    """
    from depth3d.io.image.read import open_image

    if isinstance(value, Image):
        return value
    if isinstance(value, str | os.PathLike):
        return open_image(as_path(value, name))
    if isinstance(value, bytes) and len(value) > 1:
        return open_image(value)
    if hasattr(value, "getbands") and hasattr(value, "convert"):
        return _from_pillow(value, name)
    pixels = _array(value, name, "an Image, array, tensor, Pillow picture or path")
    if pixels.ndim == 3 and pixels.shape[2] not in (1, 3, 4) and pixels.shape[0] in (1, 3, 4):
        pixels = np.moveaxis(pixels, 0, 2)  # channels first, as in torch
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    return open_image(np.ascontiguousarray(_coded(pixels, name)))


def as_depth(value: object, name: str = "depth") -> DepthMap:
    """Convert an array or tensor (H, W) in [0, 1], a gray picture, or the path of a depth file to a ``DepthMap``.

    Raises ``InvalidInput``, or ``ReadError`` for a path that is not a depth file.
    """
    if isinstance(value, DepthMap):
        return value
    if isinstance(value, Disparity):
        raise InvalidInput(f"{name}: got Disparity, expected DepthMap (DepthMap.from_disparity converts)")
    if isinstance(value, str | os.PathLike):
        from depth3d.io.depth.read import read_depth

        return read_depth(as_path(value, name))
    values = np.squeeze(_array(value, name, "a DepthMap, array, tensor or path of a depth file"))
    if values.ndim != 2:
        raise InvalidInput(f"{name}: shape {values.shape}, expected (H, W)")
    return DepthMap.from_gray(values) if values.dtype in (np.uint8, np.uint16) else DepthMap(_floats(values, name))


def as_disparity(value: object, name: str = "disparities") -> Disparity:
    """Convert an array or tensor (H, W), larger = nearer, to a ``Disparity``. Raises ``InvalidInput``."""
    if isinstance(value, Disparity):
        return value
    if isinstance(value, DepthMap):
        return Disparity(value.values)
    return Disparity(_floats(np.squeeze(_array(value, name, "a Disparity, array or tensor")), name))


def as_pair(value: object, name: str = "pair") -> StereoPair:
    """Convert two pictures (left, right) to a ``StereoPair``. Raises ``InvalidInput``."""
    if isinstance(value, StereoPair):
        return value
    if isinstance(value, tuple | list) and len(value) == 2:
        return StereoPair(as_image(value[0], f"{name}[0]"), as_image(value[1], f"{name}[1]"))
    raise InvalidInput(f"{name}: got {type(value).__name__}, expected StereoPair or two pictures (left, right)")


def at_border(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a public function: arguments are converted and checked by name; unknown names pass unchanged."""
    signature = inspect.signature(function)
    converters = {name: _CONVERTERS[name] for name in signature.parameters if name in _CONVERTERS}
    if "fps" in signature.parameters:
        converters["path"] = _camera_path

    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        bound = signature.bind(*arguments, **named)
        for name, convert in converters.items():
            if name in bound.arguments:
                bound.arguments[name] = convert(bound.arguments[name], name)
        return function(*bound.args, **bound.kwargs)

    return call


def _array(value: Any, name: str, expected: str) -> NDArray[Any]:
    """Convert an array or tensor to a NumPy array; bfloat16 becomes float32."""
    if hasattr(value, "detach") and hasattr(value, "cpu"):
        try:
            value = value.detach().cpu()
            value = value.float() if value.is_floating_point() else value
            return np.asarray(value.numpy())
        except (TypeError, RuntimeError, NotImplementedError, ValueError) as error:
            raise InvalidInput(f"{name}: a tensor of {value.dtype} cannot be used: {error}") from None
    if not hasattr(value, "__array__") and not hasattr(value, "__array_interface__"):
        raise InvalidInput(f"{name}: {described(value)}, expected {expected}")
    return array_of(value, name)


def _floats(values: NDArray[Any], name: str) -> NDArray[np.float32]:
    if values.dtype.kind not in "fiub":
        raise InvalidInput(f"{name}: values are {values.dtype}, expected numbers")
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def _coded(pixels: NDArray[Any], name: str) -> NDArray[Any]:
    """Convert pixels to uint8 or uint16; floats and booleans are scaled from [0, 1]."""
    if pixels.dtype in (np.uint8, np.uint16) or pixels.size == 0:
        return pixels
    if pixels.dtype.kind == "b":
        return pixels.astype(np.uint8) * np.uint8(255)
    values = _floats(pixels, name)
    low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise InvalidInput(f"{name}: NaN or infinite pixels, expected finite ones")
    if pixels.dtype.kind in "iu":
        if low < 0 or high > 65535:
            raise InvalidInput(f"{name}: {pixels.dtype} from {low:g} to {high:g}, expected 0 to 255 or 0 to 65535")
        return pixels.astype(np.uint8 if high <= 255 else np.uint16)
    if low < 0 or high > 1:
        raise InvalidInput(f"{name}: floats from {low:g} to {high:g}, expected 0 to 1")
    return np.rint(values * 255).astype(np.uint8)


def _from_pillow(value: Any, name: str) -> Image:
    from depth3d.io.image.read import open_image

    try:
        if value.mode == "F":
            return as_image(np.asarray(value), name)
        return open_image(value)
    except Depth3DError:
        raise
    except Exception as error:  # closed or damaged files: Pillow has no common error class
        raise InvalidInput(f"{name}: the Pillow picture cannot be read: {error}") from error


def _images(values: object, name: str) -> list[Image]:
    if isinstance(values, Image) or not isinstance(values, Iterable) or isinstance(values, str | bytes):
        raise InvalidInput(f"{name}: got {type(values).__name__}, expected several pictures ([image] for one)")
    # The rows of one array must not be taken for pictures: of a large one, they would fill the memory.
    dimensions = getattr(values, "ndim", 4)
    if isinstance(dimensions, int) and dimensions != 4:
        raise InvalidInput(f"{name}: an array of {dimensions} dimensions, expected 4 ([image] for one picture)")
    return [as_image(value, f"{name}[{number}]") for number, value in enumerate(values)]


def _each(convert: Callable[[object, str], Any]) -> Callable[[object, str], Iterator[Any]]:
    """Return a converter of iterables that converts one item at a time."""

    def stream(values: object, name: str) -> Iterator[Any]:
        # An array of no dimensions is an ``Iterable`` that cannot be iterated over.
        if not isinstance(values, Iterable) or isinstance(values, str | bytes) or getattr(values, "ndim", 1) == 0:
            raise InvalidInput(f"{name}: got {type(values).__name__}, expected an iterable")
        return (convert(value, f"{name}[{number}]") for number, value in enumerate(values))

    return stream


def _source(value: Any, name: str) -> Any:
    """Convert a source for ``open_image``: paths and bytes are unchanged, other pictures become pixel arrays."""
    if isinstance(value, bytes):
        return value
    return as_path(value, name) if isinstance(value, str | os.PathLike) else as_image(value, name).pixels


def _camera_path(value: Any, name: str) -> Any:
    if isinstance(value, CameraPath):
        return value
    return check_value(AnimateOptions, name, value)


def _format(value: Any, name: str) -> Any:
    if not isinstance(value, str | StereoFormat):
        raise InvalidInput(f"{name}: {described(value)}, expected the name of a stereo format")
    return value


def _size(value: Any, name: str) -> Any:
    if value is None or isinstance(value, Size):
        return value
    if isinstance(value, tuple) and len(value) == 2 and all(isinstance(side, int) for side in value):
        return Size(*value)
    raise InvalidInput(f"{name}: {described(value)}, expected Size(width, height)")


def _yes_no(value: Any, name: str) -> bool:
    if isinstance(value, bool | np.bool_):
        return bool(value)
    raise InvalidInput(f"{name}: {described(value)}, expected True or False")


def _or_none(kind: type[Any]) -> Callable[[Any, str], Any]:
    return lambda value, name: None if value is None else check_value(kind, name, value)


_LONGEST_SIDE = 1_000_000  # pixels


def _side(value: Any, name: str) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LONGEST_SIDE):
        return value
    raise InvalidInput(f"{name}: {described(value)}, expected a number of pixels from 1 to {_LONGEST_SIDE}")


def _hints(value: Any, name: str) -> Hints:
    if isinstance(value, Hints):
        return value
    raise InvalidInput(f"{name}: {described(value)}, expected Hints (read_hints reads them)")


def _options(value: Any, name: str) -> StabilizeOptions:
    return require(value, StabilizeOptions, name)


def _option(value: Any, name: str) -> Any:
    return check_value(DepthOptions, name, value)


_CONVERTERS: dict[str, Callable[[Any, str], Any]] = {
    "image": as_image,
    "hints": _hints,
    "left": as_image,
    "right": as_image,
    "images": _images,
    "frames": _each(as_image),
    "disparities": _each(as_disparity),
    "depth": as_depth,
    "pair": as_pair,
    "path": as_path,
    "source": _source,
    "format": _format,
    "at_most": _side,
    "dpi": _or_none(StereoOptions),
    "look_ahead": _or_none(StabilizeOptions),
    "options": _options,
    **dict.fromkeys(("align", "color_managed", "force", "invert", "quiet"), _yes_no),
    "size": _size,
    **dict.fromkeys(("model", "device", "engine", "threads", "precision"), _option),
}
