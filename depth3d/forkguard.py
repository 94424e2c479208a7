"""Refuses to use what does not survive ``fork``: an OpenGL context, the thread pools of a network."""

from __future__ import annotations

import os

from depth3d.errors import Depth3DError, ModelError

__all__ = ["NETWORKS", "ForkGuard"]


class ForkGuard:
    """Raise an error at once in a forked child, where the work would hang or crash.

    Parameters
    ----------
    what : str
        Subject of the message: "the OpenGL context".
    error : type[Depth3DError]
        Class of the error.
    """

    def __init__(self, what: str, error: type[Depth3DError]) -> None:
        self._what, self._error = what, error
        self._process: int | None = None

    def check(self) -> None:
        """Call before each use. Raises ``error`` if the first use was in a parent of this process."""
        process = os.getpid()
        if self._process is None:
            self._process = process
        elif self._process != process:
            raise self._error(
                f"{self._what} was in use before this process was forked and does not survive that; start workers with"
                " multiprocessing.get_context('spawn') (or 'forkserver'), or fork before the first picture"
            )


NETWORKS = ForkGuard("a network (its thread pools)", ModelError)
"""One for all networks: those for depth and those for optical flow share torch's threads."""
