"""`rushes models` and `rushes catalog`."""

import json
import os
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from rushes.catalog.loader import CatalogError, check_file, load_catalog
from rushes.cli.failure import CommandFailed
from rushes.config import Settings
from rushes.domain.model_card import ModelCard
from rushes.egress import EgressSettings
from rushes.engines.engines_file import EnginesError
from rushes.engines.routing import Routing, read_routing


def list_models(as_json: bool) -> None:
    """Raises CommandFailed when a card is wrong."""
    settings = Settings()
    try:
        cards = load_catalog(
            settings.catalog_dir, test_models=settings.test_models, price_overrides=settings.price_file
        ).cards
        routing = read_routing(settings.engines_file, os.environ, cards, EgressSettings())
    except (CatalogError, EnginesError) as error:
        raise CommandFailed(str(error)) from error
    rows = [
        {"model": c.id, "task": c.task, "engine": _label(routing, c), "description": c.brief_description} for c in cards
    ]
    if as_json:
        typer.echo(json.dumps({"models": rows}))
        return
    table = Table()
    table.add_column("model", no_wrap=True)
    for name in ("task", "engine", "description"):
        table.add_column(name)
    for row in rows:
        table.add_row(*row.values())
    Console().print(table)


def _label(routing: Routing, card: ModelCard) -> str:
    """ENGINE, or ENGINE:TABLE where the table of engines.toml has a name of its own."""
    return routing.of(card).route.label


def check(file: Path) -> None:
    """Print every fault of a file of cards. Raises CommandFailed if there are any."""
    faults = check_file(file)
    for fault in faults:
        typer.echo(fault)
    if faults:
        raise CommandFailed(f"{file} has {len(faults)} faults")
    typer.echo(f"{file} is good")
