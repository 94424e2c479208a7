"""The command ``depth3d mesh``: converts photos to textured meshes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from depth3d.cli.batch import Job
from depth3d.cli.options import OptionsCommand, build, flags
from depth3d.cli.output import log, print_result
from depth3d.cli.run import Kinds, input_arguments, run_inputs
from depth3d.options import BatchOptions, DepthOptions, MeshOptions, OutputOptions

__all__ = ["command"]

KINDS: Kinds = {"photo": (MeshOptions, DepthOptions)}


@click.command("mesh", cls=OptionsCommand)
@input_arguments("PHOTO|FOLDER...", "File to write: .glb .obj .ply .usdz .splat .spz .stl .3mf")
@flags(MeshOptions, DepthOptions, BatchOptions, OutputOptions)
def command(inputs: tuple[str, ...], output: str | None, **values: Any) -> None:
    """Convert photos to textured meshes (NAME.glb).

    \b
    GLB opens in most programs; it contains a camera at the photographer's position and the original JPEG data.
    USDZ opens on iPhone, iPad and Vision Pro (pip install "depth3d[usd]").
    .splat, .spz and, with --splats N, .ply contain Gaussian splats for SuperSplat and other splat viewers.
    STL and 3MF are solids for 3D printers, in millimeters: a relief, or a picture to be lit from behind (--lithophane).
    OBJ is written with NAME.mtl and JPEG textures. PLY has vertex colors.

    \b
    Depth maps contain inverse distance of unknown scale: middle gray is much nearer than the middle distance. With two
    known distances, --near and --far in meters, the mesh has true scale.
    """
    run_inputs(inputs, output, values, KINDS, _preparer(values))


def _preparer(values: dict[str, Any]) -> Callable[[Path, Path | None, str], Job]:
    options, depth, outputs = build(MeshOptions, values), build(DepthOptions, values), build(OutputOptions, values)

    def prepare(path: Path, output: Path | None, media: str) -> Job:
        from depth3d.pipeline.export import mesh_target

        target = mesh_target(path, output, options, depth)
        return Job((target,), lambda: _run(path, target, options, depth, outputs))

    return prepare


def _run(path: Path, target: Path, options: MeshOptions, depth: DepthOptions, outputs: OutputOptions) -> None:
    from depth3d.pipeline.export import mesh, mesh_scene, refuse_mesh_files
    from depth3d.pipeline.scene import load_scene

    refuse_mesh_files(target, force=outputs.force)
    if options.lithophane:  # of the photo alone, without a depth network
        written = mesh(path, target, options, depth, force=outputs.force)
        print_result(written, as_json=outputs.json, input=path, depth=None, bytes=written.stat().st_size)
        return
    scene = load_scene(path, depth)
    for note in (*scene.image.notes, scene.how):
        log(f"{path.name}: {note}", quiet=outputs.quiet)
    written = mesh_scene(scene, target, options, source=path, force=outputs.force)
    print_result(written, as_json=outputs.json, input=path, depth=scene.how, bytes=written.stat().st_size)
