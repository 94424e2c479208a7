"""The verb ``fix``: correct a stereo photo or clip, and measure it before and after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from depth3d.errors import InvalidOption
from depth3d.options import CheckOptions, FixOptions, VideoOptions
from depth3d.pipeline.check.measure import check, check_pair
from depth3d.pipeline.check.report import StereoReport
from depth3d.pipeline.fix.photo import corrected_photo, photo_format, photo_targets, read_pair, write_photo
from depth3d.pipeline.inputs import media_of
from depth3d.pipeline.notebook import WrittenPath
from depth3d.quantities import as_file, as_path
from depth3d.stereoformats import find_format
from depth3d.validation import changed, nothing_left, require, require_function

if TYPE_CHECKING:
    from depth3d.pipeline.clip.fixed_eyes import ShotCorrection
    from depth3d.pipeline.fix.correction import Correction

__all__ = ["FixReport", "fix", "fix_targets"]

# Formats of clips that `check` takes apart again.
_SEPARABLE = ("side", "stack")


@dataclass(frozen=True, slots=True)
class FixReport:
    """What ``fix`` wrote, what it changed, and what ``check`` measured before and after.

    Parameters
    ----------
    path : Path
        The file that was written (the left eye of two).
    paths : tuple[Path, ...]
        All files.
    corrections : tuple[str, ...]
        One sentence per change, for clips with the time of the shot; empty = nothing had to be corrected.
    before : StereoReport
        Measurements of the source.
    after : StereoReport | None
        Measurements of the result; None for a clip whose format cannot be separated into its eyes (anaglyphs).
    """

    path: Path
    paths: tuple[Path, ...]
    corrections: tuple[str, ...]
    before: StereoReport
    after: StereoReport | None

    def facts(self) -> dict[str, Any]:
        """Return the corrections and both measurements; for JSON."""
        after = None if self.after is None else self.after.facts()
        return {"corrections": list(self.corrections), "before": self.before.facts(), "after": after}


def fix(
    source: str | Path,
    output: str | Path | None = None,
    options: FixOptions | None = None,
    video: VideoOptions | None = None,
    *,
    force: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
    **changes: Any,
) -> FixReport:
    """Correct a stereo photo or clip from any source and return what was measured before and after.

    Vertical shift, rotation and scale between the eyes, their colors, swapped eyes, the place of the scene relative to
    the screen, too much depth, objects that the frame cuts off; in clips shot by shot. The left eye is the reference.

    Raises ``FlatError`` where no second eye is found, ``ExistsError`` before any work is done, and any other
    ``Depth3DError``.

    Parameters
    ----------
    source : str | Path
        MPO, JPS, PNS, side by side, top-bottom, left and right files, cards, clips.
    output : str | Path | None
        A file or a folder; default: ``NAME_fixed`` beside the source, in its layout.
    options : FixOptions | None
        All settings; single ones may be given by name (``format="anaglyph", convergence=0.5``).
    video : VideoOptions | None
        Settings of clips; single ones may be given by name (``start="0:10"``).
    force : bool
        Replace existing files.
    progress : Callable[[str, int, int], None] | None
        Clips: called with (stage, frames done, total frames).
    **changes : Any
        Single options by name, instead of option objects.
    """
    source = as_path(source, "source")
    output = None if output is None else as_file("output", output)
    require_function(progress, "progress")
    options = changed(require(options, FixOptions, "options"), changes)
    if media_of(source) == "clip":
        if options.second_eye is not None:
            raise InvalidOption("second_eye", f"does not apply to {source.name}, a clip")
        video = changed(require(video, VideoOptions, "video"), changes)
        nothing_left(changes, options, video)
        return _fix_clip(source, output, options, video, force=force, progress=progress)
    nothing_left(changes, options)
    return _fix_photo(source, output, options, force=force)


def fix_targets(source: Path, output: str | Path | None, options: FixOptions, video: VideoOptions) -> tuple[Path, ...]:
    """Return the files that ``fix`` will write; raises what is known to be wrong before the work."""
    if media_of(source) == "clip":
        from depth3d.pipeline.clip.fix import clip_target

        return (clip_target(source, output, options, video),)
    from depth3d.io.image.photofile import open_photo
    from depth3d.io.stereo.detect import refuse_flat

    file = open_photo(source)
    if options.layout is None and options.second_eye is None:
        refuse_flat(file)  # before its names are taken, which may be those of a stereo photo's result
    return tuple(photo_targets(source, output, photo_format(file, options)))


def _fix_photo(source: Path, output: str | Path | None, options: FixOptions, *, force: bool) -> FixReport:
    from depth3d.io.atomic import refuse_existing
    from depth3d.io.image.photofile import open_photo

    file = open_photo(source)
    format = photo_format(file, options)
    for target in photo_targets(source, output, format):
        refuse_existing(target, force=force)
    pair = read_pair(file, options)
    shown, correction = corrected_photo(pair, options)
    paths = tuple(WrittenPath(path) for path in write_photo(shown, source, output, format, force=force))
    before, after = check_pair(pair, path=source), check_pair(shown, path=paths[0])
    return FixReport(paths[0], paths, correction.lines(), before, after)


def _fix_clip(
    source: Path,
    output: str | Path | None,
    options: FixOptions,
    video: VideoOptions,
    *,
    force: bool,
    progress: Callable[[str, int, int], None] | None,
) -> FixReport:
    from depth3d.pipeline.clip.fix import fix_clip

    made = fix_clip(source, output, options, video, force=force, progress=progress)
    before = check(source, CheckOptions(layout=options.layout, frames=options.frames))
    after = None
    layout = find_format(made.format)
    if layout.packing in _SEPARABLE:
        after = check(made.path, CheckOptions(layout=layout.name, frames=options.frames))
    path = WrittenPath(made.path)
    return FixReport(path, (path,), tuple(_shot_lines(made.shots)), before, after)


def _shot_lines(shots: tuple[ShotCorrection, ...]) -> list[str]:
    """One line per run of shots with the same correction."""
    lines: list[str] = []
    last: Correction | None = None
    for shot in shots:
        if shot.correction != last:
            what = "; ".join(shot.correction.lines()) or "nothing to correct"
            lines.append(what if len(shots) == 1 else f"from {float(shot.start):.2f} s: {what}")
        last = shot.correction
    return [] if lines == ["nothing to correct"] else lines
