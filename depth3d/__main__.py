"""The program ``depth3d``, also ``python -m depth3d``: Ctrl-C while its parts are still loaded shows no traceback."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the program and exit; see ``cli.main``."""
    try:
        from depth3d.cli.main import main as run
    except KeyboardInterrupt:
        sys.stderr.write("depth3d: interrupted\n")
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
