"""Path of a result, displayed in notebooks as the result itself."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING

from depth3d.image import data_address

__all__ = ["WrittenPath", "page_frame"]

if TYPE_CHECKING:
    _Path = Path
else:
    _Path = type(Path())  # Path itself can be subclassed only since Python 3.12

# Larger files are named, not shown: a notebook keeps a copy of everything it shows.
_LARGEST = 64 * 1024 * 1024
_PICTURES = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".gif": "gif", ".webp": "webp", ".avif": "avif"}
_CLIPS = {".mp4": "mp4", ".webm": "webm"}


def page_frame(title: str, page: str, height: int = 560) -> str:
    """Return HTML that shows a whole HTML page in a frame of its own, ``height`` pixels high."""
    content = html.escape(page, quote=True)
    return (
        f'<iframe title="{html.escape(title, quote=True)}" srcdoc="{content}"'
        f' style="width:100%;height:{height}px;border:0"'
        ' allow="fullscreen; xr-spatial-tracking; accelerometer; gyroscope"></iframe>'
    )


class WrittenPath(_Path):
    """Path of a file that depth3d wrote; Jupyter shows the file's content.

    The class name ends in "Path" because trimesh recognizes paths by that.
    """

    def _repr_html_(self) -> str:
        """HTML of the picture, the clip or the 3D page; name and size of files that a browser cannot show."""
        name = html.escape(self.name, quote=True)
        if not self.is_file():
            return f"<code>{name}</code>"
        size = self.stat().st_size
        suffix = self.suffix.lower()
        if size <= _LARGEST:
            if suffix == ".html":
                return page_frame(self.name, self.read_text(encoding="utf-8"))
            if suffix in _PICTURES:
                return f'<img alt="{name}" style="max-width:100%" src="{self._data(f"image/{_PICTURES[suffix]}")}">'
            if suffix in _CLIPS:
                source = self._data(f"video/{_CLIPS[suffix]}")
                return (
                    f'<video controls loop autoplay muted style="max-width:100%" title="{name}" src="{source}"></video>'
                )
        return f"<code>{name}</code> ({size / 1e6:.1f} MB)"

    def _data(self, kind: str) -> str:
        return data_address(kind, self.read_bytes())
