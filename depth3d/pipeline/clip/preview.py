"""Preview of a conversion: contact sheet of a few rendered frames, thumbnails of shots."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from depth3d.depthmap import DepthMap
from depth3d.errors import ExistsError, VideoError, WriteError, in_words
from depth3d.frames import Frame
from depth3d.image import Image, Size
from depth3d.io.image.read import save_image
from depth3d.io.leftovers import temporary_folder
from depth3d.io.video.reader import VideoReader
from depth3d.pipeline.clip.cuts import find_cuts
from depth3d.pipeline.clip.job import ClipJob
from depth3d.pipeline.clip.predict import predict_frame
from depth3d.pipeline.clip.renderers import FrameRenderer, StereoStrength
from depth3d.pipeline.clip.shots import Shot

__all__ = [
    "Picked",
    "contact_sheet",
    "find_places",
    "pick_frames",
    "preview_path",
    "refuse_thumbnails",
    "with_thumbnails",
]

_SCANNED = 5000  # frames; longer clips are sampled instead of scanned for cuts
_CUTS, _EVEN, _STRONGEST = 4, 8, 2
_ROW_WIDTH, _GAP = 960, 6


class Picked(NamedTuple):
    """A frame of the preview: what it is ("start", "cut", "strong"), its depth and its stereo strength."""

    name: str
    frame: Frame
    depth: DepthMap
    strength: StereoStrength

    @property
    def mean_distance(self) -> float:
        """Mean distance of its points from the screen, in depth."""
        return float(np.abs(self.depth.values - self.strength.convergence).mean())


def find_places(job: ClipJob) -> list[tuple[str, Fraction]]:
    """Return (name, source time in seconds) of preview frames: the start, cuts, evenly spaced frames."""
    begin, about = job.start or Fraction(0), job.frames_about
    times: list[Fraction] = []
    cuts: list[Fraction] = []
    if about and about > _SCANNED and job.info.duration is not None:
        stop = min(job.info.duration, job.end or job.info.duration)
        count = _CUTS + _EVEN
        times = [begin + (stop - begin) * n / count for n in range(count)]
    else:
        times, cuts = find_cuts(job)
    places = [("start", times[0])] + [("cut", time) for time in _spread(cuts, _CUTS)]
    taken = {time for _, time in places}
    places += [("", time) for time in _spread(times[1:], _EVEN) if time not in taken]
    return sorted(places, key=lambda place: place[1])


def pick_frames(
    job: ClipJob, places: list[tuple[str, Fraction]], strength_of: Callable[[Frame, DepthMap], StereoStrength]
) -> list[Picked]:
    """Predict depth at all places; keep the start, cuts and the frames with the strongest parallax.

    ``strength_of`` tells the stereo strength of a frame.
    """
    found: list[Picked] = []
    size = job.size if job.eyes is None and not any(job.crop) else None
    with VideoReader(job.source, tone_map=job.video.tonemap, size=size, views=job.eyes is not None) as reader:
        for name, time in places:
            frame = next(reader.around(time), None)
            if frame is None:
                continue
            frame = job.cropped(replace(frame, time=frame.time - job.begin))
            disparity = predict_frame(job, frame)
            low, high = (float(v) for v in np.percentile(disparity.values, [0.5, 99.5]))
            depth = DepthMap.from_disparity(disparity, low, high)
            found.append(Picked(name, frame, depth, strength_of(frame, depth)))
    if not found:
        raise VideoError(f"{job.source}: no frame could be decoded")
    others = sorted((one for one in found if not one.name), key=lambda one: -one.mean_distance)[:_STRONGEST]
    strongest = {id(one) for one in others}
    kept = [one for one in found if one.name or id(one) in strongest]
    return [one._replace(name=one.name or "strong") for one in kept]


def contact_sheet(job: ClipJob, picked: list[Picked], renderer: FrameRenderer) -> Image:
    """Return a picture with one row per frame: rendered output and depth map."""
    rows = []
    with renderer:
        for name, frame, depth, strength in picked:
            shown = frame if renderer.both_eyes else job.flat(frame)
            drawn = renderer.draw(renderer.prepare(shown, depth, strength)).eight_bit()
            height = max(1, round(_ROW_WIDTH / drawn.size.aspect))
            picture = drawn.resized(Size(_ROW_WIDTH, height)).pixels
            width = max(1, round(height * job.info.size.aspect))
            gray = np.round(depth.resized(Size(width, height)).values * 255).astype(np.uint8)
            row = np.hstack([picture, np.repeat(gray[..., None], 3, axis=2)])
            rows.append(_labeled(row, f"{float(frame.time + job.begin):.2f} s {name}"))
    widest = max(row.shape[1] for row in rows)
    padded = [np.pad(row, ((0, _GAP), (0, widest - row.shape[1]), (0, 0))) for row in rows]
    return Image(np.vstack(padded))


def with_thumbnails(shots: list[Shot], job: ClipJob, beside: Path, *, force: bool) -> list[Shot]:
    """Write a thumbnail of every shot into ``NAME_thumbnails/`` beside the shot list; return shots with their names.

    Raises ``ExistsError`` if the folder holds thumbnails already and ``force`` is false.
    """
    folder = thumbnail_folder(beside)
    named = []
    # The folder is created when all thumbnails are ready, so that a stopped run leaves no files.
    opened = VideoReader(job.source, tone_map=True, quiet=True, views=job.eyes is not None)
    with temporary_folder() as drawn, opened as reader:
        for number, shot in enumerate(shots, 1):
            middle = (shot.start + shot.end) / 2 + (job.start or 0)
            frame = next(reader.around(middle), None)
            name = f"{number:04d}.jpg"
            if frame is not None:
                shown = job.flat(frame).image
                save_image(shown.resized(shown.size.fit(320)), drawn / name, force=True)
            named.append(replace(shot, thumbnail=f"{folder.name}/{name}" if frame is not None else ""))
        refuse_thumbnails(beside, force=force)
        try:
            folder.mkdir(exist_ok=True)
            for file in sorted(drawn.iterdir()):
                (folder / file.name).unlink(missing_ok=True)  # copying would follow a link
                shutil.copyfile(file, folder / file.name)
        except OSError as error:
            raise WriteError(folder, f"cannot be written: {in_words(error)}") from error
    return named


def refuse_thumbnails(shots: Path, *, force: bool) -> None:
    """Raise ``ExistsError`` if thumbnails of this shot list exist and ``force`` is false, or a file of their name."""
    folder = thumbnail_folder(shots)
    if folder.exists() and not folder.is_dir():
        raise ExistsError(folder, "is a file; the thumbnails of the shots need a folder of this name")
    if not force and folder.is_dir() and any(folder.iterdir()):
        raise ExistsError(folder)


def thumbnail_folder(shots: Path) -> Path:
    """Return the folder of the thumbnails of a shot list."""
    return shots.with_name(f"{shots.stem}_thumbnails")


def preview_path(target: Path) -> Path:
    """Return the path of the preview picture of an output."""
    return target.with_name(f"{target.stem}_preview.jpg")


def _spread(items: list[Any], count: int) -> list[Any]:
    """Return at most ``count`` evenly spaced items."""
    if len(items) <= count:
        return items
    return [items[round(place)] for place in np.linspace(0, len(items) - 1, count)]


def _labeled(row: NDArray[np.uint8], text: str) -> NDArray[np.uint8]:
    import cv2

    row = np.ascontiguousarray(row)
    for color, width in (((0, 0, 0), 4), ((255, 255, 255), 1)):
        cv2.putText(row, text, (8, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.6, color, width, cv2.LINE_AA)
    return row
