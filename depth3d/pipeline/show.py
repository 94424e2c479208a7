"""A picture with its depth as a 3D view inside a notebook."""

from __future__ import annotations

from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput
from depth3d.image import Image
from depth3d.io.viewer import page_html
from depth3d.options import ViewOptions
from depth3d.pipeline.notebook import page_frame
from depth3d.pipeline.page import view_page
from depth3d.pipeline.scene import Scene
from depth3d.quantities import described

__all__ = ["View3D", "show"]

_HEIGHT = (100, 4000)


class View3D:
    """A 3D view that Jupyter shows; ``html`` is the whole page.

    Parameters
    ----------
    html : str
        The page.
    height : int
        Height in the notebook, pixels.
    """

    def __init__(self, html: str, height: int) -> None:
        self.html = html
        self._height = height

    def _repr_html_(self) -> str:
        """HTML of the view in a frame of its own."""
        return page_frame("3D view", self.html, self._height)


def show(
    image: Image,
    depth: DepthMap,
    amount: float = ViewOptions.amount,
    focus: float | str = ViewOptions.focus,
    height: int = 560,
) -> View3D:
    """Return a 3D view of a picture and its depth for a notebook: mouse, touch, anaglyph, side by side, headset.

    Raises ``InvalidInput`` for values outside their ranges.

    Parameters
    ----------
    image : Image
        The picture.
    depth : DepthMap
        Its depth, of any size with the same aspect ratio.
    amount : float
        Initial travel of the nearest against the farthest point, 0 to 6 percent of the width.
    focus : float | str
        Depth that does not move, 0 (far) to 1 (near), or "auto".
    height : int
        Height in the notebook, 100 to 4000 pixels.
    """
    options = ViewOptions(amount=amount, focus=focus)  # type: ignore[arg-type]  # checked by the options
    if isinstance(height, bool) or not isinstance(height, int) or not _HEIGHT[0] <= height <= _HEIGHT[1]:
        raise InvalidInput(f"show: height is {described(height)}, expected {_HEIGHT[0]} to {_HEIGHT[1]} pixels")
    return View3D(page_html(view_page(Scene(image, depth, "given"), options)), height)
