"""Writes solids for 3D printers: STL (binary, through trimesh) and 3MF (3D Manufacturing Format, core 1.x).

3MF is written here: it is a zip with three short XML files, and trimesh would need two more packages for it.
Both are in millimeters: STL has no unit, and slicers take its numbers for millimeters.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth3d.errors import InvalidInput, WriteError
from depth3d.io.atomic import atomic_path

__all__ = ["PRINT_SUFFIXES", "write_print"]

PRINT_SUFFIXES = (".stl", ".3mf")
_CORE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_FILES = {
    "[Content_Types].xml": (
        f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Target="/3D/3dmodel.model" Id="rel0" '
        'Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/></Relationships>'
    ),
}


def write_print(
    vertices: NDArray[np.float32], faces: NDArray[np.uint32], path: str | Path, *, force: bool = False
) -> Path:
    """Write one closed surface in the format of the suffix; return the path.

    Raises ``InvalidInput`` if there is nothing to write, ``WriteError`` for another suffix, and ``ExistsError``.

    Parameters
    ----------
    vertices : NDArray[np.float32]
        (N, 3), millimeters, +Z up.
    faces : NDArray[np.uint32]
        (M, 3), counter-clockwise seen from outside.
    path : str | Path
        ``.stl`` or ``.3mf``.
    force : bool
        Replace an existing file.
    """
    path = Path(path)
    if not len(faces):
        raise InvalidInput(f"{path}: the solid has no faces, nothing to write")
    encode = {".stl": _stl, ".3mf": _3mf}.get(path.suffix.lower())
    if encode is None:
        raise WriteError(path, f"unknown print format {path.suffix!r}; use {', '.join(PRINT_SUFFIXES)}")
    data = encode(vertices, faces)
    with atomic_path(path, force=force) as temporary:
        temporary.write_bytes(data)
    return path


def _stl(vertices: NDArray[np.float32], faces: NDArray[np.uint32]) -> bytes:
    import trimesh

    solid: Any = trimesh.Trimesh(vertices, faces, process=False)
    data: bytes = trimesh.exchange.stl.export_stl(solid)
    return data


def _3mf(vertices: NDArray[np.float32], faces: NDArray[np.uint32]) -> bytes:
    places = "".join(f'<vertex x="{x:.4f}" y="{y:.4f}" z="{z:.4f}"/>' for x, y, z in vertices.tolist())
    sides = "".join(f'<triangle v1="{a}" v2="{b}" v3="{c}"/>' for a, b, c in faces.tolist())
    model = (
        f'{_XML}<model unit="millimeter" xml:lang="en-US" xmlns="{_CORE}">'
        '<metadata name="Application">depth3d</metadata><resources><object id="1" type="model"><mesh>'
        f"<vertices>{places}</vertices><triangles>{sides}</triangles></mesh></object></resources>"
        '<build><item objectid="1"/></build></model>'
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, text in {**_FILES, "3D/3dmodel.model": model}.items():
            entry = zipfile.ZipInfo(name)  # the date of ZipInfo is fixed: equal solids give equal files
            entry.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(entry, text)
    return buffer.getvalue()
