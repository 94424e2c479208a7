"""What the documents name exists: files, folders, markers, options; and no address that nobody can reach."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import depth3d
from depth3d.io.depth.embedded.registry import embedded_formats
from depth3d.io.depth.registry import depth_formats
from depth3d.io.stereo.registry import stereo_files

ROOT = Path(__file__).parents[1]
PACKAGE = Path(depth3d.__file__).parent
DOCUMENTS = ["README.md", "CONTRIBUTING.md", ".github/SECURITY.md", "tests/data/README.md"]
LINKING = [*DOCUMENTS, "examples/HOWTO.md"]
FOLDERS = ("tests/", "examples/", ".ci/", ".github/")
ROOMS = ("io/", "depth/", "geometry/", "render/", "pipeline/", "cli/", "studio/")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def place(word: str) -> Path | None:
    """The file that a word in backticks names, or None if it names none."""
    if word.startswith("depth3d/"):
        return PACKAGE / word.removeprefix("depth3d/")
    if word.startswith("shaders/"):  # in the package where it is installed, beside it in a checkout
        return PACKAGE / word if (PACKAGE / "shaders").is_dir() else PACKAGE.parent / word
    if word.startswith(FOLDERS):
        return ROOT / word
    if word.startswith(ROOMS) or (word.endswith(".py") and "/" not in word and (PACKAGE / word).exists()):
        return PACKAGE / word
    return None


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_is_named_exists(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    words = re.findall(r"`([\w./-]+)`", text)
    words += [word.split("::")[0] for command in re.findall(r"`pytest ([^`]+)`", text) for word in command.split()]
    named = {word: found for word in words if "NAME" not in word and (found := place(word)) is not None}
    missing = sorted(word for word, found in named.items() if not found.exists())
    assert not missing, f"{document} names what is not there: {missing}"
    if document != "tests/data/README.md":
        assert len(named) > 5


@pytest.mark.parametrize("document", LINKING)
def test_links_lead_to_files(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#\s]+)\)", text) if not link.startswith("http")]
    missing = [link for link in links if not ((ROOT / document).parent / link).exists()]
    assert not missing, f"{document} links to {missing}"


def test_the_table_where_to_change_what_has_a_place_in_every_row() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.partition("## Where to change what")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 10
    assert all(any(place(word) for word in re.findall(r"`([\w./-]+)`", row)) for row in rows)


def format_table() -> str:
    """The README's table of file formats, from the registries."""
    rows = ["| kind | format | what it is | suffixes | written |", "|---|---|---|---|---|"]
    kinds = {"stereo": stereo_files(), "depth": depth_formats(), "depth in a photo": embedded_formats()}
    for kind, entries in kinds.items():
        for one in sorted(entries, key=lambda entry: entry.name.lower()):
            written = one.write is not None or getattr(one, "write_sphere", None) is not None
            suffixes = " ".join(f"`{suffix}`" for suffix in getattr(one, "suffixes", ()))
            rows.append(f"| {kind} | {one.name} | {one.about} | {suffixes} | {'yes' if written else ''} |")
    return "\n".join(rows)


def test_the_table_of_formats_comes_from_the_registries() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert format_table() in text, f"the README's table of formats should be:\n{format_table()}"


def test_the_project_names_no_address_of_its_own() -> None:
    """It has no home page yet: an address that leads nowhere is worse than none."""
    assert "urls" not in PROJECT["project"]


def test_the_version_stands_in_one_place() -> None:
    assert PROJECT["project"]["dynamic"] == ["version"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## (\S+)", changelog, re.MULTILINE)
    assert newest is not None
    assert newest[1] == depth3d.__version__


def test_the_readme_has_both_commands_on_one_line_each() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for mark in ("main-command", "test-command"):
        assert re.search(rf"<!-- {mark} -->\n```\n[^\n]+\n```\n", text), mark
