"""Meshes as USDZ for Apple's Quick Look (iPhone, iPad, Vision Pro), through the usd-core package.

An optional dependency: ``pip install "depth3d[usd]"``. Every mesh keeps its colors as they are (emissive, so that
no light of the room is added), is seen from both sides, and is measured in meters with +Y up.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from depth3d.errors import InvalidInput, WriteError
from depth3d.io.atomic import atomic_path
from depth3d.io.image.read import encode_image
from depth3d.layeredmesh import Mesh

__all__ = ["write_usdz"]

_QUALITY = 90


def write_usdz(
    meshes: Sequence[Mesh], path: str | Path, *, jpegs: Sequence[bytes | None] = (), force: bool = False
) -> Path:
    """Write meshes as one USDZ package; return the path.

    Raises ``InvalidInput`` if there is nothing to write, ``WriteError`` where usd-core is not installed, and
    ``ExistsError``.

    Parameters
    ----------
    meshes : Sequence[Mesh]
        Back to front, in meters; each has its own texture. Meshes without faces are left out.
    path : str | Path
        ``NAME.usdz``.
    jpegs : Sequence[bytes | None]
        Per mesh the JPEG bytes to store instead of encoding the texture; None = encode.
    force : bool
        Replace an existing file.
    """
    path = Path(path)
    given = [*jpegs, *[None] * (len(meshes) - len(jpegs))]
    kept = [(mesh, jpeg) for mesh, jpeg in zip(meshes, given, strict=True) if len(mesh.faces)]
    if not kept:
        raise InvalidInput(f"{path}: the mesh has no faces, nothing to write")
    try:
        from pxr import Usd, UsdGeom, UsdUtils
    except ImportError:
        raise WriteError(path, 'USDZ needs the usd-core package: pip install "depth3d[usd]"') from None
    with tempfile.TemporaryDirectory(prefix="depth3d-") as name:
        folder = Path(name)
        stage = Usd.Stage.CreateNew(str(folder / "scene.usdc"))
        UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
        UsdGeom.SetStageMetersPerUnit(stage, 1.0)
        root = UsdGeom.Xform.Define(stage, "/photo")
        stage.SetDefaultPrim(root.GetPrim())
        for index, (mesh, jpeg) in enumerate(kept):
            texture = folder / f"layer_{index}.jpg"
            texture.write_bytes(jpeg or encode_image(mesh.texture, ".jpg", quality=_QUALITY))
            # "./": else usd-core looks along its search paths, warns, and moves the texture to a folder of its own.
            _add_mesh(stage, f"/photo/layer_{index}", mesh, f"./{texture.name}")
        stage.GetRootLayer().Save()
        package = folder / "package.usdz"
        if not UsdUtils.CreateNewARKitUsdzPackage(str(folder / "scene.usdc"), str(package)):
            raise WriteError(path, "usd-core could not build the package")
        with atomic_path(path, force=force) as temporary:
            temporary.write_bytes(package.read_bytes())
    return path


def _add_mesh(stage: Any, place: str, mesh: Mesh, texture: str) -> None:
    """One mesh with its own unlit material."""
    from pxr import Sdf, UsdGeom, UsdShade, Vt

    prim = UsdGeom.Mesh.Define(stage, place)
    prim.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(mesh.vertices, np.float32)))
    prim.CreateFaceVertexCountsAttr(Vt.IntArray.FromNumpy(np.full(len(mesh.faces), 3, np.int32)))
    prim.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(mesh.faces.astype(np.int32).ravel()))
    prim.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    prim.CreateDoubleSidedAttr(True)
    prim.CreateExtentAttr(Vt.Vec3fArray.FromNumpy(np.stack([mesh.vertices.min(0), mesh.vertices.max(0)])))
    uv = UsdGeom.PrimvarsAPI(prim).CreatePrimvar("st", Sdf.ValueTypeNames.TexCoord2fArray, UsdGeom.Tokens.vertex)
    turned = np.column_stack([mesh.uv[:, 0], 1 - mesh.uv[:, 1]])  # USD's (0, 0) is the lower left corner
    uv.Set(Vt.Vec2fArray.FromNumpy(np.ascontiguousarray(turned, np.float32)))

    material = UsdShade.Material.Define(stage, f"{place}/material")
    surface = UsdShade.Shader.Define(stage, f"{place}/material/surface")
    surface.CreateIdAttr("UsdPreviewSurface")
    surface.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f).Set((0.0, 0.0, 0.0))
    surface.CreateInput("roughness", Sdf.ValueTypeNames.Float).Set(1.0)
    surface.CreateInput("metallic", Sdf.ValueTypeNames.Float).Set(0.0)
    picture = UsdShade.Shader.Define(stage, f"{place}/material/picture")
    picture.CreateIdAttr("UsdUVTexture")
    picture.CreateInput("file", Sdf.ValueTypeNames.Asset).Set(texture)
    picture.CreateInput("sourceColorSpace", Sdf.ValueTypeNames.Token).Set("sRGB")
    for side in ("wrapS", "wrapT"):
        picture.CreateInput(side, Sdf.ValueTypeNames.Token).Set("clamp")
    reader = UsdShade.Shader.Define(stage, f"{place}/material/uv")
    reader.CreateIdAttr("UsdPrimvarReader_float2")
    reader.CreateInput("varname", Sdf.ValueTypeNames.String).Set("st")
    picture.CreateInput("st", Sdf.ValueTypeNames.Float2).ConnectToSource(
        reader.CreateOutput("result", Sdf.ValueTypeNames.Float2)
    )
    surface.CreateInput("emissiveColor", Sdf.ValueTypeNames.Color3f).ConnectToSource(
        picture.CreateOutput("rgb", Sdf.ValueTypeNames.Float3)
    )
    material.CreateSurfaceOutput().ConnectToSource(surface.ConnectableAPI(), "surface")
    UsdShade.MaterialBindingAPI.Apply(prim.GetPrim()).Bind(material)
