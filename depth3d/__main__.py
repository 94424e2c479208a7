"""``python -m depth3d`` is the same program as ``depth3d``."""

from depth3d.cli.main import main

if __name__ == "__main__":
    main()
