"""Scores the outlines of new views: drawn scenes with exact second views, and depth spoiled as networks spoil it.

    python examples/measure_outlines.py                  # the drawn scenes
    python examples/measure_outlines.py --stereo FOLDER  # also `tiny` on pairs, as measure_views.py takes them
    python examples/measure_outlines.py --clips          # instead: three rendered clips, frame after frame
    python examples/measure_outlines.py --record FILE    # write the numbers as JSON, to compare with later

Every scene is a stack of flat layers, drawn at four times the size and averaged in linear light, so that the right
eye's picture is known for every pixel, hidden ones included. Beside depth3d: the rubber sheet, the ray march, and the
numbers recorded before the outlines were improved (``outlines_baseline.json``).

all, outline  PSNR in dB of the whole picture and within 12 px of the front layer's outline
ghost         percent of the front layer's color on the background side, more than 1 px from the outline
specks        pixels per picture that differ from their 5x5 median by more than 24 levels, and in no true view
ragged        RMS distance in pixels of straight outlines from a line, row by row; where background is invented, its
              texture counts, too
bent          the same, with the texture of invented background left out as far as its colors tell it apart

The outlines of spoiled depth are off by up to 4 pixels, those of "widely displaced depth" by up to 10 (2 % of the
width; its earlier numbers are of commit 8712a05).

"depth3d clip" is the renderer of clips, which gets the spoiled depth at a network's size; "unaligned" is the same with
the edges of the depth where the network saw them. The last line is about time: the same picture with depth that is
spoiled anew in every frame (standard deviation over the frames within 12 px of outlines, levels, and percent of all
pixels that change by more than 24 levels), unaligned and as clips are drawn.

With ``--clips`` (``outline_clips.py``) both eyes are drawn from stabilized depth by the renderer of clips and by that
of moving cameras; beside them pixels that are moved one by one, exact depth, and the numbers recorded before clips got
this care. Outline counts what the clip's frame shows, too, hidden the rest within 12 px;
ghost counts the color of the nearest pixel in front, specks are per frame and eye, and

jumps         percent of the pixels within 12 px of outlines whose error changes by more than 24 levels from one frame
              to the next, along the true motion
"""

from __future__ import annotations

import argparse
import json
import subprocess
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from measure_views import fill_far, load, views
from numpy.typing import NDArray
from outline_clips import CLIP_MEASURES, KINDS, depth_of, drawn, pair_clip
from outline_clips import measured as clip_measured
from outline_clips import spoiled as spoiled_clip
from outline_measures import MEASURES, NEAR_PIXELS, SPECK_LEVELS, measured, near_pixels, psnr
from outline_scenes import HEIGHT, WIDTH, Scene, drawn_scenes, spoiled

import depth3d as d3
from depth3d.depth.refine import upsample_frame
from depth3d.frames import Frame
from depth3d.geometry.edges.sharpen import sharpen_frame
from depth3d.pipeline.clip.renderers import StereoRenderer, StereoStrength
from depth3d.stereoformats import find_format

Floats = NDArray[np.float32]

NETWORK_WIDTH = 256
WIDE_PIXELS = 10.0
CLIP_FRAMES, CLIP_SIZE = 16, (640, 360)
BASELINE = Path(__file__).with_name("outlines_baseline.json")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--stereo", type=Path, help="folder of pairs with measured disparity")
    parser.add_argument("--clips", action="store_true", help="rendered clips instead of the drawn scenes")
    parser.add_argument("--record", type=Path, help="write the means of depth3d as JSON, beside what the file holds")
    arguments = parser.parse_args()
    if arguments.clips:
        clips(arguments.record)
        return
    scenes = list(drawn_scenes())
    found: dict[str, dict[str, list[float]]] = {}
    for title, spoiler in (("exact depth", None), ("spoiled depth", spoiled), ("widely displaced depth", widely)):
        print(f"\n{title}\n{'scene':10s} {'method':12s}" + "".join(f"{measure:>9s}" for measure in MEASURES))
        scores: dict[str, list[list[float]]] = {}
        for number, scene in enumerate(scenes):
            disparity = scene.disparity if spoiler is None else spoiler(scene.disparity, number)
            pictures = views_of(scene, disparity)
            if spoiler is not None:
                most = float(disparity.max())
                pictures["depth3d clip"] = frame_of_clip(scene, disparity, most)
                pictures["unaligned"] = frame_of_clip(scene, disparity, most, align=False)
            for method, picture in pictures.items():
                values = measured(scene, picture)
                scores.setdefault(method, []).append(values)
                print(f"{scene.name:10s} {method:12s}" + "".join(f"{value:9.2f}" for value in values), flush=True)
        found[title] = {method: [float(v) for v in np.nanmean(values, axis=0)] for method, values in scores.items()}
    print("\nframe to frame: " + steadiness(scenes))
    if arguments.stereo:
        found["tiny on stereo pairs"] = tiny_on_pairs(arguments.stereo)
    baseline = json.loads(BASELINE.read_text(encoding="utf-8")) if BASELINE.is_file() else {}
    for title, methods in found.items():
        print(f"\nmean, {title}\n{'':12s}" + "".join(f"{measure:>9s}" for measure in MEASURES))
        for method, values in {**methods, "before": baseline.get(title, [])}.items():
            print(f"{method:12s}" + "".join(f"{value:9.2f}" for value in values))
    if arguments.record:
        ours: dict[str, object] = {title: methods["depth3d"] for title, methods in found.items()}
        record(arguments.record, {**ours, "commit": commit()})


def widely(disparity: Floats, seed: int) -> Floats:
    """Spoiled depth with outlines up to 2 % of the width off, as networks see small parts of a subject."""
    return spoiled(disparity, seed, most=WIDE_PIXELS, spacing=30)


def clips(recording: Path | None) -> None:
    """Score the outlines of three rendered clips, both eyes of every frame."""
    print(f"{'clip':10s} {'method':22s}" + "".join(f"{measure:>9s}" for measure in CLIP_MEASURES))
    scores: dict[str, list[list[float]]] = {}
    for number, kind in enumerate(KINDS):
        clip = pair_clip(kind, CLIP_FRAMES, *CLIP_SIZE)
        most = float(clip.disparity.max())
        exact = [d3.DepthMap((one / most).astype(np.float32)) for one in clip.disparity]
        found = drawn(clip, depth_of(clip, spoiled_clip(clip.disparity, number)))
        found["depth3d, exact depth"] = drawn(clip, exact)["depth3d"]
        for method, pictures in found.items():
            values = clip_measured(clip, pictures)
            scores.setdefault(method, []).append(values)
            print(f"{kind:10s} {method:22s}" + "".join(f"{value:9.2f}" for value in values), flush=True)
    ours = {method: [float(v) for v in np.mean(values, axis=0)] for method, values in scores.items()}
    before = json.loads(BASELINE.read_text(encoding="utf-8")).get("clips", {}) if BASELINE.is_file() else {}
    print(f"\nmean of {len(KINDS)} clips\n{'':22s}" + "".join(f"{measure:>9s}" for measure in CLIP_MEASURES))
    earlier = {f"{method}, before": values for method, values in before.items() if method in ours}
    for method, values in {**ours, **earlier}.items():
        print(f"{method:22s}" + "".join(f"{value:9.2f}" for value in values))
    if recording:
        kept = {method: ours[method] for method in ("depth3d", "moving camera")}
        record(recording, {"clips": {"commit": commit(), **kept}})


def record(path: Path, found: dict[str, object]) -> None:
    kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    path.write_text(json.dumps({**kept, **found}, indent=1) + "\n", encoding="utf-8")


def commit() -> str:
    """The commit of the code that was measured."""
    folder = Path(d3.__file__).parent
    told = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=folder, capture_output=True, text=True, check=False
    )
    return told.stdout.strip() or d3.__version__


def views_of(scene: Scene, disparity: Floats) -> dict[str, Floats]:
    """The right view by every method, in levels."""
    return {
        name: picture * 255
        for name, picture in views(scene, disparity).items()  # type: ignore[arg-type]
        if name != "input"
    }


def frame_of_clip(scene: Scene, disparity: Floats, most: float, *, align: bool = True) -> Floats:
    """The right view as a clip's frame is drawn, with the depth at a network's size; ``most``: pixels of depth 1."""
    frame, size = Frame(0, Fraction(0), d3.Image(scene.left)), (NETWORK_WIDTH, NETWORK_WIDTH * HEIGHT // WIDTH)
    depth = d3.DepthMap(np.clip(cv2.resize(disparity / most, size, interpolation=cv2.INTER_AREA), 0, 1))
    strength = StereoStrength(100 * most / WIDTH, 0.0)
    with StereoRenderer(frame.image.size, d3.StereoOptions(eyes="right"), find_format("sbs")) as renderer:
        if not align:
            full = d3.DepthMap(upsample_frame(depth.values, frame.image))
            return pixels_of(renderer.draw((frame, sharpen_frame(full, most), strength)))
        return pixels_of(renderer.draw(renderer.prepare(frame, depth, strength)))


def pixels_of(both: d3.Image) -> Floats:
    return both.pixels[:, WIDTH:].astype(np.float32)


def steadiness(scenes: list[Scene]) -> str:
    """One line: how much frames differ whose depth is spoiled each time in another way, before and after alignment."""
    told = []
    for align in (False, True):
        change, jumps = [], []
        for scene in scenes:
            near, most = near_pixels((scene.alpha > 0) & (scene.alpha < 1), NEAR_PIXELS), float(scene.disparity.max())
            spoiled_frames = (spoiled(scene.disparity, number) for number in range(6))
            frames = np.array([frame_of_clip(scene, one, most, align=align) for one in spoiled_frames])
            change.append(frames.std(0).mean(2)[near].mean())
            jumps.append(100 * (np.ptp(frames, axis=0).max(-1) > SPECK_LEVELS).mean())
        told.append(f"{np.mean(change):.2f} levels, {np.mean(jumps):.2f} %")
    return " -> ".join(told)


def tiny_on_pairs(folder: Path) -> dict[str, list[float]]:
    """Print and return the PSNR over all and near depth steps, with the depth of `tiny` fitted to the truth."""
    scores: dict[str, list[list[float]]] = {}
    print(f"\ntiny on stereo pairs\n{'scene':10s} {'method':12s}" + "".join(f"{name:>9s}" for name in MEASURES[:2]))
    for path in sorted(folder.glob("*/disp_left.npy")):
        scene = load(path.parent)
        truth = fill_far(np.load(path).astype(np.float32))
        image = d3.Image(scene.left)
        told = d3.estimate_depth(image, model="tiny").resized(image.size).values
        scale, shift = np.polyfit(told.ravel(), truth.ravel(), 1)
        fitted = np.maximum(scale * told + shift, 0.01).astype(np.float32)
        near = near_pixels(scene.regions["edge"], NEAR_PIXELS - 4) & scene.regions["all"]
        for method, picture in views(scene, fitted).items():
            error = 255**2 * ((picture - scene.right) ** 2).mean(2)
            values = [psnr(error[scene.regions["all"]]), psnr(error[near])]
            scores.setdefault(method, []).append(values)
            print(f"{scene.name:10s} {method:12s}" + "".join(f"{value:9.2f}" for value in values), flush=True)
    return {method: [float(v) for v in np.mean(values, axis=0)] for method, values in scores.items()}


if __name__ == "__main__":
    main()
