"""depth3d: any photo, stereo card or clip becomes 3D.

Nouns are files at the root of this package; stages are folders; verbs are functions. A photo comes
in through ``io``, becomes a ``DepthMap`` in ``depth``, a ``LayeredMesh`` in ``geometry``, pictures in
``render``, and leaves through ``io``; ``pipeline`` strings the stages together.

The names below are loaded on first use (PEP 562), so that ``import depth3d`` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the same list for type checkers and editors, which do not run __getattr__
    from depth3d.camera import Camera as Camera
    from depth3d.camera import CameraPath as CameraPath
    from depth3d.depth.card import ModelCard as ModelCard
    from depth3d.depth.estimator import estimate_depth as estimate_depth
    from depth3d.depth.estimator import predict_disparity as predict_disparity
    from depth3d.depth.hints import apply_hints as apply_hints
    from depth3d.depth.registry import register as register
    from depth3d.depth.stereo.match import match_stereo as match_stereo
    from depth3d.depth.temporal.stabilizer import stabilize as stabilize
    from depth3d.depthmap import DepthMap as DepthMap
    from depth3d.depthmap import Disparity as Disparity
    from depth3d.errors import (
        ContextError as ContextError,
    )
    from depth3d.errors import (
        Depth3DError as Depth3DError,
    )
    from depth3d.errors import (
        ExistsError as ExistsError,
    )
    from depth3d.errors import (
        FileError as FileError,
    )
    from depth3d.errors import (
        FlatError as FlatError,
    )
    from depth3d.errors import (
        InvalidInput as InvalidInput,
    )
    from depth3d.errors import InvalidOption as InvalidOption
    from depth3d.errors import (
        ModelError as ModelError,
    )
    from depth3d.errors import (
        ReadError as ReadError,
    )
    from depth3d.errors import (
        VideoError as VideoError,
    )
    from depth3d.errors import (
        WeightsError as WeightsError,
    )
    from depth3d.errors import (
        WriteError as WriteError,
    )
    from depth3d.hints import Hints as Hints
    from depth3d.hints import Stroke as Stroke
    from depth3d.image import Image as Image
    from depth3d.image import Size as Size
    from depth3d.io.depth.read import read_depth as read_depth
    from depth3d.io.depth.write import write_depth as write_depth
    from depth3d.io.hints import read_hints as read_hints
    from depth3d.io.hints import write_hints as write_hints
    from depth3d.io.image.read import open_image as open_image
    from depth3d.io.image.read import save_image as save_image
    from depth3d.layeredmesh import Layer as Layer
    from depth3d.layeredmesh import LayeredMesh as LayeredMesh
    from depth3d.layeredmesh import Mesh as Mesh
    from depth3d.options import (
        AnimateOptions as AnimateOptions,
    )
    from depth3d.options import CheckOptions as CheckOptions
    from depth3d.options import DepthMapOptions as DepthMapOptions
    from depth3d.options import (
        DepthOptions as DepthOptions,
    )
    from depth3d.options import FixOptions as FixOptions
    from depth3d.options import (
        MeshOptions as MeshOptions,
    )
    from depth3d.options import (
        OutputOptions as OutputOptions,
    )
    from depth3d.options import StabilizeOptions as StabilizeOptions
    from depth3d.options import (
        StereoOptions as StereoOptions,
    )
    from depth3d.options import (
        VideoOptions as VideoOptions,
    )
    from depth3d.options import (
        ViewOptions as ViewOptions,
    )
    from depth3d.pipeline.animate import animate as animate
    from depth3d.pipeline.check.measure import check as check
    from depth3d.pipeline.check.report import StereoReport as StereoReport
    from depth3d.pipeline.clip.convert import convert as convert
    from depth3d.pipeline.export import mesh as mesh
    from depth3d.pipeline.fix.files import FixReport as FixReport
    from depth3d.pipeline.fix.files import fix as fix
    from depth3d.pipeline.page import view as view
    from depth3d.pipeline.show import show as show
    from depth3d.pipeline.stereo import stereo as stereo
    from depth3d.pipeline.views import render_path as render_path
    from depth3d.pipeline.views import stereo_pair as stereo_pair
    from depth3d.render.compose import compose as compose
    from depth3d.render.context import close as close
    from depth3d.stereopair import StereoFormat as StereoFormat
    from depth3d.stereopair import StereoPair as StereoPair
    from depth3d.stereopair import StereoRig as StereoRig

__version__ = "0.2.0"  # the one place: pyproject.toml reads it from here

# Public name -> where it lives. The one list of what is public; `tests/test_public_api.py` holds it.
# No module at the root may bear a name of this list: importing it would put the module in the verb's place
# (that is why the nouns' files are called layeredmesh and stereopair, not mesh and stereo).
_PUBLIC = {
    "AnimateOptions": "depth3d.options",
    "Camera": "depth3d.camera",
    "CameraPath": "depth3d.camera",
    "CheckOptions": "depth3d.options",
    "ContextError": "depth3d.errors",
    "Depth3DError": "depth3d.errors",
    "DepthMap": "depth3d.depthmap",
    "DepthMapOptions": "depth3d.options",
    "DepthOptions": "depth3d.options",
    "Disparity": "depth3d.depthmap",
    "ExistsError": "depth3d.errors",
    "FileError": "depth3d.errors",
    "FixOptions": "depth3d.options",
    "FixReport": "depth3d.pipeline.fix.files",
    "FlatError": "depth3d.errors",
    "Hints": "depth3d.hints",
    "Image": "depth3d.image",
    "InvalidInput": "depth3d.errors",
    "InvalidOption": "depth3d.errors",
    "Layer": "depth3d.layeredmesh",
    "LayeredMesh": "depth3d.layeredmesh",
    "Mesh": "depth3d.layeredmesh",
    "MeshOptions": "depth3d.options",
    "ModelCard": "depth3d.depth.card",
    "ModelError": "depth3d.errors",
    "OutputOptions": "depth3d.options",
    "ReadError": "depth3d.errors",
    "Size": "depth3d.image",
    "StabilizeOptions": "depth3d.options",
    "StereoFormat": "depth3d.stereopair",
    "StereoOptions": "depth3d.options",
    "StereoPair": "depth3d.stereopair",
    "StereoReport": "depth3d.pipeline.check.report",
    "StereoRig": "depth3d.stereopair",
    "Stroke": "depth3d.hints",
    "VideoError": "depth3d.errors",
    "VideoOptions": "depth3d.options",
    "ViewOptions": "depth3d.options",
    "WeightsError": "depth3d.errors",
    "WriteError": "depth3d.errors",
    "animate": "depth3d.pipeline.animate",
    "apply_hints": "depth3d.depth.hints",
    "check": "depth3d.pipeline.check.measure",
    "close": "depth3d.render.context",
    "compose": "depth3d.render.compose",
    "convert": "depth3d.pipeline.clip.convert",
    "estimate_depth": "depth3d.depth.estimator",
    "fix": "depth3d.pipeline.fix.files",
    "match_stereo": "depth3d.depth.stereo.match",
    "mesh": "depth3d.pipeline.export",
    "open_image": "depth3d.io.image.read",
    "predict_disparity": "depth3d.depth.estimator",
    "read_depth": "depth3d.io.depth.read",
    "read_hints": "depth3d.io.hints",
    "register": "depth3d.depth.registry",
    "render_path": "depth3d.pipeline.views",
    "save_image": "depth3d.io.image.read",
    "show": "depth3d.pipeline.show",
    "stabilize": "depth3d.depth.temporal.stabilizer",
    "stereo": "depth3d.pipeline.stereo",
    "stereo_pair": "depth3d.pipeline.views",
    "view": "depth3d.pipeline.page",
    "write_depth": "depth3d.io.depth.write",
    "write_hints": "depth3d.io.hints",
}

# Functions of pictures and depth maps: arrays, tensors, Pillow pictures and paths are converted for them.
_AT_BORDER = frozenset(
    (
        *("compose", "estimate_depth", "match_stereo", "open_image", "predict_disparity", "read_depth", "render_path"),
        *("apply_hints", "read_hints", "save_image", "show", "stabilize", "stereo_pair", "write_depth", "write_hints"),
    )
)

__all__ = ["__version__", *_PUBLIC]  # noqa: PLE0604 (the names are literals in _PUBLIC)


def __getattr__(name: str) -> object:
    try:
        module = _PUBLIC[name]
    except KeyError:
        raise AttributeError(f"module 'depth3d' has no attribute {name!r}") from None
    value = getattr(import_module(module), name)
    if name in _AT_BORDER:
        value = import_module("depth3d.pipeline.border").at_border(value)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
