"""Tasks of the worker for clips: single frames, shots, a short preview, and the conversion itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from depth3d.depth.temporal.scene_cuts import scene_starts
from depth3d.image import Size
from depth3d.io.image.read import encode_image
from depth3d.io.video.reader import VideoReader
from depth3d.options import AnimateOptions, DepthOptions, OutputOptions, StereoOptions, VideoOptions
from depth3d.pipeline.clip.convert import Product, convert_all
from depth3d.pipeline.clip.shots import Shot, write_shots
from depth3d.studio.products import Output, free_stem, option_values
from depth3d.studio.scenes import picture_address
from depth3d.studio.worker import Report
from depth3d.validation import field_names

__all__ = ["TASKS"]

_SCAN = Size(96, 54)
_SCANNED = 6000  # frames; of a longer clip only so many are searched for cuts
_SHOT_THUMBNAIL = 200
_PREVIEW_SIDE, _PREVIEW_SECONDS = 480, 2.0


def _frame(arguments: dict[str, Any], report: Report) -> dict[str, Any]:
    """Return the frame at a time, and write it as a picture that the page can open in 3D like a photo."""
    path, time = Path(arguments["path"]), Fraction(str(arguments["time"])).limit_denominator(10**6)
    with VideoReader(path, tone_map=True) as reader:
        frame = next(reader.around(time), None)
        if frame is None:
            frame = next(iter(reader))
    image = frame.image.eight_bit()
    file = Path(arguments["file"])
    file.write_bytes(encode_image(image, ".png"))
    return {"time": float(frame.time), "width": image.size.width, "height": image.size.height}


def _shots(arguments: dict[str, Any], report: Report) -> dict[str, Any]:
    """Find the cuts of a clip; return its shots with thumbnails."""
    path = Path(arguments["path"])
    times: list[Fraction] = []

    def pictures(reader: VideoReader) -> Iterator[NDArray[Any]]:
        for frame in islice(reader, _SCANNED):
            times.append(frame.time)
            yield frame.image.pixels

    with VideoReader(path, tone_map=True, size=_SCAN) as reader:
        starts = [times[number] for number in scene_starts(pictures(reader))]
        step = 1 / reader.info.rate
    ends = [*starts[1:], times[-1] + step]
    shots = []
    with VideoReader(path, tone_map=True) as reader:
        for start, end in zip(starts, ends, strict=True):
            found = next(reader.around((start + end) / 2), None)
            shown = None if found is None else found.image.resized(found.image.size.fit(_SHOT_THUMBNAIL))
            picture = None if shown is None else picture_address(shown)
            shots.append({"start": float(start), "end": float(end), "picture": picture})
    return {"shots": shots}


def _preview(arguments: dict[str, Any], report: Report) -> dict[str, Any]:
    """Convert two seconds at a small size."""
    size = Size(*arguments["size"]).fit(_PREVIEW_SIDE).even()
    start = max(0.0, min(float(arguments["time"]), float(arguments["seconds"]) - _PREVIEW_SECONDS))
    options = {**arguments["options"], "start": f"{start:.3f}", "end": f"{start + _PREVIEW_SECONDS:.3f}"}
    arguments = {**arguments, "options": {**options, "size": str(size)}, "shots": None}
    return _run(arguments, Path(arguments["file"]), report, force=True)


def _convert(arguments: dict[str, Any], report: Report) -> dict[str, Any]:
    """Convert a whole clip; a stopped run goes on when the same task is given again."""
    folder = Path(arguments["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    output = Output.of(arguments["output"])
    target = folder / output.file_name(free_stem(output, folder, arguments["stem"], "clip"), "clip")
    return _run(arguments, target, report)


def _run(arguments: dict[str, Any], target: Path, report: Report, *, force: bool = False) -> dict[str, Any]:
    output, path = Output.of(arguments["output"]), Path(arguments["path"])
    values = option_values(output.kind, arguments["options"], "clip")
    of_video = {name: values.pop(name) for name in field_names(VideoOptions) if name in values}
    video = VideoOptions(**of_video)
    if arguments.get("shots"):
        shots = target.with_name(f"{arguments['stem']}_shots.toml")
        _write_shots(arguments["shots"], shots, path.name)
        video = replace(video, shots=str(shots))
    product = Product("depth")
    if output.kind == "animate":
        product = Product("animate", animate=AnimateOptions(**values))
    elif output.kind == "stereo":
        product = Product("stereo", StereoOptions(**{**values, "format": output.form}))

    def progress(stage: str, done: int, total: int) -> None:
        report({"done": done if stage == "depth" else total + done, "total": 2 * total, "message": stage})

    written = convert_all(
        path,
        target,
        product,
        depth=DepthOptions(**arguments["depth"]),
        video=video,
        output_options=OutputOptions(force=force),
        progress=progress,
    )
    return {"files": [str(file) for file in written]}


def _write_shots(shots: list[dict[str, Any]], path: Path, source: str) -> None:
    """Write the settings of the shots as the file of ``--shots``; an unchanged file is kept, so that a run resumes."""
    made = [
        Shot(
            Fraction(str(shot["start"])).limit_denominator(10**6),
            Fraction(str(shot["end"])).limit_denominator(10**6),
            parallax=float(shot["parallax"]),
            convergence=float(shot["convergence"]),
        )
        for shot in shots
    ]
    path.unlink(missing_ok=True)
    write_shots(made, path, source)


TASKS = {"frame": _frame, "shots": _shots, "clip_preview": _preview, "clip": _convert}
