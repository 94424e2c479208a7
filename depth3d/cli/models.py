"""``depth3d models``: list depth networks, download their weights, show where they are."""

from __future__ import annotations

import json
from typing import Any

import click

__all__ = ["command"]

_JSON = click.option("--json", "as_json", is_flag=True, help="One machine-readable line.")


@click.group("models", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """List, download and find depth networks.

    \b
    depth3d models                    the list
    depth3d models download NAME      download and verify its weights
    depth3d models path [NAME]        path of its weights (without NAME: the cache folder)

    Your own files work too: --model FILE.pt, a checkpoint of a listed network (identified by its
    tensors), and --model FILE.onnx, any depth network in an ONNX file.
    """
    if context.invoked_subcommand is None:
        context.invoke(listing)


@command.command("list")
@_JSON
def listing(as_json: bool = False) -> None:
    """List name, size, accuracy, speed and license of every network, and whether it is on this disk."""
    from depth3d.depth.flow_networks import FLOW_CARDS
    from depth3d.depth.registry import cards

    rows = [_row(card) for card in cards()]
    if as_json:
        click.echo(json.dumps(rows))
        return
    head = {"name": "NAME", "size": "SIZE", "cached": "HERE", "accuracy": "ACCURACY", "speed": "SPEED"}
    shown = [{**row, "size": _megabytes(row), "cached": "yes" if row["cached"] else "no"} for row in rows]
    widths = {key: max(len(str(row[key])) for row in [head, *shown]) for key in head}
    for row in [{**head, "license": "LICENSE"}, *shown]:
        cells = [
            str(row[key]).rjust(width) if key == "size" else str(row[key]).ljust(width) for key, width in widths.items()
        ]
        click.echo("  ".join([*cells, row["license"]]))
    click.echo(
        "--model auto takes the highest-ranked network on this disk (MiDaS and Depth Anything with a free license),"
        " otherwise downloads midas_v21_small_256, otherwise uses tiny.",
        err=True,
    )
    click.echo("--model hf:OWNER/NAME or hf:FOLDER uses any depth network of Hugging Face transformers.", err=True)
    click.echo("--model FILE.onnx takes an ONNX file, --model FILE a checkpoint of a network in the list.", err=True)
    click.echo("\nOptical-flow networks, for --matcher NAME:FILE and --flow NAME:FILE (download the file yourself):")
    name, license = (max(len(getattr(card, key)) for card in FLOW_CARDS.values()) for key in ("name", "license"))
    for flow in FLOW_CARDS.values():
        click.echo(f"{flow.name:<{name}}  {flow.license:<{license}}  {flow.where}")


@command.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--quiet", is_flag=True, help="No progress, only errors.")
@_JSON
def download(names: tuple[str, ...], quiet: bool, as_json: bool) -> None:
    """Download the weights of NAME, check them, and print their path."""
    from depth3d.depth import registry, weights

    for card in [registry.get(name) for name in names]:
        path = weights.locate(card, quiet=quiet)
        facts = {"name": card.name, "path": str(path), "bytes": path.stat().st_size, "sha256": weights.digest(path)}
        if not quiet:
            published = "as published" if card.weights and card.weights.sha256 else "its hash was never published"
            click.echo(f"{card.name}: SHA-256 {facts['sha256']} ({published})", err=True)
        click.echo(json.dumps(facts) if as_json else facts["path"])


@command.command()
@click.argument("name", required=False)
def path(name: str | None) -> None:
    """Print the path of the weights of NAME; without NAME, the folder of all weights."""
    from depth3d.depth import registry, weights
    from depth3d.errors import WeightsError

    if name is None:
        click.echo(weights.cache_folder())
        return
    card = registry.get(name)
    found = weights.cached(card)
    if found is None:
        raise WeightsError(f"the weights of {card.name} are not on this disk: `depth3d models download {card.name}`")
    click.echo(found.path)


def _row(card: Any) -> dict[str, Any]:
    from depth3d.depth.weights import cached

    found = cached(card)
    published = card.weights.size if card.weights else 0
    return {
        "name": card.name,
        "cached": found is not None or card.weights is None,
        "bytes": found.bytes if found else published,
        "parameters": card.parameters,
        "accuracy": card.accuracy,
        "improvement": card.improvement,
        "speed": card.speed,
        "license": card.license,
        "licence": card.license,  # the name of this entry in version 0.1
        "source": card.source,
        "path": str(found.path) if found else None,
        "url": card.weights.url if card.weights else None,
    }


def _megabytes(row: dict[str, Any]) -> str:
    """Size of the file; if it was not published, that of the parameters in float32."""
    if row["bytes"] is not None:
        return f"{row['bytes'] / 1e6:.0f} MB"
    return f"~{row['parameters'] * 4 / 1e6:.0f} MB" if row["parameters"] else "?"
