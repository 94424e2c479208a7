"""``depth3d mesh``: a photo becomes a textured mesh."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from depth3d.cli.options import build, flags
from depth3d.cli.progress import say, speak_plainly, told
from depth3d.options import DepthOptions, MeshOptions, OutputOptions

__all__ = ["command"]


@click.command("mesh")
@click.argument("photo", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write: .glb .obj .ply .usdz .splat .spz")
@flags(MeshOptions, DepthOptions, OutputOptions)
def command(photo: Path, output: Path | None, **values: Any) -> None:
    """A photo becomes a textured mesh (NAME.glb beside it).

    \b
    GLB opens anywhere, with a camera where the photographer stood; the photo's own JPEG is in it.
    USDZ opens on iPhone, iPad and Vision Pro (pip install "depth3d[usd]").
    .splat, .spz and, with --splats N, .ply hold Gaussian splats for SuperSplat and other splat viewers.
    OBJ comes with NAME.mtl and JPEG files beside it. PLY has colours at its vertices.

    \b
    Depth maps hold inverse distance of unknown scale: half-way grey is much nearer than half-way. With two
    known distances, --near and --far in metres, the mesh is true to scale.
    """
    options, depth = build(MeshOptions, values), build(DepthOptions, values)
    speech = build(OutputOptions, values)
    speak_plainly(quiet=speech.quiet)
    from depth3d.io.atomic import refuse_existing
    from depth3d.pipeline.export import mesh_scene
    from depth3d.pipeline.scene import load_scene

    target = output or photo.with_suffix(".glb")
    refuse_existing(target, force=speech.force)
    scene = load_scene(photo, depth)
    for note in (*scene.image.notes, scene.how):
        say(f"{photo.name}: {note}", quiet=speech.quiet)
    written = mesh_scene(scene, target, options, source=photo, force=speech.force)
    told(written, as_json=speech.json, input=photo, depth=scene.how, bytes=written.stat().st_size)
