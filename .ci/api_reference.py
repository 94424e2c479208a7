"""Write the API reference, one HTML page for each public module: `python .ci/api_reference.py FOLDER`.

Warnings of pdoc (a docstring that it cannot read, a name that does not resolve) end the program with an error.
"""

from __future__ import annotations

import inspect
import sys
import warnings
from dataclasses import fields
from pathlib import Path
from typing import Any, cast

import pdoc
import pdoc.doc
import pdoc.render

import depth3d
from depth3d.validation import Validated


def describe(options: type[Validated]) -> None:
    """Put the help texts of the options into the docstring, where pdoc shows them."""
    rows = [f"{item.name} : {item.type}\n    {item.metadata['help']}" for item in fields(cast(Any, options))]
    options.__doc__ = "\n".join([inspect.getdoc(options) or "", "", "Parameters", "----------", *rows])


def main() -> None:
    """Load every public name, write the pages, and fail where a name has no text."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "api")
    # Public names load on first use, and pdoc shows only what is loaded.
    names = [name for name in depth3d.__all__ if getattr(depth3d, name) is not None]
    for value in map(depth3d.__dict__.get, names):
        if isinstance(value, type) and issubclass(value, Validated):
            describe(value)
    pdoc.render.configure(docformat="numpy", footer_text=f"depth3d {depth3d.__version__}")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        pdoc.pdoc("depth3d", output_directory=folder)
    shown = {member.name for member in pdoc.doc.Module(depth3d).members.values() if member.docstring}
    missing = sorted(set(names) - shown - {"__version__"})
    if missing:
        sys.exit(f"no documentation in the reference for: {', '.join(missing)}")
    print(f"{folder / 'depth3d.html'}: {len(names)} names")


if __name__ == "__main__":
    main()
