"""The validation table: the shipped network (or another file) and three baselines on data it was not trained on.

    python examples/train_tiny/validate.py ../shared/data WORK [--checkpoint WORK/run/checkpoint.pt] [--output TABLE.md]
Sets: indoor pairs and streets held back, stereo scenes with ground truth, RGB-D frames, fresh renderings
(WORK/scenes_check).
"""

import argparse
import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from metrics import Scores, mean_scores, score
from numpy.typing import NDArray
from pairs import Pairs
from predictor import Method, trained
from pretrained import MEAN, STD, load_imagenet

import depth3d as d3
from depth3d.depth.estimator import open_estimator
from depth3d.depth.models.tiny.network import TinyNetwork

Plane = NDArray[np.float32]
Picture = NDArray[np.uint8]
HEADING = "AbsRel (lower is better) / delta1 / ordinal accuracy (higher is better) / edge error in pixels (lower)\n\n"
Sample = tuple[Picture, Plane]


def read(path: Path) -> Picture:
    """Read an RGB picture (H, W, 3) uint8."""
    return np.ascontiguousarray(cv2.imread(str(path))[:, :, ::-1])


def packed(folder: Path) -> Iterator[Sample]:
    """Yield the pairs of a packed source."""
    pairs = Pairs(folder)
    for index in range(len(pairs)):
        yield pairs[index]


def stereo(folder: Path) -> Iterator[Sample]:
    """Yield left pictures of rectified scenes and their disparity, inverse depth up to scale; NaN = unknown."""
    for scene in sorted(path.parent for path in folder.glob("*/disp_left.npy")):
        disparity = np.load(scene / "disp_left.npy").astype(np.float32)
        disparity[disparity <= 0] = np.nan
        yield read(scene / "left.png"), disparity


def frames(folder: Path) -> Iterator[Sample]:
    """Yield RGB-D frames as picture and inverse depth in 1/m; NaN = not measured."""
    unit = float(json.loads((folder / "manifest.json").read_text())["unit_m"])
    depths = sorted((folder / "depth").iterdir())
    for color, depth in zip(sorted((folder / "color").iterdir()), depths, strict=True):
        meters = cv2.imread(str(depth), cv2.IMREAD_UNCHANGED).astype(np.float32) * unit
        picture = read(color)
        if picture.shape[:2] != meters.shape:
            picture = cv2.resize(picture, meters.shape[::-1], interpolation=cv2.INTER_AREA)
        with np.errstate(divide="ignore"):
            yield picture, np.where((meters > 0) & (meters < 20), 1.0 / meters, np.nan).astype(np.float32)


def constant(picture: Picture) -> Plane:
    """Baseline: the same depth everywhere."""
    return np.ones(picture.shape[:2], np.float32)


def ramp(picture: Picture) -> Plane:
    """Baseline: inverse depth grows linearly from the top row to the bottom row."""
    height, width = picture.shape[:2]
    return np.repeat(np.linspace(0, 1, height, dtype=np.float32)[:, None], width, axis=1)


def untrained() -> Method:
    """Baseline: ImageNet encoder with a randomly initialized decoder; the alignment may change its sign."""
    torch.manual_seed(0)
    network = TinyNetwork(2).eval()
    load_imagenet(network.encoder, 2)

    def predict(picture: Picture) -> Plane:
        small = cv2.resize(picture, (256, 192), interpolation=cv2.INTER_AREA)
        x = (torch.from_numpy(small)[None].permute(0, 3, 1, 2).float() / 255.0 - MEAN) / STD
        with torch.inference_mode():
            return np.asarray(network(x)[0].numpy(), np.float32)

    return predict


def shipped(model: str) -> Method:
    """The network, run through the public interface of the package."""
    return lambda picture: d3.predict_disparity([d3.Image(picture)], model=model, quiet=True)[0].values


def of_photos(model: str) -> Method:
    """The network as photos get it: its details from a larger input."""
    return lambda picture: open_estimator(model, quiet=True).predict_photo(d3.Image(picture)).values


def evaluate(method: Method, samples: list[Sample], farthest: float | None) -> Scores:
    """Mean scores of a method on a set."""
    scores = []
    for picture, inverse in samples:
        guess = method(picture)
        guess = cv2.resize(guess, inverse.shape[::-1], interpolation=cv2.INTER_LINEAR)
        scores.append(score(guess, inverse, farthest))
    return mean_scores(scores)


def main() -> None:
    """Print (and write) the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--weights", default="tiny", help="a safetensors file; default: the shipped one")
    parser.add_argument("--checkpoint", type=Path, help="also measure the averaged weights of a training run")
    parser.add_argument("--no-baselines", action="store_true", help="leave out constant, ramp and untrained decoder")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    rgbd = options.data / "rgbd"
    sets: dict[str, tuple[Iterator[Sample], float | None]] = {
        "indoor, held back (80)": (packed(options.work / "indoor_held_back"), 10.0),
        "stereo scenes (4)": (stereo(options.data / "stereo"), None),
        "redkitchen (40)": (frames(rgbd / "redkitchen40"), 10.0),
        "redwood (5)": (frames(rgbd / "redwood_livingroom5"), 10.0),
        "slambook (5)": (frames(rgbd / "slambook_ch5"), 10.0),
        "TUM (1)": (frames(rgbd / "tum_single"), 10.0),
        "fresh renderings (80)": (packed(options.work / "scenes_check"), None),
        "streets, held back (40)": (itertools.islice(packed(options.work / "streets_held_back"), 0, 200, 5), None),
    }
    methods: dict[str, Method] = {"tiny": shipped(options.weights), "tiny, photos": of_photos(options.weights)}
    if options.checkpoint:
        methods["checkpoint"] = trained(options.checkpoint)
    if not options.no_baselines:
        methods |= {"constant": constant, "ramp": ramp, "untrained decoder": untrained()}
    lines = ["| set | " + " | ".join(methods) + " |", "| --- |" + " --- |" * len(methods)]
    totals: dict[str, list[Scores]] = {name: [] for name in methods}
    for title, (samples, farthest) in sets.items():
        held = list(samples)
        row = []
        for name, method in methods.items():
            totals[name].append(evaluate(method, held, farthest))
            row.append("{:.3f} / {:.3f} / {:.3f} / {:.2f}".format(*totals[name][-1]))
        lines.append(f"| {title} | " + " | ".join(row) + " |")
        print(lines[-1], flush=True)
    means = {name: mean_scores(scores) for name, scores in totals.items()}
    lines.append(
        "| mean of the sets | "
        + " | ".join("{:.3f} / {:.3f} / {:.3f} / {:.2f}".format(*m) for m in means.values())
        + " |"
    )
    table = "\n".join(lines) + "\n"
    print(table)
    if options.output:
        options.output.write_text(HEADING + table)


if __name__ == "__main__":
    main()
