"""Interface of what runs the parts of a conversion: local processes, a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

__all__ = ["Part", "Runner"]


class Part(Protocol):
    """A part that was handed to a runner."""

    def result(self) -> Any:
        """Wait for the result of the part's function and return it; raises its error."""
        ...


class Runner(Protocol):
    """Protocol: runs functions with picklable arguments in other processes; a context manager."""

    @property
    def width(self) -> int:
        """Number of parts that run at once."""
        ...

    @property
    def ships(self) -> bool:
        """Whether the parts are sent with the bytes that they need, to workers that do not see the files."""
        ...

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Part:
        """Start a part."""
        ...

    def everywhere(self, function: Callable[..., Any], *arguments: Any) -> dict[str, Any]:
        """Call a function once in every worker; return worker name -> result."""
        ...

    def completed(self, parts: dict[Any, int]) -> Iterator[tuple[Any, int]]:
        """Yield (result, number) of all parts, in the order in which they end."""
        ...
