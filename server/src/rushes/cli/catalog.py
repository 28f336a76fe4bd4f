"""`rushes models` and `rushes catalog`."""

import json
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from rushes.catalog.loader import CatalogError, check_file, load_catalog
from rushes.cli.failure import CommandFailed
from rushes.config import Settings


def list_models(as_json: bool) -> None:
    """Raises CommandFailed when a card is wrong."""
    settings = Settings()
    try:
        cards = load_catalog(
            settings.catalog_dir, test_models=settings.test_models, price_overrides=settings.price_file
        ).cards
    except CatalogError as error:
        raise CommandFailed(str(error)) from error
    if as_json:
        rows = [{"model": c.id, "task": c.task, "engine": c.engine, "description": c.brief_description} for c in cards]
        typer.echo(json.dumps({"models": rows}))
        return
    table = Table()
    table.add_column("model", no_wrap=True)
    for name in ("task", "engine", "description"):
        table.add_column(name)
    for card in cards:
        table.add_row(card.id, card.task, card.engine, card.brief_description)
    Console().print(table)


def check(file: Path) -> None:
    """Print every fault of a file of cards. Raises CommandFailed if there are any."""
    faults = check_file(file)
    for fault in faults:
        typer.echo(fault)
    if faults:
        raise CommandFailed(f"{file} has {len(faults)} faults")
    typer.echo(f"{file} is good")
