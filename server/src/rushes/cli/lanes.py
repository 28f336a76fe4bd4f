"""`rushes lanes`: what each lane is doing, and hold and resume."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rushes.cli.failure import CommandFailed
from rushes.cli.options import DataOption, JsonOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rushes.store.database import Database, Row

app = typer.Typer(help="Lanes: queues of an engine, or of a model on an engine; hold and resume them.")

LaneArgument = Annotated[str, typer.Argument(help="Its name, as `rushes lanes` shows it.")]
ACTOR = "command line"
LOST_SECONDS = 30.0
"""Without a heartbeat for so long a qworker serves nothing."""


@app.callback(invoke_without_command=True)
def list_lanes(context: typer.Context, data: DataOption, as_json: JsonOption = False) -> None:
    """List lanes: what waits and runs, who serves them, and why one is held."""
    if context.invoked_subcommand is not None:
        return
    from rushes.cli.running import with_database
    from rushes.store.lanes import Lanes
    from rushes.store.operate import Operate

    async def work(database: Database) -> list[dict[str, Any]]:
        operate = Operate(database)
        queue, workers = await operate.queue(), await operate.qworkers()
        return [_shown(row, queue, workers) for row in await Lanes(database).all()]

    shown = with_database(data, work)
    if as_json:
        typer.echo(json.dumps({"lanes": shown}))
    else:
        _print(shown)


@app.command("hold")
def hold(
    data: DataOption,
    lane: LaneArgument,
    reason: Annotated[str | None, typer.Option(help="A line that is shown with the hold.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Claim nothing more from a lane; its queue is kept and takes more."""
    from rushes.cli.running import with_database
    from rushes.store.lanes import Lanes

    if reason is not None and (not reason.strip() or len(reason) > 500 or not reason.isprintable()):
        raise CommandFailed("--reason must be a line of 1 to 500 characters")
    known = with_database(data, lambda database: Lanes(database).hold(lane, actor=ACTOR, said=reason))
    _tell(lane, known, "held", as_json)


@app.command("resume")
def resume(data: DataOption, lane: LaneArgument, as_json: JsonOption = False) -> None:
    """Claim from a lane again; the failures that held it are forgotten."""
    from rushes.cli.running import with_database
    from rushes.store.lanes import Lanes

    _tell(lane, with_database(data, lambda database: Lanes(database).resume(lane, actor=ACTOR)), "open", as_json)


def _tell(lane: str, known: bool, state: str, as_json: bool) -> None:
    if not known:
        raise CommandFailed(f"There is no lane {lane!r}. rushes lanes shows those there are")
    typer.echo(json.dumps({"lane": lane, "state": state}) if as_json else f"{lane} is {state}")


def _shown(row: Row, queue: Sequence[Row], workers: Sequence[Row]) -> dict[str, Any]:
    mine = [one for one in queue if one["lane"] == row["lane"]]
    slots = sum(w["slots"] for w in workers if row["lane"] in w["lanes"] and w["age_seconds"] <= LOST_SECONDS)
    return {
        "lane": row["lane"],
        "state": "held" if row["held"] else "open" if slots else "unserved",
        "cause": row["cause"],
        "said": row["said"],
        "since": None if row["since"] is None else int(row["since"].timestamp()),
        "queued": sum(one["queued"] for one in mine),
        "running": sum(one["running"] for one in mine),
        "slots": slots,
        "failures": row["failures"],
        "load_seconds": row["load_seconds"],
    }


def _print(shown: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Column, Table

    table = Table(
        Column("lane", overflow="fold"),
        Column("queued", justify="right"),
        Column("running", justify="right"),
        Column("slots", justify="right"),
        "state",
        Column("cause", overflow="fold"),
        "since",
    )
    for lane in shown:
        since = (
            "" if lane["since"] is None else datetime.fromtimestamp(lane["since"], UTC).strftime("%Y-%m-%d %H:%M UTC")
        )
        cause = ": ".join(text for text in (lane["cause"], lane["said"]) if text)
        figures = (str(lane["queued"]), str(lane["running"]), str(lane["slots"]))
        table.add_row(escape(lane["lane"]), *figures, lane["state"], escape(cause), since)
    Console().print(table)
