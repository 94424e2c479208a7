"""The example notebook runs from top to bottom and shows what it says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="needs nbclient")
nbclient = pytest.importorskip("nbclient", reason="needs nbclient")
pytest.importorskip("ipykernel", reason="needs ipykernel")

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_notebook_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DEPTH3D_OFFLINE", "1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"),))))
    notebook = nbformat.read(EXAMPLES / "notebook.ipynb", as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(EXAMPLES)}})
    client.execute()
    shown = [
        "".join(output["data"].get("text/html", "") for output in cell["outputs"] if "data" in output)
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]
    assert [text[:4] for text in shown[:2]] == ["<img", "<img"]  # photo and depth
    assert shown[2].startswith('<iframe title="3D view" srcdoc="&lt;!DOCTYPE html&gt;')
    assert "three.js" in shown[2]
    assert shown[3].startswith("<img")
    assert shown[3] != shown[1]
    assert "coffee.glb" in shown[-1]
