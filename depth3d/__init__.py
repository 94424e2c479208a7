"""depth3d: any photo, stereo card or clip becomes 3D.

Nouns are files at the root of this package; stages are folders; verbs are functions. A photo comes
in through ``io``, becomes a ``DepthMap`` in ``depth``, a ``LayeredMesh`` in ``geometry``, pictures in
``render``, and leaves through ``io``; ``pipeline`` strings the stages together.

The names below are loaded on first use (PEP 562), so that ``import depth3d`` stays light.
"""

from __future__ import annotations

from importlib import import_module

__version__ = "0.1.0"

# Public name -> where it lives. The one list of what is public; `tests/test_public_api.py` holds it.
# No module at the root may bear a name of this list: importing it would put the module in the verb's place
# (that is why the nouns' files are called layeredmesh and stereopair, not mesh and stereo).
_PUBLIC = {
    "AnimateOptions": "depth3d.options",
    "Camera": "depth3d.camera",
    "CameraPath": "depth3d.camera",
    "ContextError": "depth3d.errors",
    "Depth3DError": "depth3d.errors",
    "DepthMap": "depth3d.depthmap",
    "DepthOptions": "depth3d.options",
    "Disparity": "depth3d.depthmap",
    "ExistsError": "depth3d.errors",
    "FileError": "depth3d.errors",
    "Image": "depth3d.image",
    "InvalidInput": "depth3d.errors",
    "Layer": "depth3d.layeredmesh",
    "LayeredMesh": "depth3d.layeredmesh",
    "Mesh": "depth3d.layeredmesh",
    "MeshOptions": "depth3d.options",
    "ModelError": "depth3d.errors",
    "OutputOptions": "depth3d.options",
    "ReadError": "depth3d.errors",
    "Size": "depth3d.image",
    "StereoFormat": "depth3d.stereopair",
    "StereoOptions": "depth3d.options",
    "StereoPair": "depth3d.stereopair",
    "StereoRig": "depth3d.stereopair",
    "VideoError": "depth3d.errors",
    "VideoOptions": "depth3d.options",
    "ViewOptions": "depth3d.options",
    "WeightsError": "depth3d.errors",
    "WriteError": "depth3d.errors",
    "animate": "depth3d.pipeline.photo",
    "check": "depth3d.pipeline.check",
    "compose": "depth3d.render.compose",
    "estimate_depth": "depth3d.depth.estimator",
    "match_stereo": "depth3d.depth.match",
    "mesh": "depth3d.pipeline.share",
    "open_image": "depth3d.io.images",
    "predict_disparity": "depth3d.depth.estimator",
    "read_depth": "depth3d.io.depthfiles",
    "register": "depth3d.depth.registry",
    "render_path": "depth3d.pipeline.views",
    "stabilize": "depth3d.depth.temporal",
    "stereo": "depth3d.pipeline.stereo",
    "stereo_pair": "depth3d.pipeline.views",
    "view": "depth3d.pipeline.share",
}

__all__ = ["__version__", *_PUBLIC]  # noqa: PLE0604 (the names are literals in _PUBLIC)


def __getattr__(name: str) -> object:
    try:
        module = _PUBLIC[name]
    except KeyError:
        raise AttributeError(f"module 'depth3d' has no attribute {name!r}") from None
    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
