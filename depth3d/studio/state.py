"""State of one running studio, and what a request of its page means."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from depth3d.errors import InvalidInput
from depth3d.hints import Hints
from depth3d.io.hints import write_strokes
from depth3d.io.video.hints import write_clip_hints
from depth3d.options import DepthOptions
from depth3d.studio.estimate import work_of
from depth3d.studio.frames import frame_at, hints_of, key_hints, known_frames, with_frame
from depth3d.studio.items import Item, Library
from depth3d.studio.jobs import Jobs
from depth3d.studio.products import Output, command_line, option_values
from depth3d.validation import check_value

__all__ = ["Planned", "Studio", "networks"]


@dataclass(frozen=True, slots=True)
class Planned:
    """One output that can be queued.

    Parameters
    ----------
    task : str
        Name of the worker's task.
    arguments : dict[str, Any]
        What it gets.
    command : str
        The command that does the same.
    title : str
        Name of the file.
    cost : tuple[str, float]
        Kind and work, for the estimate of its time.
    """

    task: str
    arguments: dict[str, Any]
    command: str
    title: str
    cost: tuple[str, float]


@dataclass(slots=True)
class Studio:
    """State of one running studio.

    Parameters
    ----------
    library : Library
        Its files.
    jobs : Jobs
        Its worker.
    folder : Path
        Private folder, removed at exit.
    results : Path | None
        Folder for all results; None = beside files from the command line, ``downloads`` for dropped ones.
    downloads : Path
        Folder for results of dropped files.
    model : str
        The depth network of "automatic".
    """

    library: Library
    jobs: Jobs
    folder: Path
    results: Path | None
    downloads: Path
    model: str

    def folder_of(self, item: Item) -> Path:
        """Return the folder for the results of an item."""
        return self.results or (self.downloads if item.dropped else item.path.absolute().parent)

    def depth_of(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Return the depth options for a source: "auto", a network's name, or "item:KEY" for another file."""
        source = wanted.get("source", "auto")
        depth: dict[str, Any] = {}
        if isinstance(source, str) and source.startswith("item:"):
            depth["depth"] = str(self.library.get(source[5:]).path)
        elif source != "auto":
            depth["model"] = _known_network(source)
        elif self.model != "auto":
            depth["model"] = self.model
        if wanted.get("invert"):
            depth["invert_depth"] = True
        if wanted.get("relief"):
            depth["relief"] = check_value(DepthOptions, "relief", wanted["relief"])
        return depth

    def painted(self, item: Item, depth: dict[str, Any], time: float | None = None) -> dict[str, Any]:
        """Return the depth options with the strokes that were painted in the page, as a hint file.

        ``time``: of a frame of a clip, whose strokes alone are meant; None = all strokes.
        """
        if time is not None:
            strokes = frame_at(known_frames(item), time)
            return {**depth, "hints": str(self._written(item, "frame", hints_of(strokes))) if strokes else "none"}
        if item.strokes is None and item.frames is None:
            return depth
        if not item.strokes and not any((item.frames or {}).values()):
            return {**depth, "hints": "none"}
        if item.frames is None:
            return {**depth, "hints": str(self._written(item, item.path.stem, hints_of(item.strokes)))}
        return {
            **depth,
            "hints": str(write_clip_hints(key_hints(item.frames), self._hint_file(item, "clip"), force=True)),
        }

    def paint(self, item: Item, strokes: Any, time: float | None = None) -> list[dict[str, Any]]:
        """Replace the strokes of an item, of a clip those of the frame at ``time``. Raises ``InvalidInput``."""
        found = [stroke.facts() for stroke in hints_of(strokes).strokes]
        if time is None:
            item.strokes = found
        else:
            item.frames = with_frame(known_frames(item), time, found)
        return found

    def _written(self, item: Item, stem: str, hints: Hints) -> Path:
        return write_strokes(hints, self._hint_file(item, stem), force=True)

    def _hint_file(self, item: Item, stem: str) -> Path:
        """Return a private hint file of an item."""
        folder = self.folder / f"hints-{item.key}"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder / f"{stem}_hints.json"

    def planned(self, wanted: dict[str, Any]) -> list[Planned]:
        """Return every output of a request, all checked before anything is queued.

        Parameters
        ----------
        wanted : dict[str, Any]
            ``item``, ``outputs``, ``options``, the source of the depth, for clips ``shots``.
        """
        item = self.library.get(wanted["item"])
        media = "clip" if item.facts.get("kind") == "clip" else "photo"
        depth = self.painted(item, self.depth_of(wanted))
        if media == "clip":
            depth.pop("relief", None)  # for photos only
        DepthOptions(**depth)
        return [self._plan(item, media, Output.of(text), wanted, depth) for text in wanted["outputs"]]

    def _plan(self, item: Item, media: str, output: Output, wanted: dict[str, Any], depth: dict[str, Any]) -> Planned:
        values = option_values(output.kind, wanted["options"], media)
        arguments = {
            "path": str(item.path),
            "output": f"{output.kind}:{output.form}",
            "options": values,
            "depth": depth,
            "folder": str(self.folder_of(item)),
            "stem": item.path.stem,
            "shots": wanted.get("shots"),
        }
        # The private hint file means nothing to a shell: there it is the file that "Keep the strokes" writes.
        kept = "png" if media == "photo" else "json"
        private = depth.get("hints") not in (None, "none")
        shown = depth if not private else {**depth, "hints": f"{item.path.stem}_hints.{kept}"}
        command = command_line(output, item.path.name if item.dropped else str(item.path), values, shown, media)
        cost = work_of(output.kind, output.form, values, item.facts)
        return Planned(media, arguments, command, output.file_name(item.path.stem, media), cost)


def _known_network(name: object) -> str:
    from depth3d.depth import registry

    if name not in registry.names():
        raise InvalidInput(f"depth network {name!r} is unknown")
    return str(name)


def networks() -> list[dict[str, str]]:
    """Return the networks that run without a download."""
    from depth3d.depth import registry, weights

    cards = [card for card in registry.cards() if card.name == "tiny" or weights.cached(card) is not None]
    return [{"name": card.name, "license": card.license} for card in cards]
