"""The command line, called in this process."""

from __future__ import annotations

import pytest

from depth3d.cli.main import main

__all__ = ["run"]


def run(*arguments: object) -> int:
    """Run ``depth3d ARGUMENTS`` and return its exit status."""
    with pytest.raises(SystemExit) as ended:
        main([*map(str, arguments)])
    return int(ended.value.code or 0)
