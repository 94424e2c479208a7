"""How much less depth flickers, and at what price: `python measure_temporal.py [--clips ...] [--films FILE ...]`.

On made clips (`temporal_clips.py`) with network-like noise, for raw and for stabilized depth, after one scale and
shift per scene in inverse depth:

flicker  mean |change of depth along the true flow - true change|, % of the depth range; and within 4 px of edges
AbsRel   mean |z - true z| / true z
ghost    depth left behind by a moving thing in the three frames after it has passed, % of the range
pump     frame-to-frame change of the best scale and shift of still things, % of the range

`--rgbd FOLDER` does the same on a filmed sequence with measured depth and poses (color/, depth/, intrinsics.txt,
poses_cam2world.npy, manifest.json). `--films FILE ...` runs a network on real clips, measures the change along
estimated flow (there is no truth), and with `--slices FOLDER` writes one row of each over time, raw above stable.
`--depth-every auto` uses the noisy depth of only the frames that a conversion with this option would predict.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from network_noise import network_noise
from numpy.typing import NDArray
from temporal_clips import EXTRA_KINDS, KINDS, Clip, render

from depth3d.depth.temporal.flow import MotionEstimator
from depth3d.depth.temporal.rate import frames_to_predict
from depth3d.depth.temporal.stabilizer import stabilize
from depth3d.depthmap import Disparity
from depth3d.image import Image
from depth3d.options import StabilizeOptions
from depth3d.pipeline.clip.predict import BATCH

Array = NDArray[Any]


def warp(values: Array, flow: Array) -> Array:
    rows, columns = np.mgrid[0 : flow.shape[0], 0 : flow.shape[1]].astype(np.float32)
    places = np.stack([columns, rows], axis=-1) + flow
    none: Any = None
    return np.asarray(
        cv2.remap(values.astype(np.float32), places, none, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    )


def near_edges(inverse: Array, spread: float, pixels: int = 4) -> Array:
    """Within ``pixels`` of a depth step of 2 % of the range."""
    steps = np.abs(np.diff(inverse, axis=1, prepend=inverse[:, :1])) + np.abs(
        np.diff(inverse, axis=0, prepend=inverse[:1])
    )
    edges = (steps > 0.02 * spread).astype(np.uint8)
    return np.asarray(cv2.dilate(edges, np.ones((2 * pixels + 1,) * 2, np.uint8))) > 0


def measure(depth: Array, clip: Clip, known: Array | None = None) -> dict[str, float]:
    """All numbers of one clip; ``known`` (T, H, W) masks pixels with a true depth."""
    ends = (*clip.starts[1:], len(clip.depth))
    known = np.ones(clip.depth.shape, bool) if known is None else known
    scenes = [scene(depth, clip, known, start, end) for start, end in zip(clip.starts, ends, strict=True)]
    return {name: mean([one[name] for one in scenes]) for name in scenes[0]}


def mean(values: list[float]) -> float:
    """Of those that could be measured; NaN if none could."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else np.nan


def scene(depth: Array, clip: Clip, known: Array, start: int, end: int) -> dict[str, float]:
    truth, ok = 1 / clip.depth[start:end].astype(np.float64), known[start:end]
    values = depth[start:end].astype(np.float64)
    scale, shift = np.polyfit(values[ok], truth[ok], 1)
    values = values * scale + shift
    low, high = np.percentile(truth[ok], [1, 99])
    spread = high - low
    z = 1 / np.maximum(values, truth[ok].min() / 1.5)
    result = {"AbsRel": float(np.abs(z * truth - 1)[ok].mean())}
    plain, edge, ghost, fits = [], [], [], []
    for k in range(end - start):
        moving = clip.moving[start + k]
        still = ok[k] & ~moving
        fits.append(np.polyfit(truth[k][still], values[k][still], 1))
        trail = clip.moving[start + max(0, k - 3) : start + k].any(axis=0) if k else np.zeros_like(moving)
        trail &= ~(np.asarray(cv2.dilate(moving.astype(np.uint8), np.ones((5, 5), np.uint8))) > 0)
        if k >= 3 and trail.sum() > 20:
            ghost.append((values[k] - truth[k])[trail].mean())
        if k:
            flow, seen = clip.flow[start + k], clip.seen[start + k] & ok[k]
            change = values[k] - warp(values[k - 1], flow) - truth[k] + warp(truth[k - 1], flow)
            close = near_edges(truth[k], spread)
            plain.append(np.abs(change)[seen & ~close].mean())
            edge.append(np.abs(change)[seen & close].mean())
    lines = np.array([np.polyval(fit, [low, (low + high) / 2, high]) for fit in fits])
    result["flicker"] = 100 * float(np.mean(plain)) / spread if plain else np.nan
    result["at edges"] = 100 * float(np.mean(edge)) / spread if edge else np.nan
    result["ghost"] = 100 * float(np.mean(ghost)) / spread if ghost else np.nan
    result["pump"] = 100 * float(np.abs(np.diff(lines, axis=0)).mean()) / spread if len(lines) > 1 else np.nan
    return result


def stable(color: Iterable[Array], raw: Iterable[Array], options: StabilizeOptions) -> Array:
    """Stabilized depth, without the disparities of the frames that ``options.depth_every`` leaves out."""
    frames = [Image(one) for one in color]
    chosen: list[bool] = []
    for start in range(0, len(frames), BATCH):
        chosen += frames_to_predict(frames[start : start + BATCH], start, options.depth_every)
    if not all(chosen):
        print(f"depth of {np.mean(chosen):.0%} of the frames:", end=" ")
    disparities = (Disparity(values) if told else None for values, told in zip(raw, chosen, strict=True))
    return np.stack([depth.values for depth in stabilize(frames, disparities, options=options)])


def table(name: str, clip: Clip, raw: Array, options: StabilizeOptions, known: Array | None = None) -> dict[str, float]:
    """Print one line, raw -> stable; return the ratios."""
    began = time.process_time()
    values = stable(clip.color, raw, options)
    spent = 1000 * (time.process_time() - began) / len(raw)
    before, after = measure(raw, clip, known), measure(values, clip, known)
    cells = "  ".join(f"{before[key]:7.3f} -> {after[key]:6.3f}" for key in before)
    print(f"{name:10s} {cells}   {before['flicker'] / after['flicker']:5.1f}x  {spent:5.1f} ms", flush=True)
    ratios = {f"{key} ratio": after[key] / before[key] for key in ("flicker", "at edges", "AbsRel", "pump")}
    return {**ratios, "ghost raw": before["ghost"], "ghost": after["ghost"], "ms": spent}


def filmed(folder: Path, width: int = 384) -> tuple[Clip, Array]:
    """An RGB-D sequence as a clip, flow from the poses; and where depth was measured."""
    camera = np.loadtxt(folder / "intrinsics.txt")
    poses = np.load(folder / "poses_cam2world.npy")
    unit = json.loads((folder / "manifest.json").read_text())["unit_m"]
    color, depth, known = [], [], []
    for photo, file in zip(sorted(folder.glob("color/*")), sorted(folder.glob("depth/*")), strict=True):
        picture, measured = cv2.imread(str(photo)), cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
        assert picture is not None
        assert measured is not None
        scale = width / measured.shape[1]
        size = (width, round(measured.shape[0] * scale))
        meters = cv2.resize(measured.astype(np.float32) * unit, size, interpolation=cv2.INTER_NEAREST)
        color.append(cv2.resize(picture, size, interpolation=cv2.INTER_AREA)[..., ::-1])
        known.append(meters > 0)
        depth.append(nearest_known(meters))
    focal, middle = camera[0, 0] * scale, (camera[:2, 2] + 0.5) * scale - 0.5
    rows, columns = np.mgrid[0 : size[1], 0 : size[0]]
    flow = np.zeros((len(depth), size[1], size[0], 2), np.float32)
    seen = np.zeros(flow.shape[:3], bool)
    for k in range(1, len(depth)):
        way = np.linalg.inv(poses[k - 1]) @ poses[k]
        rays = np.stack([(columns - middle[0]) / focal, (rows - middle[1]) / focal, np.ones(columns.shape)], -1)
        there = rays * depth[k][..., None] @ way[:3, :3].T + way[:3, 3]
        flow[k] = there[..., :2] / there[..., 2:] * focal + middle - np.stack([columns, rows], -1)
        close = np.abs(warp(depth[k - 1], flow[k]) / there[..., 2] - 1) < 0.05
        seen[k] = close & known[k] & (warp(known[k - 1].astype(np.float32), flow[k]) > 0.99)
    moving = np.zeros(seen.shape, bool)
    return Clip(folder.name, np.stack(color), np.stack(depth), flow, seen, moving), np.stack(known)


def nearest_known(meters: Array) -> Array:
    """Holes (0) take the value of the nearest pixel that has one."""
    holes = (meters == 0).astype(np.uint8)
    _, labels = cv2.distanceTransformWithLabels(holes, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    values = np.zeros(labels.max() + 1, np.float32)
    values[labels[holes == 0]] = meters[holes == 0]
    return np.asarray(values[labels])


def film(path: Path, count: int, model: str, options: StabilizeOptions, folder: Path | None) -> None:
    """Raw and stable depth of a real clip: change along estimated flow, and one row over time."""
    import av

    from depth3d.depth.estimator import predict_disparity

    with av.open(str(path)) as clip:
        pictures = [frame.to_ndarray(format="rgb24") for frame in islice(clip.decode(video=0), count)]
    raw = np.stack([predict_disparity([Image(picture)], model=model)[0].values for picture in pictures])
    values = stable(pictures, raw, options)
    size = (raw.shape[2], raw.shape[1])
    small = [np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8) for picture in pictures]
    motion = MotionEstimator(*raw.shape[1:])
    changes: list[list[float]] = [[], []]
    for k in range(1, len(raw)):
        between = motion.between(small[k - 1], small[k])
        if between.backward_valid.mean() < 0.2:
            continue  # a cut
        for which, maps in enumerate((raw, values)):
            change = np.abs(maps[k] - warp(maps[k - 1], between.backward))[between.backward_valid].mean()
            changes[which].append(100 * float(change) / float(np.subtract(*np.percentile(maps, [99, 1]))))
    before, after = (float(np.mean(one)) for one in changes)
    print(f"{path.name:34s} {len(raw):4d} frames   {before:6.2f} -> {after:6.2f}   {before / after:5.1f}x", flush=True)
    if folder is not None:
        row = raw.shape[1] // 2
        parts = [slice_of(small_row) for small_row in (raw[:, row], values[:, row])]
        cv2.imwrite(str(folder / f"{path.stem}_slice.png"), np.vstack(parts))


def slice_of(rows: Array) -> Array:
    """(T, W) of one row over time -> gray picture, every frame four pixels high."""
    low, high = np.percentile(rows, [0.5, 99.5])
    gray = np.uint8(255 * np.clip((rows - low) / max(high - low, 1e-9), 0, 1))
    return np.asarray(np.repeat(gray, 4, axis=0))


def lines(arguments: argparse.Namespace, options: StabilizeOptions) -> Iterator[dict[str, float]]:
    width, height = arguments.size
    for kind in arguments.clips:
        clip = render(kind, arguments.frames, width, height)
        for seed in range(arguments.seeds):
            raw = network_noise(clip.depth, seed) if not arguments.clean else (1000 / clip.depth).astype(np.float32)
            yield table(f"{kind} {seed}", clip, raw, options)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", nargs="*", default=KINDS, choices=[*KINDS, *EXTRA_KINDS])
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--size", type=int, nargs=2, default=(384, 216), metavar=("W", "H"))
    parser.add_argument("--seeds", type=int, default=1, help="noise seeds per clip")
    parser.add_argument("--clean", action="store_true", help="no noise: what harm is done?")
    parser.add_argument("--look-ahead", type=int, default=StabilizeOptions().look_ahead)
    parser.add_argument("--depth-every", default="1", metavar="1..4|auto", help="depth of the others along the flow")
    parser.add_argument("--rgbd", type=Path, metavar="FOLDER")
    parser.add_argument("--films", type=Path, nargs="*", default=[], metavar="FILE")
    parser.add_argument("--model", default="auto", help="network for --films")
    parser.add_argument("--slices", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    options = StabilizeOptions(look_ahead=arguments.look_ahead, depth_every=arguments.depth_every)
    if arguments.slices:
        arguments.slices.mkdir(parents=True, exist_ok=True)
    if arguments.films:
        for path in arguments.films:
            film(path, arguments.frames, arguments.model, options, arguments.slices)
        return
    print(f"{'clip':10s}    AbsRel              flicker            at edges             ghost               pump")
    if arguments.rgbd:
        clip, known = filmed(arguments.rgbd)
        ratios = [
            table(f"filmed {s}", clip, network_noise(clip.depth, s), options, known) for s in range(arguments.seeds)
        ]
    else:
        ratios = list(lines(arguments, options))
    means = {key: round(mean([one[key] for one in ratios]), 3) for key in ratios[0]}
    fewer = [1 / one["flicker ratio"] for one in ratios]
    print(f"flicker {np.mean(fewer):.1f} times less (worst clip {min(fewer):.1f})", json.dumps(means))


if __name__ == "__main__":
    main()
