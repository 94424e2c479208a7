"""Options of conversions on many machines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from depth3d.errors import InvalidOption
from depth3d.quantities import short, text_of
from depth3d.validation import Validated, option

__all__ = ["ClusterOptions", "as_cluster"]


def as_cluster(name: str, value: object) -> str:
    """Return the address of a cluster: "local:N" or that of a Dask scheduler; raises ``InvalidOption``."""
    text = text_of(name, value).strip()
    if re.fullmatch(r"local:[0-9]{1,4}", text) and 1 <= int(text[6:]) <= 1024:
        return text
    if re.fullmatch(r"(tcp|tls|ws|wss|ucx)://[^/\s:]+:\d{1,5}", text):
        return text
    raise InvalidOption(
        name, f"{short(text)}, expected local:N (1 to 1024 processes) or tcp://HOST:PORT of a Dask scheduler"
    )


@dataclass(frozen=True)
class ClusterOptions(Validated):
    """Where the parts of a clip's conversion run."""

    media: ClassVar[str] = "clip"

    cluster: str | None = option(
        None,
        "Convert on many machines: tcp://HOST:PORT of a Dask scheduler, or local:N processes (extra depth3d[dask]).",
        metavar="ADDRESS",
        convert=as_cluster,
    )
    ship: bool = option(
        False,
        "With --cluster: send the film in parts through the scheduler, to machines that see no common storage.",
    )

    def __post_init__(self) -> None:
        Validated.__post_init__(self)
        if self.ship and self.cluster is None:
            raise InvalidOption("ship", "needs the address of a cluster (`cluster`)")
