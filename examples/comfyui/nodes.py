"""Four nodes for ComfyUI: depth, stereo, animate, mesh.

ComfyUI's IMAGE is a torch tensor (batch, height, width, 3), float32, 0 to 1, sRGB. A depth map is an IMAGE, too: gray,
1 = nearest. Everything goes through depth3d's public functions; errors are shown by ComfyUI in the node.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

import depth3d as d3

try:  # both are part of ComfyUI; without it, nodes write to the current folder and show no progress
    import folder_paths
    from comfy.utils import ProgressBar
except ImportError:
    folder_paths = ProgressBar = None

__all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS"]

MODELS = ["auto", "tiny", "midas_v21_small_256", "dpt_hybrid_384", "dpt_large_384"]
MODELS += ["depth_anything_v2_small", "depth_anything_v2_base", "depth_anything_v2_large"]
FORMATS = ["sbs", "sbs-half", "cross", "tb", "tb-half", "red-cyan", "red-cyan-half", "green-magenta", "amber-blue"]
FORMATS += ["rows", "columns", "checkerboard"]
PATHS = ["circle", "swing", "orbit", "dolly", "zoom", "push", "auto"]
DEFAULTS = {item.name: item.default for kind in (d3.StereoOptions, d3.AnimateOptions) for item in fields(kind)}


def number(default: float, low: float, high: float, step: float = 0.01) -> tuple[str, dict[str, float]]:
    """Describe a float input with its range."""
    return ("FLOAT", {"default": default, "min": low, "max": high, "step": step})


def tensor_of(pictures: Iterable[d3.Image]) -> torch.Tensor:
    """(B, H, W, 3) float32 in 0..1: what ComfyUI calls IMAGE."""
    return torch.from_numpy(np.stack([picture.floats() for picture in pictures]))


def pairs(image: torch.Tensor, depth: torch.Tensor) -> list[tuple[torch.Tensor, np.ndarray]]:
    """Pictures with their depth maps (H, W); a single depth map serves all pictures."""
    if len(depth) not in (1, len(image)):
        raise ValueError(f"{len(image)} pictures with {len(depth)} depth maps: expected as many, or one")
    # A depth map that passed other nodes may have three slightly different channels.
    gray = depth.detach().cpu().float().reshape(*depth.shape[:3], -1).mean(-1).clamp(0, 1).numpy()
    return [(picture, gray[min(index, len(gray) - 1)]) for index, picture in enumerate(image)]


def ticks(total: int) -> Callable[[], None]:
    """Return the function that moves ComfyUI's progress bar on by one; ComfyUI also stops runs there."""
    bar = None if ProgressBar is None else ProgressBar(total)
    return lambda: None if bar is None else bar.update(1)


class Depth:
    """Predict depth maps; for the frames of a clip without flicker."""

    CATEGORY = "depth3d"
    FUNCTION = "run"
    RETURN_TYPES = ("IMAGE", "MASK")
    RETURN_NAMES = ("depth", "mask")

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        frames = ("BOOLEAN", {"default": False, "tooltip": "The batch is a clip: depth without flicker, cuts found."})
        return {"required": {"image": ("IMAGE",), "model": (MODELS,), "frames_of_a_clip": frames}}

    def run(self, image: torch.Tensor, model: str, frames_of_a_clip: bool) -> tuple[torch.Tensor, torch.Tensor]:
        tick = ticks(len(image))
        maps = []
        if frames_of_a_clip:
            pictures = [d3.open_image(np.rint(each.cpu().numpy() * 255).astype(np.uint8)) for each in image]
            found: Iterable[d3.DepthMap] = d3.stabilize(pictures, d3.predict_disparity(pictures, model=model))
        else:
            found = (d3.estimate_depth(each, model=model) for each in image)
        size = d3.Size(image.shape[2], image.shape[1])
        for depth in found:  # depth of clips has the network's size
            maps.append(torch.from_numpy(np.array(depth.resized(size).values, np.float32)))
            tick()
        mask = torch.stack(maps)
        return mask[..., None].repeat(1, 1, 1, 3), mask


class Stereo:
    """Render both eyes of pictures with depth, in one of the usual layouts or as anaglyph."""

    CATEGORY = "depth3d"
    FUNCTION = "run"
    RETURN_TYPES = ("IMAGE", "IMAGE", "IMAGE")
    RETURN_NAMES = ("composed", "left", "right")

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {
                "image": ("IMAGE",),
                "depth": ("IMAGE",),
                "format": (FORMATS,),
                "parallax": number(DEFAULTS["parallax"], 0, 20, 0.1),
                "convergence": number(0.5, 0, 1),
                "eyes": (["both", "left", "right"],),
            }
        }

    def run(
        self, image: torch.Tensor, depth: torch.Tensor, format: str, parallax: float, convergence: float, eyes: str
    ) -> tuple[torch.Tensor, ...]:
        tick = ticks(len(image))
        results = []
        for picture, near in pairs(image, depth):
            pair = d3.stereo_pair(picture, near, parallax=parallax, convergence=convergence, eyes=eyes)
            results.append((d3.compose(pair, format=format), pair.left, pair.right))
            tick()
        return tuple(tensor_of(column) for column in zip(*results, strict=True))


class Animate:
    """Move a camera over one picture with depth: a loop of frames."""

    CATEGORY = "depth3d"
    FUNCTION = "run"
    RETURN_TYPES = ("IMAGE",)
    RETURN_NAMES = ("frames",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {
                "image": ("IMAGE",),
                "depth": ("IMAGE",),
                "path": (PATHS,),
                "amount": number(DEFAULTS["amount"], 0, 20, 0.1),
                "seconds": number(4.0, 0.1, 60, 0.1),
                "fps": number(24.0, 1, 120, 0.001),
            }
        }

    def run(
        self, image: torch.Tensor, depth: torch.Tensor, path: str, amount: float, seconds: float, fps: float
    ) -> tuple[torch.Tensor]:
        tick = ticks(max(1, round(seconds * fps)) * len(image))
        frames = []
        for picture, near in pairs(image, depth):
            for frame in d3.render_path(picture, near, path=path, amount=amount, seconds=seconds, fps=fps):
                frames.append(torch.from_numpy(frame.floats()))
                tick()
        return (torch.stack(frames),)


class Mesh:
    """Save pictures with depth as textured meshes (GLB, USDZ), Gaussian splats or solids for 3D printers."""

    CATEGORY = "depth3d"
    FUNCTION = "run"
    RETURN_TYPES = ("STRING",)
    RETURN_NAMES = ("files",)
    OUTPUT_NODE = True
    OUTPUT_IS_LIST = (True,)
    SUFFIXES: ClassVar[list[str]] = [".glb", ".obj", ".ply", ".usdz", ".splat", ".spz", ".stl", ".3mf"]

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {
                "image": ("IMAGE",),
                "depth": ("IMAGE",),
                "filename_prefix": ("STRING", {"default": "depth3d/mesh"}),
                "format": (cls.SUFFIXES,),
            }
        }

    def run(self, image: torch.Tensor, depth: torch.Tensor, filename_prefix: str, format: str) -> dict[str, Any]:
        folder, stem, counter, subfolder = self.free_name(filename_prefix, image)
        tick = ticks(len(image))
        written = []
        with tempfile.TemporaryDirectory() as name:
            photo, near_file = Path(name) / "photo.png", Path(name) / "depth.npy"
            for index, (picture, near) in enumerate(pairs(image, depth)):
                pixels = np.rint(picture.cpu().numpy() * 255).astype(np.uint8)
                d3.save_image(d3.open_image(pixels), photo, force=True)
                d3.write_depth(d3.DepthMap(near), near_file, force=True)
                target = folder / f"{stem}_{counter + index:05}_{format}"
                written.append(d3.mesh(photo, target, depth=d3.DepthOptions(depth=str(near_file)), force=False))
                tick()
        shown = [{"filename": file.name, "subfolder": subfolder, "type": "output"} for file in written]
        return {"ui": {"3d": shown}, "result": ([str(file) for file in written],)}

    @staticmethod
    def free_name(prefix: str, image: torch.Tensor) -> tuple[Path, str, int, str]:
        """Folder, stem and first free number in ComfyUI's output folder, which it keeps the prefix from leaving."""
        if folder_paths is None:
            stem = Path(prefix).name
            return Path.cwd(), stem, len(list(Path.cwd().glob(f"{stem}_*"))) + 1, ""
        height, width = image.shape[1:3]
        folder, stem, counter, subfolder, _ = folder_paths.get_save_image_path(
            prefix, folder_paths.get_output_directory(), width, height
        )
        return Path(folder), stem, counter, subfolder


NODE_CLASS_MAPPINGS = {f"Depth3D{kind.__name__}": kind for kind in (Depth, Stereo, Animate, Mesh)}
NODE_DISPLAY_NAME_MAPPINGS = {
    "Depth3DDepth": "Depth (depth3d)",
    "Depth3DStereo": "Stereo 3D (depth3d)",
    "Depth3DAnimate": "Animate 3D photo (depth3d)",
    "Depth3DMesh": "Save 3D mesh (depth3d)",
}
